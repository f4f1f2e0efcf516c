"""Which model is the best one, by a score that chance plays a part in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """What is known of a model's quality."""

    score: float  # more is better
    loss: float


def is_better(new: Standing, best: Standing, highest: float, noise: float) -> bool:
    """Tell whether a new model takes the place of the best one so far.

    It does if it has less loss and a score within the noise of the highest, or if the best's score
    is that no more: in the cooldown each model is better than the one before, but a lucky score can
    hide that. A model that was passed over is gone, even if it would be the best later on.

    Args:
        new, best: the two models.
        highest: the highest score so far, of any model.
        noise: by how much scores of equally good models differ.
    """
    least = max(highest, new.score) - noise
    if new.score < least:
        return False
    return best.score < least or new.loss < best.loss
