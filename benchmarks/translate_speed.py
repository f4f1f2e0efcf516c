"""Translation speed of nmt and of its peers at config A, in turns, on the same cores.

    python -m benchmarks.peers --data DIR          (once: installs and trains the peers)
    python -m benchmarks.translate_speed --data DIR

Sentences a second count from the first line read to the last written, tokenising and detokenising
included, loading the model not. Each figure is the best of its rounds; a column of pieces says how
much was written, because a model with little training writes more than it should. BLEU tells what
nmt's precisions cost.
"""

import argparse
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.contestants import ALL, OURS, PEERS
from benchmarks.contestants.base import (
    DATA,
    REFERENCE,
    TEST,
    Decoding,
    Timed,
    add_data_option,
    prepare_data,
)
from benchmarks.processes import spread_over
from benchmarks.quality import bleu, read_lines
from benchmarks.report import machine, table, warn_if_disturbed

NMT = "nmt auto"
HEADS = (
    "toolkit",
    "batch",
    "sentences/s",
    "pieces/s",
    "pieces a line",
    "BLEU",
    "load s",
    "core share",
)


@dataclass
class Measured:
    """All rounds of one toolkit with one kind of decoding."""

    decoding: Decoding
    turns: list[Timed] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """The translations, which no round may change."""
        return read_lines(self.turns[-1].output)

    @property
    def best(self) -> Timed:
        """The quickest round."""
        return min(self.turns, key=lambda turn: turn.seconds)

    @property
    def speed(self) -> float:
        """Sentences a second of the quickest round."""
        return len(self.lines) / self.best.seconds


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_option(parser)
    parser.add_argument("--rounds", type=int, default=2, help="turns of each toolkit")
    parser.add_argument("--cores", type=int, default=1, help="how many cores each gets")
    parser.add_argument("--first-core", type=int, default=0, help="the first of these cores")
    parser.add_argument("--minutes", type=float, default=20, help="training of a missing model")
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[64, 256])
    parser.add_argument("--only", choices=list(ALL), action="append")
    options = parser.parse_args()
    cores = spread_over(options.cores, options.first_core)
    names = options.only or ["nmt auto", "nmt fp32", *PEERS]
    prepare_data(options.data)
    for name in names:
        ALL[name].install()
        ALL[name].prepare()
        ALL[name].train_model(options.minutes, cores[0])
    print(machine(), flush=True)
    sizes = tuple(options.batch_sizes)
    for title, beam, batches in (
        ("Beam 5", 5, sizes),
        ("Greedy", 1, sizes),
        ("Beam 5, one sentence at a time", 5, (1,)),
        ("Greedy, one sentence at a time", 1, (1,)),
    ):
        decodings = [Decoding(beam, batch) for batch in batches]
        print(f"\n{title}:\n", flush=True)
        print_table(measure(names, decodings, cores, options.rounds))
    print("\nLines that differ between batch sizes 1 and 64, beam 5:", flush=True)
    for name in names:
        print(f"- {name}: {differing(name, cores)} of {len(read_lines(TEST))}", flush=True)


def measure(
    names: Sequence[str], decodings: Sequence[Decoding], cores: Sequence[int], rounds: int
) -> dict[str, list[Measured]]:
    """Translate with every toolkit and every decoding, in turns."""
    found = {name: [Measured(decoding) for decoding in decodings] for name in names}
    for _ in range(rounds):
        for name in names:
            for measured in found[name]:
                timed = ALL[name].measure_translation(measured.decoding, cores)
                measured.turns.append(timed)
    return found


def print_table(found: dict[str, list[Measured]]) -> None:
    """Print each toolkit at its best batch size, and nmt's multiple of the peers."""
    best = {name: max(all_sizes, key=lambda one: one.speed) for name, all_sizes in found.items()}
    print(table(HEADS, (_row(name, measured) for name, measured in best.items())))
    reference = statistics.fmean(_pieces(read_lines(REFERENCE)))
    print(f"\nThe reference has {reference:.1f} pieces a line.")
    if NMT in best:
        for name in (name for name in best if name not in OURS):
            print(f"{NMT} is {best[NMT].speed / best[name].speed:.1f} times {name}.")
    turns = [turn for sizes in found.values() for one in sizes for turn in one.turns]
    warn_if_disturbed(turn.cpu_seconds / turn.seconds for turn in turns)


def differing(name: str, cores: Sequence[int]) -> int:
    """Return how many translations of a toolkit change with the batch size."""
    one, many = (
        read_lines(ALL[name].measure_translation(Decoding(5, size), cores).output)
        for size in (1, 64)
    )
    return sum(first != second for first, second in zip(one, many, strict=True))


def _row(name: str, measured: Measured) -> list[str]:
    best = measured.best
    pieces = _pieces(measured.lines)
    return [
        name,
        str(measured.decoding.batch_size),
        f"{measured.speed:.1f}",
        f"{sum(pieces) / best.seconds:,.0f}",
        f"{statistics.fmean(pieces):.1f}",
        f"{bleu(measured.lines, read_lines(REFERENCE)):.2f}",
        f"{best.load_seconds:.1f}",
        f"{best.cpu_seconds / best.seconds:.0%}",
    ]


def _pieces(lines: Sequence[str]) -> list[int]:
    """Return the length of each line in pieces of the joint vocabulary: the steps it took."""
    import sentencepiece

    model = sentencepiece.SentencePieceProcessor(model_file=str(DATA / "joint.model"))
    return [len(ids) + 1 for ids in model.encode(list(lines))]


if __name__ == "__main__":
    main()
