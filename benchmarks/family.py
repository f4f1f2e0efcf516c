"""Every preset on the same corpus with the same budget of updates: quality beside speed.

    python -m benchmarks.family --data DIR                        (the quick form: 100 updates)
    python -m benchmarks.family --data DIR --updates 2000 --record

Multi30k English to German, one joint vocabulary of 8,000 BPE pieces, batches of 2,048 tokens for
all; BLEU and chrF of test_2016_flickr by beam 5, target tokens a second in training, and the most
memory of one process. What was measured before is kept (and a training that was interrupted goes
on): `--again NAME` measures a preset anew. `--record` writes the figures into the preset files,
where `nmt train --list-presets` finds them.
"""

import argparse
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.contestants.base import REFERENCE, TEST, add_data_option, prepare_data
from benchmarks.contestants.nmt import Nmt
from benchmarks.pictures import Point, Titles, scatter
from benchmarks.processes import WORK, spread_over
from benchmarks.quality import bleu, chrf, read_lines, translate
from benchmarks.report import machine, table
from benchmarks.runs import Budget, Ledger, train
from nmt.files import atomic_write
from nmt.training.catalogue import FOLDER as PRESETS
from nmt.training.catalogue import names

Figures = Mapping[str, Any]
FOLDER = WORK / "family"
SAME = ("--set", "train.batch_tokens=2048")
HEADS = ("preset", "BLEU", "chrF", "tokens/s", "core share", "peak MiB", "parameters", "minutes")


def main() -> None:
    """Measure what is not known yet, print, draw."""
    options = _options()
    budget = Budget(options.updates, options.seed, spread_over(options.cores))
    folder = FOLDER / budget.name
    ledger = Ledger(folder / "figures.json")
    prepare_data(options.data)
    nmt = Nmt()
    nmt.prepare()
    print(machine(), flush=True)
    for name in options.again or ():
        ledger.forget(name)
        shutil.rmtree(folder / name, ignore_errors=True)
    found, failed = {}, {}
    for name in options.only or names():
        try:
            found[name] = ledger.measured(
                name, lambda name=name: measure(name, nmt.corpus, folder, budget)
            )
            print(f"{name}: {found[name]['bleu']:.1f} BLEU", flush=True)
        except SystemExit as error:  # one preset that fails must not cost the others their turn
            failed[name] = str(error)
            print(f"{name}: {error}", flush=True)
    print("\n" + table(HEADS, [row(name, figures) for name, figures in found.items()]))
    if found:
        picture = options.plot or folder / "family.png"
        draw(found, budget, picture)
        print(f"\n{picture}")
    if options.record:
        for name, figures in found.items():
            record(PRESETS / f"{name}.toml", figures)
    if failed:
        raise SystemExit(f"no figures of {', '.join(failed)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_option(parser)
    parser.add_argument("--updates", type=int, default=100, help="of each training")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--only", choices=names(), action="append", help="a preset; repeat")
    parser.add_argument("--again", choices=names(), action="append", help="forget its figures")
    parser.add_argument("--plot", type=Path, help="the picture of BLEU against speed")
    parser.add_argument("--record", action="store_true", help="write into the preset files")
    return parser.parse_args()


def measure(name: str, corpus: Path, folder: Path, budget: Budget) -> dict[str, float]:
    """Train a preset and score its translation of the test file."""
    model = folder / name
    trained = train(corpus, model, ["--preset", name, *SAME], budget)
    hypothesis, reference = translate(model, TEST, 5, budget.cores), read_lines(REFERENCE)
    scores = {"bleu": bleu(hypothesis, reference), "chrf": chrf(hypothesis, reference)}
    return {key: round(score, 2) for key, score in scores.items()} | asdict(trained)


def row(name: str, figures: Figures) -> list[str]:
    """Return a row of the table."""
    return [
        name,
        f"{figures['bleu']:.1f}",
        f"{figures['chrf']:.1f}",
        f"{figures['tokens_per_second']:,.0f}",
        f"{figures['core_share']:.0%}",
        f"{figures['peak_mib']:,}",
        f"{figures['parameters']:,}",
        f"{figures['minutes']:.1f}",
    ]


def draw(found: Mapping[str, Figures], budget: Budget, picture: Path) -> None:
    """Draw BLEU against the speed of training."""
    points = [
        Point(figures["tokens_per_second"], figures["bleu"], name)
        for name, figures in found.items()
    ]
    title = f"Multi30k English to German after {budget.updates:,} updates"
    scatter(points, Titles(title, "target tokens a second in training", "BLEU"), picture)


def record(path: Path, figures: Figures) -> None:
    """Write the measured facts into a preset file's section [preset], in the place of old ones."""
    facts = {
        "parameters": f"{figures['parameters']:_}",
        "bleu": f"{figures['bleu']:.1f}",
        "tokens_per_second": f"{figures['tokens_per_second']:.0f}",
    }
    before, head, after = path.read_text(encoding="utf-8").partition("[preset]\n")
    section, gap, rest = after.partition("\n\n")
    kept = [line for line in section.splitlines() if line.partition(" = ")[0] not in facts]
    section = "\n".join([*kept, *(f"{key} = {value}" for key, value in facts.items())])
    with atomic_write(path) as file:
        file.write(before + head + section + gap + rest)


if __name__ == "__main__":
    main()
