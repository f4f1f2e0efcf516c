"""What a run is put together from, read and checked before anything is written."""

import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from nmt.data.corpus import MANIFEST, Corpus
from nmt.decoding.model_folder import MANIFEST as MODEL_MANIFEST
from nmt.decoding.model_folder import Description, Side, read_description
from nmt.errors import DataError, SettingError
from nmt.evaluation.languages import check_tokenizer, guess_language, why_no_bleu
from nmt.files import checksum
from nmt.hardware import choose_device, has_fast_bf16
from nmt.models.config import ModelConfig
from nmt.training.checkpoint import State, load_newest
from nmt.training.frozen import trainable
from nmt.training.options import TrainOptions
from nmt.training.origin import Origin, with_architecture
from nmt.training.presets import Settings, resolve
from nmt.training.tensorboard import summary_writer
from nmt.training.validation import Validator

log = logging.getLogger("nmt")

SEEDS = 2**63  # what torch and numpy both take
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass
class Setup:
    """What a run is put together from."""

    corpus: Corpus
    folder: Path
    settings: Settings
    description: Description
    validator: Validator
    device: torch.device
    precision: str
    origin: Origin | None  # the model whose weights it begins with
    state: State | None  # that it goes on from; it needs its origin no more

    @property
    def dtype(self) -> torch.dtype:
        """The type that products are computed in."""
        return PRECISIONS[self.precision]

    def take_state(self) -> State | None:
        """Return the state, and keep it no longer: its memory is wanted for something else."""
        state, self.state = self.state, None
        return state


def set_up(corpus: Path | str, folder: Path | None, options: TrainOptions) -> Setup:
    """Read what a run begins with, and refuse what could not work.

    Args:
        corpus: what `nmt preprocess -o` wrote.
        folder: the model folder; None for a run that will not write.
        options: the user's.

    Raises:
        FolderError: an unusable corpus, origin or state.
        SettingError: an unknown or unfit setting.
    """
    opened = Corpus.open(corpus)
    if options.reverse:
        opened = opened.reversed()
    folder = folder or Path(os.devnull)  # where nothing is, and nothing can be
    _check_options(options, opened)
    settings = resolve(options.preset, options.changes, len(opened.train))
    state, origin = _find_state(folder, options), None
    history: dict[str, Any] = {"reverse": True} if options.reverse else {}
    if options.init_from:
        init_from = Path(options.init_from)
        _check_other(init_from, folder)
        if state is None:
            origin = Origin(init_from)
            origin.check(opened)
            architecture, facts = origin.loaded.description.model, origin.facts()
        else:
            architecture, facts = _remembered(init_from, folder)
        settings = with_architecture(settings, architecture, options.preset, options.changes)
        history["init_from"] = facts
    description = describe(opened, settings, options.seed, history)
    device = choose_device(options.device)
    precision = _choose_precision(options.precision, device)
    validator = Validator(opened, description, options.bleu_tokenize)
    setup = Setup(
        opened, folder, settings, description, validator, device, precision, origin, state
    )
    _check(setup)
    return setup


def describe(
    corpus: Corpus, settings: Settings, seed: int, history: dict[str, Any] | None = None
) -> Description:
    """Describe the model that a run will make of a corpus; `history` is kept with it."""
    return Description(
        model=settings.model,
        source=_side(corpus, "source"),
        target=_side(corpus, "target"),
        joint=corpus.joint,
        longest_source=int(corpus.train.source.lengths().max()),
        training={
            "preset": settings.preset,
            "settings": asdict(settings.train),
            "seed": seed,
            "corpus": checksum(corpus.folder / MANIFEST),
            **(history or {}),
        },
    )


def _check_options(options: TrainOptions, corpus: Corpus) -> None:
    if not len(corpus.train):
        raise DataError(f"{corpus.folder}: the corpus has no training pairs")
    if not 0 <= options.seed < SEEDS:
        raise SettingError(f"a seed is a number from 0 to {SEEDS - 1}, not {options.seed}")
    if options.bleu_tokenize is not None:
        check_tokenizer(options.bleu_tokenize)


def _find_state(folder: Path, options: TrainOptions) -> State | None:
    """Return the state to go on from, if there is one."""
    if options.overwrite or not (folder / MODEL_MANIFEST).exists():
        return None
    return load_newest(folder / "checkpoints")


def _check_other(origin: Path, folder: Path) -> None:
    if origin.resolve() == folder.resolve():
        raise SettingError(
            f"--init-from {origin}: this is the output folder; choose another one for the new model"
        )


def _remembered(origin: Path, folder: Path) -> tuple[ModelConfig, dict[str, Any]]:
    """Return the architecture and the facts of an origin, from the run that has begun with it."""
    mine = read_description(folder)
    weights = mine.training.get("init_from", {}).get("weights")
    return mine.model, {"model": str(origin), "weights": weights}


def _check(setup: Setup) -> None:
    """Refuse settings that do not go with this corpus, this model or what is installed."""
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


def _side(corpus: Corpus, name: str) -> Side:
    facts: dict[str, Any] = corpus.manifest[name]
    language = None if facts["language"] == "und" else facts["language"]
    text = corpus.valid_source_text if name == "source" else corpus.valid_target_text
    return Side(language or guess_language(text), facts["vocabulary"], facts["pieces"])


def _choose_precision(name: str, device: torch.device) -> str:
    if name == "auto":
        return "bf16" if has_fast_bf16(device) else "fp32"
    if name not in PRECISIONS:
        raise SettingError(f"--precision {name}: choose one of auto, fp32, bf16 to train in")
    return name
