"""What became of a line: its text and score, and the pieces they come from."""

from dataclasses import dataclass, field

from nmt.decoding.search import Hypothesis
from nmt.decoding.segments import Segment


@dataclass(frozen=True)
class Part:
    """A stretch of a line that was translated at once: the whole line, or a segment of it."""

    segment: Segment
    source_ids: list[int]  # without EOS
    hypothesis: Hypothesis  # its ids, score, log-probability, and where it looked
    prefix: str = ""  # the text that it had to begin with


@dataclass(frozen=True)
class Translation:
    """One translation of a line."""

    text: str
    score: float  # log-probability over the length penalty, summed where a line was split
    parts: list[Part] = field(default_factory=list)  # in order; none if the line has no piece
    # The next best ones, best first, where SearchOptions.n_best asks for them; they have no others.
    others: list["Translation"] = field(default_factory=list)

    @property
    def log_probability(self) -> float:
        """Its natural logarithm, EOS of each part included."""
        return sum(part.hypothesis.log_probability for part in self.parts)
