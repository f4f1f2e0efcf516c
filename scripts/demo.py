"""Show a translator being made: a corpus from our grammar, then four commands of nmt.

    make demo

Each command line is shown before it runs. All that is written goes to `.demo/`, where an earlier
demo's files are removed first. Exits with 1 if a command fails or BLEU is below 90.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO = Path(".demo")
CORPUS, DATA, MODEL = DEMO / "corpus", DEMO / "data", DEMO / "model"
TRANSLATION, HEATMAP = DEMO / "test.translated.de", DEMO / "attention.png"
OURS = (CORPUS, DATA, MODEL, TRANSLATION, HEATMAP)

UPDATES = 2_000  # a number, not a time, so that a slow machine makes the same model
GOAL = 90.0  # BLEU
SAMPLES = 5
WIDTH = min(80, shutil.get_terminal_size().columns)
MARGIN = "     "


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


@dataclass(frozen=True)
class Ink:
    """Colours, on a terminal that wants them; elsewhere all text stays as it is."""

    enabled: bool

    def strong(self, text: str) -> str:
        """Paint a heading or a figure."""
        return self._paint("1", text)

    def command(self, text: str) -> str:
        """Paint what one could type."""
        return self._paint("36", text)

    def faint(self, text: str) -> str:
        """Paint a label or an aside."""
        return self._paint("2", text)

    def good(self, text: str) -> str:
        """Paint what went well."""
        return self._paint("32", text)

    def poor(self, text: str) -> str:
        """Paint what did not."""
        return self._paint("33", text)

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.enabled else text


INK = Ink(
    sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
)


@dataclass(frozen=True)
class Sample:
    """A test sentence, its reference, and what the model made of it."""

    source: str
    reference: str
    translation: str


def heading(mark: str, title: str, aside: str = "") -> None:
    """Print the title of a step."""
    text = INK.strong(f"{mark:2} {title}") + (f"   {INK.faint(aside)}" if aside else "")
    print(f"\n  {text}\n", flush=True)


def wrapped(command: str) -> str:
    """Break a command line before its options, as one would in a script."""
    first, *options = re.split(r" (?=-)", command)
    lines = [first]
    for option in options:
        if len(f"{MARGIN}{lines[-1]} {option} \\") > WIDTH:
            lines.append(" ")
        lines[-1] += f" {option}"
    return f" \\\n{MARGIN}".join(lines)


def run(command: str, capture: bool = False) -> str:
    """Show a command, run it, and say how long it took; return its output if captured.

    Raises:
        DemoError: it failed. It has told why on standard error.
    """
    print(f"{MARGIN}{INK.command(wrapped(command))}", flush=True)
    program, *words = shlex.split(command)
    # "nmt" and "python" are those of this very environment, whether or not it is activated.
    real = [sys.executable, "-m", "nmt"] if program == "nmt" else [sys.executable]
    start = time.monotonic()
    output = subprocess.PIPE if capture else None
    result = subprocess.run([*real, *words], cwd=ROOT, stdout=output, encoding="utf-8")
    if result.returncode:
        raise DemoError(
            f"{program} {words[0]} ended with exit code {result.returncode}; its message is above"
        )
    print(f"{MARGIN}{INK.faint(duration(time.monotonic() - start))}", flush=True)
    return result.stdout or ""


def duration(seconds: float) -> str:
    """Say a length of time."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02} s"


def start_afresh() -> None:
    """Remove what an earlier demo wrote, and nothing else."""
    for path in OURS:
        if (ROOT / path).is_dir():
            shutil.rmtree(ROOT / path)
        else:
            (ROOT / path).unlink(missing_ok=True)
    (ROOT / DEMO).mkdir(exist_ok=True)


def make_translator() -> dict[str, float]:
    """Run the whole pipeline; return BLEU and chrF on the test file."""
    heading("1", "A corpus", "22,000 English-German pairs from a small grammar")
    run(f"python scripts/make_demo_corpus.py {CORPUS}")
    heading("2", "Preprocess", "text to pieces of words, and those to numbers")
    run(
        f"nmt preprocess --train-source {CORPUS}/train.en --train-target {CORPUS}/train.de "
        f"--valid-source {CORPUS}/valid.en --valid-target {CORPUS}/valid.de -o {DATA}"
    )
    heading("3", "Train", "the long one: about two minutes on two cores")
    run(f"nmt train {DATA} -o {MODEL} --preset tiny --updates {UPDATES}")
    heading("4", "Translate", "1,000 sentences that the model has never seen")
    run(f"nmt translate {MODEL} {CORPUS}/test.en -o {TRANSLATION}")
    heading("5", "Evaluate", "against the one right translation of each")
    files = f"--hypothesis {TRANSLATION} --reference {CORPUS}/test.de"
    report = json.loads(run(f"nmt evaluate {files} --json", capture=True))
    return {name: report["scores"][name]["value"] for name in ("bleu", "chrf")}


def read_samples() -> list[Sample]:
    """Read the test files and what became of them."""
    texts = [
        (ROOT / path).read_text(encoding="utf-8").splitlines()
        for path in (CORPUS / "test.en", CORPUS / "test.de", TRANSLATION)
    ]
    return [Sample(*lines) for lines in zip(*texts, strict=True)]


def draw_attention(samples: list[Sample]) -> None:
    """Draw where the model looked while it translated a sentence with a verb at its end."""
    from nmt import Translator
    from nmt.evaluation.plots import attention_heatmap

    fitting = (each for each in samples if "weil" in each.reference and len(each.source) < 70)
    sentence = next(fitting, samples[0]).source
    (looked,) = Translator.load(ROOT / MODEL).attention(sentence)
    attention_heatmap(looked.weights, looked.source_pieces, looked.target_pieces, ROOT / HEATMAP)


def show_scores(scores: dict[str, float], samples: list[Sample]) -> None:
    """Print BLEU, chrF and how many translations are right word for word."""
    right = sum(each.translation == each.reference for each in samples)
    paint = INK.good if scores["bleu"] >= GOAL else INK.poor
    heading("*", "How good is it?", "100 is perfect")
    for label, name in (("BLEU", "bleu"), ("chrF", "chrf")):
        print(f"{MARGIN}{label}  {paint(f'{scores[name]:5.1f}')}")
    aside = f"{right:,} of {len(samples):,} translations are right to the word"
    print(f"{MARGIN}{INK.faint(aside)}")


def show_samples(samples: list[Sample]) -> None:
    """Print a few translations beside their references."""
    every = len(samples) // SAMPLES
    heading("*", "Some of its translations", f"every {every}th line of the test file")
    for number, sample in enumerate(samples[::every][:SAMPLES]):
        if number:
            print()
        same = sample.translation == sample.reference
        paint = INK.good if same else INK.poor
        print(_labelled("source", sample.source, INK.faint))
        print(_labelled("reference", sample.reference, str))
        print(_labelled("translation", sample.translation, paint))


def _labelled(label: str, text: str, paint: Callable[[str], str]) -> str:
    column = len("translation") + 3
    lines = textwrap.wrap(text, WIDTH - len(MARGIN) - column)
    indent = f"\n{MARGIN}{' ' * column}"
    return f"{MARGIN}{INK.faint(label.ljust(column))}{indent.join(map(paint, lines))}"


def show_rest() -> None:
    """Print where the pictures lie, and what to type next."""
    heading("*", "To look at")
    for path, what in (
        (MODEL / "curves.png", "how it learned"),
        (HEATMAP, "where it looked for each piece of a translation"),
        (MODEL / "README.md", "the model's own card"),
    ):
        print(f"{MARGIN}{INK.command(f'{path!s:24}')}{INK.faint(what)}")
    heading("*", "Try it", "in the demo's own small world of words")
    activate = Path(sys.prefix)
    activate = activate.relative_to(ROOT) if activate.is_relative_to(ROOT) else activate
    for line in (
        f". {activate}/bin/activate",
        f'echo "She calls her old teacher." | nmt translate {MODEL}',
    ):
        print(f"{MARGIN}{INK.command(line)}")
    heading("*", "Your own two files", "line N of one translates line N of the other")
    for line in (
        "nmt preprocess --train-source my.en --train-target my.de -o my-corpus",
        "nmt train my-corpus -o my-model --time-limit 20m",
        "nmt translate my-model new.en -o new.de",
    ):
        print(f"{MARGIN}{INK.command(line)}")
    print()


def main() -> None:
    """Run the demo."""
    start = time.monotonic()
    title = "From two text files to a translator"
    print(f"\n  {INK.strong(title)}   {INK.faint('everything is written to .demo/')}")
    try:
        start_afresh()
        scores = make_translator()
        samples = read_samples()
        draw_attention(samples)
    except KeyboardInterrupt:
        sys.exit(130)
    except (DemoError, OSError) as error:
        sys.exit(f"\n  The demo stopped: {error}.")
    show_scores(scores, samples)
    show_samples(samples)
    show_rest()
    print(f"  {INK.faint(f'Done in {duration(time.monotonic() - start)}.')}\n")
    if scores["bleu"] < GOAL:
        sys.exit(
            f"  BLEU is {scores['bleu']:.1f}; this demo should reach {GOAL:.0f}: a fault of ours."
        )


if __name__ == "__main__":
    main()
