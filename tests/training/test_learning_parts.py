"""Models of several parts learn to turn sequences round, each in a second or two."""

import numpy as np
import pytest
import torch

from nmt.data.batching import make_batch
from nmt.decoding.greedy import GreedySearch
from nmt.decoding.options import SearchOptions
from nmt.decoding.padding import pad_sources
from nmt.decoding.scorer import ModelScorer
from nmt.models.config import ModelConfig
from nmt.models.seq2seq import Seq2Seq
from nmt.training.config import TrainConfig
from nmt.training.learner import Learner
from nmt.training.loader import TrainingBatch, as_tensors
from nmt.training.schedule import Pace
from tests.support.arrays import split_of

PIECES, UPDATES, HELD_OUT = 12, 150, 200
PARTS = {
    "before": {"attend": "before", "attention": "additive", "cell": "gru", "readout": "maxout"},
    "feeding": {"attend": "last", "input_feeding": True, "decoder_layers": 2},
    "heads": {"attention": "multi-head", "layer_norm": True, "readout": "direct", "tying": "none"},
    "vector": {"attention": "none", "attend": "before", "tying": "none"},
}


def sequences(count: int, seed: int) -> list[list[int]]:
    """Random pieces, two to five of them, longest first."""
    random = np.random.default_rng(seed)
    made = [random.integers(4, PIECES, random.integers(2, 6)).tolist() for _ in range(count)]
    return sorted(made, key=len, reverse=True)


def batch(seed: int) -> TrainingBatch:
    sources = sequences(64, seed)
    split = split_of(sources, [source[::-1] for source in sources])
    return as_tensors(make_batch(split, np.arange(len(sources))))


def learned(settings: dict, reference: float = 1.0) -> Seq2Seq:
    """A model after its training; of the target inputs, a share is the reference's."""
    torch.manual_seed(1)
    model = Seq2Seq(ModelConfig(embedding_size=32, hidden_size=64, **settings), PIECES, PIECES)
    learner = Learner(model, TrainConfig(label_smoothing=0.0), seed=1)
    for update in range(1, UPDATES + 1):
        rate = 0.01 * min(1, update / 20) * (1 - update / (UPDATES + 1))
        pace = Pace(update, rate, reference=reference)
        work = learner.gradients([batch(update)], pace)
        learner.reduce()
        learner.step(pace, 1 / work.tokens)
    return model


def right(model: Seq2Seq) -> int:
    """How many of HELD_OUT new sequences it turns round."""
    wanted = sequences(HELD_OUT, seed=10**6)
    search = GreedySearch(ModelScorer(model), SearchOptions(beam_size=1))
    found = search(*pad_sources(wanted))
    return sum(best.ids == ids[::-1] for (best,), ids in zip(found, wanted, strict=True))


@pytest.mark.parametrize(("parts", "least"), [*zip(PARTS, (196, 196, 190, 160), strict=True)])
def test_parts_learn(parts, least):
    assert right(learned(PARTS[parts])) >= least


def test_a_model_learns_from_its_own_predictions():
    assert right(learned({}, reference=0.5)) >= 196
