"""The most that this machine does in matrix products: best of square products of 1024 to 4096.

python -m benchmarks.machine_peak [--cores 1 --cores 2]
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks.processes import WORK, Files, run_whole, spread_over
from benchmarks.report import machine, table

SIZES = (1024, 2048, 4096)
PRECISIONS = ("fp32", "bf16", "int8")
SECONDS = 1.5  # for each size


def measure_peaks(cores: Sequence[int], precisions: Sequence[str] = PRECISIONS) -> dict[str, float]:
    """Return GFLOP/s (for int8 GOP/s) by precision, measured in a process held to `cores`.

    Raises:
        SystemExit: the process failed; its last words are shown.
    """
    output, error = WORK / "peak.json", WORK / "peak.log"
    command = [sys.executable, "-m", "benchmarks.machine_peak", "--here", *precisions]
    run_whole(command, cores, Files(output, error=error), "measuring the peak")
    peaks: dict[str, float] = json.loads(output.read_text(encoding="utf-8"))
    return peaks


def product(precision: str, size: int) -> Callable[[], object]:
    """Return a function that multiplies two square matrices once."""
    import torch

    if precision != "int8":
        kind = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
        left, right = (torch.randn(size, size).to(kind) for _ in range(2))
        return lambda: torch.mm(left, right)
    rows = torch.randint(0, 256, (size, size), dtype=torch.uint8)
    weight = torch.randint(-127, 128, (size, size), dtype=torch.int8)
    packed = torch.ops.onednn.qlinear_prepack(weight, [size, size])
    scales, zeros = torch.ones(size), torch.zeros(size, dtype=torch.int64)
    return lambda: torch.ops.onednn.qlinear_pointwise(
        *(rows, 1.0, 128, packed, scales, zeros, None, 1.0, 0, torch.float32, "none", [], "")
    )


def peak_here(precision: str) -> float:
    """Return the best GFLOP/s over all sizes, in this process, with torch's number of threads."""
    return max(_speed(product(precision, size), size) for size in SIZES)


def _speed(multiply: Callable[[], object], size: int) -> float:
    multiply()
    best = float("inf")
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        started = time.perf_counter()
        multiply()
        best = min(best, time.perf_counter() - started)
    return 2 * size**3 / best / 1e9


def main() -> None:
    """Measure and print, or (`--here`) measure in this process and print JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=int, action="append", help="default: 1, and 2")
    parser.add_argument("--first-core", type=int, default=0)
    parser.add_argument("--here", nargs="+", choices=PRECISIONS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        print(json.dumps({precision: peak_here(precision) for precision in options.here}))
        return
    print(machine())
    rows = []
    for count in options.cores or [1, 2]:
        peaks = measure_peaks(spread_over(count, options.first_core))
        rows.append([count, *(f"{peaks[precision]:,.0f}" for precision in PRECISIONS)])
    print(table(["cores", *(f"{name} G/s" for name in PRECISIONS)], rows))


if __name__ == "__main__":
    main()
