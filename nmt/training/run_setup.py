"""What a run is put together from, read and checked before anything is written."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nmt.data.corpus import Corpus
from nmt.decoding.model_folder import MANIFEST, Description
from nmt.errors import DataError, SettingError
from nmt.evaluation.languages import check_tokenizer, why_no_bleu
from nmt.hardware import choose_device, has_fast_bf16
from nmt.training.checkpoint import State, load_newest
from nmt.training.description import describe
from nmt.training.frozen import trainable
from nmt.training.options import TrainOptions
from nmt.training.origin import Origin, inherit, with_architecture
from nmt.training.presets import Settings, resolve
from nmt.training.tensorboard import summary_writer
from nmt.training.validation import Validator

log = logging.getLogger("nmt")

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass
class Setup:
    """All that a run needs to know; `set_up` has checked it."""

    options: TrainOptions
    corpus: Corpus
    folder: Path  # the null device, where nothing is and nothing can be, for a forecast
    settings: Settings
    description: Description
    validator: Validator
    device: torch.device
    precision: str
    origin: Origin | None  # whose weights a new run begins with; None once taken
    state: State | None  # to resume from; None for a new run, and once taken

    @property
    def dtype(self) -> torch.dtype:
        """The type that products are computed in."""
        return PRECISIONS[self.precision]

    # Training has other uses for their memory, so whoever takes them has them alone.

    def take_state(self) -> State | None:
        """Return the state, and keep it no longer."""
        state, self.state = self.state, None
        return state

    def take_origin(self) -> Origin | None:
        """Return the origin, and keep it no longer."""
        origin, self.origin = self.origin, None
        return origin


def set_up(corpus: Path | str, folder: Path | None, options: TrainOptions) -> Setup:
    """Read what a run begins with, and refuse what could not work.

    Args:
        corpus: what `nmt preprocess -o` wrote.
        folder: the model folder; None for a run that will not write.
        options: the user's.

    Raises:
        DataError: the corpus has no training pairs.
        FolderError: an unusable corpus, origin or state.
        SettingError: an unknown or unfit setting.
    """
    options.check()
    if options.bleu_tokenize is not None:
        check_tokenizer(options.bleu_tokenize)
    opened = _open(corpus, options)
    folder = folder or Path(os.devnull)
    settings = resolve(options.preset, options.changes, len(opened.train))
    history: dict[str, Any] = {"reverse": True} if options.reverse else {}
    state, origin = _find_state(folder, options), None
    if options.init_from:
        inherited = inherit(Path(options.init_from), opened, folder, begun=state is not None)
        architecture, origin = inherited.architecture, inherited.origin
        settings = with_architecture(settings, architecture, options.preset, options.changes)
        history["init_from"] = inherited.facts
    description = describe(opened, settings, options.seed, history)
    device = choose_device(options.device)
    setup = Setup(
        options=options,
        corpus=opened,
        folder=folder,
        settings=settings,
        description=description,
        device=device,
        precision=_choose_precision(options.precision, device),
        validator=Validator(opened, description, options.bleu_tokenize),
        origin=origin,
        state=state,
    )
    _check_settings(setup)
    return setup


def _open(folder: Path | str, options: TrainOptions) -> Corpus:
    corpus = Corpus.open(folder)
    if not len(corpus.train):
        raise DataError(f"{corpus.folder}: the corpus has no training pairs")
    return corpus.reversed() if options.reverse else corpus


def _find_state(folder: Path, options: TrainOptions) -> State | None:
    """Return the state to go on from, if there is one."""
    if options.overwrite or not (folder / MANIFEST).exists():
        return None
    return load_newest(folder / "checkpoints")


def _choose_precision(name: str, device: torch.device) -> str:
    if name == "auto":
        return "bf16" if has_fast_bf16(device) else "fp32"
    if name not in PRECISIONS:
        raise SettingError(f"--precision {name}: choose one of auto, fp32, bf16 to train in")
    return name


def _check_settings(setup: Setup) -> None:
    """Refuse what does not go with this corpus, this model or what is installed.

    Where BLEU will not be counted, and nobody asked for it, the log says why.
    """
    model, config, validator = setup.settings.model, setup.settings.train, setup.validator
    if model.tying == "three-way" and not setup.corpus.joint:
        raise SettingError(
            "model.tying: three-way tying needs a joint vocabulary, and this corpus has two; "
            "preprocess with --joint-vocab, or take two-way"
        )
    if config.freeze:
        with torch.device("meta"):  # names and shapes, without the numbers
            trainable(setup.description.build(), config.freeze)
    if config.tensorboard:
        summary_writer()
    if validator.tokenizer is None:
        why = why_no_bleu(validator.language)
        if config.select_by == "bleu":
            raise SettingError(f"train.select_by: {why}")
        log.info(why)
