"""Small random models and sources, in float64, for laws that hold whatever the weights are."""

from itertools import product

import torch
from torch import Tensor

from nmt.data.special import EOS, PAD
from nmt.models.config import ModelConfig
from nmt.models.readout import TanhReadout
from nmt.models.seq2seq import Seq2Seq

ATTENTION_TYPES = ("dot", "general", "additive")
# Every attention at one depth, every depth with one attention, and the two depths mixed.
SHAPES = [
    *product(ATTENTION_TYPES, [(1, 1)]),
    *product(["general"], [(2, 2), (3, 3), (1, 3), (3, 1)]),
    ("additive", (2, 3)),
]
PIECES = 9  # PAD, UNK, BOS, EOS and five others


def small_config(attention: str = "general", depths: tuple[int, int] = (1, 1)) -> ModelConfig:
    """A model of a few numbers; `depths` of the encoder and of the decoder."""
    return ModelConfig(
        embedding_size=4,
        hidden_size=6,
        encoder_layers=depths[0],
        decoder_layers=depths[1],
        attention=attention,
    )


def small_model(
    attention: str = "general",
    depths: tuple[int, int] = (1, 1),
    seed: int = 1,
    pieces: int = PIECES,
) -> Seq2Seq:
    """A random model in float64, far enough from uniform that every input matters."""
    torch.manual_seed(seed)
    model = Seq2Seq(small_config(attention, depths), pieces, pieces).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.5)
        # Not so far that one piece has all probability. (The target's embeddings are these too.)
        model.output_weight.div_(TanhReadout.SCALE)
    return model


def random_sentence(random: torch.Generator, length: int, pieces: int = PIECES) -> list[int]:
    """A sentence of `length` pieces, EOS included."""
    ids = torch.randint(EOS + 1, pieces, (length - 1,), generator=random).tolist()
    return [*ids, EOS]


def random_sentences(lengths: list[int], seed: int = 1, pieces: int = PIECES) -> list[list[int]]:
    """Sentences of these lengths, EOS included, longest first."""
    random = torch.Generator().manual_seed(seed)
    return [random_sentence(random, length, pieces) for length in sorted(lengths, reverse=True)]


def pad(sentences: list[list[int]], extra: int = 0) -> Tensor:
    """Lay sentences into one tensor (B, S + extra), padded."""
    width = max(map(len, sentences)) + extra
    return torch.tensor([ids + [PAD] * (width - len(ids)) for ids in sentences])


def lengths_of(sentences: list[list[int]]) -> Tensor:
    """The lengths of sentences, (B,)."""
    return torch.tensor([len(ids) for ids in sentences])
