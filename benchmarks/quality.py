"""Quality of `nmt` with its defaults on a corpus: the mean and the spread over seeds.

    python -m benchmarks.quality --data DIR --time-limit 10m --seed 1 --seed 2 --seed 3
    python -m benchmarks.quality --data DIR --updates 2000 --cores 1

DIR holds {train,val,test_2016_flickr}.{en,de}. A training by `--updates` goes on where it was
interrupted and is kept, one by the clock begins anew. The test file is used to report, never to
choose.
Arguments after `--` go to `nmt train`. With sacremoses installed, the column `tok-lc` is what older
papers report: hypothesis and reference lower-cased, then tokenised by Moses's rules, then BLEU.
"""

import argparse
import functools
import importlib
import importlib.util
import json
import shutil
import statistics
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import sacrebleu

from benchmarks.contestants.base import REFERENCE, TEST, add_data_option, prepare_data
from benchmarks.contestants.nmt import corpus_files
from benchmarks.processes import WORK, Cost, Files, run_whole, spread_over
from benchmarks.report import machine, table

Lines = list[str]
FOLDER = WORK / "quality"


def main() -> None:
    """Train once a seed, translate, score, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_option(parser)
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--time-limit", default="10m", help="as in nmt train")
    limit.add_argument(
        "--updates", type=int, help="as in nmt train; a busy machine changes nothing"
    )
    parser.add_argument("--seed", type=int, action="append", help="default: 1, 2 and 3")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--name", default="default", help="names the folder of the models")
    parser.add_argument("rest", nargs="*", help="after --: more arguments for nmt train")
    options = parser.parse_args()
    cores = spread_over(options.cores)
    prepare_data(options.data)
    folder = FOLDER / options.name
    folder.mkdir(parents=True, exist_ok=True)
    print(machine(), flush=True)
    corpus = folder / "corpus"
    if not (corpus / "corpus.json").exists():
        nmt(["preprocess", *corpus_files(), "-o", corpus], cores, folder / "preprocess.log")
    limited = (
        ["--updates", options.updates] if options.updates else ["--time-limit", options.time_limit]
    )
    rows = []
    for seed in options.seed or [1, 2, 3]:
        if options.updates:  # a training that was interrupted goes on, one that is whole is kept
            model = folder / f"seed{seed}-{options.updates}-updates"
        else:  # by the clock: from the beginning, and without a pause
            model = folder / f"seed{seed}"
            shutil.rmtree(model, ignore_errors=True)
        arguments = [corpus, "-o", model, "--seed", seed, *limited]
        nmt(["train", *arguments, *options.rest], cores, beside(model, ".log"))
        rows.append([minutes(model), *score_model(model, cores)])
        print(f"seed {seed}: " + ", ".join(_cells(rows[-1])), flush=True)
    print_table(rows)


def nmt(arguments: Sequence[object], cores: Sequence[int], log: Path) -> Cost:
    """Run one nmt command and return what it cost.

    Raises:
        SystemExit: it failed; its last words are shown.
    """
    command = [sys.executable, "-m", "nmt", *arguments]
    return run_whole(command, cores, Files(log), f"nmt {arguments[0]}")


def minutes(model: Path) -> float:
    """Return how long a model was trained, in all the calls that it took."""
    last = read_lines(model / "metrics.jsonl")[-1]
    return float(json.loads(last)["seconds"]) / 60


def score_model(model: Path, cores: Sequence[int]) -> list[float]:
    """Translate the test file greedily and with beam 5; score the latter in every way."""
    reference = read_lines(REFERENCE)
    greedy, best = (translate(model, TEST, beam, cores) for beam in (1, 5))
    return [METRICS["BLEU"](greedy, reference), *(m(best, reference) for m in METRICS.values())]


def translate(model: Path, source: Path, beam: int, cores: Sequence[int]) -> Lines:
    """Translate a file with a model, beside which the output goes."""
    path = beside(model, f".beam{beam}.de")
    path.unlink(missing_ok=True)
    arguments = ["translate", model, source, "-o", path, "--beam-size", beam]
    nmt(arguments, cores, beside(model, f".beam{beam}.log"))
    return read_lines(path)


def beside(model: Path, ending: str) -> Path:
    """Name a file beside a model, whose name may hold dots (`dropout-0.1`)."""
    return model.with_name(model.name + ending)


def bleu(hypothesis: Lines, reference: Lines, lowercase: bool = False) -> float:
    """Return sacreBLEU's BLEU with its 13a tokeniser, cased unless told otherwise."""
    score = sacrebleu.corpus_bleu(hypothesis, [reference], lowercase=lowercase, tokenize="13a")
    return float(score.score)


def chrf(hypothesis: Lines, reference: Lines) -> float:
    """Return sacreBLEU's chrF2."""
    return float(sacrebleu.corpus_chrf(hypothesis, [reference]).score)


def moses_bleu(hypothesis: Lines, reference: Lines) -> float:
    """Return the BLEU of lower-cased, Moses-tokenised German, as multi-bleu.perl would."""
    moses = importlib.import_module("sacremoses").MosesTokenizer("de")
    tokenise = functools.partial(moses.tokenize, return_str=True, escape=True)
    texts = [[tokenise(line.lower()) for line in side] for side in (hypothesis, reference)]
    score = sacrebleu.corpus_bleu(texts[0], [texts[1]], tokenize="none", force=True)
    return float(score.score)


def print_table(rows: Sequence[Sequence[float]]) -> None:
    """Print mean and spread (sample standard deviation) of every column."""
    columns = list(zip(*rows, strict=True))
    means = [statistics.fmean(column) for column in columns]
    spreads = [statistics.stdev(column) if len(rows) > 1 else 0.0 for column in columns]
    heads = ["", "minutes", "greedy BLEU", *METRICS]
    print("\n" + table(heads, [["mean", *_cells(means)], ["spread", *_cells(spreads)]]))
    if "tok-lc" not in METRICS:
        print("\ntok-lc was not measured: it needs `pip install sacremoses`.")


def _cells(values: Sequence[float]) -> list[str]:
    return [f"{value:.2f}" for value in values]


def read_lines(path: Path) -> Lines:
    """Return the lines of a file, whatever characters are in them."""
    return path.read_text(encoding="utf-8").split("\n")[:-1]


METRICS: dict[str, Callable[[Lines, Lines], float]] = {
    "BLEU": bleu,
    "BLEU lower-cased": functools.partial(bleu, lowercase=True),
    "chrF": chrf,
}
if importlib.util.find_spec("sacremoses"):
    METRICS["tok-lc"] = moses_bleu


if __name__ == "__main__":
    main()
