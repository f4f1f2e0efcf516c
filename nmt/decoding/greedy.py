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
        count, device = len(source), source.device
        state, lengths = begin(self.scorer, source, lengths)
        task = Task.of(self.options, lengths.to(device), given)
        adjusters, longest = Adjusters(task), task.longest
        nearest, width = int(longest.min()), int(longest.max())
        tokens = torch.full((count, width), EOS, device=device)
        attended = torch.zeros_like(tokens)
        kind = state.dtype
        totals = torch.zeros(count, dtype=kind, device=device)
        # Of the sentences in the batch: which they are, which are not done, their scores, pieces.
        rows = torch.arange(count, device=device)
        going, done = torch.ones_like(rows, dtype=torch.bool), 0
        total = torch.zeros_like(rows, dtype=kind)
        last = torch.full((count, 1), BOS, device=device)
        for step in range(width):
            scores, state = self.scorer.step(state, last)
            ends = longest[rows] == step + 1 if nearest <= step + 1 else None
            only_pieces(scores.log_probabilities, ends)
            if adjusters:
                adjusters.adjust(scores.log_probabilities, scores.attention, step)
            best = best_candidates(scores.log_probabilities, total.unsqueeze(1), 1)
            if done:
                last = best.tokens.where(going.unsqueeze(1), EOS)
                total = best.totals.squeeze(1).where(going, total)
            else:
                last, total = best.tokens, best.totals.squeeze(1)
            tokens[rows, step] = last.squeeze(1)
            attended[rows, step] = scores.attention.squeeze(1).argmax(dim=1)
            going = last.squeeze(1) != EOS
            done = len(going) - int(going.sum())
            if done == 0 or (done < DONE_SHARE * len(going) and done < len(going)):
                if adjusters:
                    adjusters.follow(None, torch.zeros_like(last), last)
                continue
            totals[rows] = total
            keep = going.nonzero().squeeze(1)
            if len(keep) == 0:
                break
            rows, going, total, last = rows[keep], going[keep], total[keep], last[keep]
            state, done = self.scorer.select(state, keep, torch.zeros_like(last)), 0
            if adjusters:
                adjusters.follow(keep, torch.zeros_like(last), last)
        return self._hypotheses(tokens, attended, totals)

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
