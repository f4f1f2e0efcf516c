"""Recurrent layers that torch has a kernel for, which runs over whole sequences."""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from nmt.models.layer import RecurrentLayer, Run, last_hidden
from nmt.models.state import LayerState


class KernelLayer(RecurrentLayer):
    """A layer that runs by one of torch.lstm, torch.gru and torch.rnn_tanh."""

    kernel: ClassVar[Callable[..., Any]]  # a static method

    @abstractmethod
    def second_bias(self) -> Tensor:
        """Return what the kernel adds to the product with the hidden state: (D, gates * H)."""

    def run(self, x: Tensor, lengths: Tensor | None = None, state: LayerState | None = None) -> Run:
        """Run over whole sequences; see RecurrentLayer."""
        first = self._first(x, state)
        weights = self._flat_weights(x)
        options = (True, 1, 0.0, self.training, self.directions == 2)
        if lengths is None:
            outputs, *last = self.kernel(x, first, weights, *options, True)
            return self._run(outputs, last, None)
        packed = pack_padded_sequence(x, lengths, batch_first=True)
        data, *last = self.kernel(packed.data, packed.batch_sizes, first, weights, *options)
        packed = packed._replace(data=data)
        outputs = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])[0]
        return self._run(outputs, last, lengths)

    def _first(self, x: Tensor, state: LayerState | None) -> list[Tensor] | Tensor:
        """Return the state before the first step as the kernel wants it, (D, B, H) each."""
        if state is None:
            state = self.zeros(x, self.directions, len(x))
        else:
            state = state.map(lambda part: part.unsqueeze(0).contiguous())
        parts = state.parts()
        return parts if self.keeps_cell else parts[0]

    def _flat_weights(self, x: Tensor) -> list[Tensor]:
        parts = (self.weight_input, self.weight_hidden, self.bias, self.second_bias())
        by_direction = zip(*(part.to(x.dtype).unbind() for part in parts), strict=True)
        return [weight for weights in by_direction for weight in weights]

    def _run(self, outputs: Tensor, last: list[Tensor], lengths: Tensor | None) -> Run:
        """Make a run of outputs (B, T, D*H), and what a state has after each direction."""
        hidden = last_hidden(outputs, self.directions, lengths)
        cells = [part.transpose(0, 1).flatten(1) for part in last[1:]]
        return Run(outputs, LayerState(hidden, *cells))
