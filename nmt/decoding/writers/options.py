"""What to write: every option and its default. Needs no torch."""

from dataclasses import dataclass
from pathlib import Path

from nmt.errors import SettingError, UsageError

FORMATS = ("text", "nbest", "json")


@dataclass(frozen=True)
class WriterOptions:
    """What to write of each line's translation."""

    format: str = "text"  # one of FORMATS
    attention: bool = False  # in JSON, each hypothesis has its attention
    alignments: str | None = None  # a file for word alignments
    attention_plots: str | None = None  # a folder for pictures of attention
    plotted_lines: int = 10  # how many lines get a picture

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise SettingError(f"--format {self.format}: choose one of {', '.join(FORMATS)}")
        if self.attention and self.format != "json":
            raise UsageError("--attention is written as JSON only: add --format json")
        if self.plotted_lines < 1:
            raise SettingError(
                f"the number of lines to plot must be 1 or more, not {self.plotted_lines}"
            )
        if self.attention_plots is None and self.plotted_lines != WriterOptions.plotted_lines:
            raise UsageError("--plotted-lines changes nothing without --attention-plots DIR")
        if self.attention_plots is not None and Path(self.attention_plots).is_file():
            raise UsageError(
                f"{self.attention_plots}: this is a file; name a folder for the pictures"
            )

    def outputs(self, output: str) -> list[str]:
        """Return the files to write, `output` first."""
        return [output, *([self.alignments] if self.alignments else [])]
