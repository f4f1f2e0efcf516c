"""The whole model equals plain loops, at once and step by step, and no sentence sees another."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.data.special import BOS
from nmt.models import stepper as stepping
from nmt.models.config import ModelConfig
from nmt.models.cost import cost
from nmt.models.linear import plain_map
from nmt.models.lstm import LSTMLayer
from nmt.models.memory import Memory
from nmt.models.reader import SourceReader
from nmt.models.seq2seq import Encoded, Seq2Seq
from tests.support.reference import ReferenceModel
from tests.support.small import (
    ATTENTION_TYPES,
    PIECES,
    SHAPES,
    lengths_of,
    pad,
    random_sentences,
    small_config,
    small_model,
)

SIZES = st.lists(st.integers(1, 7), min_size=1, max_size=5)


def readouts(model: Seq2Seq, sources: list[list[int]], targets: list[list[int]]) -> torch.Tensor:
    """Read-outs (B, T, E) of padded sources and targets."""
    encoded = model.encode(pad(sources), lengths_of(sources))
    return model.decode(pad(targets), encoded)


@pytest.mark.parametrize(("attention", "depths"), SHAPES)
def test_the_model_equals_plain_loops(attention, depths):
    model = small_model(attention, depths)
    plain = ReferenceModel(model)
    sources = random_sentences([4, 2])
    targets = [[BOS, 5, 4, 8, 7], [BOS, 6]]
    found = readouts(model, sources, targets)
    logits = model.logits(found)
    memory = model.encode(pad(sources), lengths_of(sources)).memory.values
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        expected, _ = plain.encode(source)
        assert torch.allclose(memory[row, : len(source)], torch.tensor(expected).double())
        for at, step in enumerate(plain.steps(source, target)):
            assert found[row, at].tolist() == pytest.approx(step.readout, abs=1e-12)
            assert logits[row, at].tolist() == pytest.approx(step.logits, abs=1e-12)


@pytest.mark.parametrize("kept", [0, 1 << 25])
@pytest.mark.parametrize(("attention", "depths"), SHAPES)
def test_the_whole_target_at_once_equals_step_by_step(monkeypatch, kept, attention, depths):
    model = small_model(attention, depths, seed=2)
    sources = random_sentences([6, 5, 1])
    targets = [[BOS, 5, 4, 8, 7], [BOS, 6, 6, 4, 5], [BOS, 7, 8, 4, 4]]
    whole = readouts(model, sources, targets)
    encoded = model.encode(pad(sources), lengths_of(sources))
    table = model.target_embedding.detach() * model.target_scale
    monkeypatch.setattr(stepping, "TABLE", kept)
    stepper = model.decoder.stepper(plain_map, table)
    states = [state.map(lambda x: x.unsqueeze(1)) for state in encoded.states]
    for at in range(5):
        tokens = torch.tensor([[target[at]] for target in targets])
        with torch.no_grad():
            step = stepper(tokens, encoded.memory, states)
        states = step.states
        assert torch.allclose(step.readout.squeeze(1), whole[:, at], atol=1e-12)
        assert torch.allclose(step.attention.sum(2), torch.ones(3, 1).double())


@pytest.mark.parametrize(("attention", "depths"), SHAPES)
@settings(max_examples=5)
@given(sizes=SIZES, extra=st.integers(0, 3))
def test_sources_read_step_by_step_equal_those_read_at_once(attention, depths, sizes, extra):
    model = small_model(attention, depths)
    sources = random_sentences(sizes)
    source, lengths = pad(sources, extra), lengths_of(sources)
    alike = extra == 0 and len(set(sizes)) == 1
    with torch.no_grad():
        expected = model.encode(source, lengths)
        found = SourceReader(model, plain_map)(source, None if alike else lengths)
    assert torch.allclose(found.memory.values, expected.memory.values, atol=1e-12)
    assert torch.allclose(found.memory.keys, expected.memory.keys, atol=1e-12)
    if not alike:
        assert torch.equal(found.memory.padding, expected.memory.padding)
    for state, other in zip(found.states, expected.states, strict=True):
        assert torch.allclose(state.hidden, other.hidden, atol=1e-12)
        assert torch.allclose(state.cell, other.cell, atol=1e-12)


@pytest.mark.parametrize("attention", ATTENTION_TYPES)
@pytest.mark.parametrize("depths", [(1, 1), (3, 2)])
@settings(max_examples=8)
@given(sizes=SIZES, extra=st.integers(0, 3))
def test_batch_mates_and_padding_change_nothing(attention, depths, sizes, extra):
    model = small_model(attention, depths)
    sources = random_sentences(sizes)
    targets = [[BOS, *source[::-1]] for source in sources]
    encoded = model.encode(pad(sources, extra), lengths_of(sources))
    together = model.decode(pad(targets, extra), encoded)
    for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
        alone = model.encode(torch.tensor([source]))
        mine = encoded.memory.values[row]
        assert torch.allclose(mine[: len(source)], alone.memory.values[0], atol=1e-12)
        assert not mine[len(source) :].any()
        for state, expected in zip(encoded.states, alone.states, strict=True):
            assert torch.allclose(state.hidden[row], expected.hidden[0], atol=1e-12)
            assert torch.allclose(state.cell[row], expected.cell[0], atol=1e-12)
        expected = model.decode(torch.tensor([target]), alone)[0]
        assert torch.allclose(together[row, : len(target)], expected, atol=1e-12)


def silence(layer: LSTMLayer) -> None:
    """Make a layer whose outputs are zero."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.zero_()


def test_residual_connections_begin_at_the_third_encoder_layer():
    deep = small_model(depths=(4, 1))
    sources = torch.tensor(random_sentences([5]))
    silence(deep.encoder.layers[3])
    silence(deep.encoder.layers[2])
    through = deep.encode(sources).memory.values
    deep.encoder.layers = deep.encoder.layers[:2]
    assert torch.allclose(through, deep.encode(sources).memory.values)
    silence(deep.encoder.layers[1])
    assert not deep.encode(sources).memory.values.any()


def test_residual_connections_begin_at_the_third_decoder_layer():
    deep = small_model(depths=(1, 4))
    encoded = deep.encode(torch.tensor(random_sentences([5])))
    still = [state.map(torch.zeros_like) for state in encoded.states]
    encoded = Encoded(encoded.memory, still)
    target = torch.tensor([[BOS, 5, 6, 7]])
    silence(deep.decoder.layers[2])
    silence(deep.decoder.layers[3])
    through = deep.decode(target, encoded)
    deep.decoder.layers = deep.decoder.layers[:2]
    assert torch.allclose(through, deep.decode(target, encoded))
    silence(deep.decoder.layers[1])
    without = deep.decode(target, encoded)
    assert not torch.allclose(through, without)


def test_memory_keeps_the_chosen_sentences():
    values, padding = torch.randn(3, 2, 4), torch.eye(3, 2).bool()
    kept = Memory(values, values + 1, padding).select(torch.tensor([2, 0]))
    assert torch.equal(kept.values, values[[2, 0]])
    assert torch.equal(kept.keys, values[[2, 0]] + 1)
    assert torch.equal(kept.padding, padding[[2, 0]])


@pytest.mark.parametrize(
    ("share", "tying", "same"),
    [
        (True, "three-way", True),
        (True, "two-way", False),
        (False, "two-way", False),
    ],
)
def test_embeddings_are_tied_as_the_setting_says(share, tying, same):
    model = Seq2Seq(ModelConfig(4, 6, tying=tying), PIECES, PIECES, share)
    assert (model.source_embedding is model.target_embedding) == same
    names = {name for name, _ in model.named_parameters()}
    assert ("source_embedding" in names) != same  # written once to the model folder


@pytest.mark.parametrize("tying", ["two-way", "three-way", "none"])
def test_embeddings_begin_with_unit_variance(tying):
    model = Seq2Seq(ModelConfig(64, 64, tying=tying), 500, 500, share=True)
    for embed in (model.embed_source, model.embed_target):
        assert embed(torch.arange(500)).std().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("attention", ATTENTION_TYPES)
def test_the_cost_counts_every_weight_that_a_token_meets(attention):
    config = small_config(attention, (3, 3))
    model = Seq2Seq(config, PIECES, PIECES)
    found = cost(config, PIECES)

    def products(module: torch.nn.Module) -> int:
        matrices = [p for name, p in module.named_parameters() if "bias" not in name]
        return 2 * sum(p.numel() for p in matrices)

    attending = model.decoder.attention
    key = 0 if attention == "dot" else products(attending.key)
    asked = config.decoder_layers  # each layer asks attention
    query = asked * products(attending.query) if attention == "additive" else 0
    assert found.per_source_token == products(model.encoder) + key
    output = 2 * model.target_embedding.numel()
    layers = products(model.decoder.layers) + products(model.decoder.readout)
    assert found.per_target_token == layers + query + output
    assert found.per_pair_of_tokens == asked * 2 * 2 * config.hidden_size
