"""Sampling: translations drawn at random from what the model thinks likely.

All samples of a sentence are drawn side by side. The numbers that a draw depends on are hashes of
(seed, line, segment of the line, sample, step, piece): a line's samples are the same in any batch
and in any order, and the first of ten is the one that would be drawn alone.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from nmt.data.special import BOS, EOS
from nmt.decoding.adjusters.adjuster import Task
from nmt.decoding.adjusters.together import Adjusters
from nmt.decoding.candidates import BLOCK
from nmt.decoding.options import SearchOptions
from nmt.decoding.random_numbers import combine, gumbel
from nmt.decoding.scorer import Scorer
from nmt.decoding.search import Given, Hypothesis, Written, begin, only_pieces, worth_leaving

# Most often, so many pieces make up `top_p`; to look for more of them costs more.
FEW = 64


@dataclass
class _Live:
    """The sentences still drawn, B of them, K samples of each."""

    rows: Tensor  # (B,) which sentence of the batch
    keys: Tensor  # (B, K) what random numbers are made of
    longest: Tensor  # (B,) how many pieces, EOS included, a sample may have
    tokens: Tensor  # (B, K) each one's last piece; a single BOS at first
    going: Tensor  # (B, K) whether it has not ended

    def keep(self, sentences: Tensor) -> None:
        """Drop all but some sentences, by index."""
        for name, value in vars(self).items():
            setattr(self, name, value[sentences])


class SamplingSearch:
    """Draws `n_best` translations of each sentence of a batch."""

    def __init__(self, scorer: Scorer, options: SearchOptions) -> None:
        """Draw what `scorer` thinks likely."""
        self.scorer = scorer
        self.options = options

    @torch.inference_mode()
    def __call__(
        self, source: Tensor, lengths: Tensor | None, given: Given | None = None
    ) -> list[list[Hypothesis]]:
        """Translate a batch.

        Args:
            source: ids (B, S), longest first where `lengths` is given.
            lengths: (B,) on the CPU; None if all are S long.
            given: which lines these are, and what the translations begin with; without it they
                are the lines 0, 1, and so on.
        """
        state, lengths = begin(self.scorer, source, lengths)
        task = Task.of(self.options, lengths.to(source.device), given)
        live, adjusters = self._begin(task, given), Adjusters(task)
        shape = (*live.keys.shape, int(task.longest.max()))
        samples = Written(shape, state.dtype, source.device)
        for step in range(shape[2]):
            scores, state = self.scorer.step(state, live.tokens)
            values = scores.log_probabilities
            only_pieces(values, live.longest == step + 1)
            if adjusters:
                adjusters.adjust(values, scores.attention, step)
            drawn = draw(likely(values, self.options), live.keys, step)
            live.tokens = drawn.where(live.going, EOS)
            self._note(samples, live, values, scores.attention, step)
            # At first one hypothesis is what all samples extend.
            parents = torch.arange(values.shape[1], device=values.device).expand_as(drawn)
            sentences = _unfinished(live.going)
            if sentences is not None:
                if len(sentences) == 0:
                    break
                live.keep(sentences)
                parents = parents[sentences]
            if adjusters:
                adjusters.follow(sentences, parents, live.tokens)
            state = self.scorer.select(state, sentences, parents)
        return samples.hypotheses(self.options)

    def _begin(self, task: Task, given: Given | None) -> _Live:
        count, device = len(task.lengths), task.lengths.device
        rows, samples = (torch.arange(n, device=device) for n in (count, self.options.n_best))
        places = (
            torch.stack((rows, torch.zeros_like(rows)), dim=1) if given is None else given.places
        )
        seed = torch.tensor(self.options.seed, device=device)
        keys = combine(seed, places[:, :1], places[:, 1:], samples)
        tokens = torch.full((count, 1), BOS, device=device)
        return _Live(rows, keys, task.longest, tokens, torch.ones_like(keys, dtype=torch.bool))

    def _note(
        self, samples: Written, live: _Live, values: Tensor, attention: Tensor, step: int
    ) -> None:
        gained = values.expand(-1, live.tokens.shape[1], -1).gather(2, live.tokens.unsqueeze(2))
        samples.totals[live.rows] += gained.squeeze(2).where(live.going, 0.0)
        samples.tokens[live.rows, :, step] = live.tokens
        samples.attended[live.rows, :, step] = attention.argmax(dim=2).expand_as(live.tokens)
        live.going = live.going & (live.tokens != EOS)


def _unfinished(going: Tensor) -> Tensor | None:
    """Return which sentences to go on with, by index; None for all, some of them done."""
    left = going.any(dim=1)
    if not worth_leaving(len(left) - int(left.sum()), len(left)):
        return None
    return left.nonzero().squeeze(1)


def likely(log_probabilities: Tensor, options: SearchOptions) -> Tensor:
    """Return scores (B, K, V) to draw from: sharpened or flattened, and -inf for unlikely pieces.

    First the temperature, then the k likeliest pieces (with those that tie), then, of what is
    left, the likeliest that together have a probability of `top_p` or just above.
    """
    scores = log_probabilities
    if options.temperature != 1.0:
        scores = scores / options.temperature
    if 0 < options.top_k < scores.shape[2]:
        worst = scores.topk(options.top_k, dim=2)[0][:, :, -1:]
        scores = scores.masked_fill(scores < worst, -torch.inf)
    if options.top_p < 1.0:
        scores = scores.masked_fill(scores < _least_of_top(scores, options.top_p), -torch.inf)
    return scores


def _least_of_top(scores: Tensor, top_p: float) -> Tensor:
    """Return the score of the least likely piece (B, K, 1) of those that make up `top_p`."""
    normaliser = scores.logsumexp(dim=2, keepdim=True)
    width = FEW
    while True:
        width = min(width, scores.shape[2])
        best = scores.topk(width, dim=2)[0]
        shares = (best - normaliser).double().exp()
        upto = shares.cumsum(dim=2)
        if width == scores.shape[2] or bool((upto[:, :, -1] >= top_p).all()):
            break
        width *= 4
    # Of all pieces that are likelier, the probability is too small still.
    inside = (upto - shares < top_p).sum(dim=2, keepdim=True)
    return best.gather(2, inside.clamp(min=1) - 1)


def draw(scores: Tensor, keys: Tensor, step: int) -> Tensor:
    """Draw a piece with probability softmax(scores) for each key.

    A block of pieces is drawn first, then a piece in it, so that few random numbers are needed;
    both by the Gumbel-max trick, because the place in a cumulative sum over thousands of pieces
    would hang on the last bits of all of them.

    Args:
        scores: (B, K, V), or (B, 1, V) for all keys.
        keys: (B, K).
        step: how many pieces were drawn before.

    Returns:
        pieces (B, K).
    """
    size = BLOCK if scores.shape[2] % BLOCK == 0 else scores.shape[2]
    blocks = scores.unflatten(2, (-1, size))  # (B, K, N, size)
    keys = combine(keys, torch.tensor(step, device=keys.device)).unsqueeze(2)
    number = torch.arange(blocks.shape[2], device=keys.device)
    # Numbers below zero are of blocks, from zero on of pieces.
    block = (blocks.logsumexp(dim=3) + gumbel(combine(keys, -1 - number))).argmax(dim=2)
    pieces = block.unsqueeze(2) * size + torch.arange(size, device=keys.device)  # (B, K, size)
    inside = scores.expand(-1, keys.shape[1], -1).gather(2, pieces)
    best = (inside + gumbel(combine(keys, pieces))).argmax(dim=2, keepdim=True)
    return pieces.gather(2, best).squeeze(2)
