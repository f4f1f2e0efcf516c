"""`nmt preprocess`: text files to a corpus."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from nmt.cli.options import InvalidUtf8
from nmt.data.options import MIN_FREQUENCY, TOKENIZERS, PreprocessOptions
from nmt.errors import SettingError

AUTO = "auto"


def preprocess(
    train_source: Annotated[
        list[Path],
        typer.Option(help="Source text, a sentence a line; repeat for several.", metavar="F"),
    ],
    train_target: Annotated[
        list[Path], typer.Option(help="Its translation, line by line.", metavar="F")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="The corpus folder to make.", metavar="CORPUS")
    ],
    valid_source: Annotated[
        list[Path] | None,
        typer.Option(
            help="Validation text. [default: some training pairs are held out]", metavar="F"
        ),
    ] = None,
    valid_target: Annotated[
        list[Path] | None, typer.Option(help="Its translation.", metavar="F")
    ] = None,
    source_lang: Annotated[
        str | None,
        typer.Option(help="The source language. [default: as in train.en]", metavar="CODE"),
    ] = None,
    target_lang: Annotated[
        str | None,
        typer.Option(help="The target language. [default: as in train.de]", metavar="CODE"),
    ] = None,
    vocab_size: Annotated[
        str, typer.Option(help="How many pieces; auto fits them to the text.", metavar="N")
    ] = AUTO,
    tokenizer: Annotated[
        str,
        typer.Option(
            help=f"How text is cut, one of {', '.join(TOKENIZERS)}; the first two make pieces of "
            "words.",
            metavar="KIND",
        ),
    ] = PreprocessOptions.tokenizer,
    min_frequency: Annotated[
        int | None,
        typer.Option(
            help="Words that occur less often are unknown (with --tokenizer word). "
            f"[default: {MIN_FREQUENCY}]",
            metavar="N",
        ),
    ] = None,
    joint_vocab: Annotated[
        bool | None,
        typer.Option(
            "--joint-vocab/--separate-vocabs",
            help="One vocabulary for both languages, or one for each. [default: joint if they "
            "share most letters, two of words]",
        ),
    ] = None,
    source_vocab: Annotated[
        Path | None, typer.Option(help="An existing SentencePiece model to use.", metavar="F")
    ] = None,
    target_vocab: Annotated[
        Path | None, typer.Option(help="The same for the target.", metavar="F")
    ] = None,
    max_length: Annotated[
        int, typer.Option(help="Drop pairs with more pieces on a side.", metavar="N")
    ] = PreprocessOptions.max_length,
    max_ratio: Annotated[
        float,
        typer.Option(
            help="Drop pairs with over X times as many pieces on one side (short ones stay).",
            metavar="X",
        ),
    ] = PreprocessOptions.max_ratio,
    dedup: Annotated[bool, typer.Option("--dedup", help="Drop repetitions of a pair.")] = False,
    invalid_utf8: InvalidUtf8 = PreprocessOptions.invalid_utf8,
    threads: Annotated[
        int | None,
        typer.Option(help="Threads that cut text into pieces. [default: all cores]", metavar="N"),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Chooses the pairs to hold out.", metavar="N")
    ] = PreprocessOptions.seed,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an existing corpus.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a report as one JSON object.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Only warnings and errors.")] = False,
) -> None:
    """Make a corpus from text files: vocabulary, filters, validation set, all in one folder.

    Lines end at \\n only. Files may be .gz or .xz; - is standard input.

    Example: nmt preprocess --train-source train.en --train-target train.de -o corpus
    """
    from nmt import api
    from nmt.progress import setup_logging

    setup_logging(quiet)
    options = PreprocessOptions(
        train_source=tuple(train_source),
        train_target=tuple(train_target),
        valid_source=tuple(valid_source or ()),
        valid_target=tuple(valid_target or ()),
        source_language=source_lang,
        target_language=target_lang,
        vocabulary_size=_size(vocab_size),
        tokenizer=tokenizer,
        min_frequency=min_frequency,
        joint=joint_vocab,
        source_vocabulary=source_vocab,
        target_vocabulary=target_vocab,
        max_length=max_length,
        max_ratio=max_ratio,
        dedup=dedup,
        threads=threads,
        seed=seed,
        overwrite=overwrite,
        invalid_utf8=invalid_utf8,
    )
    report = api.preprocess(options, output)
    if as_json:
        print(json.dumps(dataclasses.asdict(report)))


def _size(text: str) -> int | None:
    """Read --vocab-size: None for auto.

    Raises:
        SettingError: it is neither auto nor a number.
    """
    if text == AUTO:
        return None
    try:
        return int(text.replace(",", "").replace("_", ""))
    except ValueError:
        raise SettingError(f"--vocab-size needs a whole number or auto, not '{text}'") from None
