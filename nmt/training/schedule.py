"""How far a run is, and the learning rate, dropout and teacher forcing that go with it."""

from collections.abc import Callable
from dataclasses import dataclass

from nmt.training.config import DEFAULT_SECONDS, Limits, TrainConfig

# The k of an inverse sigmoid decay.
STEEPNESS = 100
# The share of the budget in which the learning rate falls to zero.
COOLDOWN = 0.4
# What a pass over the corpus adds to dropout.
DROPOUT_AN_EPOCH = 0.03


@dataclass(frozen=True)
class Pace:
    """What the schedule says of one update."""

    update: int  # its number, from 1
    rate: float = 0.0  # the learning rate
    dropout: float = 0.0  # the share of activations that is dropped
    reference: float = 1.0  # the share of target inputs that is the reference's

    @classmethod
    def of(cls, config: TrainConfig, update: int, epochs: float, progress: float) -> "Pace":
        """Plan an update after so many passes over the corpus, and so much of the budget."""
        return cls(
            update,
            learning_rate(config, update, progress),
            dropout_rate(config, epochs),
            reference_share(config, progress),
        )


@dataclass(frozen=True)
class Budget:
    """What a run may use: a number of updates, or seconds."""

    updates: int | None
    seconds: float | None

    @classmethod
    def of(cls, limits: Limits, updates_per_epoch: int) -> "Budget":
        """Turn the user's limit into updates or seconds; an hour where there is none."""
        if limits.updates is not None:
            return cls(limits.updates, None)
        if limits.epochs is not None:
            return cls(limits.epochs * updates_per_epoch, None)
        return cls(None, limits.seconds if limits.seconds is not None else DEFAULT_SECONDS)

    def as_list(self) -> list[float | None]:
        """Return updates and seconds, to be kept in a checkpoint."""
        return [self.updates, self.seconds]

    def progress(self, updates: int, seconds: float, reserved: float = 0.0) -> float:
        """Return the share of the budget that is used, in [0, 1].

        Of a time budget `reserved` seconds, but at most a tenth, are kept for what comes last.
        """
        if self.updates is not None:
            return min(1.0, updates / max(1, self.updates))
        assert self.seconds is not None
        usable = self.seconds - min(reserved, 0.1 * self.seconds)
        return min(1.0, seconds / max(1e-9, usable))


def learning_rate(config: TrainConfig, update: int, progress: float) -> float:
    """Return the rate of update number `update` (from 1): warm-up, constant, cooldown to zero.

    The cooldown is a straight line over the last part of the budget, of which `progress` is the
    share used, so that the model is finished just when the time is up (Haegele et al. 2024,
    "Scaling laws and compute-optimal training beyond fixed training durations", section 3). Where
    validation shows no gain any more, the trainer shortens the budget to what is used up and its
    cooldown.
    """
    # A short run warms up for a tenth of its budget.
    warmup = min(1.0, max(update / max(1, config.warmup_updates), 10 * progress))
    return config.learning_rate * warmup * min(1.0, (1 - progress) / COOLDOWN)


def dropout_rate(config: TrainConfig, epochs: float) -> float:
    """Return the dropout after so many passes over the corpus: from 0 up to the setting.

    After Morerio et al. 2017, "Curriculum Dropout": a model learns faster undisturbed, and what it
    has seen once or twice it cannot have learnt by heart. So a large corpus, which is hardly read
    twice, gets little dropout, and a small one soon that of the setting.
    """
    return min(config.dropout, DROPOUT_AN_EPOCH * epochs)


# From the share that a decay ends with and the progress of a run to the share then (Bengio et al.
# 2015, section 2.4, with i scaled so that the end of the decay is the end of the run).
DECAYS: dict[str, Callable[[float, float], float]] = {
    "none": lambda end, progress: end,
    "linear": lambda end, progress: 1 - (1 - end) * progress,
    "exponential": lambda end, progress: end**progress,  # k ** i
    # k / (k + exp(i / k)), which is a half at i = k log k: in the middle of the run
    "inverse-sigmoid": lambda end, progress: (
        end + (1 - end) / (1 + STEEPNESS ** (2 * progress - 1))
    ),
}


def reference_share(config: TrainConfig, progress: float) -> float:
    """Return the share of target inputs that is the reference's, at a progress in [0, 1]."""
    return DECAYS[config.teacher_forcing_decay](config.teacher_forcing, progress)
