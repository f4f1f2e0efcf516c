"""The encoder in search: layers prepared in a precision, read step by step.

On a CPU torch's LSTM kernels are a loop over steps too; this one multiplies in 8 bits, and does
what it does to both directions at once.
"""

from typing import cast

import torch
from torch import Tensor

from nmt.models.decoder import Memory
from nmt.models.encoder import padding_mask
from nmt.models.linear import LinearMaker
from nmt.models.recurrent import LSTMLayer, advance
from nmt.models.seq2seq import Encoded, Seq2Seq


class Backwards:
    """Turns each sentence of a batch round, and leaves its padding where it is."""

    def __init__(self, steps: int, lengths: Tensor | None) -> None:
        """Take the width T of the batch, and the lengths (B,), None if all are T."""
        self.index: Tensor | None = None  # (B, T, 1) where each position finds its content
        if lengths is not None:
            times = torch.arange(steps)
            ahead = lengths.unsqueeze(1) - 1 - times
            self.index = ahead.where(ahead >= 0, times).unsqueeze(2)

    def __call__(self, x: Tensor) -> Tensor:
        """Turn x (B, T, I)."""
        return x.flip(1) if self.index is None else x.gather(1, self.index.expand_as(x))


class LayerReader:
    """One bidirectional layer, reading whole sentences."""

    def __init__(self, layer: LSTMLayer, make: LinearMaker, bound: float) -> None:
        """Prepare both directions; no input is ever outside [-bound, bound]."""
        self.cells = layer.cells(make, bound)
        self.half = layer.hidden_size

    def __call__(self, x: Tensor, backwards: Backwards, last: Tensor) -> tuple[Tensor, Tensor]:
        """Read sentences.

        Args:
            x: (B, T, I).
            backwards: turns them round.
            last: (B,) each one's last position.

        Returns:
            outputs (B, T, H), anything at padding, and the last states (B, H).
        """
        ahead, behind = self.cells
        both = (ahead.inputs(x), behind.inputs(backwards(x)))
        gates = torch.stack([each.transpose(0, 1) for each in both], dim=1)  # (T, 2, B, 4H/2)
        zeros = x.new_zeros(*gates.shape[1:3], self.half)
        hidden, cell = zeros, zeros
        steps = []
        for now in gates:
            # A sentence that has ended goes on reading padding, which nothing looks at: batches
            # hold sentences of like length, and leaving them in costs less than cutting them out.
            for each, state, its_gates in zip(self.cells, hidden, now, strict=True):
                each.hidden(state, its_gates)
            advanced = advance(now, cell)
            hidden, cell = advanced.hidden, cast(Tensor, advanced.cell)
            steps.append(hidden)
        outputs = torch.stack(steps)  # (T, 2, B, H/2)
        forward, backward = outputs.transpose(0, 2).unbind(1)
        final = outputs[last, :, torch.arange(len(x))].flatten(1)
        return torch.cat((forward, backwards(backward)), dim=2), final


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
        count, width = source.shape
        backwards = Backwards(width, lengths)
        ends = torch.full((count,), width - 1) if lengths is None else lengths - 1
        for depth, layer in enumerate(self.layers):
            outputs, last = layer(x, backwards, ends)
            x = outputs + x if depth >= 2 else outputs
        padding = padding_mask(lengths, width, x.device)
        if padding is not None:
            x = x.masked_fill(padding.unsqueeze(2), 0.0)
        memory = Memory(x, self.keys(x), padding)
        return Encoded(memory, self.model.decoder.split_states(self.bridge(last)))
