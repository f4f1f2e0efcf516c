"""All translations of each line as text: several lines for one."""

from nmt.decoding.writers.writer import Line, Writer, one_line


class NBestWriter(Writer):
    """Writes a line for each translation: the source line's number, the score, the text.

    They are separated by tabs, so that `cut -f 3` and spreadsheets can read them.
    """

    def write(self, line: Line) -> str:
        """Return one line for each translation, best first."""
        return "".join(
            f"{line.number}\t{each.score:.4f}\t{one_line(each.text).replace(chr(9), ' ')}\n"
            for each in (line.translation, *line.translation.others)
        )
