"""`nmt translate`: lines in, translations out."""

import sys
from typing import Annotated

import typer

from nmt.cli.options import Device, InvalidUtf8, Quiet
from nmt.decoding.options import SearchOptions
from nmt.errors import UsageError


def translate(
    model: Annotated[str, typer.Argument(help="What nmt train wrote.")],
    source: Annotated[
        str, typer.Argument(help="The text to translate, a line each; - is standard input.")
    ] = "-",
    output: Annotated[
        str,
        typer.Option("-o", "--output", help="Where to write; - is standard output.", metavar="F"),
    ] = "-",
    beam_size: Annotated[
        int, typer.Option(help="Hypotheses kept at each step; 1 is greedy.", min=1, metavar="K")
    ] = SearchOptions.beam_size,
    n_best: Annotated[
        int, typer.Option(help="How many translations of each line.", min=1, metavar="N")
    ] = SearchOptions.n_best,
    length_penalty: Annotated[
        str,
        typer.Option(help="0 is none; more favours longer translations; or average.", metavar="X"),
    ] = str(SearchOptions.length_penalty),
    coverage_penalty: Annotated[
        float, typer.Option(help="More favours those that leave nothing out.", metavar="X")
    ] = SearchOptions.coverage_penalty,
    min_length: Annotated[
        int, typer.Option(help="At least N pieces.", metavar="N")
    ] = SearchOptions.min_length,
    max_length: Annotated[
        int | None, typer.Option(help="At most N pieces.", metavar="N")
    ] = SearchOptions.max_length,
    min_length_ratio: Annotated[
        float, typer.Option(help="At least X times the source's pieces.", metavar="X")
    ] = SearchOptions.min_length_ratio,
    max_length_ratio: Annotated[
        float | None, typer.Option(help="At most X times the source's pieces.", metavar="X")
    ] = SearchOptions.max_length_ratio,
    no_repeat_ngram: Annotated[
        int, typer.Option(help="No N pieces in a row come twice; 0 lets them.", metavar="N")
    ] = SearchOptions.no_repeat_ngram,
    prefixes: Annotated[
        bool,
        typer.Option(
            "--prefixes",
            help="A line may go on, after a tab, with the beginning of its translation.",
        ),
    ] = False,
    sample: Annotated[
        bool, typer.Option("--sample", help="Draw translations at random, --n-best of them.")
    ] = SearchOptions.sample,
    temperature: Annotated[
        float, typer.Option(help="Under 1 samples are safer, over 1 wilder.", metavar="X")
    ] = SearchOptions.temperature,
    top_k: Annotated[
        int, typer.Option(help="Draw from the K likeliest pieces; 0 is all.", metavar="K")
    ] = SearchOptions.top_k,
    top_p: Annotated[
        float,
        typer.Option(
            help="Draw from the likeliest pieces that together have probability P.", metavar="P"
        ),
    ] = SearchOptions.top_p,
    seed: Annotated[
        int, typer.Option(help="Another seed draws other samples.", metavar="N")
    ] = SearchOptions.seed,
    ensemble: Annotated[
        list[str] | None,
        typer.Option(help="Another model that decides too. Repeat for more.", metavar="MODEL"),
    ] = None,
    batch_size: Annotated[
        int,
        typer.Option(help="Sentences at a time; changes speed, not results.", min=1, metavar="N"),
    ] = 64,
    device: Device = "auto",
    precision: Annotated[
        str, typer.Option(help="auto, fp32, bf16 or int8; auto asks the hardware.", metavar="P")
    ] = "auto",
    output_format: Annotated[
        str,
        typer.Option(
            "--format",
            help="text, nbest (number, score and text, tab-separated) or json (an object a line).",
            metavar="FMT",
        ),
    ] = "text",
    attention: Annotated[
        bool, typer.Option("--attention", help="With --format json: attention too.")
    ] = False,
    alignments: Annotated[
        str | None,
        typer.Option(help="Where to write word alignments (0-0 1-2), by attention.", metavar="F"),
    ] = None,
    attention_plots: Annotated[
        str | None,
        typer.Option(help="Draw the attention of the first lines into this folder.", metavar="DIR"),
    ] = None,
    plotted_lines: Annotated[
        int, typer.Option(help="How many lines --attention-plots draws.", min=1, metavar="N")
    ] = 10,
    stream: Annotated[
        bool,
        typer.Option(
            "--stream",
            help="Translate each line as soon as it is there (at a terminal the default).",
        ),
    ] = False,
    invalid_utf8: InvalidUtf8 = "replace",
    workers: Annotated[
        str,
        typer.Option(
            help="Processes that translate; auto is one for each core where a file is long.",
            metavar="N",
        ),
    ] = "auto",
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Begin anew where an earlier call was interrupted."),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Translate a file or standard input, line by line.

    N lines in are N lines out, in order; an empty line stays empty. A long output grows in
    OUTPUT.part; after an interruption, the same command goes on with it.

    Example: nmt translate my-model news.en -o news.de

    Example: echo "A dog runs." | nmt translate my-model

    Example: nmt translate my-model news.en --sample --n-best 5 --top-p 0.9 --format nbest
    """
    from nmt import api
    from nmt.progress import setup_logging

    search = SearchOptions(
        beam_size=beam_size,
        n_best=n_best,
        length_penalty=number_or_name(length_penalty),
        coverage_penalty=coverage_penalty,
        min_length=min_length,
        max_length=max_length,
        min_length_ratio=min_length_ratio,
        max_length_ratio=max_length_ratio,
        no_repeat_ngram=no_repeat_ngram,
        sample=sample,
        temperature=temperature,
        top_k=top_k,
        top_p=top_p,
        seed=seed,
    )
    typing = source == "-" and sys.stdin.isatty()
    # Between lines that are typed, or printed to the same terminal, a bar would be in the way.
    setup_logging(quiet or typing or (output == "-" and sys.stdout.isatty()))
    recipe = api.Recipe(
        model,
        search,
        ensemble=tuple(ensemble or ()),
        precision=precision,
        device=device,
        batch_size=batch_size,
    )
    if typing and not quiet:
        print("Type a line to translate; Ctrl-D ends.", file=sys.stderr)
    writers = api.WriterOptions(
        format=output_format,
        attention=attention,
        alignments=alignments,
        attention_plots=attention_plots,
        plotted_lines=plotted_lines,
    )
    options = api.TranslateOptions(
        writers,
        prefixes=prefixes,
        invalid_utf8=invalid_utf8,
        stream=stream or typing,
        overwrite=overwrite,
        workers=_number(workers),
    )
    api.translate_file(recipe, source, output, options)


def _number(workers: str) -> int | None:
    """Return the number of workers; None is auto.

    Raises:
        UsageError: it is no number.
    """
    if workers == "auto":
        return None
    if not workers.isdecimal() or int(workers) < 1:
        raise UsageError(f"--workers {workers}: give auto, or a number from 1")
    return int(workers)


def number_or_name(text: str) -> float | str:
    """Return the number that a text is, or else the text."""
    try:
        return float(text)
    except ValueError:
        return text
