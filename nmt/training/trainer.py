"""The training loop: updates, reports, validations, checkpoints, and when to end."""

import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import NoReturn

from nmt.decoding.model_folder import Description, save_weights
from nmt.errors import NmtError
from nmt.models.cost import Cost
from nmt.progress import Progress
from nmt.signals import StopSignals
from nmt.training.checkpoint import Position, save_checkpoint
from nmt.training.learners import Learners
from nmt.training.ranks import RankLost
from nmt.training.report import MetricsLog, Records, sample_lines, scores_in_words
from nmt.training.room import begin_anew, room_for
from nmt.training.schedule import COOLDOWN, Budget, Pace
from nmt.training.selection import Standing, is_better
from nmt.training.speed import Speedometer
from nmt.training.tensorboard import Board
from nmt.training.validation import Validation, Validator

log = logging.getLogger("nmt")

Clock = Callable[[], float]

# The end of a run costs this many greedy validations: one, and one by beam search.
FINAL_VALIDATIONS = 4
# A training loss this far (in nats) above its lowest says that the model has lost what it learned.
DIVERGED = 2.0
SHORTER = "begin anew, by --overwrite, with a smaller model or shorter lines to validate on"


def loss_of_guessing(description: Description) -> float:
    """Return the loss, in nats, of a model that holds all pieces for equally likely."""
    return math.log(description.target.pieces)


class Trainer:
    """Trains one model into one folder, from any position to the end of its budget."""

    def __init__(
        self,
        records: Records,
        learners: Learners,
        validator: Validator,
        budget: Budget,
        position: Position,
        clock: Clock = time.monotonic,
    ) -> None:
        """Prepare to go on from `position`; `clock` is what the time limit goes by."""
        self.folder, self.records = records.folder, records
        self.learners = learners
        self.learner = learners.learner
        self.config = self.learner.config
        self.validator = validator
        self.budget = budget
        self.position = position
        self.clock = clock
        self.metrics = MetricsLog(self.folder / "metrics.jsonl", position.metrics_bytes)
        if self.config.tensorboard:
            self.metrics.board = Board(self.folder / "tensorboard", self.metrics.lines())
        together = self.config.accumulate
        epoch = -(-learners.feed.batches(0) // together)
        two_epochs = min(1000, max(-(-100 // together), 2 * epoch))
        self.validate_every = self.config.validate_every or two_epochs

    def run(self, cost: Cost, peak: float) -> None:
        """Train until the budget is used up or nothing gets better.

        Args:
            cost: the model's operations a token, and
            peak: the machine's operations a second, to state the speed as a share.

        Raises:
            Interrupted: a signal to stop arrived, and the state is saved.
            NmtError: the loss or a weight is no longer a number, or the loss has risen far.
        """
        self._begin(cost, peak)
        position, speed = self.position, self.speed
        by_time = self.budget.updates is None
        unit = "s" if by_time else "updates"
        with (
            StopSignals() as signals,
            Progress(self._total(), unit, "Training", self._done()) as bar,
        ):
            for epoch, indices in self._batches():
                self._update(epoch, indices)
                bar.advance(self._done() - bar.done)
                validates = position.update % self.validate_every == 0
                if validates or position.update % self.config.report_every == 0:
                    self._report(bar)
                if validates:
                    with speed.paused():
                        self._validate()
                    self._shorten_if_stuck()
                    bar.expect(self._total())
                if self._progress() >= 1:
                    break
                signals.received = signals.received or self.learners.stop
                if signals.received:
                    self._stop(signals)
                if self.clock() - self._saved > 60 * self.config.checkpoint_minutes:
                    with speed.paused():
                        self.save()
            if position.validated_update != position.update:
                self._report(bar)
                self._validate()
            position.finished = True
            self.save()
            if signals.received:
                self.records.draw_curves()
                raise signals.interruption(
                    "training is done and saved; the same command writes the final scores"
                )

    def _begin(self, cost: Cost, peak: float) -> None:
        """Start the clocks."""
        position = self.position
        self._began = self.clock() - position.seconds
        unreported = position.unreported_loss, position.unreported_tokens
        self.speed = Speedometer(cost, peak, self.clock, *unreported)
        self.pace = Pace.of(self.config, position.update, self._epochs(), self._progress())
        self._share = self.pace.reference
        if position.update == 0:
            with self.speed.paused():
                self.save()  # from now on a folder without a state is one that lost it
        self._saved = self.clock()

    def _stop(self, signals: StopSignals) -> None:
        """Save, and say how to go on and what there is already; raises Interrupted."""
        self.save()
        position = self.position
        there_is = (
            "it cannot translate yet: the first validation, after update "
            f"{self.validate_every:,}, saves a model"
        )
        if position.best_update:
            self.records.draw_curves()
            there_is = (
                f"it can translate: the best model so far, of update {position.best_update:,}, has "
                "its card and its curves; what is missing is the last validation, by beam search"
            )
        raise signals.interruption(
            f"stopped after update {position.update:,}, and everything is saved; "
            f"the same command goes on from here ({there_is})"
        )

    def save(self) -> None:
        """Write a checkpoint of the present position.

        Raises:
            NmtError: the loss or some of the weights are no numbers.
        """
        position, speed = self.position, self.speed
        position.unreported_loss = float(speed.loss)
        self._check_number(position.unreported_loss)
        self._check_weights()
        position.metrics_bytes = self.metrics.flush()
        position.unreported_tokens = speed.tokens + speed.carried
        folder = self.folder / "checkpoints"
        state, keep = self.learner.state(), self.config.keep_checkpoints
        save_checkpoint(folder, state, position, keep)
        self._saved = self.clock()

    def _batches(self) -> Iterator[tuple[int, range]]:
        """Yield the batches of each update from the present position on, and keep the position."""
        position, together = self.position, self.config.accumulate
        while self._progress() < 1 or position.update == 0:
            stop = self.learners.feed.batches(position.epoch)
            for start in range(position.batch, stop, together):
                position.batch = min(start + together, stop)
                yield position.epoch, range(start, position.batch)
            position.epoch += 1
            position.batch = 0

    def _progress(self) -> float:
        # What comes after the last update takes as long as a few validations by greedy search.
        # Before the first one nothing is known of them: then it is as much as may be reserved.
        one = self.position.validation_seconds if self.position.validated_update else math.inf
        reserved = FINAL_VALIDATIONS * one
        share = self.budget.progress(self.position.update, self.position.seconds, reserved)
        return min(1.0, round(self.position.haste * share, 9))  # 0.99999... is 1

    def _total(self) -> float:
        """Return the updates or the seconds at which the run ends."""
        if self.budget.updates is not None:
            return math.ceil(round(self.budget.updates / self.position.haste, 6))
        assert self.budget.seconds is not None
        return self.budget.seconds / self.position.haste

    def _done(self) -> float:
        by_time = self.budget.updates is None
        return self.position.seconds if by_time else self.position.update

    def _tick(self) -> None:
        """Bring the time used up to date."""
        self.position.seconds = self.clock() - self._began

    def _update(self, epoch: int, indices: range) -> None:
        self.position.update += 1
        update, epochs, progress = self.position.update, self._epochs(), self._progress()
        self.pace = Pace.of(self.config, update, epochs, progress)
        try:
            with room_for(f"update {update:,}", begin_anew(self.config)):
                work = self.learners.update(epoch, indices, self.pace)
        except RankLost as error:
            self._save_before(epoch, indices, error)
        self.speed.count(work)
        self._tick()

    def _save_before(self, epoch: int, indices: range, error: RankLost) -> NoReturn:
        """Save the position before an update that came to nothing, and say so."""
        position = self.position
        position.update, position.epoch, position.batch = position.update - 1, epoch, indices.start
        self.save()
        raise NmtError(
            f"{error.reason}; everything up to update {position.update:,} is saved, and "
            "the same command goes on from there"
        ) from error

    def _report(self, bar: Progress) -> None:
        """Tell of the updates since the last report, if there are any."""
        if not self.speed.tokens + self.speed.carried:
            return
        figures = self.speed.read()
        self._check_number(figures.loss)
        share = self.pace.reference
        if share != self._share:
            self._expect_more_loss()
            self._share = share
        self._check_course(figures.loss)
        sampling = {} if share == 1 else {"teacher_forcing": round(share, 4)}
        told = asdict(figures) if figures.tokens_per_second else {"loss": figures.loss}
        self.metrics.write(
            kind="train",
            update=self.position.update,
            epoch=round(self._epochs(), 3),
            learning_rate=self.pace.rate,
            seconds=round(self.position.seconds, 2),
            **sampling,
            **told,
        )
        bar.show(
            epoch=self.position.epoch + 1,
            update=self.position.update,
            loss=round(figures.loss, 3),
            rate=f"{self.pace.rate:.2g}",
            **{"tokens/s": figures.tokens_per_second, "peak": f"{figures.share_of_peak:.0%}"},
        )

    def _expect_more_loss(self) -> None:
        """On another task, compare with a model that knows nothing, if there is no worse so far."""
        lowest = self.position.lowest_loss
        if lowest is not None:
            guessing = loss_of_guessing(self.learners.job.description)
            self.position.lowest_loss = max(lowest, guessing)

    def _check_number(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise self._lost("the loss is no longer a number")

    def _check_weights(self) -> None:
        """Refuse weights that only the loss of other sentences, or of the next update, would show.

        Their sum is a number if all of them are, and is found in no time.
        """
        if not self.learner.storage.weights.sum().isfinite():
            raise self._lost("some weights are no longer numbers")

    def _check_course(self, loss: float) -> None:
        position = self.position
        lowest = loss if position.lowest_loss is None else position.lowest_loss
        position.lowest_loss = min(lowest, loss)
        if loss > position.lowest_loss + DIVERGED:
            raise self._lost(f"the loss has risen from {position.lowest_loss:.2f} to {loss:.2f}")

    def _lost(self, why: str) -> NmtError:
        """Draw how it came to that, and return what to say."""
        with contextlib.suppress(OSError):  # what matters is the sentence
            self.records.draw_curves()
        lower = f"--set train.learning_rate={self.config.learning_rate / 2:g}"
        advice = f"train again with a lower rate: {lower} --overwrite"
        if self.position.best_update:
            advice = (
                f"the best model so far stays in {self.folder}; train again with a lower rate, "
                f"into another folder: {lower}"
            )
        return NmtError(f"{why} at update {self.position.update:,}; {advice}")

    def _epochs(self) -> float:
        """Return how many times the corpus was seen."""
        return self.position.epoch + self.position.batch / self.learners.feed.batches(
            self.position.epoch
        )

    def _validate(self) -> None:
        began = self.clock()
        self._check_weights()
        with room_for("the validation", SHORTER):
            validation = self.validator.score(self.learners.examine(beam_size=1))
        position = self.position
        self._check_number(validation.loss)
        better = self._is_better(validation)
        position.bad_validations = 0 if better else position.bad_validations + 1
        position.validated_update = position.update
        position.validation_seconds = self.clock() - began
        self._tick()
        self._tell(validation, better)
        if better:
            notes = {"update": position.update, "loss": validation.loss, **validation.scores}
            save_weights(self.folder, self.learner.model, notes)
            self.records.write_card(validation, 1, position.update, position)
            self.save()  # so that the best model is never ahead of the checkpoint

    def _is_better(self, validation: Validation) -> bool:
        """Compare with the best so far, and take it over."""
        position, name = self.position, self.select_by()
        metric = f"{name} {self.validator.tokenizer}" if name == "bleu" else name
        new = Standing(validation.value(name), validation.loss)
        if position.best_metric == metric:
            best, highest = Standing(position.best_score, position.best_loss), position.highest
            position.highest = max(highest, new.score)
            if not is_better(new, best, highest, self.validator.noise(name)):
                return False
        else:
            position.highest = new.score
        position.best_score, position.best_loss = new.score, new.loss
        position.best_metric, position.best_update = metric, position.update
        return True

    def select_by(self) -> str:
        """Return the name of the score that picks the best model."""
        if self.config.select_by == "auto":
            return self.validator.metrics[0]
        return self.config.select_by

    def _tell(self, validation: Validation, better: bool) -> None:
        position = self.position
        self.metrics.write(
            kind="valid",
            update=position.update,
            epoch=round(self._epochs(), 3),
            loss=validation.loss,
            perplexity=validation.perplexity,
            **validation.scores,
            best=better,
            seconds=round(position.seconds, 2),
        )
        mark = "  best so far" if better else f"  (best at update {position.best_update:,})"
        log.info(f"update {position.update:,}: {scores_in_words(validation)}{mark}")
        for line in sample_lines(validation.samples):
            log.info(line)

    def _shorten_if_stuck(self) -> None:
        """Begin the cooldown, if validation has shown no gain for long and it has not begun."""
        position, progress = self.position, self._progress()
        if position.bad_validations < self.config.patience or progress >= 1 - COOLDOWN:
            return
        position.haste *= (1 - COOLDOWN) / max(1e-9, progress)
        log.info(
            f"no better model in {position.bad_validations} validations: the learning rate "
            "begins to fall now, and training ends early"
        )
