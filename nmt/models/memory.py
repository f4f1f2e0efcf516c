"""What the decoder knows of the sources."""

from dataclasses import dataclass, replace

from torch import Tensor


@dataclass(frozen=True)
class Memory:
    """What the decoder knows of the sources; kept per sentence, never per beam."""

    values: Tensor  # (B, S, H)
    keys: Tensor  # (B, ...) what the attention makes of a source before any question
    padding: Tensor | None  # (B, S), true at padding

    def select(self, sentences: Tensor) -> "Memory":
        """Keep some of the sentences, by index."""
        padding = None if self.padding is None else self.padding[sentences]
        return replace(
            self, values=self.values[sentences], keys=self.keys[sentences], padding=padding
        )
