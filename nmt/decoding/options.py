"""How to search: every option and its default. Needs no torch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nmt.decoding.adjusters.length import length_penalty
from nmt.decoding.compatibility import check

if TYPE_CHECKING:
    from torch import Tensor

# A length is the source's times a ratio, rounded down or up; but 1.1 * 10 is 11.
SLACK = 1e-3


@dataclass(frozen=True)
class SearchOptions:
    """How to search. Lengths are in pieces, of what is translated at once."""

    beam_size: int = 5  # 1 is greedy search
    length_penalty: float | str = 1.0  # alpha of Wu et al. 2016, or none, or average
    n_best: int = 1  # hypotheses returned for each sentence, at most; for sampling, how many
    coverage_penalty: float = 0.0  # beta of Wu et al. 2016; 0 is none
    min_length: int = 0
    min_length_ratio: float = 0.0  # times the source's length
    max_length: int | None = None
    max_length_ratio: float | None = None  # times the source's length
    no_repeat_ngram: int = 0  # no sequence of so many pieces comes twice; 0 lets them
    sample: bool = False  # draw translations at random instead of searching for the best
    temperature: float = 1.0  # under 1 likely pieces become likelier, over 1 less likely
    top_k: int = 0  # draw from the k likeliest pieces; 0 is all
    top_p: float = 1.0  # draw from the likeliest pieces that have this probability together
    seed: int = 1
    # What stops a model that does not end: ratio * (source pieces + 1) + extra.
    length_ratio: float = 2.0
    length_extra: int = 20

    def __post_init__(self) -> None:
        length_penalty(self.length_penalty)
        check(self)

    @property
    def strategy(self) -> str:
        """The kind of search: beam, greedy or sampling."""
        if self.sample:
            return "sampling"
        return "greedy" if self.beam_size == 1 else "beam"

    @property
    def width(self) -> int:
        """How many hypotheses of a sentence are followed at once."""
        return self.n_best if self.sample else self.beam_size

    def penalty(self, length: "Tensor") -> "Tensor":
        """Return what log-probabilities are divided by, from lengths, EOS included."""
        return length_penalty(self.length_penalty)(length)

    def shortest(self, lengths: "Tensor") -> "Tensor":
        """Return how many pieces, EOS not included, a translation must have.

        Args:
            lengths: the sources' lengths, EOS included (B,).
        """
        return self._wanted(lengths).minimum(self.longest(lengths) - 1)

    def longest(self, lengths: "Tensor") -> "Tensor":
        """Return how many pieces, EOS included, a translation may have.

        Args:
            lengths: the sources' lengths, EOS included (B,).
        """
        most = (lengths * self.length_ratio).long() + self.length_extra
        most = most.maximum(self._wanted(lengths) + 1)
        if self.max_length is not None:
            most = most.clamp(max=self.max_length + 1)
        if self.max_length_ratio is not None:
            pieces = ((lengths - 1) * self.max_length_ratio + SLACK).floor().long()
            most = most.minimum(pieces.clamp(min=1) + 1)
        return most

    def _wanted(self, lengths: "Tensor") -> "Tensor":
        pieces = ((lengths - 1) * self.min_length_ratio - SLACK).ceil().long()
        return pieces.clamp(min=self.min_length)
