"""Scoring a text against its references: checks, sensible defaults, and a report to show."""

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from nmt.errors import DataError, UsageError
from nmt.evaluation.languages import SPECIAL, guess_language, special_language, why_no_bleu
from nmt.evaluation.metrics import (
    MetricScore,
    check_metrics,
    check_tokenizer,
    default_metrics,
    score,
)

LOGGER = logging.getLogger("nmt")


@dataclass(frozen=True)
class Text:
    """The lines of a text, and the name (of its file) by which messages speak of it."""

    name: str
    lines: list[str]


@dataclass(frozen=True)
class Scoring:
    """What to measure, and how to find the words; made by `choose_scoring`."""

    metrics: tuple[str, ...]
    language: str | None
    bleu_tokenize: str | None


@dataclass(frozen=True)
class Report:
    """The scores of one text, and what was compared.

    Attributes:
        hypothesis: the name of the text that was scored.
        references: the names of the texts that it was compared with.
        lines: how many lines each of them has.
        scores: one for each metric, in the order asked for.
    """

    hypothesis: str
    references: list[str]
    lines: int
    scores: list[MetricScore]

    def score(self, name: str) -> MetricScore | None:
        """Return the score of the metric `name` (such as `bleu`), or None if it is not there."""
        return next((score for score in self.scores if score.name == name), None)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON has it: `report["scores"]["bleu"]["value"]`, unrounded."""
        scores = {score.name: asdict(score) for score in self.scores}
        for entry in scores.values():
            del entry["name"]  # it is the key already
        return {**asdict(self), "scores": scores}

    def table(self) -> str:
        """Return the report for people: a line for each metric, aligned, with its signature."""
        rows = [("metric", "score", "details", "signature")]
        rows += [(s.label, f"{s.value:.2f}", _summary(s), s.signature) for s in self.scores]
        label, value, details = (max(len(row[i]) for row in rows) for i in range(3))
        return "\n".join(
            f"{row[0]:<{label}}  {row[1]:>{value}}  {row[2]:<{details}}  {row[3]}" for row in rows
        )


def choose_scoring(
    references: Sequence[Text],
    metrics: Sequence[str] | None = None,
    language: str | None = None,
    bleu_tokenize: str | None = None,
) -> Scoring:
    """Settle what to measure, before any time is spent on translating.

    Args:
        references: their script tells a language without spaces that nobody named.
        metrics: by default, those of BLEU, chrF and TER that fit the language.
        language: the code of the target language, if known.
        bleu_tokenize: sacreBLEU's tokeniser to use whatever the language.

    Raises:
        SettingError: an unknown metric, or a tokeniser that is unknown or cannot run here.
        UsageError: a tokeniser for BLEU, and BLEU is not among the metrics.
    """
    if language is None and (language := guess_language(references[0].lines)):
        LOGGER.info(
            "%s looks like %s, so it is scored as such (--target-lang says otherwise)",
            references[0].name,
            SPECIAL[language].name,
        )
    if bleu_tokenize is not None:
        check_tokenizer(bleu_tokenize)
    if metrics is not None:
        named = check_metrics(metrics)
        if bleu_tokenize is not None and "bleu" not in named:
            raise UsageError(
                f"--bleu-tokenize {bleu_tokenize}: BLEU is not among the metrics; add --metric "
                "bleu, or leave --bleu-tokenize out"
            )
        return Scoring(named, language, bleu_tokenize)
    chosen = default_metrics(language)
    if bleu_tokenize is not None and "bleu" not in chosen:
        chosen = ("bleu", *chosen)
    _explain_absences(chosen, language)
    return Scoring(chosen, language, bleu_tokenize)


def evaluate_texts(hypothesis: Text, references: Sequence[Text], scoring: Scoring) -> Report:
    """Score a text against its references.

    Raises:
        DataError: a text is empty, or two have different numbers of lines.
        SettingError: as `nmt.evaluation.metrics.score`.
    """
    check_pairing(hypothesis, references)
    if 2 * sum(line.endswith(" .") for line in hypothesis.lines) > len(hypothesis.lines):
        LOGGER.warning(
            "most lines of %s end in ' .', as tokenised text does: "
            "BLEU is only comparable on plain text",
            hypothesis.name,
        )
    scores = score(
        hypothesis.lines,
        [reference.lines for reference in references],
        scoring.metrics,
        scoring.bleu_tokenize,
        scoring.language,
    )
    names = [reference.name for reference in references]
    return Report(hypothesis.name, names, len(hypothesis.lines), scores)


def check_pairing(text: Text, references: Sequence[Text]) -> None:
    """Check that there is something to score and that line i of one belongs to line i of all.

    Raises:
        DataError: a reference is empty, or two texts have different numbers of lines.
    """
    for reference in references:
        if not reference.lines:
            raise DataError(f"{reference.name} is empty: there is nothing to score against")
        if len(text.lines) != len(reference.lines):
            raise DataError(
                f"{text.name} has {_lines(text)}, but {reference.name} has {_lines(reference)}: "
                "each line needs its reference"
            )


def _lines(text: Text) -> str:
    return "1 line" if len(text.lines) == 1 else f"{len(text.lines):,} lines"


def _explain_absences(chosen: Sequence[str], language: str | None) -> None:
    """Say why a metric that people expect is not in the report."""
    if "bleu" not in chosen:
        LOGGER.warning(
            "%s; or choose a tokeniser of your own, such as --bleu-tokenize char",
            why_no_bleu(language),
        )
    code = special_language(language)
    if "ter" not in chosen and code:
        LOGGER.warning("TER is left out: it counts words, and %s has no spaces", SPECIAL[code].name)


def _summary(score: MetricScore) -> str:
    """Return what is worth a glance beside the score."""
    details = score.details
    if score.name == "bleu":
        precisions = "/".join(f"{precision:.1f}" for precision in details["precisions"])
        return (
            f"{precisions}, brevity penalty {details['brevity_penalty']:.3f}, "
            f"length ratio {details['length_ratio']:.3f}"
        )
    return "lower is better" if score.name == "ter" else ""
