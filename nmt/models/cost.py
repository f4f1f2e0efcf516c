"""How many operations a model needs, so that its speed can be stated as a share of the machine's.

Only matrix products are counted, a multiplication with its addition as two operations.
"""

from collections.abc import Callable
from dataclasses import dataclass

from nmt.models.config import ModelConfig
from nmt.models.recurrent import CELLS
from nmt.models.wiring import WIRINGS


@dataclass(frozen=True)
class Products:
    """What an attention multiplies: squares of the hidden size, and what else it does."""

    keys: int = 0  # for each source token
    query: int = 0  # for each question
    looks: bool = True  # each question is compared with each source token, and reads it
    context: bool = True  # there are contexts


PRODUCTS = {
    "general": Products(keys=1),
    "dot": Products(),
    "additive": Products(keys=1, query=1),
    "multi-head": Products(keys=2, query=2),
    "none": Products(looks=False),
    "initial": Products(looks=False, context=False),
}


@dataclass(frozen=True)
class ReadoutSize:
    """How large a read-out is."""

    size: int  # what it hands to the output layer
    weights: int


# From the size of an embedding, and of a state with its context.
READOUT_SIZES: dict[str, Callable[[int, int], ReadoutSize]] = {
    "tanh": lambda embedding, inputs: ReadoutSize(embedding, inputs * embedding),
    "direct": lambda embedding, inputs: ReadoutSize(inputs, 0),
    "maxout": lambda embedding, inputs: ReadoutSize(
        embedding, (inputs + embedding) * 2 * embedding
    ),
}


@dataclass(frozen=True)
class Cost:
    """Operations of a forward pass."""

    per_source_token: int
    per_target_token: int
    per_pair_of_tokens: int  # each target token attends to each source token, as often as is asked

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
    gates = CELLS[config.cell].gates
    encoder = 0
    for layer in range(1, config.encoder_layers + 1):
        # The directions' gates are together as many as those of one direction.
        state = hidden // 2 if config.reads_both_ways(layer) else hidden
        encoder += gates * hidden * ((hidden if layer > 1 else embedding) + state)
    products = PRODUCTS[config.attention]
    wiring = WIRINGS[config.attend](config.decoder_layers)
    questions = sum(wiring.asks) + wiring.before
    context = hidden * products.context
    readout = READOUT_SIZES[config.readout](embedding, hidden + context)
    decoder = gates * hidden * (embedding + config.input_feeding * readout.size)
    decoder += gates * hidden * hidden * (2 * config.decoder_layers - 1)
    decoder += gates * hidden * context * sum(wiring.reads)
    query = questions * products.query * hidden * hidden
    return Cost(
        per_source_token=2 * (encoder + products.keys * hidden * hidden),
        per_target_token=2 * (decoder + query + readout.weights + readout.size * target_pieces),
        per_pair_of_tokens=2 * 2 * hidden * questions * products.looks,
    )
