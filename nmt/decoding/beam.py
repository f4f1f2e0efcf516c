"""Beam search, batched: every step treats all beams of all sentences in a few tensor operations.

A sentence starts with `beam_size` places. At each step its best candidates fill the places that
are live; one that ends with EOS is finished and keeps its place for good. The search of a sentence
ends when no place is live, or earlier when no live hypothesis could still win.
"""

import torch
from torch import Tensor

from nmt.data.special import BOS, EOS
from nmt.decoding.adjusters.adjuster import Task
from nmt.decoding.adjusters.together import Adjusters
from nmt.decoding.candidates import Candidates, best_candidates
from nmt.decoding.options import SearchOptions
from nmt.decoding.scorer import Scorer
from nmt.decoding.search import Given, History, Hypothesis, begin, only_pieces, worth_leaving


class _Live:
    """The sentences still searched, B of them."""

    def __init__(
        self,
        scorer: Scorer,
        options: SearchOptions,
        source: Tensor,
        lengths: Tensor | None,
        given: Given | None,
    ) -> None:
        self.state, lengths = begin(scorer, source, lengths)
        count, device = len(source), source.device
        kind = self.state.dtype
        task = Task.of(options, lengths.to(device), given)
        self.adjusters = Adjusters(task)
        self.rows = torch.arange(count, device=device)  # (B,) which sentence of the batch
        self.tokens = torch.full((count, 1), BOS, device=device)  # (B, K) each one's last piece
        # (B, K) log-probabilities, -inf where there is no hypothesis
        self.scores = torch.zeros(count, 1, dtype=kind, device=device)
        # (B,) how many hypotheses may live
        self.places = torch.full((count,), options.beam_size, device=device)
        # (B,) how many pieces, EOS included, a hypothesis may have
        self.longest = task.longest
        # On the host: the most places of any sentence, whether others have fewer, and the
        # nearest limit.
        self.widest = options.beam_size
        self.ragged = False
        self.nearest = int(self.longest.min())

    def keep(self, sentences: Tensor) -> None:
        """Drop all but some sentences, by index; their state is not touched."""
        self.rows, self.places = self.rows[sentences], self.places[sentences]
        self.tokens, self.scores = self.tokens[sentences], self.scores[sentences]
        self.longest = self.longest[sentences]
        if len(sentences):
            self.measure_places()
            self.nearest = int(self.longest.min())

    def measure_places(self) -> None:
        """Find the most places that a sentence has, and whether others have fewer."""
        self.widest = int(self.places.max())
        self.ragged = int(self.places.min()) < self.widest


class _Finished:
    """The finished hypotheses of all sentences, a slot for each place (N, K)."""

    def __init__(self, sentences: int, beams: int, like: Tensor) -> None:
        shape = (sentences, beams)
        self.any = False
        self.scores = like.new_full(shape, -torch.inf)
        self.totals = like.new_zeros(shape)
        self.steps = torch.zeros(shape, dtype=torch.long, device=like.device)
        self.beams = torch.zeros_like(self.steps)
        self.count = torch.zeros(sentences, dtype=torch.long, device=like.device)

    def add(
        self, rows: Tensor, ended: Tensor, found: Candidates, scores: Tensor, step: int
    ) -> None:
        """Note the candidates that `ended` (B, C) marks; they took EOS at `step`."""
        which, column = ended.nonzero(as_tuple=True)
        sentence = rows[which]
        slot = self.count[sentence] + (ended.cumsum(dim=1) - 1)[which, column]
        self.any = True
        self.scores[sentence, slot] = scores[which, column]
        self.totals[sentence, slot] = found.totals[which, column]
        self.steps[sentence, slot] = step - 1
        self.beams[sentence, slot] = found.parents[which, column]
        self.count[rows] += ended.sum(dim=1)

    def worst_kept(self, rows: Tensor, count: int) -> Tensor:
        """Return the score of the last of the `count` best; -inf if there are fewer."""
        scores = self.scores[rows]
        if count == 1:
            return scores.amax(dim=1)
        return scores.topk(count, dim=1)[0][:, -1]


class BeamSearch:
    """Beam search over one batch."""

    def __init__(self, scorer: Scorer, options: SearchOptions, *, stop_early: bool = True) -> None:
        """Search with `scorer`; without `stop_early` every place is searched to its end."""
        self.scorer = scorer
        self.options = options
        self.stop_early = stop_early

    @torch.inference_mode()
    def __call__(
        self, source: Tensor, lengths: Tensor | None, given: Given | None = None
    ) -> list[list[Hypothesis]]:
        """Translate a batch.

        Args:
            source: ids (B, S), longest first where `lengths` is given.
            lengths: (B,) on the CPU; None if all are S long.
            given: what the translations begin with.

        Returns:
            for each sentence its best finished hypotheses, best first: one to `n_best`.
        """
        live = _Live(self.scorer, self.options, source, lengths, given)
        count, beams = len(source), self.options.beam_size
        history = History(count)
        finished = _Finished(count, beams, live.scores)
        step = 0
        while len(live.rows):
            scores, state = self.scorer.step(live.state, live.tokens)
            last = live.longest == step + 1 if live.nearest <= step + 1 else None
            only_pieces(scores.log_probabilities, last)
            if live.adjusters:
                live.adjusters.adjust(scores.log_probabilities, scores.attention, step)
            found = best_candidates(scores.log_probabilities, live.scores, live.widest)
            parents = self._extend(live, finished, found, step)
            history.append(live.rows, live.tokens, parents, scores.attention.argmax(dim=2))
            sentences = self._going(live, finished, step)
            if sentences is not None:
                live.keep(sentences)
                parents = parents[sentences]
            if live.adjusters:
                live.adjusters.follow(sentences, parents, live.tokens)
            live.state = self.scorer.select(state, sentences, parents)
            step += 1
        return _hypotheses(history, finished, self.options.n_best)

    def _extend(self, live: _Live, finished: _Finished, found: Candidates, step: int) -> Tensor:
        """Fill the live places; returns the hypothesis (B, K') that each place extends."""
        totals, tokens, parents = found.totals, found.tokens, found.parents
        if live.ragged:
            rank = torch.arange(totals.shape[1], device=totals.device)
            totals = totals.masked_fill(rank >= live.places.unsqueeze(1), -torch.inf)
        ended = (tokens == EOS) & (totals > -torch.inf)
        if bool(ended.any()):
            length = torch.tensor(step + 1, device=totals.device)
            scores = found.totals / self.options.penalty(length)
            if live.adjusters:
                scores = scores + live.adjusters.bonus(live.scores).gather(1, found.parents)
            finished.add(live.rows, ended, found, scores, step)
            live.places = live.places - ended.sum(dim=1)
            live.measure_places()
            # Hypotheses that go on move to the front, and the beam becomes as narrow as it can.
            totals = totals.masked_fill(ended, -torch.inf)
            totals, order = totals.sort(dim=1, descending=True, stable=True)
            order = order[:, : max(1, live.widest)]
            totals = totals[:, : order.shape[1]]
            tokens, parents = tokens.gather(1, order), parents.gather(1, order)
        live.scores, live.tokens = totals, tokens
        return parents

    def _going(self, live: _Live, finished: _Finished, step: int) -> Tensor | None:
        """Return which sentences to go on with, by index; None for all."""
        if not finished.any and step + 1 < live.nearest:
            return None
        best = live.scores[:, 0]
        going = best > -torch.inf
        if self.stop_early:
            # A log-probability only falls, and the penalty is largest at the greatest length.
            bound = best / self.options.penalty(live.longest)
            going &= finished.worst_kept(live.rows, self.options.n_best) < bound
        done = len(going) - int(going.sum())
        if done == 0:
            return None
        if worth_leaving(done, len(going)):
            return going.nonzero().squeeze(1)
        live.scores = live.scores.where(going.unsqueeze(1), -torch.inf)
        return None


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
