"""`nmt evaluate`: BLEU, chrF and TER of a translation."""

import json
import math
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli.options import Quiet
from nmt.errors import BelowThreshold, SettingError, UsageError

if TYPE_CHECKING:
    from nmt.evaluation.report import Report


def evaluate(
    reference: Annotated[
        list[str],
        typer.Option(help="The right translation, a line each; repeat for several.", metavar="F"),
    ],
    hypothesis: Annotated[
        str | None, typer.Option(help="The translation to score; - is standard input.", metavar="F")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="A model to translate --source with.", metavar="MODEL")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="With --model: the text to translate.", metavar="F")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help="Any of bleu, chrf, chrf++, ter, with commas or repeated. "
            "[default: bleu,chrf,ter where they fit the language]",
            metavar="LIST",
        ),
    ] = None,
    target_lang: Annotated[
        str | None,
        typer.Option(
            help="The target language (de, zh, ...): how BLEU and TER find its words. "
            "[default: the model's, or by the reference's script]",
            metavar="CODE",
        ),
    ] = None,
    bleu_tokenize: Annotated[
        str | None,
        typer.Option(help="sacreBLEU's tokeniser, whatever the language.", metavar="T"),
    ] = None,
    fail_under: Annotated[
        float | None,
        typer.Option(
            help="Exit with code 3 when BLEU, or else the first metric, is below X.", metavar="X"
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, unrounded.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Score a translation, or a model, with sacreBLEU.

    The scores go to standard output, each with the signature that makes it comparable.

    Example: nmt evaluate --hypothesis out.de --reference test.de

    Example: nmt evaluate --model my-model --source test.en --reference test.de --json
    """
    from nmt import api
    from nmt.progress import setup_logging

    setup_logging(quiet)
    metrics = metric and [name.strip() for names in metric for name in names.lower().split(",")]
    watched = None if fail_under is None else _watched_metric(metrics, fail_under)
    report = api.evaluate(
        reference=reference,
        hypothesis=hypothesis,
        model=model,
        source=source,
        metrics=metrics,
        target_language=target_lang,
        bleu_tokenize=bleu_tokenize,
    )
    print(json.dumps(report.as_dict()) if as_json else report.table())
    if fail_under is not None and watched is not None:
        _check_threshold(report, watched, fail_under)


def _watched_metric(metrics: list[str] | None, threshold: float) -> str:
    """Return the metric that --fail-under looks at: BLEU, or else the first that was asked for.

    Raises:
        UsageError: it would be TER, or no score can be below the threshold.
    """
    if math.isnan(threshold):
        raise UsageError("--fail-under nan is no score: give a number like 30")
    watched = "bleu" if metrics is None or "bleu" in metrics else metrics[0]
    if watched == "ter":
        raise UsageError("--fail-under cannot watch TER, where lower is better: add bleu or chrf")
    return watched


def _check_threshold(report: "Report", watched: str, threshold: float) -> None:
    """Check the score of the metric `watched`.

    Raises:
        BelowThreshold: it is below `threshold`.
        SettingError: it is not in the report (BLEU, in a language that it cannot serve).
    """
    score = report.score(watched)
    if score is None:
        raise SettingError("--fail-under found no BLEU to watch: name another with --metric")
    if score.value < threshold:
        raise BelowThreshold(
            f"{score.label} is {score.value:.2f}, below --fail-under {threshold:g}"
        )
