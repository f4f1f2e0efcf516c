"""BLEU by the length of the source, with attention and without: Bahdanau's figure, on our grammar.

    python -m benchmarks.lengths                    (the quick form: 100 updates)
    python -m benchmarks.lengths --updates 4000

The sentences are clauses of the demo's grammar, joined until they have the wanted length: each
length from 6 to 60 English words is as frequent as the others, in training too. What is said in a
clause does not depend on the others, so that whatever a model loses on long sentences is memory. A
fixed vector holds only so much; attention looks again. The same model is trained with each kind of
attention; figures that were measured before are kept (`--again KIND` measures one anew).
"""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.pictures import Line, Titles, lines
from benchmarks.processes import ROOT, WORK, spread_over
from benchmarks.quality import bleu, nmt, read_lines, translate
from benchmarks.report import machine, table
from benchmarks.runs import Budget, Ledger, train

sys.path.insert(0, str(ROOT / "scripts"))  # the scripts are programs, no package

from demo_grammar import english, german
from demo_grammar.clauses import SHORT, any_clause
from demo_grammar.dice import Dice
from demo_grammar.lexicon import Words
from demo_grammar.sentences import finish
from make_demo_corpus import write_corpus

FOLDER = WORK / "lengths"
# Lengths in English words that get a figure together; each stretch has as many sentences.
STRETCHES = [range(low, low + 5) for low in range(6, 61, 5)]
VALID = 500
JOINTS = (Words(", and", " und"), Words(", but", ", aber"), Words(";", ";"))


def main() -> None:
    """Measure what is not known yet, print, draw."""
    options = _options()
    budget = Budget(options.updates, options.seed, spread_over(options.cores))
    print(machine(), flush=True)
    corpus = FOLDER / f"corpus-{options.pairs}-{options.test}"
    if not (corpus / "corpus" / "corpus.json").exists():
        make_corpus(corpus, options.pairs, options.test, budget.cores)
    folder = corpus / budget.name / options.preset
    ledger = Ledger(folder / "figures.json")
    for kind in options.again or ():
        ledger.forget(kind)
        shutil.rmtree(folder / kind, ignore_errors=True)
    found = {}
    for kind in options.attention:
        found[kind] = ledger.measured(
            kind, lambda kind=kind: measure(kind, corpus, folder / kind, options.preset, budget)
        )
        print(f"{kind}: {found[kind]['bleu']:.1f} BLEU", flush=True)
    heads = [f"{stretch[0]}-{stretch[-1]}" for stretch in STRETCHES]
    rows = [row(kind, figures) for kind, figures in found.items()]
    print("\n" + table(["attention", *heads, "all", "tokens/s"], rows))
    picture = options.plot or folder / "lengths.png"
    draw_picture(found, budget, picture)
    print(f"\n{picture}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--updates", type=int, default=100, help="of each training")
    parser.add_argument("--preset", default="tiny", help="the model besides its attention")
    parser.add_argument("--attention", nargs="+", default=["general", "none"], metavar="KIND")
    parser.add_argument("--again", nargs="+", metavar="KIND", help="forget its figures")
    parser.add_argument("--pairs", type=int, default=40_000, help="training pairs")
    parser.add_argument("--test", type=int, default=100, help="test pairs for each stretch")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--plot", type=Path, help="the picture of BLEU by length")
    return parser.parse_args()


def make_corpus(folder: Path, pairs: int, test: int, cores: Sequence[int]) -> None:
    """Write train, valid and test files, and the corpus folder; what is tested comes nowhere else.

    The test files hold `test` pairs of each stretch of lengths, the shortest stretch first.
    """
    dice, seen = Dice(1), set[str]()
    sizes = {"test": test, "valid": VALID // len(STRETCHES), "train": pairs // len(STRETCHES)}
    write_corpus(
        folder,
        {
            name: [pair for stretch in STRETCHES for pair in draw(dice, stretch, size, seen)]
            for name, size in sizes.items()
        },
    )
    files = (
        *("--train-source", folder / "train.en", "--train-target", folder / "train.de"),
        *("--valid-source", folder / "valid.en", "--valid-target", folder / "valid.de"),
    )
    nmt(["preprocess", *files, "-o", folder / "corpus"], cores, folder / "preprocess.log")


def draw(dice: Dice, stretch: range, count: int, seen: set[str]) -> list[Words]:
    """Draw `count` pairs of these lengths in English that are not in `seen`, and add them to it."""
    found: list[Words] = []
    while len(found) < count:
        pair = long_sentence(dice, dice.pick(stretch))
        if len(pair.english.split()) in stretch and pair.english not in seen:
            seen.add(pair.english)
            found.append(pair)
    return found


def long_sentence(dice: Dice, words: int) -> Words:
    """Join clauses until the English side has so many words, or a few more."""
    texts = Words("", "")
    joint = Words("", "")
    while len(texts.english.split()) < words:
        clause = any_clause(dice, SHORT)
        texts = Words(
            f"{texts.english}{joint.english} {english.statement(clause)}",
            f"{texts.german}{joint.german} {german.statement(clause)}",
        )
        joint = dice.pick(JOINTS)
    return finish(texts.english.strip(), texts.german.strip(), ".")


def measure(kind: str, corpus: Path, model: Path, preset: str, budget: Budget) -> dict[str, Any]:
    """Train a model with this attention, and score its translations by length and all together."""
    arguments = ("--preset", preset, "--set", f"model.attention={kind}")
    trained = train(corpus / "corpus", model, arguments, budget)
    hypothesis = translate(model, corpus / "test.en", 5, budget.cores)
    reference = read_lines(corpus / "test.de")
    size = len(reference) // len(STRETCHES)
    parts = [slice(at, at + size) for at in range(0, len(reference), size)]
    by_length = [round(bleu(hypothesis[part], reference[part]), 2) for part in parts]
    return asdict(trained) | {
        "bleu": round(bleu(hypothesis, reference), 2),
        "by_length": by_length,
    }


def row(kind: str, figures: Mapping[str, Any]) -> list[str]:
    """Return a row of the table."""
    scores = (f"{score:.1f}" for score in (*figures["by_length"], figures["bleu"]))
    return [kind, *scores, f"{figures['tokens_per_second']:,.0f}"]


def draw_picture(found: Mapping[str, Mapping[str, Any]], budget: Budget, picture: Path) -> None:
    """Draw a line for each kind of attention: BLEU in the middle of each stretch of lengths."""
    middles = [(stretch[0] + stretch[-1]) / 2 for stretch in STRETCHES]
    drawn = [
        Line(f"attention: {kind}", middles, figures["by_length"]) for kind, figures in found.items()
    ]
    title = f"Sentences of the demo grammar, after {budget.updates:,} updates"
    lines(drawn, Titles(title, "words of the source", "BLEU"), picture)


if __name__ == "__main__":
    main()
