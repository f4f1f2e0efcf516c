"""How many operations a model needs, so that its speed can be stated as a share of the machine's.

Only matrix products are counted, a multiplication with its addition as two operations.
"""

from dataclasses import dataclass

from nmt.models.config import ModelConfig


@dataclass(frozen=True)
class Cost:
    """Operations of a forward pass."""

    per_source_token: int
    per_target_token: int
    per_pair_of_tokens: int  # each target token attends to each source token, in every layer

    def forward(self, source_tokens: int, target_tokens: int, pairs: int) -> int:
        """Return the operations for so many tokens, and sum over sentences of S * T pairs."""
        return (
            source_tokens * self.per_source_token
            + target_tokens * self.per_target_token
            + pairs * self.per_pair_of_tokens
        )

    def training(self, source_tokens: int, target_tokens: int, pairs: int) -> int:
        """Return forward and backward: the backward pass multiplies twice for each product."""
        return 3 * self.forward(source_tokens, target_tokens, pairs)


def cost(config: ModelConfig, target_pieces: int) -> Cost:
    """Count the operations of a model with so many target pieces."""
    embedding, hidden = config.embedding_size, config.hidden_size
    half = hidden // 2
    # Two directions, each with four gates of half the hidden size.
    first = 2 * 4 * half * (embedding + half)
    later = 2 * 4 * half * (hidden + half) * (config.encoder_layers - 1)
    keys = 0 if config.attention == "dot" else hidden * hidden
    decoder = 4 * hidden * (embedding + hidden)
    decoder += 4 * hidden * (2 * hidden + hidden) * (config.decoder_layers - 1)
    query = hidden * hidden * config.decoder_layers if config.attention == "additive" else 0
    readout = 2 * hidden * embedding
    output = embedding * target_pieces
    return Cost(
        per_source_token=2 * (first + later + keys),
        per_target_token=2 * (decoder + query + readout + output),
        per_pair_of_tokens=2 * 2 * hidden * config.decoder_layers,
    )
