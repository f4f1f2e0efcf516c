"""`train`: from a corpus folder to a finished model folder, in one call or in several."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from nmt.decoding.model_folder import load_weights
from nmt.errors import FolderError, NmtError
from nmt.models.cost import cost
from nmt.progress import duration
from nmt.training.checkpoint import Position
from nmt.training.crew import Crew, Job, choose_workers
from nmt.training.folder import alone, prepare
from nmt.training.forecast import Forecast, forecast
from nmt.training.learners import Learners
from nmt.training.options import TrainOptions
from nmt.training.ranks import Ranks
from nmt.training.report import Records, scores_in_words
from nmt.training.room import begin_anew, room_for
from nmt.training.run_setup import Setup, set_up
from nmt.training.schedule import DROPOUT_AN_EPOCH, Budget
from nmt.training.team import Team, together
from nmt.training.trainer import Clock, Trainer, loss_of_guessing
from nmt.training.validation import Validation

log = logging.getLogger("nmt")


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
        FolderError: an unusable corpus or origin, or an output folder that holds something else.
        DataError: the corpus has no training pairs.
        SettingError: an unknown or unfit setting.
        NmtError: the loss or a weight is no longer a number, the loss has risen far, or a process
            was lost; the message says what is saved.
        Interrupted: Ctrl-C, SIGTERM or a lost terminal; the state is saved.
    """
    options = options or TrainOptions()
    began = clock()

    def lead(ranks: Ranks | None) -> TrainReport:
        with alone(Path(output)):
            run = _begin(set_up(corpus, Path(output), options), ranks)
            if run.is_over():
                log.info("this run is finished; give a larger limit to train on")
            else:
                # What opening the corpus took counts towards the time limit too.
                run.position.seconds += clock() - began
                run.train(clock)
            return run.finish()

    with _told_to_go_on(options.overwrite):
        return together(lead, corpus)


@contextlib.contextmanager
def _told_to_go_on(overwrite: bool) -> Iterator[None]:
    """Let no sentence advise a command that would begin anew what can go on."""
    try:
        yield
    except NmtError as error:
        if overwrite:
            again = str(error).replace("the same command", "the same command without --overwrite")
            error.args = (again,)
        raise


def forecast_training(corpus: Path | str, options: TrainOptions | None = None) -> Forecast:
    """Find out what a training would cost, and write nothing.

    Args:
        corpus: what `nmt preprocess -o` wrote.
        options: as for `train`.

    Raises:
        FolderError: an unusable corpus or origin.
        DataError: the corpus has no training pairs.
        SettingError: an unknown or unfit setting.
        NmtError: memory does not suffice, or a process was lost.
    """
    options = options or TrainOptions()

    def lead(ranks: Ranks | None) -> Forecast:
        setup = set_up(corpus, None, options)
        learners = _make_learners(setup, ranks, workers=0)
        _announce(setup, learners)
        return forecast(learners, setup.corpus.train)

    return together(lead, corpus)


def _begin(setup: Setup, ranks: Ranks | None) -> "_Run":
    """Open the folder, and make the model or take it from the newest checkpoint."""
    state, options = setup.take_state(), setup.options
    begun = state is not None
    prepare(setup.folder, setup.description, setup.corpus, options.overwrite, begun)
    tensors, position = state or ({}, Position())
    if not begun and not options.init_from:
        # A model that is taken over may begin with more.
        position.lowest_loss = loss_of_guessing(setup.description)
    learners = _make_learners(setup, ranks, position.workers)
    if not ranks and setup.device.type == "cpu":
        position.workers = learners.job.workers
    if begun:
        if not learners.learner.fits(tensors):
            raise FolderError(
                f"{setup.folder}: the newest checkpoint there is of another model; choose another "
                "folder, or start anew with --overwrite"
            )
        learners.learner.load_state(tensors)
    _announce(setup, learners)
    if begun:
        log.info(f"going on after update {position.update:,}")
    elif options.init_from:
        log.info(f"beginning with the weights of {options.init_from}")
    if not options.limits.given:
        log.info(
            "no limit given: training ends when validation stops getting better, or after "
            "60 minutes (--time-limit, --epochs or --updates change that)"
        )
    return _Run(setup, learners, position)


class _Run:
    """A run whose folder is open and whose model is there."""

    def __init__(self, setup: Setup, learners: Learners, position: Position) -> None:
        self.setup, self.learners, self.position = setup, learners, position
        updates_per_epoch = -(-learners.feed.batches(0) // setup.settings.train.accumulate)
        self.budget = Budget.of(setup.options.limits, updates_per_epoch)
        facts = {
            "parameters": len(learners.storage.weights),
            "device": setup.device.type,
            "precision": setup.precision,
            "valid": len(setup.validator.sources),
        }
        self.records = Records(setup.folder, setup.description, setup.corpus, facts)

    def is_over(self) -> bool:
        """Say whether an earlier call finished the run, and this one asks for no more."""
        position = self.position
        return position.finished and (
            not self.setup.options.limits.given
            or position.budget == self.budget.as_list()
            or self.budget.progress(position.update, position.seconds) >= 1
        )

    def _take_over_budget(self) -> None:
        """Remember this call's budget; stretch the schedule where it is not that of the last."""
        position, now = self.position, self.budget.as_list()
        if position.budget and position.budget != now:
            log.info("another limit than before: the schedule is stretched to it")
            position.finished, position.bad_validations, position.haste = False, 0, 1.0
        position.budget = now

    def train(self, clock: Clock) -> None:
        """Train to the end of the budget, or until interrupted."""
        setup = self.setup
        self._take_over_budget()
        peak = self.learners.peak()
        log.info(
            f"speed is also told as a share of the peak: {peak / 1e9:,.0f} billion operations a "
            f"second in {setup.precision}, measured just now"
        )
        trainer = Trainer(
            self.records,
            self.learners,
            setup.validator,
            self.budget,
            self.position,
            clock,
        )
        with self.learners:
            trainer.run(cost(setup.settings.model, setup.description.target.pieces), peak)

    def finish(self) -> TrainReport:
        """Validate the best model by beam search, and write the model card and the curves."""
        setup, learner = self.setup, self.learners.learner
        notes = load_weights(setup.folder, learner.model)
        learner.storage.round()
        beam = setup.settings.train.validation_beam
        smaller = "the same command goes on with --set train.validation_beam=1"
        mend = smaller if beam > 1 else begin_anew(setup.settings.train)
        with room_for("the last validation", mend):
            validation = setup.validator.score(self.learners.examine(beam))
        self.records.draw_curves()
        self.records.write_card(validation, beam, notes["update"], self.position)
        log.info(
            f"done: {self.position.update:,} updates in {duration(self.position.seconds)}; the "
            f"best model, of update {notes['update']:,}, is in {setup.folder}"
        )
        log.info(f"validation by beam search: {scores_in_words(validation)}")
        return TrainReport(
            setup.folder, self.position.update, notes["update"], self.position.seconds, validation
        )


def _make_learners(setup: Setup, ranks: Ranks | None, workers: int) -> Learners:
    """Make the model, at its beginning, and those who train it.

    Args:
        setup: of the run.
        ranks: where torchrun started this process.
        workers: that took the steps so far; 0 before the first.
    """
    options, corpus = setup.options, setup.corpus
    torch.manual_seed(options.seed)
    model = setup.description.build().to(setup.device)
    if origin := setup.take_origin():
        origin.fill(model)
    job = Job(
        corpus.folder,
        setup.description,
        setup.settings.train,
        options.seed,
        setup.dtype,
        _choose_processes(setup, ranks, workers),
        reverse=options.reverse,
    )
    return Team(ranks, job, model, corpus) if ranks else Crew(job, model, corpus)


def _choose_processes(setup: Setup, ranks: Ranks | None, workers: int) -> int:
    config = setup.settings.train
    if ranks:
        if config.workers:
            log.info("train.workers is of no use here: torchrun has started the processes")
        return ranks.size
    # The same number of workers again: with another, sums and dropout differ.
    if workers and not config.workers and setup.device.type == "cpu":
        return workers
    return choose_workers(config, len(setup.corpus.train), setup.device)


def _announce(setup: Setup, learners: Learners) -> None:
    """Say what is going to be trained, and on what."""
    options, settings = setup.options, setup.settings
    what = f"preset {settings.preset}"
    if options.init_from:
        what += f" with the architecture of {options.init_from}"
    elif options.preset == "auto":
        what += f", chosen for {len(setup.corpus.train):,} pairs"
    processes = f", by {learners.job.workers} processes" if learners.job.workers > 1 else ""
    log.info(
        f"{what}: {len(learners.storage.weights):,} parameters, "
        f"{learners.feed.batches(0):,} batches an epoch, "
        f"on {setup.device.type} in {setup.precision}{processes}"
    )
    if settings.train.dropout:
        log.info(
            f"dropout rises by {DROPOUT_AN_EPOCH} an epoch up to {settings.train.dropout}, "
            "so that what is read many times is not learnt by heart"
        )
