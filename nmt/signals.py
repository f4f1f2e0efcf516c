"""Ctrl-C, SIGTERM and a lost terminal, noted while work goes on and obeyed when it is safe."""

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from nmt.errors import Interrupted

NAMES = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM", signal.SIGHUP: "SIGHUP"}


class StopSignals:
    """Within the block, the first of these signals is noted; a second one acts at once."""

    def __init__(self) -> None:
        self.received: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "StopSignals":
        # Only the main thread may; a library user's other threads have no signals to mind.
        if threading.current_thread() is threading.main_thread():
            for number in NAMES:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = signal.Signals(number)
        self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def again(self) -> None:
        """After the block, send what was received anew, to whom it would have come."""
        if self.received is not None:
            signal.raise_signal(self.received)

    def interruption(self, message: str) -> Interrupted:
        """Return the error to end with; its exit code is 128 + the signal's number."""
        assert self.received is not None
        return Interrupted(f"{NAMES[self.received]}: {message}", 128 + self.received)
