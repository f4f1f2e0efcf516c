"""Messages and progress on standard error: bars for a terminal, plain lines for a log file."""

import contextlib
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

LOGGER = logging.getLogger("nmt")
PLAIN_EVERY = 30.0  # seconds between two lines where there is no terminal to draw a bar in
SECONDS = "s"  # the unit of a total that is a time limit

SECONDS_BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left{postfix}"
COUNT_BAR = (
    "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt}, {rate_fmt}, {remaining} left{postfix}"
)
OPEN_BAR = "{desc}: {n_fmt}, {rate_fmt}, {elapsed}{postfix}"


class _Handler(logging.Handler):
    """Prints the bare message on standard error, above a progress bar if there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one message."""
        message = self.format(record)
        bars = sys.modules.get("tqdm")  # not imported: there can be no bar
        with contextlib.suppress(OSError):  # a lost terminal must not end work that can be saved
            if bars is None:
                print(message, file=sys.stderr, flush=True)
            else:
                bars.tqdm.write(message, file=sys.stderr)


def setup_logging(quiet: bool) -> None:
    """Send the messages of "nmt" to standard error; under `quiet` only warnings, and no bars."""
    LOGGER.handlers = [_Handler()]
    LOGGER.setLevel(logging.WARNING if quiet else logging.INFO)
    LOGGER.propagate = False


class Progress:
    """How far a piece of work is, and when it will be done.

    Draws a bar on a terminal; elsewhere it logs a line every half minute. It is silent unless the
    logger "nmt" lets information through, so under --quiet, and in programs that use nmt as a
    library without having asked for its messages.
    """

    def __init__(
        self,
        total: float | None,
        unit: str,
        label: str,
        initial: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin.

        Args:
            total: the amount of work in `unit`, or None where nobody knows.
            unit: what is counted, in the plural ("lines"), or "s" where the total is a time limit.
            label: what is being done.
            initial: how much of it was done by an earlier run.
            clock: seconds that never run backwards.
        """
        self.total, self.unit, self.label, self.done = total, unit, label, initial
        self._initial, self._clock, self._fields = initial, clock, ""
        self._start = self._last_line = clock()
        self._enabled = LOGGER.isEnabledFor(logging.INFO)
        self._bar = self._draw() if self._enabled and sys.stderr.isatty() else None

    def advance(self, amount: float = 1) -> None:
        """Count `amount` more of the unit as done."""
        self.done += amount
        if self._bar is not None:
            self._bar.update(amount)
        elif self._enabled and self._clock() - self._last_line >= PLAIN_EVERY:
            self._last_line = self._clock()
            LOGGER.info(self._line())

    def expect(self, total: float) -> None:
        """Take another total from now on."""
        self.total = total
        if self._bar is not None:
            self._bar.total = total

    def show(self, **fields: Any) -> None:
        """Show these figures beside the progress from now on."""
        self._fields = "".join(f", {name} {_figure(value)}" for name, value in fields.items())
        if self._bar is not None:
            self._bar.set_postfix_str(self._fields.removeprefix(", "), refresh=False)

    def close(self) -> None:
        """Take the bar away. What was achieved is for the caller to say."""
        if self._bar is not None:
            self._bar.close()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _draw(self) -> Any:
        from tqdm import tqdm  # here, because `nmt --help` has no need of it

        known = SECONDS_BAR if self.unit == SECONDS else COUNT_BAR
        return tqdm(
            total=self.total,
            unit=f" {self.unit}",
            desc=self.label,
            initial=self.done,
            bar_format=OPEN_BAR if self.total is None else known,
            file=sys.stderr,
            dynamic_ncols=True,
            leave=False,
        )

    def _line(self) -> str:
        """The progress in words: `Translating: 50 %, 500 of 1,000 lines, 20 lines/s, 25 s left`."""
        elapsed = self._clock() - self._start
        rate = (self.done - self._initial) / elapsed if elapsed else 0.0
        if self.total is None:
            text = f"{_figure(self.done)} {self.unit}, {_figure(rate)} {self.unit}/s"
            return f"{self.label}: {text}, {duration(elapsed)}{self._fields}"
        share = f"{self.label}: {self.done / self.total:.0%}".replace("%", " %")
        left = max(0.0, self.total - self.done)
        if self.unit == SECONDS:
            return f"{share}, {duration(left)} left{self._fields}"
        count = f"{_figure(self.done)} of {_figure(self.total)} {self.unit}"
        end = f", {duration(left / rate)} left" if rate else ""
        return f"{share}, {count}, {_figure(rate)} {self.unit}/s{end}{self._fields}"


def duration(seconds: float) -> str:
    """Say a length of time as people do: `45 s`, `12 min 5 s`, `3 h 20 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _figure(value: Any) -> str:
    if isinstance(value, float) and abs(value) < 100 and not value.is_integer():
        return f"{value:.2f}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)
