"""Scheduled sampling: whose inputs a model learns from, and how their share falls."""

import math

import pytest
import torch

from nmt.data.special import BOS, PAD
from nmt.models.config import ModelConfig
from nmt.models.dropout import NO_DROPOUT
from nmt.models.seq2seq import Seq2Seq
from nmt.training.config import TrainConfig
from nmt.training.forcing import mixed_inputs
from nmt.training.learner import Learner
from nmt.training.loader import TrainingBatch
from nmt.training.schedule import DECAYS, Pace, reference_share
from tests.support.reference import ReferenceModel
from tests.support.small import PIECES, lengths_of, pad, random_sentences, small_model

SOURCES = random_sentences([6, 4, 3])
TARGETS = [[BOS, 5, 4, 8, 7, 6], [BOS, 6, 6, 4], [BOS, 7, 8]]


def chance(seed: int = 1) -> torch.Generator:
    """Coins that fall the same way for the same seed."""
    return torch.Generator().manual_seed(seed)


def mixed(model: Seq2Seq, share: float, seed: int = 1) -> torch.Tensor:
    """The inputs that the model would learn from."""
    encoded = model.encode(pad(SOURCES), lengths_of(SOURCES))
    return mixed_inputs(model, encoded, pad(TARGETS), share, chance(seed))


def test_replaced_inputs_are_what_the_model_predicts_from_those_before():
    model = small_model(depths=(2, 2), seed=3)
    plain = ReferenceModel(model)
    found = mixed(model, 0.5)
    kept = torch.rand(found.shape, generator=chance()) < 0.5
    replaced = 0
    for row, (source, target) in enumerate(zip(SOURCES, TARGETS, strict=True)):
        inputs = found[row].tolist()
        for at, step in enumerate(plain.steps(source, inputs[: len(target) - 1]), start=1):
            likely = [piece for piece in range(PIECES) if piece not in (PAD, BOS)]
            best = max(likely, key=lambda piece, logits=step.logits: logits[piece])
            assert inputs[at] == (target[at] if kept[row, at] else best)
            replaced += inputs[at] != target[at]
    assert replaced >= 3
    assert (found[:, 0] == BOS).all()


def test_all_inputs_of_the_reference_are_the_reference():
    assert torch.equal(mixed(small_model(), 1.0), pad(TARGETS))


def test_the_share_is_the_share_of_kept_inputs_and_the_generator_decides():
    model = small_model(seed=3)
    reference = torch.full((200, 12), PAD)  # which no model predicts
    reference[:, 0] = BOS
    encoded = model.encode(torch.tensor(random_sentences([3]) * 200))
    first, same, other = (
        mixed_inputs(model, encoded, reference, 0.7, chance(seed)) for seed in (1, 1, 2)
    )
    assert (first[:, 1:] == PAD).float().mean() == pytest.approx(0.7, abs=0.03)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def batch() -> TrainingBatch:
    """SOURCES and TARGETS, to learn from."""
    labels = [[*target[1:], 3] for target in TARGETS]
    width = len(TARGETS[0])
    at = [row * width + column for row, label in enumerate(labels) for column in range(len(label))]
    return TrainingBatch(
        source=pad(SOURCES),
        source_lengths=lengths_of(SOURCES),
        target_input=pad(TARGETS),
        labels=torch.tensor([piece for label in labels for piece in label]),
        positions=torch.tensor(at),
        source_tokens=13,
        token_pairs=36 + 16 + 9,
    )


@pytest.mark.parametrize("changes", [{}, {"attend": "before"}, {"input_feeding": True}])
def test_gradients_are_those_of_the_mixed_inputs_as_of_any_others(changes):
    torch.manual_seed(2)
    config = ModelConfig(embedding_size=4, hidden_size=6, **changes)
    model = Seq2Seq(config, PIECES, PIECES).double()
    learner = Learner(model, TrainConfig(), seed=1, dtype=torch.float64)
    found = learner.gradients([batch()], Pace(7, reference=0.4))
    gradients = learner.storage.gradients[0].clone()
    coins = torch.Generator().manual_seed(learner.generator.initial_seed())
    encoded = model.encode(pad(SOURCES), lengths_of(SOURCES))
    inputs = mixed_inputs(model, encoded, pad(TARGETS), 0.4, coins)
    assert not torch.equal(inputs, pad(TARGETS))
    changed = batch()
    changed = TrainingBatch(**{**vars(changed), "target_input": inputs})
    expected = learner.loss(changed, NO_DROPOUT)
    assert float(found.loss) == pytest.approx(expected.item(), abs=1e-10)
    parts = torch.autograd.grad(expected, learner.parameters)
    assert torch.allclose(gradients, torch.cat([part.flatten() for part in parts]), atol=1e-12)


def test_an_update_is_a_function_of_the_seed_and_its_number():
    def gradients(seed: int, update: int) -> torch.Tensor:
        learner = Learner(small_model(), TrainConfig(), seed=seed, dtype=torch.float64)
        learner.gradients([batch()], Pace(update, dropout=0.1, reference=0.5))
        return learner.storage.gradients[0]

    assert torch.equal(gradients(1, 3), gradients(1, 3))
    assert not torch.equal(gradients(1, 3), gradients(1, 4))
    assert not torch.equal(gradients(1, 3), gradients(2, 3))


@pytest.mark.parametrize("decay", ["linear", "exponential", "inverse-sigmoid"])
def test_decays_fall_from_the_reference_to_where_they_end(decay):
    config = TrainConfig(teacher_forcing=0.2, teacher_forcing_decay=decay)
    shares = [reference_share(config, progress / 20) for progress in range(21)]
    assert shares[0] == pytest.approx(1, abs=0.01)
    assert shares[-1] == pytest.approx(0.2, abs=0.01)
    assert shares == sorted(shares, reverse=True)


def test_decays_have_the_shapes_of_the_paper():
    assert DECAYS["none"](0.3, 0.1) == 0.3
    assert DECAYS["linear"](0.2, 0.25) == pytest.approx(0.8)
    assert DECAYS["exponential"](0.25, 0.5) == pytest.approx(0.5)
    assert DECAYS["inverse-sigmoid"](0.2, 0.5) == pytest.approx(0.6)
    k = 100
    at = 1.5 * k * math.log(k)  # three quarters of the way to k / (k + exp(i / k)) of 1 / (1 + k)
    assert DECAYS["inverse-sigmoid"](0.0, 0.75) == pytest.approx(k / (k + math.exp(at / k)))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"teacher_forcing": 1.5}, "teacher_forcing must be from 0 to 1, not 1.5"),
        ({"teacher_forcing": math.nan}, "teacher_forcing must be from 0 to 1, not nan"),
        (
            {"teacher_forcing_decay": "linear"},
            "teacher_forcing_decay linear changes nothing where the share ends at 1; set "
            "teacher_forcing to where it should end, like 0.5",
        ),
        (
            {"teacher_forcing_decay": "exponential", "teacher_forcing": 0.0},
            "teacher_forcing_decay exponential never comes to 0; set teacher_forcing above 0, "
            "like 0.1",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(settings, sentence):
    with pytest.raises(ValueError, match="teacher_forcing") as caught:
        TrainConfig(**settings)
    assert str(caught.value) == sentence
