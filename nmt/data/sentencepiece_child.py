"""Trains a SentencePiece model in a process of its own.

SentencePiece runs for minutes without looking up, so that Ctrl-C could not stop it, and a failed
check inside it aborts the process; neither matters in a process that can be thrown away.

On standard input it gets JSON: {"folder": ..., "files": {...}, "options": {...}}, where each file
has a stride, of how many lines one is used. The model comes on standard output, a reason for
failure as the last line of standard error.
"""

import io
import itertools
import json
import os
import sys
from collections.abc import Iterator

LONGEST_LINE = 2000  # characters: the rest of a longer line is not needed to learn its pieces


def lines(path: str, stride: int) -> Iterator[str]:
    """Yield one in `stride` lines of a file, without their ends."""
    with open(path, encoding="utf-8", newline="\n") as file:
        for line in itertools.islice(file, 0, None, stride):
            yield line.rstrip("\n")[:LONGEST_LINE]


def main() -> None:
    """Train as standard input says."""
    import sentencepiece

    job = json.load(sys.stdin)
    # The options end up in the model, and the name of a temporary folder must not.
    os.chdir(job["folder"])
    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=itertools.chain.from_iterable(
                itertools.starmap(lines, job["files"].items())
            ),
            model_writer=model,
            max_sentence_length=4 * LONGEST_LINE,  # in bytes
            minloglevel=2,
            **job["options"],
        )
    except Exception as error:  # whatever it is, the parent process tells it
        sys.exit(" ".join(str(error).split()))
    sys.stdout.buffer.write(model.getvalue())


if __name__ == "__main__":
    main()
