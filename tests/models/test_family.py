"""Laws that hold for every model of the family, whatever its parts are.

The models are chosen so that any two choices of any two settings come together in one of them. A
new setting of ModelConfig with choices joins by itself.
"""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from nmt.data.batching import make_batch
from nmt.data.corpus import Corpus
from nmt.data.special import BOS
from nmt.decoding import precision
from nmt.decoding.candidates import BLOCK
from nmt.decoding.greedy import GreedySearch
from nmt.decoding.model_folder import save_weights, write_description
from nmt.decoding.options import SearchOptions
from nmt.decoding.scorer import ModelScorer
from nmt.decoding.translator import Translator
from nmt.models import stepper
from nmt.models.cost import cost
from nmt.models.linear import LinearMap, plain_map
from nmt.models.seq2seq import Encoded, Seq2Seq
from nmt.training.config import TrainConfig
from nmt.training.description import describe
from nmt.training.learner import Learner
from nmt.training.loader import TrainingBatch, as_tensors
from nmt.training.presets import Settings
from nmt.training.schedule import Pace
from tests.support import encoder
from tests.support.arrays import split_of
from tests.support.family import choices, family, member, named
from tests.support.reference import ReferenceModel
from tests.support.small import PIECES, lengths_of, pad, random_sentences

FAMILY = family()
SOURCES = random_sentences([6, 4, 4, 1])
TARGETS = [[BOS, 5, 4, 8, 7], [BOS, 6, 6, 4, 5], [BOS, 7, 8, 4, 4], [BOS, 4, 5, 6, 7]]

of_every_model = pytest.mark.parametrize("config", FAMILY, ids=named)


def close(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, atol=1e-11)


def numbers(encoded: Encoded) -> list[Tensor]:
    """The memory and all first states, a row a sentence."""
    states = [part for state in encoded.states for part in state.parts()]
    return [encoded.memory.values, *states]


def log_probabilities(model: Seq2Seq, sources: list[list[int]], targets: list[list[int]]) -> Tensor:
    """What a model says to whole targets, (B, T, V)."""
    encoded = model.encode(pad(sources), lengths_of(sources))
    return torch.log_softmax(model.logits(model.decode(pad(targets), encoded)), dim=-1)


def batch() -> TrainingBatch:
    rows = torch.arange(len(SOURCES)).numpy()
    return as_tensors(make_batch(split_of(SOURCES, [target[1:] for target in TARGETS]), rows))


def test_every_choice_of_every_setting_is_there():
    for name, values in choices().items():
        assert {getattr(config, name) for config in FAMILY} == set(values), name


@of_every_model
def test_the_encoder_and_the_bridge_equal_plain_loops(config):
    model = member(config)
    with torch.no_grad():
        found = model.encode(pad(SOURCES), lengths_of(SOURCES))
    for row, source in enumerate(SOURCES):
        memory, final = encoder.encode(model, source)
        assert close(found.memory.values[row, : len(source)], torch.tensor(memory).double())
        for state, expected in zip(found.states, encoder.first_states(model, final), strict=True):
            for part, other in zip(state.parts(), expected, strict=True):
                assert part[row].tolist() == pytest.approx(other, abs=1e-12)


@of_every_model
def test_every_step_equals_plain_loops(config):
    model = member(config)
    with torch.no_grad():
        encoded = model.encode(pad(SOURCES), lengths_of(SOURCES))
        found = model.attend(pad(TARGETS), encoded)
        logits = model.logits(found.readouts)
    for row in (0, 3):
        source = SOURCES[row]
        for at, step in enumerate(ReferenceModel(model).steps(source, TARGETS[row][:3])):
            assert found.readouts[row, at].tolist() == pytest.approx(step.readout, abs=1e-11)
            assert logits[row, at].tolist() == pytest.approx(step.logits, abs=1e-11)
            looked = found.attention[row, at, : len(source)].tolist()
            assert looked == pytest.approx(step.attention, abs=1e-11)


@of_every_model
def test_whole_sequences_say_what_single_steps_say(config):
    model = member(config)
    with torch.no_grad():
        encoded = model.encode(pad(SOURCES), lengths_of(SOURCES))
        whole = log_probabilities(model, SOURCES, TARGETS)
    scorer = ModelScorer(model)
    state = scorer.start(pad(SOURCES), lengths_of(SOURCES))
    for part, expected in zip(state.layers, encoded.states, strict=True):
        pairs = zip(part.parts(), expected.parts(), strict=True)
        assert all(close(one.squeeze(1), other) for one, other in pairs)
    assert close(state.memory.values, encoded.memory.values)
    for at, tokens in enumerate(torch.tensor(TARGETS).t()):
        scores, state = scorer.step(state, tokens.unsqueeze(1))
        assert close(scores.log_probabilities[:, 0, :PIECES], whole[:, at])
        assert close(scores.attention.sum(dim=2), torch.ones(len(SOURCES), 1).double())


@of_every_model
def test_no_product_reads_a_number_beyond_its_bound(config, monkeypatch):
    """Eight bits rely on it."""

    def checked(weight: Tensor, bias: Tensor | None, bound: float) -> LinearMap:
        made = plain_map(weight, bias, bound)

        def apply(x: Tensor, plus: Tensor | None = None) -> Tensor:
            assert x.abs().max() <= bound * (1 + 1e-9)
            return made(x, plus)

        return apply

    monkeypatch.setitem(precision._MAKERS, "fp32", checked)
    model = member(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)  # states near one, and large sums of them
    scorer = ModelScorer(model)
    state = scorer.start(pad(SOURCES), lengths_of(SOURCES))
    for tokens in torch.tensor(TARGETS).t():
        _, state = scorer.step(state, tokens.unsqueeze(1))


@of_every_model
def test_the_cost_is_what_search_multiplies(config, monkeypatch):
    monkeypatch.setattr(stepper, "TABLE", 0)  # not beforehand
    model = member(config)
    scorer = ModelScorer(model)
    count, width = 3, 5
    with FlopCounterMode(display=False) as reading:
        state = scorer.start(torch.full((count, width), 4), None)
    with FlopCounterMode(display=False) as writing:
        scorer.step(state, torch.full((count, 1), 4))
    found = cost(config, BLOCK)  # the output layer is padded to that
    bridge = [p for name, p in model.decoder.bridge.named_parameters() if name == "weight"]
    each_sentence = 2 * count * sum(p.numel() for p in bridge)
    assert reading.get_total_flops() == found.forward(count * width, 0, 0) + each_sentence
    assert writing.get_total_flops() == found.forward(0, count, count * width)


@of_every_model
@torch.no_grad()
def test_batch_mates_and_padding_change_nothing(config):
    model = member(config)
    together = model.encode(pad(SOURCES, 2), lengths_of(SOURCES))
    targets = pad(TARGETS)
    readouts = model.decode(targets, together)
    for row, source in enumerate(SOURCES):
        alone = model.encode(torch.tensor([source]))
        memory, *states = numbers(together)
        own_memory, *own_states = numbers(alone)
        assert close(memory[row, : len(source)], own_memory[0])
        assert not memory[row, len(source) :].any()
        pairs = zip(states, own_states, strict=True)
        assert all(close(state[row], own[0]) for state, own in pairs)
        assert close(readouts[row], model.decode(targets[row : row + 1], alone)[0])


@of_every_model
def test_an_update_moves_every_weight_and_makes_the_loss_smaller(config):
    model = member(config)
    learner = Learner(model, TrainConfig(), seed=1, dtype=torch.float64)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    loss = float(learner.gradients([batch()], Pace(1)).loss)
    learner.reduce()
    learner.step(Pace(1, rate=1e-5), 1.0)
    moved = zip(before, model.parameters(), strict=True)
    assert all((one != other).any() for one, other in moved)
    assert learner.gradients([batch()], Pace(2)).loss < loss


@pytest.mark.parametrize("config", FAMILY[::5], ids=named)
def test_four_sentences_are_learnt_by_heart(config):
    torch.manual_seed(1)
    model = Seq2Seq(replace(config, embedding_size=16, hidden_size=32), PIECES, PIECES, share=True)
    learner = Learner(model, TrainConfig(label_smoothing=0.0), seed=1)
    for update in range(1, 61):
        work = learner.gradients([batch()], Pace(update))
        learner.reduce()
        learner.step(Pace(update, rate=0.01), 1 / work.tokens)
    search = GreedySearch(ModelScorer(model), SearchOptions(beam_size=1))
    found = [hypotheses[0].ids for hypotheses in search(pad(SOURCES), lengths_of(SOURCES))]
    assert found == [target[1:] for target in TARGETS]


@of_every_model
def test_in_bfloat16_gradients_are_finite(config):
    learner = Learner(member(config).float(), TrainConfig(), seed=1, dtype=torch.bfloat16)
    work = learner.gradients([batch()], Pace(1, dropout=0.3))
    assert torch.isfinite(torch.as_tensor(work.loss))
    assert learner.storage.gradients.isfinite().all()


@of_every_model
def test_a_saved_model_translates_as_it_did(config, toy_folder, tmp_path):
    corpus = Corpus.open(toy_folder)
    description = describe(corpus, Settings("tiny", config, TrainConfig()), seed=1)
    torch.manual_seed(1)
    model = description.build().eval()
    sides = (description.source, description.target)
    write_description(tmp_path, description, [toy_folder / side.vocabulary for side in sides])
    save_weights(tmp_path, model, {"update": 1})
    options = SearchOptions(beam_size=2, max_length=6)
    translator = Translator.load(tmp_path, options, precision="fp32", device="cpu")
    assert translator.loaded.description.model == config
    unsaved = Translator(
        replace(translator.loaded, model=model), options, precision="fp32", device="cpu"
    )
    lines = ["Two big dogs sleep.", "", "Three old cars"]
    found, expected = (
        [(translation.text, translation.score) for translation in each.translate(lines)]
        for each in (translator, unsaved)
    )
    assert len(found) == len(lines)
    assert found == expected
