"""The `nmt` command: its list of commands, and how it tells people what went wrong."""

import contextlib
import errno
import inspect
import os
import signal
import sys
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import nmt
from nmt.cli.average import average
from nmt.cli.evaluate import evaluate
from nmt.cli.preprocess import preprocess
from nmt.cli.score import score
from nmt.cli.train import train
from nmt.cli.translate import translate
from nmt.errors import Interrupted, LeaderLost, NmtError, memory_ran_out
from nmt.hardware import rank

DISK_FULL = "no space left on the disk: free some and run the same command again"
OS_ERRORS = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: "your disk quota is used up: free some space and run the same command again",
    # A limit on file size (`ulimit -f`) or a file system that cannot hold so large a file.
    errno.EFBIG: "no space left for a file this large: free some and run the same command again",
    errno.EACCES: "permission denied",
    errno.EPERM: "permission denied",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "no such file or folder",
    errno.EISDIR: "this is a folder, not a file",
    errno.ENOTDIR: "a part of this path is a file, not a folder",
    errno.EEXIST: "this exists already",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EMFILE: "too many files are open at once",
    errno.EBADF: "standard input or output is closed: give a file, or - with one that is open",
}
OUT_OF_MEMORY = (
    "there is not enough memory: end other programs, or use shorter lines, smaller batches or a "
    "smaller model"
)
GPU_OUT_OF_MEMORY = "the GPU's memory is full: use smaller batches or a smaller model"


class Terminated(BaseException):
    """A signal to end arrived. Not an Exception, so that only clean-up code stands in its way."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


class Commands(TyperGroup):
    """The group of commands, where known errors become a sentence and an exit code.

    It happens here and not around `app()`, because Typer itself turns Ctrl-C and broken pipes
    into exits of its own before they would get there.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # nmt/__main__.py held it back
                signal.signal(signal.SIGINT, signal.default_int_handler)
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BaseException as error:
            told = explain(error)
            if told is None:
                raise  # Typer's own errors and exits; anything else is for main()
            sys.exit(told)
        return result


def explain(error: BaseException) -> int | None:
    """Print one sentence about `error` on standard error and return the exit code.

    Returns None, and prints nothing, for an error that is not known here.
    """
    if isinstance(error, BrokenPipeError):  # the reader (`| head`) had enough
        _silence_stdout()
        return 128 + signal.SIGPIPE
    if isinstance(error, KeyboardInterrupt):
        return _tell("nmt: interrupted", 130)
    if isinstance(error, Terminated):
        return _tell(f"nmt: stopped by {error.signal.name}", 128 + error.signal)
    if isinstance(error, Interrupted):
        return _tell(f"nmt: {error}", error.exit_code)
    if isinstance(error, NmtError):
        return _tell(f"nmt: error: {error}", error.exit_code)
    if isinstance(error, OSError):
        if error.filename is None:
            _silence_stdout()  # it may be standard output that cannot be written: try no more
        return _tell(f"nmt: error: {_os_sentence(error)}", 1)
    if memory_ran_out(error):
        on_gpu = type(error).__name__ == "OutOfMemoryError"
        return _tell(f"nmt: error: {GPU_OUT_OF_MEMORY if on_gpu else OUT_OF_MEMORY}", 1)
    return None


def _tell(sentence: str, code: int) -> int:
    with contextlib.suppress(OSError):  # the terminal may be gone
        if os.environ.get("NMT_DEBUG"):
            traceback.print_exc()
        if not _follows() or isinstance(sys.exception(), LeaderLost):
            print(sentence, file=sys.stderr)
    return code


def _follows() -> bool:
    """Say whether this process of a training leaves it to the first one to speak for all."""
    return sys.argv[1:2] == ["train"] and rank() > 0


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _os_sentence(error: OSError) -> str:
    sentence = OS_ERRORS.get(error.errno or 0, error.strerror or str(error))
    if sentence.endswith("again") and _begins_anew():
        sentence += ", without --overwrite"
    if error.filename is None:
        return sentence
    return f"{os.fsdecode(error.filename)}: {sentence}"


def _begins_anew() -> bool:
    """Say whether the same command again would throw away what was done and can go on."""
    return sys.argv[1:2] in (["train"], ["translate"]) and "--overwrite" in sys.argv


def _silence_stdout() -> None:
    """Let the interpreter's last flush go nowhere instead of failing a second time."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _hold_streams() -> None:
    """Put something in the place of the standard streams that the caller closed (`2>&-`).

    Without standard error, print() would put messages among the results, and the next file that is
    opened would get a stream's number. What results are read from or written to fails when used.
    """
    for name, mode, flags in (
        ("stdin", "r", os.O_WRONLY),
        ("stdout", "w", os.O_RDONLY),
        ("stderr", "w", os.O_WRONLY),
    ):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode))


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated(number)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"nmt {nmt.__version__}")
        raise typer.Exit


app = typer.Typer(
    name="nmt",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # Plain help: twice as quick, and text in [brackets] is not taken for markup.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback()
def nmt_command(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Make a translator from two text files, and use it.

    In this order: preprocess, train, translate, evaluate. Besides: score given translations,
    average models. Each has --help with an example.
    """


def _help(command: Callable[..., None]) -> str:
    """Return the docstring, marked so that examples, which people copy, are not re-wrapped."""
    text = inspect.cleandoc(command.__doc__ or "")
    return text.replace("\n\nExample:", "\n\n\b\nExample:")


for command in (preprocess, train, translate, evaluate, score, average):
    app.command(help=_help(command))(command)


def main() -> None:
    """Run the command line; exit with its code. No traceback is shown unless NMT_DEBUG=1."""
    # OpenMP reads this when torch is imported. Its threads spin while they wait for each other:
    # with another program on one of two cores, that made training 20 times slower, this 2 times.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    _hold_streams()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
            signal.signal(number, _terminate)  # so that temporary files are cleaned up
    try:
        try:
            app(prog_name="nmt")
        finally:
            sys.stdout.flush()
    except (Exception, KeyboardInterrupt, Terminated) as error:
        told = explain(error)
        if told is None:
            told = _tell(
                f"nmt: error: this is a fault of nmt ({_first_line(error)}); "
                "please report it with what NMT_DEBUG=1 in front of the command shows",
                1,
            )
        sys.exit(told)
