"""Small corpora of digits, for tests that train or translate."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nmt.data.options import PreprocessOptions
from nmt.data.preprocess import preprocess
from nmt.data.vocabulary import Vocabulary
from nmt.training.config import Limits
from nmt.training.options import TrainOptions
from nmt.training.run import train

TASKS: dict[str, Callable[[str], str]] = {"copy": str, "reverse": lambda digits: digits[::-1]}


def digit_strings(count: int, seed: int, shortest: int = 1, longest: int = 6) -> list[str]:
    """Random strings of digits, no two the same."""
    chance = random.Random(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        size = chance.randint(shortest, longest)
        found["".join(chance.choices("0123456789", k=size))] = None
    return list(found)


def write_lines(path: Path, lines: list[str]) -> Path:
    """Write lines to a new file."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def digit_corpus(folder: Path, task: str, pairs: int = 10_000) -> Path:
    """Make a corpus folder of `task`; strings like `digit_strings(n, seed=2)` are held out.

    Not the single digits among them: without these, few of the ten would be left to learn from.
    """
    held_out = {digits for digits in digit_strings(200, seed=2) if len(digits) > 1}
    train = [digits for digits in digit_strings(pairs, seed=1) if digits not in held_out]
    valid = digit_strings(40, seed=2)
    files = [
        write_lines(folder / name, lines)
        for name, lines in {
            "train.in": train,
            "train.out": list(map(TASKS[task], train)),
            "valid.in": valid,
            "valid.out": list(map(TASKS[task], valid)),
        }.items()
    ]
    options = PreprocessOptions(
        train_source=(files[0],),
        train_target=(files[1],),
        valid_source=(files[2],),
        valid_target=(files[3],),
        source_language="en",
        target_language="en",
        tokenizer="char",
        threads=1,
    )
    preprocess(options, folder / "corpus")
    return folder / "corpus"


@dataclass(frozen=True)
class Learned:
    """A task, the corpus that teaches it, and a model that learnt it."""

    task: Callable[[str], str]
    corpus: Path
    model: Path


def learn(folder: Path, task: str) -> Learned:
    """Train a small model for some seconds, by the Python API."""
    corpus = digit_corpus(folder, task)
    options = TrainOptions(
        preset="tiny",
        changes=[
            "model.embedding_size=32",
            "model.hidden_size=64",
            "train.batch_tokens=600",
            "train.dropout=0",
            "train.label_smoothing=0",
            "train.learning_rate=0.01",
            "train.warmup_updates=50",
            "train.validate_every=900",
        ],
        limits=Limits(updates=900),
        device="cpu",
        precision="fp32",
    )
    train(corpus, folder / "model", options)
    return Learned(TASKS[task], corpus, folder / "model")


def char_vocabulary(folder: Path) -> Vocabulary:
    """A vocabulary of digits and letters, a piece each; it knows no other character."""
    lines = [f"{digits} Abc, def. ghi" for digits in digit_strings(50, seed=3)]
    source, target = write_lines(folder / "a.en", lines), write_lines(folder / "a.de", lines)
    options = PreprocessOptions((source,), (target,), tokenizer="char", threads=1)
    preprocess(options, folder / "corpus")
    return Vocabulary.load(next((folder / "corpus").glob("*.model")))
