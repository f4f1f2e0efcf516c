"""How nmt's translation speed depends on batch size, beam size and number of processes.

    python -m benchmarks.translate_grid --data DIR
    python -m benchmarks.translate_grid --data DIR --workers-only

Sentences a second of config A in the precision that nmt chooses: the test file on one core, after
loading, drawn to benchmarks/translate_speed.png; then, as whole processes, 29,000 lines by
one process on one core and by a process on each core, whose outputs must be the same.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contestants.base import DATA, TEST, Decoding, add_data_option, prepare_data
from benchmarks.contestants.nmt import Nmt
from benchmarks.processes import Cost, Files, run_whole, spread_over
from benchmarks.quality import read_lines
from benchmarks.report import machine, table, warn_if_disturbed

BEAMS = (1, 2, 5, 10)
BATCHES = (1, 4, 16, 64, 256)
PLOT = Path(__file__).resolve().parent / "translate_speed.png"
LONG = DATA / "train.en"


def main() -> None:
    """Measure, draw, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_option(parser)
    parser.add_argument("--minutes", type=float, default=8, help="training of a missing model")
    parser.add_argument("--workers", type=int, default=2, help="the most processes")
    parser.add_argument("--workers-only", action="store_true", help="leave the grid out")
    options = parser.parse_args()
    prepare_data(options.data)
    nmt = Nmt()
    nmt.prepare()
    nmt.train_model(options.minutes, 0)
    print(machine(), flush=True)
    if not options.workers_only:
        speeds, shares = measure_grid(nmt)
        print_grid(speeds)
        draw(speeds)
        warn_if_disturbed(shares)
    measure_workers(nmt, options.workers)


def measure_grid(nmt: Nmt) -> tuple[dict[Decoding, float], list[float]]:
    """Return sentences a second of each kind of decoding, and the core shares."""
    sentences = len(read_lines(TEST))
    cores = spread_over(1)
    speeds, shares = {}, []
    for decoding in (Decoding(beam, batch) for beam in BEAMS for batch in BATCHES):
        timed = nmt.measure_translation(decoding, cores)
        speeds[decoding] = sentences / timed.seconds
        shares.append(timed.cpu_seconds / timed.seconds)
        print(f"{decoding}: {speeds[decoding]:.1f}", flush=True)
    return speeds, shares


def print_grid(speeds: dict[Decoding, float]) -> None:
    """Print a row for each beam size, a column for each batch size."""
    rows = [
        [f"beam {beam}", *(f"{speeds[Decoding(beam, batch)]:.0f}" for batch in BATCHES)]
        for beam in BEAMS
    ]
    print("\n" + table(["sentences/s", *(f"batch {batch}" for batch in BATCHES)], rows))


def draw(speeds: dict[Decoding, float]) -> None:
    """Draw a line for each beam size over the batch sizes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 4), dpi=120, layout="constrained")
    axes = figure.subplots()
    for beam in BEAMS:
        label = "greedy" if beam == 1 else f"beam {beam}"
        values = [speeds[Decoding(beam, batch)] for batch in BATCHES]
        axes.plot(BATCHES, values, marker="o", label=label)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(BATCHES, [str(batch) for batch in BATCHES])
    axes.set_xlabel("sentences a batch")
    axes.set_ylabel("sentences a second, one core")
    axes.grid(visible=True, which="both", alpha=0.3)
    axes.legend()
    figure.savefig(PLOT)


def measure_workers(nmt: Nmt, most: int) -> None:
    """Translate a long file by one process on one core, then by several on as many."""
    sentences = len(read_lines(LONG))
    rows, shares, outputs = [], [], []
    for workers in dict.fromkeys((1, most)):
        output = nmt.folder / "translations" / f"long-{workers}.out"
        cores = spread_over(workers)
        cost = translate_long(nmt, workers, output, cores)
        shares.append(cost.cpu_seconds / cost.seconds / workers)
        outputs.append(output.read_bytes())
        speed = sentences / cost.seconds
        rows.append([workers, f"{speed:.0f}", f"{cost.seconds:.1f}", f"{shares[-1]:.0%}"])
    print("\n" + table(["processes and cores", "sentences/s", "seconds", "core share"], rows))
    same = "the same" if outputs[0] == outputs[-1] else "NOT THE SAME"
    print(f"{sentences:,} lines, beam 5, start-up included; the outputs are {same}.")


def translate_long(nmt: Nmt, workers: int, output: Path, cores: Sequence[int]) -> Cost:
    """Translate the long file in a new process.

    Raises:
        SystemExit: the toolkit failed; its last words are shown.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    log = output.with_suffix(".log")
    command: list[str | Path] = [nmt.python, "-m", "nmt", "translate", nmt.model, LONG]
    command += ["-o", output, "--overwrite", "--workers", str(workers)]
    return run_whole(command, cores, Files(log), "nmt translate")


if __name__ == "__main__":
    main()
