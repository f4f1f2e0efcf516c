"""How to train: every option and its default. Needs no torch."""

from dataclasses import dataclass, field
from pathlib import Path

from nmt.errors import SettingError
from nmt.training.config import Limits

SEEDS = 2**63  # what torch and numpy both take


@dataclass(frozen=True)
class TrainOptions:
    """What the user may say about a run."""

    preset: str = "auto"  # auto, a preset's name, or a TOML file
    changes: list[str] = field(default_factory=list)  # settings like "model.hidden_size=768"
    limits: Limits = field(default_factory=Limits)
    seed: int = 1
    device: str = "auto"  # auto, cpu, cuda
    precision: str = "auto"  # auto, fp32, bf16
    bleu_tokenize: str | None = None
    overwrite: bool = False
    reverse: bool = False  # translate from the corpus's target language into its source
    init_from: Path | None = None  # a model folder whose weights and architecture to begin with

    def check(self) -> None:
        """Refuse what no corpus makes right; raises SettingError."""
        if not 0 <= self.seed < SEEDS:
            raise SettingError(f"a seed is a number from 0 to {SEEDS - 1}, not {self.seed}")
        self.limits.check()
