"""The encoder in search: layers prepared in a precision, read step by step.

On a CPU torch's LSTM kernels are a loop over steps too; this one multiplies in 8 bits, and does
what it does to both directions at once.
"""

import math
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor

from nmt.models.bounds import output_bound
from nmt.models.dropout import NO_DROPOUT
from nmt.models.layer import RecurrentLayer, Run
from nmt.models.linear import LinearMaker
from nmt.models.seq2seq import Encoded, Seq2Seq
from nmt.models.state import LayerState
from nmt.models.turn import Turn, padding_mask


class LayerReader:
    """One layer, reading whole sentences."""

    def __init__(self, layer: RecurrentLayer, make: LinearMaker, bound: float) -> None:
        """Prepare its directions; no input is ever outside [-bound, bound]."""
        self.cells = layer.cells(make, bound)
        self.layer = layer

    def reading(self, lengths: Tensor | None, turn: Turn) -> Callable[[Tensor], Run]:
        """Return what reads a batch.

        Args:
            lengths: (B,), longest first; None if all sentences are as long as the batch is wide.
            turn: turns them round.

        Returns:
            a function of inputs (B, T, I); its outputs (B, T, H) are anything at padding.
        """
        return lambda x: self._read(x, lengths, turn)

    def _read(self, x: Tensor, lengths: Tensor | None, turn: Turn) -> Run:
        ahead, *behind = self.cells
        # The steps go to the front now: what the cells make of x is several times as large.
        orders = [order.transpose(0, 1).contiguous() for order in (x, *(turn(x) for _ in behind))]
        ways = [cell.inputs(order) for cell, order in zip(self.cells, orders, strict=True)]
        state = self.layer.zeros(x, len(ways), len(x))
        states = []
        for now in zip(*ways, strict=True):  # D times (B, ...)
            # A sentence that has ended goes on reading padding, which nothing looks at: batches
            # hold sentences of like length, and leaving them in costs less than cutting them out.
            state = ahead.side_by_side(self.cells, torch.stack(now), state)
            states.append(state)
        outputs = torch.stack([each.hidden for each in states])  # (T, D, B, H/D)
        forward, *backward = outputs.transpose(0, 2).unbind(1)
        final = LayerState.at_ends(states, lengths)  # (D, B, H/D)
        joined = final.map(lambda part: part.transpose(0, 1).flatten(1))
        return Run(torch.cat((forward, *(turn(way) for way in backward)), dim=2), joined)


class SourceReader:
    """What `Seq2Seq.encode` does, in a precision."""

    @torch.no_grad()
    def __init__(self, model: Seq2Seq, make: LinearMaker) -> None:
        """Prepare every linear map once."""
        self.model = model
        config, encoder = model.config, model.encoder
        bound = float(model.source_embedding.abs().max()) * model.source_scale
        self.layers = []
        for depth, layer in enumerate(encoder.layers):
            if depth:
                bound = math.inf if config.layer_norm else output_bound(config, depth)
            self.layers.append(LayerReader(cast(RecurrentLayer, layer), make, bound))
        decoder = model.decoder
        self.asker = decoder.asker(make)
        self.bridge = decoder.bridge.prepared(make)

    def __call__(self, source: Tensor, lengths: Tensor | None) -> Encoded:
        """Read sources (B, S), longest first where `lengths` (B,) is given."""
        x = self.model.embed_source(source)
        width = source.shape[1]
        turn = Turn(width, lengths, x.device)
        layers = [layer.reading(lengths, turn) for layer in self.layers]
        reverse = turn if self.model.config.reverse_source else None
        read = self.model.encoder.through(layers, x, reverse, NO_DROPOUT)
        values, padding = read.memory, padding_mask(lengths, width, x.device)
        if padding is not None:
            values = values.masked_fill(padding.unsqueeze(2), 0.0)
        memory = self.asker.remember(values, read.final[-1].hidden, padding)
        return Encoded(memory, self.bridge(read.final))
