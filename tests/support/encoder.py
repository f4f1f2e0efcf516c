"""The encoder and the bridge, written from their formulas with plain loops, for one sentence."""

from nmt.models.seq2seq import Seq2Seq
from tests.support import cells
from tests.support.cells import State
from tests.support.vectors import Matrix, add_all, affine, layer_norm, tanh, weights


def encode(model: Seq2Seq, source: list[int]) -> tuple[Matrix, list[State]]:
    """The memory, and each layer's last state."""
    config = model.config
    (table,) = weights(model, "source_embedding")
    scale = config.embedding_size ** (0.5 if config.tying == "three-way" else 0.25)
    xs = [[scale * value for value in table[id]] for id in source]
    xs = xs[::-1] if config.reverse_source else xs
    final = []
    for number, layer in enumerate(model.encoder.layers, start=1):
        inputs = xs
        if config.layer_norm and number > 1:
            norm = weights(model.encoder.norms[number - 2], "gain", "bias")
            inputs = [layer_norm(x, *norm) for x in xs]
        done = cells.run(layer, inputs)
        xs = add_all(done.outputs, xs) if adds_input(model, number) else done.outputs
        final.append(done.final)
    return xs[::-1] if config.reverse_source else xs, final


def first_states(model: Seq2Seq, final: list[State]) -> list[State]:
    """Each decoder layer's first state."""
    return BRIDGES[model.config.bridge](model, final)


def adds_input(model: Seq2Seq, number: int) -> bool:
    """Whether layer `number`, from 1, has a residual connection."""
    first = model.config.residual_from
    return first != 0 and number >= first


def linear_bridge(model: Seq2Seq, final: list[State]) -> list[State]:
    """tanh(W h + b) of the last layer's hidden state, cut into the parts of each layer's state."""
    weight, bias = weights(model.decoder, "bridge.weight", "bridge.bias")
    flat = tanh(affine(weight, final[-1][0], bias))
    size, parts = model.config.hidden_size, len(final[-1])
    cut = [flat[at : at + size] for at in range(0, len(flat), size)]
    return [cut[at : at + parts] for at in range(0, len(cut), parts)]


def copy_bridge(model: Seq2Seq, final: list[State]) -> list[State]:
    """Layer by layer; where there are no more, the last again."""
    count = model.config.decoder_layers
    return [*final, *[final[-1]] * count][:count]


def zero_bridge(model: Seq2Seq, final: list[State]) -> list[State]:
    """Zeros."""
    zeros = [[0.0] * model.config.hidden_size for _ in final[-1]]
    return [zeros] * model.config.decoder_layers


BRIDGES = {"linear": linear_bridge, "copy": copy_bridge, "zero": zero_bridge}
