"""The decoder's parts: gradients, loops over time, and contexts that no layer asked for.

What whole models of the family have in common is in test_family.py.
"""

import pytest
import torch
from torch import Tensor
from torch.func import functional_call

from nmt.data.special import BOS
from nmt.models import feeding
from nmt.models.attention import ATTENTIONS
from nmt.models.config import ModelConfig
from nmt.models.decoder import Decoder
from nmt.models.deferred import deferred_map
from nmt.models.dropout import NO_DROPOUT, Dropout
from nmt.models.linear import LinearMap, learning_map
from nmt.models.seq2seq import Seq2Seq
from nmt.models.wiring import WIRINGS
from tests.support.family import member
from tests.support.small import PIECES, lengths_of, pad, random_sentences

SOURCES = random_sentences([4, 2])
TARGETS = [[BOS, 5, 4], [BOS, 6, 7]]
# Every part that feeds something back, and every cell in the loops.
LOOPS = [
    {"attend": "before"},
    {"attend": "before", "attention": "additive", "cell": "gru", "readout": "maxout"},
    {"attend": "before", "attention": "multi-head", "decoder_layers": 2, "input_feeding": True},
    {"attend": "last", "input_feeding": True, "decoder_layers": 2, "layer_norm": True},
    {"attend": "first", "input_feeding": True, "cell": "norm-lstm", "readout": "maxout"},
    {"attention": "initial", "input_feeding": True, "cell": "rnn"},
    {"attention": "none", "readout": "direct", "input_feeding": True, "tying": "none"},
]


def small(**settings) -> ModelConfig:
    """A model of a few numbers."""
    return ModelConfig(**{"embedding_size": 2, "hidden_size": 4} | settings)


def named(settings: dict) -> str:
    """A name for a test."""
    return ",".join(f"{name}={value}" for name, value in settings.items())


class FromNumbers(torch.nn.Module):
    """A decoder whose sources and words are the same few numbers."""

    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, values: Tensor) -> Tensor:
        """Read values (B, S, H) as the memory, its first state as the last, and words out of it."""
        memory = self.decoder.memory(values, values[:, 0], None)
        states = [layer.zeros(values, len(values)) for layer in self.decoder.layers]
        return self.decoder(values[:, :2, :2], memory, states, NO_DROPOUT).readouts


@pytest.mark.parametrize("settings", LOOPS, ids=named)
def test_gradients_of_loops_are_those_of_the_numbers(settings):
    run = FromNumbers(member(small(**settings)).decoder)
    names = [name for name, _ in run.named_parameters() if "bridge" not in name]
    weights = [run.get_parameter(name).detach() for name in names]

    def readouts(values: Tensor, *weights: Tensor) -> Tensor:
        return functional_call(run, dict(zip(names, weights, strict=True)), (values,))

    inputs = [torch.randn(2, 3, 4, dtype=torch.float64), *weights]
    assert torch.autograd.gradcheck(readouts, [x.requires_grad_() for x in inputs], fast_mode=True)


def found(model: Seq2Seq, dropout: Dropout) -> list[Tensor]:
    """The read-outs and the gradients of all weights."""
    encoded = model.encode(pad(SOURCES), lengths_of(SOURCES))
    readouts = model.decode(pad(TARGETS), encoded, dropout)
    loss = (readouts * readouts.detach().cos()).sum()
    gradients = torch.autograd.grad(loss, list(model.parameters()), allow_unused=True)
    return [readouts, *(each for each in gradients if each is not None)]


@pytest.mark.parametrize("settings", LOOPS, ids=named)
def test_gradients_made_after_the_loop_are_those_made_at_every_step(monkeypatch, settings):
    model = member(small(**settings))
    late = found(model, Dropout(0.4, torch.Generator().manual_seed(1)))
    monkeypatch.setattr(feeding, "deferred_map", learning_map)
    at_once = found(model, Dropout(0.4, torch.Generator().manual_seed(1)))
    assert len(late) == len(at_once) > 5
    assert all(torch.allclose(*pair, atol=1e-12) for pair in zip(late, at_once, strict=True))


def test_a_deferred_map_learns_once_for_all_of_its_uses():
    x, weight, bias = (
        torch.randn(*size, dtype=torch.float64, requires_grad=True)
        for size in ((3, 2, 4), (5, 4), (5,))
    )

    def twice(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        apply = deferred_map(weight, bias, 1.0)
        return apply(x[1:].tanh(), apply(x[:2]).sin())

    assert torch.autograd.gradcheck(twice, (x, weight, bias))
    y = twice(x, weight, bias).sum()
    first = torch.autograd.grad(y, weight, retain_graph=True)
    assert torch.equal(first[0], torch.autograd.grad(y, weight)[0])  # nothing is left over


@pytest.mark.parametrize("attend", WIRINGS)
def test_a_fixed_context_is_the_same_whatever_is_asked_and_wherever_it_is_read(attend):
    model = member(small(attention="none", attend=attend, decoder_layers=3))
    encoded = model.encode(pad(SOURCES), lengths_of(SOURCES))
    changed = encoded.memory.values + 1.0  # nobody reads these
    memory = type(encoded.memory)(changed, encoded.memory.keys, encoded.memory.padding)
    other = type(encoded)(memory, encoded.states)
    assert torch.equal(model.decode(pad(TARGETS), other), model.decode(pad(TARGETS), encoded))


def calls(monkeypatch, config: ModelConfig) -> int:
    """How many maps of the loops over time are used in one pass over a target of three words."""
    count = 0

    def counting(weight: Tensor, bias: Tensor | None, bound: float) -> LinearMap:
        made = learning_map(weight, bias, bound)

        def apply(x: Tensor, plus: Tensor | None = None) -> Tensor:
            nonlocal count
            count += 1
            return made(x, plus)

        return apply

    monkeypatch.setattr(feeding, "deferred_map", counting)
    found(member(config), NO_DROPOUT)
    return count


def test_what_feeds_nothing_back_has_no_loop_and_what_does_has_few_products(monkeypatch):
    for attention in ATTENTIONS:
        attend = "every" if attention == "initial" else "first"
        config = small(attention=attention, attend=attend, decoder_layers=3, layer_norm=True)
        assert calls(monkeypatch, config) == 0
    assert calls(monkeypatch, small(attention="none", attend="before")) == 0
    # Words once; then in each of three steps what is fed back, and the hidden state; the layers
    # above the first need no loop.
    before = small(attend="before", attention="dot", decoder_layers=3)
    assert calls(monkeypatch, before) == 1 + 3 * 2
    # And here the read-out as well, and two products in the second layer.
    feeds = small(attend="last", attention="dot", decoder_layers=2, input_feeding=True)
    assert calls(monkeypatch, feeds) == 1 + 3 * 5


def test_an_output_layer_of_its_own_is_as_wide_as_its_readout():
    tied, own, direct = (
        Seq2Seq(small(tying=tying, readout=readout), PIECES, PIECES)
        for tying, readout in (("two-way", "tanh"), ("none", "tanh"), ("none", "direct"))
    )
    assert tied.output_weight is tied.target_embedding
    assert "output_weight" not in dict(tied.named_parameters())  # written once to the folder
    assert own.output_weight.shape == own.target_embedding.shape
    assert "output_weight" in dict(own.named_parameters())
    assert direct.output_weight.shape == (PIECES, 8)  # [h; c]
