"""`nmt average`: one model out of several."""

from typing import Annotated

import typer

from nmt.cli.options import Quiet


def average(
    sources: Annotated[
        list[str],
        typer.Argument(help="Models, checkpoint files, or a model's folder of checkpoints."),
    ],
    output: Annotated[
        str, typer.Option("-o", "--output", help="The model folder to make.", metavar="MODEL")
    ],
    quiet: Quiet = False,
) -> None:
    """Average the weights of models with the same architecture and vocabularies.

    The average of the last checkpoints can be a little better than any of them.

    Example: nmt average my-model/checkpoints -o my-average
    """
    from nmt import api
    from nmt.progress import setup_logging

    setup_logging(quiet)
    api.average(sources, output)
