"""Greedy search: the best piece at every step; the same as a beam of one, with less to keep."""

import torch
from torch import Tensor

from nmt.data.vocabulary import BOS, EOS, PAD
from nmt.decoding.beam import DONE_SHARE
from nmt.decoding.scorer import Scorer
from nmt.decoding.search import Hypothesis, SearchOptions, begin


class GreedySearch:
    """Greedy search over one batch."""

    def __init__(self, scorer: Scorer, options: SearchOptions) -> None:
        """Search with `scorer`."""
        self.scorer = scorer
        self.options = options

    @torch.inference_mode()
    def __call__(self, source: Tensor, lengths: Tensor | None) -> list[list[Hypothesis]]:
        """Translate a batch: ids (B, S), longest first where `lengths` (B,) is given.

        Returns:
            for each sentence a list of its one hypothesis.
        """
        count, device = len(source), source.device
        state, lengths = begin(self.scorer, source, lengths)
        longest = self.options.longest(lengths.to(device))
        width = int(longest.max())
        tokens = torch.full((count, width), EOS, device=device)
        attended = torch.zeros_like(tokens)
        totals = torch.zeros(count, dtype=state.layers[0].hidden.dtype, device=device)
        rows, last = torch.arange(count, device=device), torch.full((count, 1), BOS, device=device)
        for step in range(width):
            scores, state = self.scorer.step(state, last)
            logits = scores.logits.squeeze(1)  # (B, V)
            normaliser = scores.normaliser().squeeze(1)
            logits[:, [PAD, BOS]] = -torch.inf
            piece = logits.argmax(dim=1).where(longest[rows] > step + 1, EOS)
            going = (
                tokens[rows, step - 1] != EOS if step else torch.ones_like(rows, dtype=torch.bool)
            )
            piece = piece.where(going, EOS)
            chosen = logits.gather(1, piece.unsqueeze(1)).squeeze(1) - normaliser
            totals[rows] += chosen.where(going, 0)
            tokens[rows, step] = piece
            attended[rows, step] = scores.attention.squeeze(1).argmax(dim=1)
            going = piece != EOS
            done = len(going) - int(going.sum())
            if done == len(going):
                break
            last = piece.unsqueeze(1)
            if done >= DONE_SHARE * len(going):
                keep = going.nonzero().squeeze(1)
                rows, last = rows[keep], last[keep]
                state = self.scorer.select(state, keep, torch.zeros_like(last))
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
