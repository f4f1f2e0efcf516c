"""Beam search, batched: every step treats all beams of all sentences in a few tensor operations.

A sentence starts with `beam_size` places. At each step its best candidates fill the places that
are live; one that ends with EOS is finished and keeps its place for good. The search of a sentence
ends when no place is live, or earlier when no live hypothesis could still win.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.decoding.scorer import Scorer, SearchState, StepScores
from nmt.decoding.search import History, Hypothesis, SearchOptions, begin

# Sentences that are done leave the batch when they are this share of it: leaving costs a copy.
DONE_SHARE = 0.125


@dataclass
class _Live:
    """The sentences still searched, B of them."""

    rows: Tensor  # (B,) which sentence of the batch
    tokens: Tensor  # (B, K) the last piece of each hypothesis
    scores: Tensor  # (B, K) its log-probability; -inf where there is no hypothesis
    places: Tensor  # (B,) how many hypotheses may live
    longest: Tensor  # (B,) how many pieces, EOS included, a hypothesis may have
    state: SearchState


@dataclass(frozen=True)
class _Candidates:
    """The best continuations of each sentence, best first; all (B, C)."""

    totals: Tensor  # log-probabilities, -inf where there are no more
    parents: Tensor
    tokens: Tensor


class _Finished:
    """The finished hypotheses of all sentences, a slot for each place (N, K)."""

    def __init__(self, sentences: int, beams: int, like: Tensor) -> None:
        shape = (sentences, beams)
        self.scores = like.new_full(shape, -torch.inf)
        self.totals = like.new_zeros(shape)
        self.steps = torch.zeros(shape, dtype=torch.long, device=like.device)
        self.beams = torch.zeros_like(self.steps)
        self.count = torch.zeros(sentences, dtype=torch.long, device=like.device)

    def add(
        self, rows: Tensor, ended: Tensor, found: _Candidates, step: int, penalty: Tensor
    ) -> None:
        """Note the candidates that `ended` (B, C) marks; they took EOS at `step`."""
        which, column = ended.nonzero(as_tuple=True)
        sentence = rows[which]
        slot = self.count[sentence] + (ended.cumsum(dim=1) - 1)[which, column]
        totals = found.totals[which, column]
        self.scores[sentence, slot] = totals / penalty
        self.totals[sentence, slot] = totals
        self.steps[sentence, slot] = step - 1
        self.beams[sentence, slot] = found.parents[which, column]
        self.count[rows] += ended.sum(dim=1)


class BeamSearch:
    """Beam search over one batch."""

    def __init__(self, scorer: Scorer, options: SearchOptions, *, stop_early: bool = True) -> None:
        """Search with `scorer`; without `stop_early` every place is searched to its end."""
        self.scorer = scorer
        self.options = options
        self.stop_early = stop_early

    @torch.inference_mode()
    def __call__(self, source: Tensor, lengths: Tensor | None) -> list[list[Hypothesis]]:
        """Translate a batch.

        Args:
            source: ids (B, S), longest first where `lengths` is given.
            lengths: (B,) on the CPU; None if all are S long.

        Returns:
            for each sentence its best finished hypotheses, best first: one to `n_best`.
        """
        live = self._start(source, lengths)
        count, beams = len(source), self.options.beam_size
        history = History(count, beams)
        finished = _Finished(count, beams, live.scores)
        step = 0
        while len(live.rows):
            scores, live.state = self.scorer.step(live.state, live.tokens)
            found = self._candidates(live, scores, step)
            self._advance(live, found, scores, step, history, finished)
            self._leave(live, finished)
            step += 1
        return _hypotheses(history, finished, self.options.n_best)

    def _start(self, source: Tensor, lengths: Tensor | None) -> _Live:
        count, device = len(source), source.device
        state, lengths = begin(self.scorer, source, lengths)
        return _Live(
            rows=torch.arange(count, device=device),
            tokens=torch.full((count, 1), BOS, device=device),
            scores=torch.zeros(count, 1, dtype=state.layers[0].hidden.dtype, device=device),
            places=torch.full((count,), self.options.beam_size, device=device),
            longest=self.options.longest(lengths.to(device)),
            state=state,
        )

    def _candidates(self, live: _Live, scores: StepScores, step: int) -> _Candidates:
        logits = scores.logits
        offsets = live.scores - scores.normaliser()  # (B, K)
        logits[:, :, [PAD, BOS]] = -torch.inf
        last = live.longest == step + 1
        if bool(last.any()):
            ends = logits[last][:, :, EOS].clone()
            logits[last] = -torch.inf
            logits[last.nonzero().squeeze(1), :, EOS] = ends
        each = min(self.options.beam_size, logits.shape[2])
        best, pieces = logits.topk(each, dim=2)  # (B, K, each)
        totals = (best + offsets.unsqueeze(2)).flatten(1)
        totals, index = totals.topk(min(self.options.beam_size, totals.shape[1]), dim=1)
        return _Candidates(totals, index // each, pieces.flatten(1).gather(1, index))

    def _advance(
        self,
        live: _Live,
        found: _Candidates,
        scores: StepScores,
        step: int,
        history: History,
        finished: _Finished,
    ) -> None:
        rank = torch.arange(found.totals.shape[1], device=found.totals.device)
        valid = (rank < live.places.unsqueeze(1)) & (found.totals > -torch.inf)
        ended = valid & (found.tokens == EOS)
        length = torch.tensor(step + 1, device=found.totals.device)
        finished.add(live.rows, ended, found, step, self.options.penalty(length))
        live.places = live.places - ended.sum(dim=1)
        # Hypotheses that go on move to the front, and the beam becomes as narrow as it can.
        totals = found.totals.where(valid & ~ended, -torch.inf)
        totals, order = totals.sort(dim=1, descending=True, stable=True)
        width = max(1, int((totals > -torch.inf).sum(dim=1).max()))
        order = order[:, :width]
        parents = found.parents.gather(1, order)
        live.scores, live.tokens = totals[:, :width], found.tokens.gather(1, order)
        attended = scores.attention.argmax(dim=2).gather(1, parents)
        history.append(live.rows, live.tokens, parents, attended)
        live.state = self.scorer.select(live.state, None, parents)

    def _leave(self, live: _Live, finished: _Finished) -> None:
        """Drop sentences that are done, once there are enough of them."""
        best = live.scores[:, 0]
        going = best > -torch.inf
        if self.stop_early:
            # A log-probability only falls, and the penalty is largest at the greatest length.
            bound = best / self.options.penalty(live.longest)
            going &= finished.scores[live.rows].amax(dim=1) < bound
        live.scores = live.scores.where(going.unsqueeze(1), -torch.inf)
        done = len(going) - int(going.sum())
        if done == 0 or (done < DONE_SHARE * len(going) and done < len(going)):
            return
        keep = going.nonzero().squeeze(1)
        live.rows, live.tokens, live.scores = live.rows[keep], live.tokens[keep], live.scores[keep]
        live.places, live.longest = live.places[keep], live.longest[keep]
        beams = torch.arange(live.tokens.shape[1], device=keep.device).expand(len(keep), -1)
        live.state = self.scorer.select(live.state, keep, beams)


def _hypotheses(history: History, finished: _Finished, count: int) -> list[list[Hypothesis]]:
    """Follow the back-pointers of the best `count` finished hypotheses of every sentence."""
    scores, order = finished.scores.sort(dim=1, descending=True, stable=True)
    order = order[:, :count]
    steps = finished.steps.gather(1, order)
    tokens, attended = history.trace(steps, finished.beams.gather(1, order))
    columns = (
        scores[:, :count].tolist(),
        finished.totals.gather(1, order).tolist(),
        (steps + 1).tolist(),
        tokens.tolist(),
        attended.tolist(),
    )
    return [
        [
            Hypothesis(ids[:length], score, total, where[:length])
            for score, total, length, ids, where in zip(*sentence, strict=True)
            if score > -torch.inf
        ]
        for sentence in zip(*columns, strict=True)
    ]
