"""Writers: each makes something of a line's translation; which ones is said by WriterOptions."""
