"""Greedy search: the best piece at every step; the same as a beam of one, with less to keep."""

import torch
from torch import Tensor

from nmt.data.special import BOS, EOS
from nmt.decoding.adjusters.adjuster import Task
from nmt.decoding.adjusters.together import Adjusters
from nmt.decoding.candidates import best_candidates
from nmt.decoding.options import SearchOptions
from nmt.decoding.scorer import Scorer
from nmt.decoding.search import Given, Hypothesis, Written, begin, only_pieces, worth_leaving


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

    def keep(self) -> Tensor:
        """Drop the sentences that are done; returns which stay, by index."""
        stay = self.going.nonzero().squeeze(1)
        self.rows, self.total, self.last = self.rows[stay], self.total[stay], self.last[stay]
        self.going, self.done = self.going[stay], 0
        return stay


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
        found = Written((len(source), 1, live.furthest), live.state.dtype, source.device)
        for step in range(live.furthest):
            self._extend(live, found, step)
            stay = None
            if worth_leaving(live.done, len(live.rows)):
                found.totals[live.rows, 0] = live.total
                stay = live.keep()
                if len(stay) == 0:
                    break
                live.state = self.scorer.select(live.state, stay, torch.zeros_like(live.last))
            if live.adjusters:
                live.adjusters.follow(stay, torch.zeros_like(live.last), live.last)
        return found.hypotheses(self.options)

    def _extend(self, live: _Live, found: Written, step: int) -> None:
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
        found.tokens[live.rows, 0, step] = live.last.squeeze(1)
        found.attended[live.rows, 0, step] = scores.attention.squeeze(1).argmax(dim=1)
        live.going = live.last.squeeze(1) != EOS
        live.done = len(live.going) - int(live.going.sum())
