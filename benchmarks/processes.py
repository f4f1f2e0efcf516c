"""Commands held to chosen cores, with what each cost."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = Path(__file__).resolve().parent / ".work"
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class Files:
    """Where a command reads and writes; `error` None joins it to `output`."""

    output: Path
    input: Path | None = None
    error: Path | None = None


@dataclass(frozen=True)
class Cost:
    """What a command took: wall and processor seconds, peak resident MiB, and its exit status."""

    seconds: float
    cpu_seconds: float
    peak_mib: float
    status: int


def run_pinned(
    command: Sequence[object],
    cores: Sequence[int],
    files: Files,
    stop_after: float | None = None,
    stop_signal: int = signal.SIGINT,
) -> Cost:
    """Run `command` on `cores` with as many threads, from the root of the repository.

    Args:
        command: the program and its arguments.
        cores: the cores it may use.
        files: where it reads and writes.
        stop_after: seconds after which it gets `stop_signal`, None for never.
        stop_signal: what to send; a program that needs longer than a minute to obey is killed.
    """
    environment = dict(os.environ, TOKENIZERS_PARALLELISM="false")
    environment.update(dict.fromkeys(THREAD_VARIABLES, str(len(cores))))
    files.output.parent.mkdir(parents=True, exist_ok=True)
    with (
        open(files.input or os.devnull, "rb") as source,
        files.output.open("wb") as output,
        open(files.error or os.devnull, "wb") as error,
    ):
        started = time.monotonic()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=source,
            stdout=output,
            stderr=error if files.error else subprocess.STDOUT,
            env=environment,
            cwd=ROOT,
            preexec_fn=lambda: _settle(cores),
        )
        timers = _timers(process.pid, stop_after, stop_signal)
        _, status, used = os.wait4(process.pid, 0)  # with its children, unlike process.wait()
        for timer in timers:
            timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - started
    return Cost(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, process.returncode)


def run_whole(command: Sequence[object], cores: Sequence[int], files: Files, name: str) -> Cost:
    """Run a command that has to succeed, see `run_pinned`; `name` is what a message calls it.

    Raises:
        SystemExit: it failed; its last words are shown.
    """
    cost = run_pinned(command, cores, files)
    if cost.status:
        raise SystemExit(f"{name} failed:\n{tail(files.error or files.output)}")
    return cost


def _settle(cores: Sequence[int]) -> None:
    """Hold this process to `cores`; let it hear Ctrl-C, which a background shell takes away."""
    os.sched_setaffinity(0, cores)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _timers(process: int, stop_after: float | None, stop_signal: int) -> list[threading.Timer]:
    if stop_after is None:
        return []
    timers = [
        threading.Timer(stop_after, os.kill, (process, stop_signal)),
        threading.Timer(stop_after + 60, os.kill, (process, signal.SIGKILL)),
    ]
    for timer in timers:
        timer.daemon = True
        timer.start()
    return timers


def tail(path: Path, lines: int = 15) -> str:
    """Return the last lines of a log, for a message about what went wrong."""
    return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def spread_over(count: int, first: int = 0) -> list[int]:
    """Return `count` cores that this process may use, starting with core `first`.

    Raises:
        SystemExit: the machine has not so many.
    """
    allowed = [core for core in sorted(os.sched_getaffinity(0)) if core >= first]
    if len(allowed) < count:
        raise SystemExit(f"{count} cores from core {first} on were asked for; there are {allowed}")
    return allowed[:count]
