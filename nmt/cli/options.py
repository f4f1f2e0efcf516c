"""Options that several commands share, each with one help text."""

from typing import Annotated

import typer

Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.", metavar="D")]
InvalidUtf8 = Annotated[
    str,
    typer.Option(
        help="What to do with a line that is not UTF-8: replace, skip (an empty line), error.",
        metavar="WHAT",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Only results, warnings and errors.")]
