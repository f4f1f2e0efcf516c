"""Windows: the lines that are sorted by length and translated together."""

import contextlib
import queue
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

END = object()
WINDOW_LINES = 4096
WINDOW_CHARACTERS = 1 << 20
LINE_SHARE = WINDOW_CHARACTERS // WINDOW_LINES  # what an empty line counts for while it waits
# The last windows of a long text are smaller, so that several workers come to its end together.
LAST_WINDOWS = 512
LONG_TEXT = 8 * LAST_WINDOWS


@dataclass(frozen=True)
class Window:
    """Some lines of a text, and how many came before them."""

    done: int
    lines: list[str]


def cut(lines: Iterable[str], stream: bool, total: int | None, done: int) -> Iterator[Window]:
    """Cut a text into windows.

    Args:
        lines: the lines that are left.
        stream: whether a window is whatever has arrived.
        total: how many lines the whole text has; None where nobody knows.
        done: how many came before.
    """
    for window in waiting(iter(lines)) if stream else windows(lines, total, done):
        yield Window(done, window)
        done += len(window)


def windows(lines: Iterable[str], total: int | None = None, done: int = 0) -> Iterator[list[str]]:
    """Cut a stream of lines into windows of bounded length and size.

    Args:
        lines: the lines.
        total: how many there are with those before them; None where nobody knows.
        done: how many came before; the windows are those of the whole text.
    """
    iterator = iter(lines)
    while window := list(islice(iterator, 1)):
        most = _most(total, done)
        size = len(window[0])
        while len(window) < most and size < WINDOW_CHARACTERS:
            line = next(iterator, None)
            if line is None:
                break
            window.append(line)
            size += len(line)
        done += len(window)
        yield window


def _most(total: int | None, done: int) -> int:
    if total is None or total < LONG_TEXT:
        return WINDOW_LINES
    return min(WINDOW_LINES, max(LAST_WINDOWS, (total - done) // 8))


class _Arrived(queue.Queue[object]):
    """A queue that is full with as many lines, or characters, as a window has at most."""

    def _init(self, maxsize: int) -> None:
        super()._init(maxsize)
        self._size = 0

    def _put(self, item: object) -> None:
        super()._put(item)
        self._size += self._share(item)

    def _get(self) -> object:
        item = super()._get()
        self._size -= self._share(item)
        return item

    def _qsize(self) -> int:
        return self._size

    @staticmethod
    def _share(item: object) -> int:
        return max(len(item) if isinstance(item, str) else 0, LINE_SHARE)


def waiting(lines: Iterator[str]) -> Iterator[list[str]]:
    """Cut a stream of lines into bounded windows of whatever has arrived by now."""
    arrived = _Arrived(maxsize=WINDOW_CHARACTERS)

    def read() -> None:
        try:
            for line in lines:
                arrived.put(line)
            arrived.put(END)
        except BaseException as error:  # handed over to the thread that translates
            arrived.put(error)

    threading.Thread(target=read, daemon=True).start()
    while True:
        item, window, size = arrived.get(), list[str](), 0
        with contextlib.suppress(queue.Empty):
            while isinstance(item, str):
                window.append(item)
                size += len(item)
                if len(window) == WINDOW_LINES or size >= WINDOW_CHARACTERS:
                    break
                item = arrived.get_nowait()
        if window:
            yield window
        if isinstance(item, BaseException):
            raise item
        if item is END:
            return
