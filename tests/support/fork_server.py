"""The real command line, many times over, without waiting for torch each time.

A server process imports what `nmt` imports and forks a child for each command. The child takes
over the command's arguments, folder and files and then does what `python -m nmt` does: it is a
process of its own, with its own exit code, limits and signals.
"""

import gc
import importlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nmt.__main__

IMPORTED = (
    "matplotlib.pyplot",
    "nmt.cli.app",
    "nmt.data.preprocess",
    "nmt.decoding.desk",
    "nmt.decoding.files",
    "nmt.decoding.scoring",
    "nmt.evaluation.plots",
    "nmt.training.average",
    "nmt.training.run",
    "sacrebleu",
)
ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ended:
    """How a command ended; a negative code is the signal that killed it."""

    code: int
    stdout: str
    stderr: str

    @property
    def last_line(self) -> str:
        """What the command said last."""
        return self.stderr.splitlines()[-1] if self.stderr else ""


class Running:
    """A command that was started."""

    def __init__(self, server: "ForkServer", pid: int, folder: Path) -> None:
        self.server, self.pid, self.folder = server, pid, folder

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self) -> Ended:
        """Wait until it ends."""
        code = self.server.ask({"wait": self.pid})["code"]
        return Ended(code, *((self.folder / name).read_text("utf-8") for name in ("out", "err")))


class ForkServer:
    """Starts commands."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.folder = tempfile.TemporaryDirectory()

    def start(self, *args: object, stdin: bytes = b"", **limits: Any) -> Running:
        """Start `nmt ARGS`.

        Args:
            args: the arguments.
            stdin: what it reads from standard input.
            limits: `cwd`; `environment`, variables; `file_size`, the most bytes that a file may
                have; `ignored`, signals that the caller ignores; `seconds`.
        """
        folder = Path(tempfile.mkdtemp(dir=self.folder.name))
        (folder / "in").write_bytes(stdin)
        request = {"args": list(map(str, args)), "folder": str(folder), "cwd": str(folder)}
        return Running(self, self.ask(request | limits)["pid"], folder)

    def __call__(self, *args: object, stdin: bytes = b"", **limits: Any) -> Ended:
        """Run `nmt ARGS` to its end."""
        return self.start(*args, stdin=stdin, **limits).wait()

    def ask(self, request: dict[str, Any]) -> dict[str, int]:
        """Send the server a request; returns its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        return dict(json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        """End the server."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()
        self.folder.cleanup()


def serve() -> dict[str, Any]:
    """Fork a child for each command, and wait for one when asked to; in a child, return."""
    answers = os.fdopen(os.dup(1), "w")
    while line := os.read(0, 1 << 20):
        request = dict(json.loads(line))
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            answer = {"code": os.waitstatus_to_exitcode(status)}
        else:
            answer = {"pid": os.fork()}
            if not answer["pid"]:
                return request
        print(json.dumps(answer), file=answers, flush=True)
    sys.exit()


def become(request: dict[str, Any]) -> None:
    """Make this child the process that the request describes."""
    folder = Path(request["folder"])
    modes = (
        ("in", os.O_RDONLY),
        ("out", os.O_WRONLY | os.O_CREAT),
        ("err", os.O_WRONLY | os.O_CREAT),
    )
    for number, (name, mode) in enumerate(modes):
        os.dup2(os.open(folder / name, mode, 0o644), number)
    os.chdir(request["cwd"])
    os.environ.update(request.get("environment", {}))
    for number in (signal.SIGHUP, signal.SIGTERM):  # whatever who runs the tests does with them
        ignored = number in request.get("ignored", [])
        signal.signal(number, signal.SIG_IGN if ignored else signal.SIG_DFL)
    signal.alarm(int(request.get("seconds", 120)))
    if size := request.get("file_size"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    sys.argv = ["nmt", *request["args"]]


if __name__ == "__main__":
    for module in IMPORTED:
        importlib.import_module(module)
    gc.freeze()
    become(serve())
    try:
        nmt.__main__.run()
    except SystemExit as ending:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(ending.code or 0))  # without a second for taking all of torch to pieces
