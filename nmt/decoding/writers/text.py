"""The best translation as text, a line for a line."""

from nmt.decoding.writers.writer import Line, Writer, one_line


class TextWriter(Writer):
    """Writes the best translation."""

    def write(self, line: Line) -> str:
        """Return one line."""
        return one_line(line.translation.text) + "\n"
