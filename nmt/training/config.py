"""The settings of a training run. Read without torch."""

import math
from dataclasses import dataclass

from nmt.errors import SettingError
from nmt.settings import setting

# Where no limit is given, a run ends here at the latest.
DEFAULT_SECONDS = 3600.0

# The least that a setting may be, and the most that any of them may be.
MOST = 1_000_000_000
LEAST = {
    "batch_tokens": 1,
    "workers": 0,
    "accumulate": 1,
    "warmup_updates": 0,
    "weight_decay": 0,
    "clip_norm": 0,
    "validate_every": 0,
    "patience": 1,
    "report_every": 1,
    "checkpoint_minutes": 0,
    "keep_checkpoints": 1,
    "validation_beam": 1,
}


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained; what is trained stands in ModelConfig."""

    batch_tokens: int = setting(1536, "tokens of a batch, padding included, on the longer side")
    workers: int = setting(0, "processes that train together on a CPU; 0 goes by its cores")
    accumulate: int = setting(1, "batches whose gradients are added up for one update")
    learning_rate: float = setting(0.002, "Adam's step size at its highest")
    warmup_updates: int = setting(200, "updates until the learning rate is at its highest")
    weight_decay: float = setting(0.0, "decoupled weight decay of Adam")
    freeze: str = setting("", "parts that keep their weights: encoder,source_embedding")
    clip_norm: float = setting(1.0, "the gradient is scaled down to this norm; 0 leaves it alone")
    label_smoothing: float = setting(0.1, "share of the probability spread over all pieces")
    dropout: float = setting(0.3, "on embeddings, layers, read-out; rises to this by 0.03 an epoch")
    teacher_forcing: float = setting(
        1.0, "share of target inputs from the reference; the others are the model's predictions"
    )
    teacher_forcing_decay: str = setting(
        "none",
        "how that share falls from 1 to teacher_forcing in the course of the training",
        ("none", "linear", "exponential", "inverse-sigmoid"),
    )
    validate_every: int = setting(
        0, "updates between validations; 0: two epochs, but 100 batches to 1,000 updates"
    )
    patience: int = setting(10, "validations without a better model until the learning rate falls")
    report_every: int = setting(50, "updates between lines of metrics.jsonl; validations add some")
    tensorboard: bool = setting(False, "show metrics.jsonl in TensorBoard too: MODEL/tensorboard")
    checkpoint_minutes: float = setting(5.0, "minutes between checkpoints")
    keep_checkpoints: int = setting(2, "newest checkpoints kept")
    validation_beam: int = setting(5, "beam of the last validation; those before it are greedy")
    select_by: str = setting(
        "auto",
        "score that picks the best model: BLEU where it fits",
        ("auto", "bleu", "chrf", "loss"),
    )

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            if not getattr(self, name) >= least:  # written so that nan fails
                raise ValueError(f"{name} must be {least} or more, not {getattr(self, name)}")
            if isinstance(getattr(self, name), int) and getattr(self, name) > MOST:
                raise ValueError(f"{name} must be at most {MOST:,}, not {getattr(self, name)}")
        for name in ("dropout", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                value = getattr(self, name)
                raise ValueError(f"{name} must be at least 0 and below 1, not {value}")
        self._check_teacher_forcing()
        if not 0 < self.learning_rate < 100:
            raise ValueError(
                f"learning_rate must be above 0 and below 100, not {self.learning_rate}"
            )

    def _check_teacher_forcing(self) -> None:
        share, decay = self.teacher_forcing, self.teacher_forcing_decay
        if not 0 <= share <= 1:
            raise ValueError(f"teacher_forcing must be from 0 to 1, not {share}")
        if decay != "none" and share == 1:
            raise ValueError(
                f"teacher_forcing_decay {decay} changes nothing where the share ends at 1; set "
                "teacher_forcing to where it should end, like 0.5"
            )
        if decay == "exponential" and share == 0:
            raise ValueError(
                "teacher_forcing_decay exponential never comes to 0; set teacher_forcing above 0, "
                "like 0.1"
            )


@dataclass(frozen=True)
class Limits:
    """When a run ends; at most one is given, and none means early stopping or an hour."""

    seconds: float | None = None
    epochs: int | None = None
    updates: int | None = None

    @property
    def given(self) -> bool:
        """Whether the user chose a limit."""
        return bool(self._chosen())

    def check(self) -> None:
        """Refuse what is no limit, and more than one; raises SettingError."""
        chosen = self._chosen()
        if len(chosen) > 1:
            raise SettingError(f"a run has one limit, not {' and '.join(chosen)}")
        for name, value in chosen.items():
            if not 0 < value < math.inf:
                raise SettingError(f"{name} must be above 0 and finite, not {value}")

    def _chosen(self) -> dict[str, float]:
        """Return the limits that were given, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}
