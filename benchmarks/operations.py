"""Floating-point operations per target token, counted from the shape of a model.

    python -m benchmarks.operations

Only matrix products count, 2 operations a multiply-add; additions, gates, softmax, the optimiser
and lookups of embeddings do not. Padding does not count either. A training step costs three times
the forward pass (the gradients by inputs and by weights are a product each).
"""

from dataclasses import dataclass

from benchmarks.report import table

# Multi30k English to German, joint vocabulary of 8,000 BPE pieces, end of sentence included.
SOURCE_LENGTH = 15.3
TARGET_LENGTH = 15.8
BACKWARD = 3


@dataclass(frozen=True)
class Shape:
    """The sizes that decide the cost; `readout` is what the output layer multiplies."""

    embedding: int
    hidden: int
    encoder_layers: int
    decoder_layers: int
    vocabulary: int
    readout: int


SHAPES = {
    "config A (read-out 256, tied)": Shape(256, 512, 1, 1, 8000, 256),
    "config A in the peers (read-out 512)": Shape(256, 512, 1, 1, 8000, 512),
    "2+2 layers of 512": Shape(512, 512, 2, 2, 8000, 512),
    "GNMT (4+4 layers of 1024)": Shape(1024, 1024, 4, 4, 32000, 1024),
}


def lstm(inputs: int, hidden: int) -> int:
    """Return the multiply-adds of one position of one LSTM direction."""
    return 4 * hidden * (inputs + hidden)


def encoder(shape: Shape) -> int:
    """Return the multiply-adds of a source token, its attention key included."""
    half = shape.hidden // 2
    first = 2 * lstm(shape.embedding, half)
    rest = (shape.encoder_layers - 1) * 2 * lstm(shape.hidden, half)
    return first + rest + shape.hidden * shape.hidden


def decoder(shape: Shape, input_feeding: bool = False) -> int:
    """Return the multiply-adds of a target token, attention and output layer included.

    Without input feeding the context goes to the later layers and the read-out; with it, the last
    read-out goes to the first layer.
    """
    first = lstm(shape.embedding + (shape.readout if input_feeding else 0), shape.hidden)
    inputs = shape.hidden if input_feeding else 2 * shape.hidden
    rest = (shape.decoder_layers - 1) * lstm(inputs, shape.hidden)
    attention = round(2 * SOURCE_LENGTH * shape.hidden)  # scores and context
    return first + rest + attention + 2 * shape.hidden * shape.readout + output(shape)


def output(shape: Shape) -> int:
    """Return the multiply-adds of the output layer for a target token."""
    return shape.readout * shape.vocabulary


def training(shape: Shape, input_feeding: bool = False) -> float:
    """Return the operations of a training step per target token, its source tokens included."""
    per_target = SOURCE_LENGTH / TARGET_LENGTH * encoder(shape) + decoder(shape, input_feeding)
    return BACKWARD * 2 * per_target


def config_a_training() -> float:
    """Return the operations per target token of training nmt at config A."""
    return training(SHAPES["config A (read-out 256, tied)"])


def main() -> None:
    """Print the table of README.md."""
    rows = []
    for name, shape in SHAPES.items():
        feeding = "peers" in name
        mega = [2 * encoder(shape), 2 * decoder(shape, feeding), 2 * output(shape)]
        mega.append(round(training(shape, feeding)))
        rows.append([name, *(f"{value / 1e6:.1f}" for value in mega)])
    heads = ["MFLOP", "a source token", "a target token", "of it output layer"]
    heads.append("training, a target token")
    print(table(heads, rows))


if __name__ == "__main__":
    main()
