"""What each regulariser and each choice of a preset is worth: the same training without it.

    python -m benchmarks.ablation --data DIR                        (the quick form: 100 updates)
    python -m benchmarks.ablation --data DIR --pairs 3000 --updates 1500 --seed 1 --seed 2 --seed 3
    python -m benchmarks.ablation --data DIR --updates 1200 --only "as it is" --only "no tying"

Loss and BLEU (beam 5) are those of the validation set: the test set is touched to report, not to
choose. With `--pairs` the first so many pairs of Multi30k are all there is, and the vocabulary, the
preset and the settings are those that they get by default. What was measured before is kept.
Dropout rises with the passes over the corpus: a rate that a run does not come to changes nothing.
"""

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from benchmarks.contestants.base import DATA, add_data_option, prepare_data
from benchmarks.contestants.nmt import corpus_files
from benchmarks.processes import WORK, spread_over
from benchmarks.quality import beside, bleu, nmt, read_lines, translate
from benchmarks.report import machine, table
from benchmarks.runs import Budget, Ledger, train
from nmt.files import atomic_write

FOLDER = WORK / "ablation"
DEFAULT = "as it is"
VARIANTS: dict[str, tuple[str, ...]] = {
    DEFAULT: (),
    **{f"dropout {rate}": (f"train.dropout={rate}",) for rate in (0, 0.1, 0.2, 0.3, 0.4, 0.5)},
    "no label smoothing": ("train.label_smoothing=0",),
    "label smoothing 0.2": ("train.label_smoothing=0.2",),
    "weight decay 0.01": ("train.weight_decay=0.01",),
    "three-way tying": ("model.tying=three-way",),
    "no tying": ("model.tying=none",),
    "layer_norm": ("model.layer_norm=true",),
    "multi-head attention": ("model.attention=multi-head",),
    "one encoder layer": ("model.encoder_layers=1",),
    "batches of 1,024": ("train.batch_tokens=1024",),
    "learning rate 0.00125": ("train.learning_rate=0.00125",),
    "learning rate 0.005": ("train.learning_rate=0.005",),
}


def main() -> None:
    """Measure what is not known yet, and print."""
    options = _options()
    cores = spread_over(options.cores)
    prepare_data(options.data)
    size = options.vocab_size
    folder = FOLDER / (f"{options.pairs}-pairs" if options.pairs else "all-pairs")
    ending = "" if size == "auto" else f"-{size}"
    corpus = folder / f"corpus{ending}"
    if not (corpus / "corpus.json").exists():
        make_corpus(corpus, options.pairs, size, cores)
    print(machine(), flush=True)
    found: dict[str, list[Mapping[str, float]]] = {}
    for seed in options.seed or [1]:
        budget = Budget(options.updates, seed, cores)
        place = folder / budget.name / f"{options.preset}{ending}"
        ledger = Ledger(place / "figures.json")
        for name in options.only or VARIANTS:
            model = place / name.replace(" ", "-")
            arguments = ["--preset", options.preset, *changes(name)]
            figures = ledger.measured(name, partial(measure, corpus, model, arguments, budget))
            found.setdefault(name, []).append(figures)
            print(f"seed {seed}, {name}: {figures['bleu']:.1f} BLEU", flush=True)
    heads = ("", "BLEU", "spread", "loss", "tokens/s")
    print("\n" + table(heads, [row(name, figures) for name, figures in found.items()]))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_option(parser)
    parser.add_argument("--pairs", type=int, help="only the first so many pairs of training")
    parser.add_argument("--updates", type=int, default=100, help="of each training")
    parser.add_argument("--preset", default="auto")
    parser.add_argument("--vocab-size", default="auto", help="pieces instead of what is chosen")
    parser.add_argument("--seed", type=int, action="append", help="repeat; by default 1")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--only", choices=VARIANTS, action="append", help="a variant; repeat")
    return parser.parse_args()


def make_corpus(corpus: Path, pairs: int | None, pieces: str, cores: Sequence[int]) -> None:
    """Make the corpus folder, of the first `pairs` pairs if there is such a number."""
    folder = corpus.parent
    folder.mkdir(parents=True, exist_ok=True)
    for language in ("en", "de") if pairs else ():
        with (
            open(DATA / f"train.{language}", encoding="utf-8", newline="\n") as whole,
            atomic_write(folder / f"train.{language}") as part,
        ):
            part.writelines(islice(whole, pairs))
    files = corpus_files(folder if pairs else DATA)
    chosen = ["--vocab-size", pieces, "-o", corpus]
    nmt(["preprocess", *files, *chosen], cores, beside(corpus, ".log"))


def changes(name: str) -> list[str]:
    """Return the options of `nmt train` that make a variant."""
    return [part for change in VARIANTS[name] for part in ("--set", change)]


def measure(
    corpus: Path, model: Path, arguments: Sequence[str], budget: Budget
) -> dict[str, float]:
    """Train a variant; return its loss and BLEU on the validation set, and its speed."""
    trained = train(corpus, model, arguments, budget)
    hypothesis = translate(model, DATA / "val.en", 5, budget.cores)
    lines = (model / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    validations = [line for line in map(json.loads, lines) if line["kind"] == "valid"]
    losses = [line["loss"] for line in validations if line["best"]]  # BLEU is of the best model
    return {
        "bleu": round(bleu(hypothesis, read_lines(DATA / "val.de")), 2),
        "loss": round(losses[-1], 4),
        "tokens_per_second": trained.tokens_per_second,
    }


def row(name: str, runs: Sequence[Mapping[str, float]]) -> list[str]:
    """Return a row of the table: means over seeds, and the spread of BLEU."""
    bleus = [run["bleu"] for run in runs]
    return [
        name,
        f"{statistics.fmean(bleus):.1f}",
        f"{statistics.stdev(bleus):.1f}" if len(bleus) > 1 else "-",
        f"{statistics.fmean(run['loss'] for run in runs):.3f}",
        f"{statistics.fmean(run['tokens_per_second'] for run in runs):,.0f}",
    ]


if __name__ == "__main__":
    main()
