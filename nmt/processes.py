"""Workers: processes that this one starts, talks to over a pipe, and that end when it ends."""

import os
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Pipe
from typing import Any

from nmt.errors import NmtError

# Ctrl-C and the like are for the first process to understand; a worker ends when that ends.
START = """
import importlib, signal, sys
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
sys.path[:] = sys.argv[3:]
importlib.import_module(sys.argv[2]).main()
"""


class WorkerProcess:
    """A worker in a process of its own, seen from here."""

    def __init__(self, module: str, threads: int, advice: str, files: Sequence[int] = ()) -> None:
        """Start a process.

        Args:
            module: its `main()` is run; the first argument is the descriptor of its pipe.
            threads: how many threads torch begins with there.
            advice: what to do should it run out of memory.
            files: descriptors that it has in common with this process.
        """
        self.advice = advice
        self.pipe, theirs = Pipe()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START, str(theirs.fileno()), module, *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), *files),
                env=os.environ | {"OMP_NUM_THREADS": str(threads)},
                start_new_session=True,  # a terminal's Ctrl-C does not get there
            )

    def tell(self, message: Any) -> None:
        """Send it something."""
        try:
            self.pipe.send(message)
        except OSError:
            raise self._dead() from None

    def hear(self) -> Any:
        """Wait for what it says next."""
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            raise self._dead() from None

    def end(self, patience: float = 0.0) -> None:
        """Close its pipe, upon which it ends by itself; if not in so many seconds, kill it."""
        self.pipe.close()
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _dead(self) -> NmtError:
        code = self.process.wait()
        return NmtError(
            f"a worker process ended (code {code}), most likely because memory ran out; "
            f"{self.advice}"
        )
