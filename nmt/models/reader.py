"""The encoder in search: layers prepared in a precision, read step by step.

On a CPU torch's LSTM kernels are a loop over steps too; this one multiplies in 8 bits, and does
what it does to both directions at once.
"""

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from nmt.models.decoder import Memory
from nmt.models.encoder import padding_mask
from nmt.models.linear import LinearMaker
from nmt.models.recurrent import LSTMLayer, advance
from nmt.models.seq2seq import Encoded, Seq2Seq


@dataclass(frozen=True)
class Order:
    """Which sentences of a batch, longest first, go how far."""

    lengths: Tensor  # (B,)
    reading: list[int]  # (T,) how many sentences are still read at each step
    reverse: Tensor | None  # (B, T, 1) turns each sentence round, its padding not; None: all are T

    @classmethod
    def of(cls, x: Tensor, lengths: Tensor | None) -> "Order":
        """Find the order of inputs (B, T, I); `lengths` (B,) are None if all are T."""
        count, steps = x.shape[:2]
        if lengths is None:
            return cls(torch.full((count,), steps), [count] * steps, None)
        times = torch.arange(steps)
        ahead = lengths.unsqueeze(1) - 1 - times  # (B, T)
        reverse = ahead.where(ahead >= 0, times).unsqueeze(2)
        return cls(lengths, (ahead >= 0).sum(dim=0).tolist(), reverse)

    def turned(self, x: Tensor) -> Tensor:
        """Return x (B, T, I) with each sentence turned round."""
        if self.reverse is None:
            return x.flip(1)
        return x.gather(1, self.reverse.expand_as(x))


class LayerReader:
    """One bidirectional layer, reading whole sentences."""

    def __init__(self, layer: LSTMLayer, make: LinearMaker, bound: float) -> None:
        """Prepare both directions; no input is ever outside [-bound, bound]."""
        self.cells = layer.cells(make, bound)
        self.half = layer.hidden_size

    def __call__(self, x: Tensor, order: Order) -> tuple[Tensor, Tensor]:
        """Read x (B, T, I): outputs (B, T, H), zero at padding, and the last states (B, H)."""
        ahead, behind = self.cells
        both = (ahead.inputs(x), behind.inputs(order.turned(x)))
        gates = torch.stack([each.transpose(0, 1) for each in both], dim=1)  # (T, 2, B, 4H/2)
        outputs = x.new_zeros(*gates.shape[:3], self.half)
        hidden = cell = outputs[0].clone()
        for step, count in enumerate(order.reading):
            now = gates[step, :, :count]
            for direction, each in enumerate(self.cells):
                each.hidden(hidden[direction, :count], now[direction])
            state = advance(now, cell[:, :count])
            hidden, cell = state.hidden, state.cell
            outputs[step, :, :count] = hidden
        last = outputs[order.lengths - 1, :, torch.arange(len(x))].flatten(1)
        forward, backward = outputs.transpose(0, 2).unbind(1)
        return torch.cat((forward, order.turned(backward)), dim=2), last


class SourceReader:
    """What `Seq2Seq.encode` does, in a precision."""

    def __init__(self, model: Seq2Seq, make: LinearMaker) -> None:
        """Prepare every linear map once."""
        self.model = model
        bound = (
            float(model.source_embedding.detach().abs().max()) * model.config.embedding_size**0.5
        )
        self.layers = []
        for depth, layer in enumerate(model.encoder.layers):
            self.layers.append(LayerReader(cast(LSTMLayer, layer), make, bound))
            bound = float(max(1, depth))  # outputs are added up from the third layer on
        decoder = model.decoder
        self.keys = decoder.attention.key_map(make, decoder.memory_bound)
        self.bridge = make(decoder.bridge.weight.detach(), decoder.bridge.bias.detach(), 1.0)

    def __call__(self, source: Tensor, lengths: Tensor | None) -> Encoded:
        """Read sources (B, S), longest first where `lengths` (B,) is given."""
        x = self.model.embed(source, self.model.source_embedding)
        order = Order.of(source, lengths)
        for depth, layer in enumerate(self.layers):
            outputs, last = layer(x, order)
            x = outputs + x if depth >= 2 else outputs
        memory = Memory(x, self.keys(x), padding_mask(lengths, x.shape[1], x.device))
        return Encoded(memory, self.model.decoder.split_states(self.bridge(last)))
