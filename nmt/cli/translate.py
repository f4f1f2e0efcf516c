"""`nmt translate`: lines in, translations out."""

import sys
from typing import Annotated

import typer


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
    ] = 5,
    length_penalty: Annotated[
        float, typer.Option(help="0 is none; more favours longer translations.", metavar="X")
    ] = 1.0,
    batch_size: Annotated[
        int,
        typer.Option(help="Sentences at a time; changes speed, not results.", min=1, metavar="N"),
    ] = 64,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.", metavar="D")] = "auto",
    precision: Annotated[
        str, typer.Option(help="auto, fp32, bf16 or int8; auto asks the hardware.", metavar="P")
    ] = "auto",
    stream: Annotated[
        bool,
        typer.Option("--stream", help="Translate what is waiting at once, as at a terminal."),
    ] = False,
    invalid_utf8: Annotated[
        str,
        typer.Option(
            help="What to do with a line that is not UTF-8: replace, skip (an empty line), error.",
            metavar="WHAT",
        ),
    ] = "replace",
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Only results, warnings and errors.")
    ] = False,
) -> None:
    """Translate a file or standard input, line by line.

    N lines in are N lines out, in order; an empty line stays empty.

    Example: nmt translate my-model news.en -o news.de

    Example: echo "A dog runs." | nmt translate my-model
    """
    from nmt import api
    from nmt.progress import setup_logging

    typing = source == "-" and sys.stdin.isatty()
    # Between lines that are typed, or printed to the same terminal, a bar would be in the way.
    setup_logging(quiet or typing or (output == "-" and sys.stdout.isatty()))
    translator = api.Translator.load(
        model,
        beam_size=beam_size,
        length_penalty=length_penalty,
        precision=precision,
        device=device,
        batch_size=batch_size,
    )
    if typing and not quiet:
        print("Type a line to translate; Ctrl-D ends.", file=sys.stderr)
    options = api.TranslateOptions(invalid_utf8=invalid_utf8, stream=stream or typing)
    api.translate_file(translator, source, output, options)
