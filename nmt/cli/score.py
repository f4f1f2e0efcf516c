"""`nmt score`: how likely a model finds given translations."""

from typing import Annotated

import typer

from nmt.cli.options import Device, InvalidUtf8, Quiet


def score(
    model: Annotated[str, typer.Argument(help="What nmt train wrote.")],
    source: Annotated[
        str | None, typer.Option(help="The sources, a line each.", metavar="F")
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Their translations, line by line.", metavar="F")
    ] = None,
    hypotheses: Annotated[
        str | None,
        typer.Option(help="Instead: what nmt translate --format json wrote.", metavar="F"),
    ] = None,
    output: Annotated[
        str,
        typer.Option("-o", "--output", help="Where to write; - is standard output.", metavar="F"),
    ] = "-",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print an object a line, with the number of pieces.")
    ] = False,
    pieces: Annotated[
        bool, typer.Option("--pieces", help="With --json: each piece's log-probability too.")
    ] = False,
    invalid_utf8: InvalidUtf8 = "error",
    device: Device = "auto",
    quiet: Quiet = False,
) -> None:
    """Print the log-probability of each pair of lines, for ranking and for cleaning corpora.

    An empty pair has 0; a target of an empty source, and a pair too long to score, have -inf.
    Text is cut into pieces anew; --hypotheses scores the very pieces of a translation.

    Example: nmt score my-model --source test.en --target test.de -o scores.txt
    """
    from nmt import api
    from nmt.progress import setup_logging

    setup_logging(quiet)
    texts = api.Texts(source, target, hypotheses)
    options = api.ScoreOptions(device, as_json, pieces, invalid_utf8)
    api.score_file(model, texts, output, options)
