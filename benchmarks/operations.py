"""Floating-point operations per token, counted from the shape of a model.

    python -m benchmarks.operations

Only matrix products count, 2 operations a multiply-add; additions, gates, softmax, the optimiser
and lookups of embeddings do not. Padding does not count either. A training step costs three times
the forward pass (the gradients by inputs and by weights are a product each).
"""

from benchmarks.report import table
from nmt.models.config import ModelConfig
from nmt.models.cost import Cost, cost
from nmt.training.catalogue import names
from nmt.training.presets import resolve

# Pieces a sentence of Multi30k, English and German, by the size of the joint BPE vocabulary; end of
# sentence included.
LENGTHS = {8_000: (15.3, 15.8), 32_000: (14.3, 14.1)}
HEADS = ("MFLOP", "a source token", "a target token", "of it output layer")
CONFIG_A = ModelConfig(embedding_size=256, hidden_size=512, encoder_layers=1, decoder_layers=1)
GNMT = ModelConfig(embedding_size=1024, hidden_size=1024, encoder_layers=4, decoder_layers=4)
PIECES = 8000
SHAPES = {
    "config A": (CONFIG_A, PIECES),
    **{name: (resolve(name, [], 0).model, PIECES) for name in names()},
    "gnmt": (GNMT, PIECES),
    "gnmt-32k": (GNMT, 32_000),
}
# The peers' read-out is as wide as the state, and is fed to the next step's LSTM.
PEER_READOUT = 512


def training(counted: Cost, pieces: int = PIECES) -> float:
    """Return the operations of a training step per target token, its source tokens included."""
    source_length, target_length = LENGTHS[pieces]
    return 3 * (
        source_length / target_length * counted.per_source_token
        + counted.per_target_token
        + source_length * counted.per_pair_of_tokens
    )


def config_a_training() -> float:
    """Return the operations per target token of training nmt at config A."""
    return training(cost(*SHAPES["config A"]))


def peers_config_a() -> Cost:
    """Count config A as the peers build it: input feeding, and nothing tied."""
    ours, hidden = cost(*SHAPES["config A"]), CONFIG_A.hidden_size
    lstm = 4 * hidden * (CONFIG_A.embedding_size + PEER_READOUT + hidden)
    readout, output = 2 * hidden * PEER_READOUT, PEER_READOUT * PIECES
    return Cost(ours.per_source_token, 2 * (lstm + readout + output), ours.per_pair_of_tokens)


def sources_and_targets(pieces: int) -> float:
    """Return how many tokens there are on both sides for each target token."""
    source_length, target_length = LENGTHS[pieces]
    return 1 + source_length / target_length


def output_layer(config: ModelConfig, pieces: int) -> int:
    """Return the operations of the output layer for a target token."""
    return cost(config, pieces).per_target_token - cost(config, 0).per_target_token


def row(name: str, counted: Cost, output: int, pieces: int) -> list[str]:
    """Return a row of the table, in millions of operations; `output` is of the output layer."""
    target = counted.per_target_token + LENGTHS[pieces][0] * counted.per_pair_of_tokens
    figures = (counted.per_source_token, target, output, training(counted, pieces))
    return [name, *(f"{figure / 1e6:.1f}" for figure in figures)]


def main() -> None:
    """Print the table of README.md."""
    rows = [
        row(name, cost(config, pieces), output_layer(config, pieces), pieces)
        for name, (config, pieces) in SHAPES.items()
    ]
    rows.insert(
        1, row("config A in the peers", peers_config_a(), 2 * PEER_READOUT * PIECES, PIECES)
    )
    print(table([*HEADS, "training, a target token"], rows))


if __name__ == "__main__":
    main()
