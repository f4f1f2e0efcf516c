"""What the user may say about a run."""

from dataclasses import dataclass, field
from pathlib import Path

from nmt.training.config import Limits


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
