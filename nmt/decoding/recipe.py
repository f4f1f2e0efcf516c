"""Recipes: what a Translator is made of, known before torch is loaded."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nmt
from nmt.decoding.model_files import find_weights, fingerprint, read_model_manifest
from nmt.decoding.options import SearchOptions
from nmt.hardware import has_fast_int8, may_have_gpu

if TYPE_CHECKING:
    from nmt.decoding.translator import Translator

# What changes the speed of a translation only.
SPEED = ("batch_size",)


@dataclass(frozen=True)
class Recipe:
    """A model folder, and how to translate with it; as for Translator.load."""

    model: str
    search: SearchOptions = field(default_factory=SearchOptions)
    ensemble: tuple[str, ...] = ()
    precision: str = "auto"
    device: str = "auto"
    batch_size: int = 64

    def load(self) -> "Translator":
        """Make the translator.

        Raises:
            FolderError: no model folder, or a damaged one.
            SettingError: something that is not to be had here.
        """
        from nmt.decoding.translator import Translator

        return Translator.load(
            self.model,
            self.search,
            ensemble=self.ensemble,
            precision=self.precision,
            device=self.device,
            batch_size=self.batch_size,
        )

    @property
    def folders(self) -> list[Path]:
        """The model folders, the first one first."""
        return [Path(model) for model in (self.model, *self.ensemble)]

    def check(self) -> None:
        """Look whether the models are there; that their weights are whole, loading them tells.

        Raises:
            FolderError: no model folder, or a damaged one.
        """
        for folder in self.folders:
            read_model_manifest(folder)
            find_weights(folder)

    def identity(self) -> dict[str, Any]:
        """Return all that a translation follows from, but for its source.

        Raises:
            FolderError: no model folder, or a damaged one.
        """
        options = asdict(self._settled()) | asdict(self.search)
        kept = {name: options[name] for name in options if name not in ("search", *SPEED)}
        models = [fingerprint(folder) for folder in self.folders]
        return kept | {"nmt": nmt.__version__, "model": models, "ensemble": len(models) - 1}

    def _settled(self) -> "Recipe":
        """Put what `auto` will be here in its place, as far as that is known without torch.

        Otherwise another machine would go on with a file in another precision.
        """
        device, precision = self.device, self.precision
        if device == "auto":
            device = "cuda" if may_have_gpu() else "cpu"
        if precision == "auto":
            precision = "int8" if device == "cpu" and has_fast_int8() else "fp32"
        return replace(self, device=device, precision=precision)
