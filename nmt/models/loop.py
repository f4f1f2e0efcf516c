"""Recurrent layers that no kernel knows: a loop over their own single steps."""

import math

import torch
from torch import Tensor

from nmt.models.layer import Cell, RecurrentLayer, Run
from nmt.models.linear import learning_map
from nmt.models.state import LayerState
from nmt.models.turn import Turn, padding_mask


class LoopLayer(RecurrentLayer):
    """A layer that runs step by step, with gradients; products with inputs are made before."""

    def run(self, x: Tensor, lengths: Tensor | None = None, state: LayerState | None = None) -> Run:
        """Run over whole sequences; see RecurrentLayer."""
        turn = Turn(x.shape[1], lengths, x.device)
        first, *second = self.cells(learning_map, math.inf)
        ways = [self._steps(first, x, lengths, state)]
        for cell in second:
            way = self._steps(cell, turn(x), lengths, None)
            ways.append(Run(turn(way.outputs), way.final))
        if len(ways) == 1:
            return ways[0]
        final = LayerState.join([way.final for way in ways])
        return Run(torch.cat([way.outputs for way in ways], dim=2), final)

    def _steps(
        self, cell: Cell, x: Tensor, lengths: Tensor | None, state: LayerState | None
    ) -> Run:
        """Run one direction over sequences (B, T, I) whose first steps stand first."""
        state = state or self.zeros(x, len(x))
        states = []
        for prepared in cell.inputs(x).unbind(1):
            state = cell.advance(prepared, state)
            states.append(state)
        outputs = torch.stack([each.hidden for each in states], dim=1)  # (B, T, H)
        padding = padding_mask(lengths, x.shape[1], x.device)
        if padding is not None:
            outputs = outputs.masked_fill(padding.unsqueeze(2), 0.0)
        return Run(outputs, LayerState.at_ends(states, lengths))
