"""`train`: from a corpus folder to a finished model folder, in one call or in several."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from nmt.data.corpus import MANIFEST, Corpus
from nmt.decoding.model_folder import MANIFEST as MODEL_MANIFEST
from nmt.decoding.model_folder import Description, Side, load_weights, read_description
from nmt.errors import DataError, SettingError
from nmt.evaluation.languages import check_tokenizer, guess_language, why_no_bleu
from nmt.files import checksum
from nmt.hardware import choose_device, has_fast_bf16
from nmt.models.cost import cost
from nmt.progress import duration
from nmt.training.checkpoint import Position, State, load_newest
from nmt.training.config import Limits
from nmt.training.crew import Crew, Job, choose_workers
from nmt.training.folder import alone, prepare
from nmt.training.forecast import Forecast, forecast
from nmt.training.frozen import trainable
from nmt.training.learners import Learners
from nmt.training.origin import Origin, with_architecture
from nmt.training.presets import Settings, resolve
from nmt.training.ranks import Ranks
from nmt.training.report import Records, scores_in_words
from nmt.training.schedule import DROPOUT_AN_EPOCH, Budget
from nmt.training.team import Team, together
from nmt.training.tensorboard import summary_writer
from nmt.training.trainer import Clock, Trainer
from nmt.training.validation import Validation, Validator

log = logging.getLogger("nmt")

SEEDS = 2**63  # what torch and numpy both take
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


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


@dataclass(frozen=True)
class TrainReport:
    """What came out of a run."""

    folder: Path
    updates: int
    best_update: int
    seconds: float
    validation: Validation

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values, for JSON."""
        return {
            "model": str(self.folder),
            "updates": self.updates,
            "best_update": self.best_update,
            "seconds": round(self.seconds, 2),
            "loss": self.validation.loss,
            **self.validation.scores,
        }


def train(
    corpus: Path | str,
    output: Path | str,
    options: TrainOptions | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> TrainReport:
    """Train a model, or go on with a training that was stopped.

    Args:
        corpus: what `nmt preprocess -o` wrote.
        output: the model folder; a run begun there with the same settings is continued.
        options: settings, limits, device.
        clock: seconds that never run backwards; a time limit goes by it.

    Raises:
        FolderError: an unusable corpus, or an output folder that holds something else.
        SettingError: an unknown or unfit setting.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.
    """
    options = options or TrainOptions()
    began = clock()

    def lead(ranks: Ranks | None) -> TrainReport:
        with alone(Path(output)):
            run = _Run(_open(corpus, options), Path(output), options, ranks)
            run.begin()
            if not run.is_over():
                # What opening the corpus took counts towards the time limit too.
                run.position.seconds += clock() - began
                run.train(clock)
            return run.finish()

    return together(lead, corpus)


def forecast_training(corpus: Path | str, options: TrainOptions | None = None) -> Forecast:
    """Find out what a training would cost, and write nothing.

    Args:
        corpus: what `nmt preprocess -o` wrote.
        options: as for `train`.

    Raises:
        FolderError: an unusable corpus.
        SettingError: an unknown or unfit setting.
    """
    options = options or TrainOptions()

    def lead(ranks: Ranks | None) -> Forecast:
        run = _Run(_open(corpus, options), None, options, ranks)
        run.crew = run.make_crew()
        run.announce()
        return forecast(run.crew, run.corpus.train)

    return together(lead, corpus)


def _open(corpus: Path | str, options: TrainOptions) -> Corpus:
    opened = Corpus.open(corpus)
    return opened.reversed() if options.reverse else opened


class _Run:
    """The parts of a run, put together once."""

    def __init__(
        self, corpus: Corpus, folder: Path | None, options: TrainOptions, ranks: Ranks | None
    ) -> None:
        if not len(corpus.train):
            raise DataError(f"{corpus.folder}: the corpus has no training pairs")
        if options.bleu_tokenize is not None:
            check_tokenizer(options.bleu_tokenize)
        self.corpus, self.options, self.ranks = corpus, options, ranks
        self.folder = folder or Path(os.devnull)  # where nothing is, and nothing can be
        self.settings = resolve(options.preset, options.changes, len(corpus.train))
        self.saved = self._read_state()
        self.origin: Origin | None = None
        self.description = self._describe()
        self.device = choose_device(options.device)
        self.precision = _choose_precision(options.precision, self.device)
        self.validator = Validator(corpus, self.description, options.bleu_tokenize)
        self._check()
        self.position = Position()

    def _read_state(self) -> State | None:
        """Return the state to go on from, if there is one."""
        if self.options.overwrite or not (self.folder / MODEL_MANIFEST).exists():
            return None
        return load_newest(self.folder / "checkpoints")

    def _describe(self) -> Description:
        history: dict[str, Any] = {"reverse": True} if self.options.reverse else {}
        if self.options.init_from:
            history["init_from"] = self._begin_from(Path(self.options.init_from))
        return describe(self.corpus, self.settings, self.options.seed, history)

    def _begin_from(self, origin: Path) -> dict[str, Any]:
        """Take over another model's architecture, and its weights if there is no state yet."""
        if origin.resolve() == self.folder.resolve():
            raise SettingError(
                f"--init-from {origin}: this is the output folder; choose another one for the new "
                "model"
            )
        preset, changes = self.options.preset, self.options.changes
        if self.saved is not None:  # such a run needs its origin no more
            mine = read_description(self.folder)
            self.settings = with_architecture(self.settings, mine.model, preset, changes)
            weights = mine.training.get("init_from", {}).get("weights")
            return {"model": str(origin), "weights": weights}
        self.origin = Origin(origin)
        self.origin.check(self.corpus)
        architecture = self.origin.loaded.description.model
        self.settings = with_architecture(self.settings, architecture, preset, changes)
        return self.origin.facts()

    def _check(self) -> None:
        """Refuse what could not work, before anything is written."""
        if not 0 <= self.options.seed < SEEDS:
            raise SettingError(f"a seed is a number from 0 to {SEEDS - 1}, not {self.options.seed}")
        tying, joint = self.settings.model.tying, self.corpus.joint
        if tying == "three-way" and not joint:
            raise SettingError(
                "model.tying: three-way tying needs a joint vocabulary, and this corpus has two; "
                "preprocess with --joint-vocab, or take two-way"
            )
        if self.settings.train.freeze:
            with torch.device("meta"):  # names and shapes, without the numbers
                trainable(self.description.build(), self.settings.train.freeze)
        if self.settings.train.tensorboard:
            summary_writer()
        if self.validator.tokenizer is None:
            why = why_no_bleu(self.validator.language)
            if self.settings.train.select_by == "bleu":
                raise SettingError(f"train.select_by: {why}")
            log.info(why)

    def begin(self) -> None:
        """Open the folder and make the model, or take it from the newest checkpoint."""
        saved, self.saved = self.saved, None  # its memory is wanted for something else
        overwrite, begun = self.options.overwrite, saved is not None
        prepare(self.folder, self.description, self.corpus, overwrite, begun)
        config = self.settings.train
        if saved is not None:
            self.position = saved[1]
        self.crew = self.make_crew()
        if saved is not None:
            self.crew.learner.load_state(saved[0])
        batches = self.crew.feed.batches(0)
        self.budget = Budget.of(self.options.limits, -(-batches // config.accumulate))
        self.records = Records(
            self.folder,
            self.description,
            self.corpus,
            {
                "parameters": len(self.crew.storage.weights),
                "device": self.device.type,
                "precision": self.precision,
            },
        )
        self.announce()
        if saved is not None:
            log.info(f"going on after update {self.position.update:,}")
        elif self.origin:
            log.info(f"beginning with the weights of {self.origin.folder}")
        if not self.options.limits.given:
            log.info(
                "no limit given: training ends when validation stops getting better, or after "
                "60 minutes (--time-limit, --epochs or --updates change that)"
            )

    def make_crew(self) -> Learners:
        """Make the model, at its beginning, and gather those who train it."""
        seed = self.options.seed
        torch.manual_seed(seed)
        model = self.description.build().to(self.device)
        if self.origin:
            self.origin.fill(model)
        job = Job(
            self.corpus.folder,
            self.description,
            self.settings.train,
            seed,
            DTYPES[self.precision],
            self._processes(),
            reverse=self.options.reverse,
        )
        if self.ranks:
            return Team(self.ranks, job, model, self.corpus)
        return Crew(job, model, self.corpus)

    def _processes(self) -> int:
        """Return how many processes train."""
        config, position = self.settings.train, self.position
        if self.ranks:
            if config.workers:
                log.info("train.workers is of no use here: torchrun has started the processes")
            return self.ranks.size
        # The same number of workers again: with another, sums and dropout differ.
        if config.workers or not position.workers or self.device.type != "cpu":
            position.workers = choose_workers(config, len(self.corpus.train), self.device)
        return position.workers

    def is_over(self) -> bool:
        """Say whether an earlier call finished the run, and this one asks for no more."""
        position, now = self.position, [self.budget.updates, self.budget.seconds]
        over = position.finished and (
            not self.options.limits.given
            or position.budget == now
            or self.budget.progress(position.update, position.seconds) >= 1
        )
        if over:
            log.info("this run is finished; give a larger limit to train on")
        elif position.budget and position.budget != now:
            log.info("another limit than before: the schedule is stretched to it")
            position.finished, position.bad_validations, position.haste = False, 0, 1.0
        position.budget = now
        return over

    def train(self, clock: Clock) -> None:
        """Train to the end of the budget, or until interrupted."""
        peak = self.crew.peak()
        log.info(
            f"speed is also told as a share of the peak: {peak / 1e9:,.0f} billion operations a "
            f"second in {self.precision}, measured just now"
        )
        trainer = Trainer(
            self.records,
            self.crew,
            self.validator,
            self.budget,
            self.position,
            clock,
        )
        if self.options.overwrite:
            trainer.resume_hint = "the same command without --overwrite"
        with self.crew:
            trainer.run(cost(self.settings.model, self.description.target.pieces), peak)

    def finish(self) -> TrainReport:
        """Validate the best model by beam search, and write the model card and the curves."""
        learner, model = self.crew.learner, self.crew.learner.model
        notes = load_weights(self.folder, model)
        learner.storage.round()
        beam = self.settings.train.validation_beam
        validation = self.validator.score(self.crew.examine(beam))
        self.records.draw_curves()
        self.records.write_card(validation, beam, notes["update"], self.position)
        log.info(
            f"done: {self.position.update:,} updates in {duration(self.position.seconds)}; the "
            f"best model, of update {notes['update']:,}, is in {self.folder}"
        )
        log.info(f"validation by beam search: {scores_in_words(validation)}")
        return TrainReport(
            self.folder, self.position.update, notes["update"], self.position.seconds, validation
        )

    def announce(self) -> None:
        """Say what is going to be trained, and on what."""
        settings, pairs = self.settings, len(self.corpus.train)
        processes = self.crew.job.workers
        what = f"preset {settings.preset}"
        if self.options.init_from:
            what += f" with the architecture of {self.options.init_from}"
        elif self.options.preset == "auto":
            what += f", chosen for {pairs:,} pairs"
        log.info(
            f"{what}: {len(self.crew.storage.weights):,} parameters, "
            f"{self.crew.feed.batches(0):,} batches an epoch, "
            f"on {self.device.type} in {self.precision}"
            + (f", by {processes} processes" if processes > 1 else "")
        )
        if settings.train.dropout:
            log.info(
                f"dropout rises by {DROPOUT_AN_EPOCH} an epoch up to {settings.train.dropout}, "
                "so that what is read many times is not learnt by heart"
            )


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


def _side(corpus: Corpus, name: str) -> Side:
    facts: dict[str, Any] = corpus.manifest[name]
    language = None if facts["language"] == "und" else facts["language"]
    text = corpus.valid_source_text if name == "source" else corpus.valid_target_text
    return Side(language or guess_language(text), facts["vocabulary"], facts["pieces"])


def _choose_precision(name: str, device: torch.device) -> str:
    if name == "auto":
        return "bf16" if has_fast_bf16(device) else "fp32"
    if name not in DTYPES:
        raise SettingError(f"--precision {name}: choose one of auto, fp32, bf16 to train in")
    return name
