"""Which pairs are worth training on. A pair goes or stays as a whole, so lines stay paired."""

from dataclasses import dataclass

from nmt.data.options import PreprocessOptions

# Below this many pieces a ratio means little: "Yes." may well become a sentence of ten.
SHORT = 15
EMPTY, DUPLICATE, OVERLAP, LENGTH, RATIO = (
    "empty",
    "duplicate",
    "overlap",
    "max_length",
    "max_ratio",
)


@dataclass(frozen=True)
class PairFilter:
    """Judges a pair by the numbers of pieces of its sides; a limit of None does not apply."""

    max_length: int | None = None
    max_ratio: float | None = None

    def verdict(self, source_length: int, target_length: int) -> str | None:
        """Return the name of the filter that drops the pair, or None to keep it."""
        shorter, longer = sorted((source_length, target_length))
        if shorter == 0:
            return EMPTY
        if self.max_length is not None and longer > self.max_length:
            return LENGTH
        if self.max_ratio is not None and longer > max(SHORT, self.max_ratio * shorter):
            return RATIO
        return None


def reasons(options: PreprocessOptions) -> dict[str, str]:
    """Return, for each filter, why it drops a pair."""
    return {
        EMPTY: "one side is empty",
        DUPLICATE: "the same pair came before (--dedup)",
        OVERLAP: "one side is also in a held-out validation pair",
        LENGTH: f"one side has more than {options.max_length:,} pieces (--max-length)",
        RATIO: f"one side has over {options.max_ratio:g} times the other's pieces (--max-ratio)",
    }
