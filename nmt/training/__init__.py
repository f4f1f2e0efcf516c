"""From batches to weights: the loop, loss, optimiser and schedule, checkpoints."""
