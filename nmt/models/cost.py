"""How many operations a model needs, so that its speed can be stated as a share of the machine's.

Only matrix products are counted, a multiplication with its addition as two operations.
"""

from dataclasses import dataclass

from nmt.models.attention import ATTENTIONS
from nmt.models.config import ModelConfig
from nmt.models.readout import READOUTS
from nmt.models.recurrent import CELLS
from nmt.models.wiring import WIRINGS


@dataclass(frozen=True)
class Cost:
    """Operations of a forward pass."""

    per_source_token: int
    per_target_token: int
    per_pair_of_tokens: int  # each target token attends to each source token, as often as is asked

    def forward(self, source_tokens: int, target_tokens: int, token_pairs: int) -> int:
        """Return the operations for so many tokens, and S * T pairs of them in all."""
        return (
            source_tokens * self.per_source_token
            + target_tokens * self.per_target_token
            + token_pairs * self.per_pair_of_tokens
        )

    def training(self, source_tokens: int, target_tokens: int, token_pairs: int) -> int:
        """Return forward and backward: the backward pass multiplies twice for each product."""
        return 3 * self.forward(source_tokens, target_tokens, token_pairs)


def cost(config: ModelConfig, target_pieces: int) -> Cost:
    """Count the operations of a model with so many target pieces."""
    embedding, hidden = config.embedding_size, config.hidden_size
    gates = CELLS[config.cell].gates
    encoder = 0
    for layer in range(1, config.encoder_layers + 1):
        # The directions' gates are together as many as those of one direction.
        state = hidden // 2 if config.reads_both_ways(layer) else hidden
        encoder += gates * hidden * ((hidden if layer > 1 else embedding) + state)
    attention, readout = ATTENTIONS[config.attention], READOUTS[config.readout]
    wiring = WIRINGS[config.attend](config.decoder_layers)
    questions = sum(wiring.asks) + wiring.before
    context = hidden * attention.has_context
    size = readout.size(embedding, hidden + context)
    decoder = gates * hidden * (embedding + config.input_feeding * size)
    decoder += gates * hidden * hidden * (2 * config.decoder_layers - 1)
    decoder += gates * hidden * context * sum(wiring.reads)
    query = questions * attention.query_products * hidden * hidden
    output = readout.products(embedding, hidden + context) + size * target_pieces
    return Cost(
        per_source_token=2 * (encoder + attention.key_products * hidden * hidden),
        per_target_token=2 * (decoder + query + output),
        per_pair_of_tokens=2 * 2 * hidden * questions * attention.looks,
    )
