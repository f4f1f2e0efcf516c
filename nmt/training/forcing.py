"""Scheduled sampling: some target inputs are what the model itself would have written.

Bengio et al. 2015, "Scheduled Sampling for Sequence Prediction with Recurrent Neural Networks": a
coin for each input says whether it is the reference's piece or the model's. The paper draws the
model's from its distribution or takes the likeliest; here it is the likeliest, as greedy search
takes it. No gradient goes through that choice, so that the inputs can be found beforehand, step by
step and without gradients; and then the model learns from them like from any others, over whole
targets at once where it can.
"""

import math

import torch
from torch import Tensor

from nmt.decoding.search import only_pieces
from nmt.models.linear import learning_map
from nmt.models.memory import exact
from nmt.models.seq2seq import Encoded, Seq2Seq
from nmt.models.stepper import Stepper


@torch.no_grad()
def mixed_inputs(
    model: Seq2Seq, encoded: Encoded, reference: Tensor, share: float, chance: torch.Generator
) -> Tensor:
    """Replace some target inputs by what the model predicts from the inputs before them.

    Args:
        model: in the type that training multiplies in; it predicts without dropout.
        encoded: the sources, as this update reads them.
        reference: target inputs (B, T), BOS first; BOS stays.
        share: how likely an input is the reference's.
        chance: what throws the coins.

    Returns:
        target inputs (B, T), to be read from the sources as they are given here.
    """
    coins = torch.rand(reference.shape, generator=chance, device=reference.device)
    kept = coins < share
    step = Stepper(model.decoder, learning_map, math.inf)
    # In one piece: of others, products are slow.
    states = [state.map(lambda x: x.unsqueeze(1).contiguous()) for state in encoded.states]
    memory, dtype = encoded.memory.exact(), encoded.memory.values.dtype
    inputs = [reference[:, :1]]
    for at in range(1, reference.shape[1]):
        words = model.embed_target(inputs[-1], dtype)  # (B, 1, E)
        done = step(step.known(words), memory, states)
        states = done.states
        logits = exact(model.logits(done.readout))  # (B, 1, V)
        only_pieces(logits, None)
        inputs.append(reference[:, at : at + 1].where(kept[:, at : at + 1], logits.argmax(dim=2)))
    return torch.cat(inputs, dim=1)
