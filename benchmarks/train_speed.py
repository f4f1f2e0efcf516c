"""Training speed of nmt and of its peers at config A, in turns, on the same cores.

    python -m benchmarks.train_speed --data DIR
    python -m benchmarks.train_speed --data DIR --cores 2 --only "nmt auto"
    python -m benchmarks.train_speed --data DIR --cores 2 --only "nmt auto" --batch-tokens 2780

Target tokens a second are pieces without padding, end of sentence included, counted by each toolkit
from the second report on (the first is the warm-up), batch assembly included, validation not.
"""

import argparse
import statistics
from collections.abc import Sequence

from benchmarks.contestants import ALL, OURS, PEERS
from benchmarks.contestants.base import Training, add_data_option, prepare_data
from benchmarks.contestants.nmt import BATCH_TOKENS
from benchmarks.machine_peak import measure_peaks
from benchmarks.operations import config_a_training
from benchmarks.processes import spread_over
from benchmarks.report import machine, table, warn_if_disturbed

NMT = "nmt auto"
# a report every 15 seconds or so, whatever the speed
REPORT_EVERY = {"joeynmt": 5, "eole": 10}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_option(parser)
    parser.add_argument("--seconds", type=float, default=90, help="length of each turn")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each toolkit")
    parser.add_argument("--cores", type=int, default=1, help="how many cores each gets")
    parser.add_argument("--first-core", type=int, default=0, help="the first of these cores")
    parser.add_argument("--batch-tokens", type=int, default=BATCH_TOKENS, help="of nmt's batches")
    parser.add_argument("--only", choices=[NMT, *PEERS], action="append")
    options = parser.parse_args()
    cores = spread_over(options.cores, options.first_core)
    names = options.only or [NMT, *PEERS]
    OURS[NMT].batch_tokens = options.batch_tokens
    prepare_data(options.data)
    for name in names:
        ALL[name].install()
        ALL[name].prepare()
    print(machine(), flush=True)
    peaks = measure_peaks(cores, ("bf16",))
    measured: dict[str, list[Training]] = {name: [] for name in names}
    for turn in range(options.rounds):
        for name in names:
            report_every = REPORT_EVERY.get(name, 25)
            found = ALL[name].measure_training(options.seconds, cores, report_every)
            measured[name].append(found)
            print(f"round {turn + 1}: {name} {found.tokens_per_second:,.0f}", flush=True)
    print_table(measured, peaks["bf16"], cores)


def print_table(measured: dict[str, list[Training]], peak: float, cores: Sequence[int]) -> None:
    """Print the mean of each toolkit's turns, nmt's multiple of it, and nmt's share of the peak."""
    means = {
        name: statistics.fmean(turn.tokens_per_second for turn in turns)
        for name, turns in measured.items()
    }
    rows = []
    for name, turns in measured.items():
        each = ", ".join(f"{turn.tokens_per_second:,.0f}" for turn in turns)
        ratio = f"{means[NMT] / means[name]:.2f}" if NMT in means else ""
        share = f"{min(turn.core_share for turn in turns):.0%}"
        memory = f"{max(turn.peak_mib for turn in turns):,.0f}"
        rows.append([name, f"{means[name]:,.0f}", each, ratio, share, memory])
    heads = ["toolkit", "target tokens/s", "each round", "nmt is x times", "core share", "peak MiB"]
    print("\n" + table(heads, rows))
    if NMT in means:
        achieved = means[NMT] * config_a_training() / 1e9
        print(
            f"\nnmt: {achieved:,.0f} GFLOP/s on {len(cores)} core(s), {achieved / peak:.0%} of the "
            f"measured bf16 peak of {peak:,.0f} GFLOP/s"
        )
    warn_if_disturbed(turn.core_share for turns in measured.values() for turn in turns)


if __name__ == "__main__":
    main()
