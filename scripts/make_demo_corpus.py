"""Make a small English-German corpus from a grammar of our own.

    python scripts/make_demo_corpus.py .demo/corpus

writes train, valid and test files (.en and .de, one sentence a line). The same seed gives the same
files on any machine. No sentence of the test files, source or target, is in the others, and none
of the validation files is in the training files.
"""

import argparse
import sys
from pathlib import Path

from demo_grammar.dice import Dice
from demo_grammar.lexicon import Words
from demo_grammar.sentences import sentence

SHORTEST, LONGEST = 3, 25  # words of a sentence, in both languages
# A grammar has only so many sentences: after this many repetitions in a row there is no new one.
PATIENCE = 10_000


def draw(dice: Dice, count: int, seen: set[str]) -> list[Words]:
    """Draw `count` different pairs whose source and target are both not in `seen`.

    Raises:
        ValueError: the grammar has too few sentences.
    """
    pairs: dict[str, Words] = {}
    repetitions = 0
    while len(pairs) < count:
        pair = sentence(dice)
        lengths = (len(pair.english.split()), len(pair.german.split()))
        fits = min(lengths) >= SHORTEST and max(lengths) <= LONGEST
        if fits and not {pair.english, pair.german} & seen and pair.english not in pairs:
            pairs[pair.english] = pair
            repetitions = 0
        else:
            repetitions += 1
        if repetitions == PATIENCE:
            raise ValueError(f"the grammar has fewer than {count:,} such sentences")
    return list(pairs.values())


def make_corpus(sizes: dict[str, int], seed: int) -> dict[str, list[Words]]:
    """Draw the parts of a corpus, each apart from all that were drawn before it."""
    dice = Dice(seed)
    seen: set[str] = set()
    parts = {}
    for name, size in sizes.items():
        parts[name] = draw(dice, size, seen)
        seen.update(text for pair in parts[name] for text in (pair.english, pair.german))
    return parts


def write_corpus(folder: Path, parts: dict[str, list[Words]]) -> None:
    """Write NAME.en and NAME.de for each part."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, pairs in parts.items():
        for suffix, lines in (
            ("en", [pair.english for pair in pairs]),
            ("de", [pair.german for pair in pairs]),
        ):
            text = "".join(f"{line}\n" for line in lines)
            (folder / f"{name}.{suffix}").write_text(text, encoding="utf-8", newline="\n")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where to write the six files")
    parser.add_argument("--train", type=int, default=20_000, help="training pairs (20000)")
    parser.add_argument("--valid", type=int, default=1_000, help="validation pairs (1000)")
    parser.add_argument("--test", type=int, default=1_000, help="test pairs (1000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other sentences (1)")
    return parser.parse_args()


def main() -> None:
    """Make the corpus and say what it holds."""
    arguments = parse_arguments()
    # The small parts come first: what they hold is then kept out of the large one.
    sizes = {"test": arguments.test, "valid": arguments.valid, "train": arguments.train}
    try:
        parts = make_corpus(sizes, arguments.seed)
        write_corpus(arguments.folder, parts)
    except (OSError, ValueError) as error:
        sys.exit(f"make_demo_corpus: error: {error}")
    counts = ", ".join(f"{len(parts[name]):,} {name}" for name in ("train", "valid", "test"))
    print(f"{arguments.folder}: {counts} pairs")


if __name__ == "__main__":
    main()
