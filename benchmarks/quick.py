"""How long commands that should be quick take, as whole processes: best and median of several.

python -m benchmarks.quick --data DIR [--model MODEL]
"""

import argparse
import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contestants.base import add_data_option, prepare_data
from benchmarks.contestants.nmt import corpus_files
from benchmarks.processes import WORK, Files, run_whole, spread_over
from benchmarks.report import machine, table

FOLDER = WORK / "quick"
PYTHON = sys.executable
# As empty as a Typer app with a command can be, and with help as plain as ours.
EMPTY_APP = """
import typer

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback()
def group() -> None:
    pass


@app.command()
def nothing() -> None:
    pass


app()
"""


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_option(parser)
    parser.add_argument("--model", type=Path, help="a model folder, to time one sentence")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    cores = spread_over(options.cores)
    prepare_data(options.data)
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(machine(), flush=True)
    found: dict[str, list[float]] = {}
    for _ in range(options.rounds):  # in turns, so that a disturbance meets all
        for name, command in commands(options.model).items():
            found.setdefault(name, []).append(seconds(command, cores))
    rows = [
        [name, f"{min(times):.2f}", f"{statistics.median(times):.2f}"]
        for name, times in found.items()
    ]
    print(table(["command", "best s", "median s"], rows))
    ratio = statistics.median(found["nmt --help"]) / statistics.median(found["empty app --help"])
    print(f"\nnmt --help takes {ratio:.2f} times an empty Typer app.")


def commands(model: Path | None) -> dict[str, list[str | Path]]:
    """Return the commands to time, by name."""
    empty = FOLDER / "empty_app.py"
    empty.write_text(EMPTY_APP, encoding="utf-8")
    corpus = FOLDER / "corpus"
    shutil.rmtree(corpus, ignore_errors=True)
    found: dict[str, list[str | Path]] = {
        "empty app --help": [PYTHON, empty, "--help"],
        "nmt --help": [PYTHON, "-m", "nmt", "--help"],
        "import torch": [PYTHON, "-c", "import torch"],
        "preprocess": [PYTHON, "-m", "nmt", "preprocess", *corpus_files(), "-o", corpus],
    }
    if model:
        found["translate one sentence"] = [PYTHON, "-m", "nmt", "translate", model]
    return found


def seconds(command: Sequence[str | Path], cores: Sequence[int]) -> float:
    """Run a command with one sentence on its standard input; return its seconds.

    Raises:
        SystemExit: it failed; its last words are shown.
    """
    sentence, log = FOLDER / "sentence.txt", FOLDER / "last.log"
    sentence.write_text("A dog runs on the beach.\n", encoding="utf-8")
    return run_whole(command, cores, Files(log, sentence), " ".join(map(str, command))).seconds


if __name__ == "__main__":
    main()
