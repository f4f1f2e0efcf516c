"""What the tests share: a runner for the real command line, and corpora to run it on."""

import functools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import hypothesis
import pytest

from tests.support.fork_server import ForkServer

if TYPE_CHECKING:
    from tests.support.corpora import Learned

# No test fails because a machine is busy.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

ROOT = Path(__file__).resolve().parent.parent
# Before torch is imported: tensors this small are quicker without a second thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A shell that runs the tests in the background has them ignore Ctrl-C, and so would every command.
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Outcome:
    """How a command ended: its exit code and what it wrote."""

    code: int
    stdout: str
    stderr: str


class Runner(Protocol):
    """Runs `nmt` with these arguments in a process of its own."""

    def __call__(
        self,
        *args: object,
        stdin: str | bytes = "",
        timeout: float = 120,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> Outcome: ...


@dataclass(frozen=True)
class ToyCorpus:
    """Four small files of parallel text, line by line."""

    train_source: Path
    train_target: Path
    valid_source: Path
    valid_target: Path


@pytest.fixture(scope="session")
def nmt_cli(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """Run `python -m nmt ...` in a subprocess, in an empty folder unless `cwd` says otherwise."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    def run(
        *args: object,
        stdin: str | bytes = "",
        timeout: float = 120,
        cwd: Path | None = None,
        env: dict[str, str] | None = None,
    ) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "nmt", *map(str, args)],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=timeout,
            cwd=cwd or elsewhere,
            env=environment() | (env or {}),
        )
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture(scope="session")
def forked_nmt() -> Iterator[ForkServer]:
    """Run `nmt ...` as often as you like: each costs a fork and not the imports."""
    server = ForkServer(environment())
    yield server
    server.close()


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], "Learned"]:
    """Models that learnt to `copy` or to `reverse` digits, each trained once, when asked for."""
    from tests.support.corpora import learn  # imports torch, which not every test needs

    return functools.cache(lambda task: learn(tmp_path_factory.mktemp(task), task))


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus folder made of the toy corpus; not to be changed."""
    from nmt.data.options import PreprocessOptions
    from nmt.data.preprocess import preprocess

    toy = write_toy_corpus(tmp_path_factory.mktemp("toy") / "text")
    output = toy.train_source.parent.parent / "corpus"
    preprocess(
        PreprocessOptions(
            (toy.train_source,), (toy.train_target,), (toy.valid_source,), (toy.valid_target,)
        ),
        output,
    )
    return output


def environment() -> dict[str, str]:
    """The environment of the tests' subprocesses: this checkout, one thread, wide plain text."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    fixed = {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "COLUMNS": "160", "NO_COLOR": "1"}
    return {**os.environ, **fixed}


@pytest.fixture(scope="session")
def multi30k() -> Path:
    """The folder of the Multi30k corpus (`train.en`, ...), or skip: data/README.md tells more."""
    folder = os.environ.get("NMT_MULTI30K")
    if not folder:
        pytest.skip("NMT_MULTI30K does not name the folder of Multi30k (see data/README.md)")
    assert (Path(folder) / "train.en").is_file(), f"NMT_MULTI30K: no train.en in {folder}"
    return Path(folder)


@pytest.fixture
def toy_corpus(tmp_path: Path) -> ToyCorpus:
    """A toy corpus in tmp_path/toy, for this test alone."""
    return write_toy_corpus(tmp_path / "toy")


@pytest.fixture(scope="session")
def make_toy_corpus() -> Callable[[Path], ToyCorpus]:
    """Write a toy corpus into a new folder: for fixtures that live longer than one test."""
    return write_toy_corpus


def write_toy_corpus(folder: Path) -> ToyCorpus:
    """Write 364 training pairs and 20 validation pairs of a language that counts things."""
    folder.mkdir(parents=True)
    pairs = _toy_pairs()
    for name, lines in (("train", pairs[:-20]), ("valid", pairs[-20:])):
        (folder / f"{name}.en").write_text("".join(f"{en}\n" for en, _ in lines), "utf-8")
        (folder / f"{name}.de").write_text("".join(f"{de}\n" for _, de in lines), "utf-8")
    return ToyCorpus(
        *(folder / f"{split}.{side}" for split in ("train", "valid") for side in ("en", "de"))
    )


def _toy_pairs() -> list[tuple[str, str]]:
    numbers = [("Two", "Zwei"), ("Three", "Drei"), ("Four", "Vier"), ("Five", "Fünf")]
    sizes = [("big", "große"), ("small", "kleine"), ("old", "alte"), ("new", "neue")]
    things = [("dogs", "Hunde"), ("cats", "Katzen"), ("houses", "Häuser"), ("cars", "Autos")]
    verbs = [("are here", "sind hier"), ("are there", "sind dort"), ("sleep", "schlafen")]
    ends = [(".", "."), ("!", "!")]
    pairs = [
        (
            f"{number[0]} {size[0]} {thing[0]} {verb[0]}{end[0]}",
            f"{number[1]} {size[1]} {thing[1]} {verb[1]}{end[1]}",
        )
        for end in ends
        for verb in verbs
        for thing in things
        for size in sizes
        for number in numbers
    ]
    # A fixed shuffle: 211 has no factor in common with 384, so each pair comes once.
    return [pairs[i * 211 % len(pairs)] for i in range(len(pairs))]
