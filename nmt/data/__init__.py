"""From text to ids to batches: safe reading, filters, SentencePiece, corpus folders, batching."""
