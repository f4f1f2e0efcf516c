"""Greedy search: the best piece at every step; the same as a beam of one, with less to keep."""

import torch
from torch import Tensor

from nmt.data.vocabulary import BOS, EOS
from nmt.decoding.adjusters.adjuster import Task
from nmt.decoding.adjusters.together import Adjusters
from nmt.decoding.beam import DONE_SHARE
from nmt.decoding.candidates import best_candidates
from nmt.decoding.options import SearchOptions
from nmt.decoding.scorer import Scorer
from nmt.decoding.search import Given, Hypothesis, begin, only_pieces


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
        task = Task.of(options, lengths.to(device), given)
        self.adjusters, self.longest = Adjusters(task), task.longest
        self.nearest, self.furthest = int(self.longest.min()), int(self.longest.max())
        self.rows = torch.arange(count, device=device)  # (B,) which sentence of the batch
        self.last = torch.full((count, 1), BOS, device=device)  # (B, 1) its last piece
        self.total = torch.zeros(count, dtype=self.state.dtype, device=device)  # (B,)
        # (B,) which go on, and on the host, how many do not
        self.going, self.done = torch.ones_like(self.rows, dtype=torch.bool), 0

    def worth_leaving(self) -> bool:
        """Tell whether enough sentences are done that dropping them pays."""
        count = len(self.rows)
        return self.done == count or 0 < DONE_SHARE * count <= self.done

    def keep(self) -> Tensor:
        """Drop the sentences that are done; returns which stay, by index."""
        stay = self.going.nonzero().squeeze(1)
        self.rows, self.total, self.last = self.rows[stay], self.total[stay], self.last[stay]
        self.going, self.done = self.going[stay], 0
        return stay


class _Found:
    """What the search found of all N sentences, in at most T steps."""

    def __init__(self, sentences: int, steps: int, like: Tensor) -> None:
        shape = (sentences, steps)
        self.tokens = torch.full(shape, EOS, device=like.device)  # (N, T)
        self.attended = torch.zeros_like(self.tokens)  # (N, T)
        self.totals = like.new_zeros(sentences)  # (N,)


class GreedySearch:
    """Greedy search over one batch."""

    def __init__(self, scorer: Scorer, options: SearchOptions) -> None:
        """Search with `scorer`."""
        self.scorer = scorer
        self.options = options

    @torch.inference_mode()
    def __call__(
        self, source: Tensor, lengths: Tensor | None, given: Given | None = None
    ) -> list[list[Hypothesis]]:
        """Translate a batch: ids (B, S), longest first where `lengths` (B,) is given.

        Returns:
            for each sentence a list of its one hypothesis.
        """
        live = _Live(self.scorer, self.options, source, lengths, given)
        found = _Found(len(source), live.furthest, live.total)
        for step in range(live.furthest):
            self._extend(live, found, step)
            stay = None
            if live.worth_leaving():
                found.totals[live.rows] = live.total
                stay = live.keep()
                if len(stay) == 0:
                    break
                live.state = self.scorer.select(live.state, stay, torch.zeros_like(live.last))
            if live.adjusters:
                live.adjusters.follow(stay, torch.zeros_like(live.last), live.last)
        return self._hypotheses(found.tokens, found.attended, found.totals)

    def _extend(self, live: _Live, found: _Found, step: int) -> None:
        """Give every sentence that goes on its best next piece."""
        scores, live.state = self.scorer.step(live.state, live.last)
        ends = live.longest[live.rows] == step + 1 if live.nearest <= step + 1 else None
        only_pieces(scores.log_probabilities, ends)
        if live.adjusters:
            live.adjusters.adjust(scores.log_probabilities, scores.attention, step)
        best = best_candidates(scores.log_probabilities, live.total.unsqueeze(1), 1)
        if live.done:
            live.last = best.tokens.where(live.going.unsqueeze(1), EOS)
            live.total = best.totals.squeeze(1).where(live.going, live.total)
        else:
            live.last, live.total = best.tokens, best.totals.squeeze(1)
        found.tokens[live.rows, step] = live.last.squeeze(1)
        found.attended[live.rows, step] = scores.attention.squeeze(1).argmax(dim=1)
        live.going = live.last.squeeze(1) != EOS
        live.done = len(live.going) - int(live.going.sum())

    def _hypotheses(
        self, tokens: Tensor, attended: Tensor, totals: Tensor
    ) -> list[list[Hypothesis]]:
        lengths = (tokens != EOS).sum(dim=1)
        scores = totals / self.options.penalty(lengths + 1)
        rows = zip(
            tokens.tolist(),
            attended.tolist(),
            lengths.tolist(),
            scores.tolist(),
            totals.tolist(),
            strict=True,
        )
        return [
            [Hypothesis(ids[:length], score, total, where[:length])]
            for ids, where, length, score, total in rows
        ]
