"""Search: from a scorer to hypotheses. No loop over sentences or beams, only over time steps."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from nmt.data.special import BOS, EOS, PAD
from nmt.decoding.options import SearchOptions
from nmt.decoding.scorer import Scorer, State

# Sentences that are done leave the batch when they are this share of it: leaving costs a copy.
DONE_SHARE = 0.125
# PAD and BOS, as one slice of two pieces: one write instead of two.
NEVER = slice(PAD, BOS + 1, BOS - PAD)


@dataclass(frozen=True)
class Hypothesis:
    """One translation, in pieces."""

    ids: list[int]  # without EOS
    score: float  # what the search ranks by: the log-probability over the length penalty
    log_probability: float  # natural logarithm, EOS included
    attended: list[int]  # for each id, the source position that attention weighed most


@dataclass(frozen=True)
class Given:
    """What a search is told of the sentences of a batch, besides their sources."""

    prefixes: Tensor  # (B, P) pieces that the translations begin with, padded; P may be 0
    # (B, 2) the number of the line that a sentence is of, and of the sentence in the line: from
    # these, and not from its place in the batch, come the random numbers of sampling
    places: Tensor


class Search(Protocol):
    """A way to find translations of a batch."""

    def __call__(
        self, source: Tensor, lengths: Tensor | None, given: Given | None = None
    ) -> list[list[Hypothesis]]:
        """Translate a batch.

        Args:
            source: ids (B, S), longest first where `lengths` is given.
            lengths: (B,) on the CPU; None if all are S long.
            given: what is known besides; see there.

        Returns:
            for each sentence one to `n_best` hypotheses: best first, samples as they were drawn.
        """


class History:
    """Back-pointers: which token each beam took at each step, and from which beam it came."""

    def __init__(self, sentences: int) -> None:
        """Remember a search of so many sentences."""
        self.sentences = sentences
        self._steps: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []

    def append(self, rows: Tensor, tokens: Tensor, parents: Tensor, attended: Tensor) -> None:
        """Note a step of the sentences `rows` (B,).

        Args:
            rows: which sentences they are.
            tokens: what each beam took (B, K').
            parents: which of the beams before it extends (B, K').
            attended: where each of the beams before looked (B, K).
        """
        self._steps.append((rows, tokens, parents, attended))

    def trace(self, steps: Tensor, beams: Tensor) -> tuple[Tensor, Tensor]:
        """Follow the pointers from (`steps`, `beams`), both (N, C), C for each sentence, to BOS.

        Returns:
            tokens and attended positions, both (N, C, T); what lies after a start is zero.
        """
        shape = (*steps.shape, len(self._steps))
        all_tokens = torch.zeros(shape, dtype=torch.long, device=steps.device)
        all_attended = torch.zeros_like(all_tokens)
        at = torch.zeros(self.sentences, dtype=torch.long, device=steps.device)
        for step in range(len(self._steps) - 1, -1, -1):
            rows, tokens, parents, attended = self._steps[step]
            if len(rows) < self.sentences:
                at[rows] = torch.arange(len(rows), device=rows.device)
                tokens, parents, attended = tokens[at], parents[at], attended[at]
            # A sentence that had left the batch follows nothing yet, and its row is any.
            inside = steps >= step
            beam = beams * inside
            before = parents.gather(1, beam)
            all_tokens[:, :, step] = tokens.gather(1, beam)
            all_attended[:, :, step] = attended.gather(1, before)
            beams = before.where(inside, beams)
        after = torch.arange(shape[2], device=steps.device) > steps.unsqueeze(2)
        all_tokens.masked_fill_(after, 0)
        all_attended.masked_fill_(after, 0)
        return all_tokens, all_attended


class Written:
    """What a search whose hypotheses keep their places writes: K for each of N sentences."""

    def __init__(
        self, shape: tuple[int, int, int], kind: torch.dtype, device: torch.device
    ) -> None:
        """Begin with sentences, hypotheses of each, and the most pieces: (N, K, T)."""
        self.tokens = torch.full(shape, EOS, device=device)  # (N, K, T)
        self.attended = torch.zeros_like(self.tokens)  # (N, K, T)
        self.totals = torch.zeros(shape[:2], dtype=kind, device=device)  # (N, K)

    def hypotheses(self, options: SearchOptions) -> list[list[Hypothesis]]:
        """Return each sentence's hypotheses, in their places."""
        lengths = (self.tokens != EOS).sum(dim=2)
        scores = self.totals / options.penalty(lengths + 1)
        columns = (self.tokens, self.attended, lengths, scores, self.totals)
        return [
            [
                Hypothesis(ids[:length], score, total, where[:length])
                for ids, where, length, score, total in zip(*sentence, strict=True)
            ]
            for sentence in zip(*(column.tolist() for column in columns), strict=True)
        ]


def worth_leaving(done: int, count: int) -> bool:
    """Tell whether `done` of `count` sentences are enough to drop them from the batch."""
    return done > 0 and (done >= DONE_SHARE * count or done == count)


def begin(scorer: Scorer[State], source: Tensor, lengths: Tensor | None) -> tuple[State, Tensor]:
    """Let the scorer read a batch, without lengths if all are equal: that is quicker.

    Args:
        scorer: the model.
        source: ids (B, S), longest first where `lengths` is given.
        lengths: (B,) on the CPU; None if all are S long.

    Returns:
        the first state, and the lengths (B,).
    """
    if lengths is None:
        lengths = torch.full((len(source),), source.shape[1])
    mixed = bool((lengths < lengths[0]).any())
    return scorer.start(source, lengths if mixed else None), lengths


def only_pieces(log_probabilities: Tensor, last: Tensor | None) -> None:
    """Make impossible, in place, what no translation may hold.

    Args:
        log_probabilities: (B, K, V).
        last: (B,), true for sentences that have to end now; None if there are none.
    """
    log_probabilities[:, :, NEVER] = -torch.inf
    if last is not None:
        ends = log_probabilities[:, :, EOS].clone()
        log_probabilities.masked_fill_(last.view(-1, 1, 1), -torch.inf)
        log_probabilities[:, :, EOS] = ends
