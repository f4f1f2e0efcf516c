"""What text in the target language alone is worth, translated back by scripts/back_translate.sh.

    python -m benchmarks.back_translation                          (the quick form: 100 updates)
    python -m benchmarks.back_translation --pairs 300 --updates 1500
    python -m benchmarks.back_translation --data DIR --pairs 3000 --preset small --updates 1500

Three models get the same number of updates: of the first few pairs alone, of these and all other
target lines with their translations back, and of all pairs as people wrote them, which is the most
that can be had. The corpus is the demo's (20,000 pairs), or with `--data` Multi30k. BLEU is that of
the test file by beam 5. What was measured before is kept.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks.processes import ROOT, WORK, Files, run_whole, spread_over
from benchmarks.quality import bleu, nmt, read_lines, translate
from benchmarks.report import machine, table
from benchmarks.runs import Budget, Ledger, train
from nmt.files import atomic_write, checksum

FOLDER = WORK / "back_translation"
DEMO_NAMES = ("train", "valid", "test")
MULTI30K_NAMES = ("train", "val", "test_2016_flickr")


def main() -> None:
    """Measure what is not known yet, and print."""
    options = _options()
    budget = Budget(options.updates, options.seed, spread_over(options.cores))
    print(machine(), flush=True)
    if options.data is None:
        texts, names = make_demo(budget.cores), DEMO_NAMES
    else:
        texts, names = options.data.resolve(), MULTI30K_NAMES
    train_text, valid, test = (texts / name for name in names)
    corpus = f"{texts.name}-{checksum(Path(f'{train_text}.de'))[:8]}-{options.pairs}"
    folder = FOLDER / corpus / budget.name / options.preset
    split(train_text, options.pairs, folder)
    preset = ["--preset", options.preset]
    back_translate(folder, valid, preset, budget)
    whole = folder / "whole"
    if not (whole / "corpus.json").exists():
        sides = [*sides_of("train", train_text), *sides_of("valid", valid)]
        nmt(["preprocess", *sides, "-o", whole], budget.cores, folder / "whole.log")
    corpora = {
        f"{options.pairs:,} pairs": folder / "back" / "corpus",
        "and the other target lines, translated back": folder / "back" / "enriched",
        "all pairs": whole,
    }
    ledger = Ledger(folder / "figures.json")
    rows = []
    for number, (name, corpus) in enumerate(corpora.items(), start=1):
        model = folder / f"model{number}"
        found = ledger.measured(name, partial(measure, corpus, model, preset, budget, test))
        rows.append([name, f"{found:.1f}"])
        print(f"{name}: {found:.1f} BLEU", flush=True)
    print("\n" + table(("", "BLEU"), rows))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="Multi30k; without it the demo's corpus")
    parser.add_argument("--pairs", type=int, default=300, help="pairs that people translated")
    parser.add_argument("--updates", type=int, default=100, help="of each training")
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", type=int, default=1)
    return parser.parse_args()


def make_demo(cores: Sequence[int]) -> Path:
    """Make the demo's corpus, and return its folder."""
    folder = FOLDER / "demo"
    if not (folder / "test.de").exists():
        command = [sys.executable, ROOT / "scripts" / "make_demo_corpus.py", folder]
        run_whole(command, cores, Files(FOLDER / "demo.log"), "making the demo's corpus")
    return folder


def split(text: Path, pairs: int, folder: Path) -> None:
    """Write the first `pairs` pairs to few.en and few.de, and the other target lines to more.de."""
    folder.mkdir(parents=True, exist_ok=True)
    for language in ("en", "de"):
        with open(f"{text}.{language}", encoding="utf-8", newline="\n") as lines:
            with atomic_write(folder / f"few.{language}") as few:
                few.writelines(islice(lines, pairs))
            if language == "de":
                with atomic_write(folder / "more.de") as more:
                    more.writelines(lines)


def back_translate(folder: Path, valid: Path, options: Sequence[object], budget: Budget) -> None:
    """Run the script, whose files go to the folder `back`."""
    texts = [folder / "few.en", folder / "few.de", f"{valid}.en", f"{valid}.de", folder / "more.de"]
    limit = ("--updates", budget.updates, "--seed", budget.seed)
    script = ["sh", ROOT / "scripts" / "back_translate.sh"]
    # The script calls the command of this environment.
    path = f"PATH={Path(sys.executable).parent}:{os.environ['PATH']}"
    command = ["env", path, *script, *texts, folder / "back", *options, *limit]
    run_whole(command, budget.cores, Files(folder / "back.log"), "scripts/back_translate.sh")


def sides_of(kind: str, text: Path) -> list[str]:
    """Return the options of `nmt preprocess` that name both sides of a text."""
    return [f"--{kind}-source", f"{text}.en", f"--{kind}-target", f"{text}.de"]


def measure(
    corpus: Path, model: Path, arguments: Sequence[str], budget: Budget, test: Path
) -> float:
    """Train a model; return its BLEU on the test files."""
    train(corpus, model, arguments, budget)
    hypothesis = translate(model, Path(f"{test}.en"), 5, budget.cores)
    return round(bleu(hypothesis, read_lines(Path(f"{test}.de"))), 2)


if __name__ == "__main__":
    main()
