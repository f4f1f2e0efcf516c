"""BLEU, chrF and TER, computed by sacreBLEU and nothing else, each with its signature."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nmt.errors import SettingError, nearest
from nmt.evaluation.languages import (
    bleu_tokenizer,
    check_tokenizer,
    special_language,
    why_no_bleu,
)

DEFAULT_METRICS = ("bleu", "chrf", "ter")


@dataclass(frozen=True)
class MetricScore:
    """One metric of a whole text.

    Attributes:
        name: the name that we ask for it by, such as `chrf`.
        label: the name that sacreBLEU prints, such as `chrF2`.
        value: the score, from 0 to 100 (TER can be more; there, lower is better).
        signature: sacreBLEU's signature, which makes the score reproducible.
        details: what the score was made of, such as BLEU's `precisions` and `brevity_penalty`.
    """

    name: str
    label: str
    value: float
    signature: str
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Metric:
    """How to make sacreBLEU's object from a tokeniser and a language, and what to tell of it."""

    make: Callable[[str, str | None], Any]
    details: Callable[[Any], dict[str, Any]]


def score(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    metrics: Sequence[str] = DEFAULT_METRICS,
    bleu_tokenize: str | None = None,
    language: str | None = None,
) -> list[MetricScore]:
    """Score N hypotheses against one or several references of N lines each.

    Args:
        hypotheses: N lines; empty ones are fine.
        references: each holds N lines, so that `references[r][i]` belongs to `hypotheses[i]`.
        metrics: any of bleu, chrf, chrf++, ter.
        bleu_tokenize: one of sacreBLEU's tokenisers; by default `bleu_tokenizer(language)`.
        language: the code of the target language; it also decides how TER finds words.

    Raises:
        SettingError: an unknown metric, or a tokeniser that is unknown or cannot run here.
        ValueError: no line, no reference, or sides of different length.
    """
    if not hypotheses or not references:
        raise ValueError("there is nothing to score")
    if any(len(reference) != len(hypotheses) for reference in references):
        raise ValueError("each reference needs as many lines as there are hypotheses")
    names = check_metrics(metrics)
    tokenizer = _tokenizer_for(bleu_tokenize, language) if "bleu" in names else ""
    # sacreBLEU takes lists, and looks at the first line of each to check that it is text.
    sides = [list(reference) for reference in references]
    return [_score(name, list(hypotheses), sides, tokenizer, language) for name in names]


def check_metrics(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names of metrics in lower case, each once, in the order given.

    Raises:
        SettingError: an unknown name (the nearest known one is offered), or none at all.
    """
    found = tuple(dict.fromkeys(name.strip().lower() for name in names))
    for name in found:
        if name not in _METRICS:
            raise SettingError(
                f"there is no metric '{name}'{nearest(name, _METRICS)}; "
                f"choose from {', '.join(_METRICS)}"
            )
    if not found:
        raise SettingError(f"name at least one metric: {', '.join(_METRICS)}")
    return found


def default_metrics(language: str | None) -> tuple[str, ...]:
    """Return those of BLEU, chrF and TER that mean something for a target language, here and now.

    Without a tokeniser BLEU is left out. TER always needs words: it knows those of languages with
    spaces, and goes by characters in Chinese and Japanese.
    """
    chosen = ["chrf"]
    if bleu_tokenizer(language) is not None:
        chosen.insert(0, "bleu")
    if special_language(language) in {None, "ko", *_CHARACTER_TER}:
        chosen.append("ter")
    return tuple(chosen)


def _tokenizer_for(bleu_tokenize: str | None, language: str | None) -> str:
    """Return the tokeniser asked for, or the one of the language; SettingError if none can run."""
    tokenizer = bleu_tokenize or bleu_tokenizer(language)
    if tokenizer is None:
        raise SettingError(
            f"{why_no_bleu(language)}; or use --metric chrf, or --bleu-tokenize char"
        )
    check_tokenizer(tokenizer)
    return tokenizer


def _score(
    name: str,
    hypotheses: list[str],
    references: list[list[str]],
    tokenizer: str,
    language: str | None,
) -> MetricScore:
    """Let sacreBLEU compute one metric."""
    metric = _METRICS[name].make(tokenizer, language)
    result = metric.corpus_score(hypotheses, references)
    return MetricScore(
        name=name,
        label=result.name,
        value=float(result.score),
        signature=str(metric.get_signature()),
        details=_METRICS[name].details(result),
    )


# Languages in which TER counts characters: the scripts that sacreBLEU's "Asian support" splits.
_CHARACTER_TER = ("zh", "ja")


def _bleu(tokenizer: str, language: str | None) -> Any:
    from sacrebleu.metrics.bleu import BLEU

    # `force` only silences a warning about tokenised text, which report.py words for our users.
    return BLEU(tokenize=tokenizer, force=True)


def _chrf(word_order: int) -> Callable[[str, str | None], Any]:
    def make(tokenizer: str, language: str | None) -> Any:
        from sacrebleu.metrics.chrf import CHRF

        return CHRF(word_order=word_order)

    return make


def _ter(tokenizer: str, language: str | None) -> Any:
    from sacrebleu.metrics.ter import TER

    by_character = special_language(language) in _CHARACTER_TER
    return TER(normalized=by_character, asian_support=by_character)


def _bleu_details(result: Any) -> dict[str, Any]:
    return {
        "precisions": list(result.precisions),
        "brevity_penalty": result.bp,
        "length_ratio": result.ratio,
        "hypothesis_length": result.sys_len,
        "reference_length": result.ref_len,
    }


def _chrf_details(result: Any) -> dict[str, Any]:
    return {
        "character_order": result.char_order,
        "word_order": result.word_order,
        "beta": result.beta,
    }


def _ter_details(result: Any) -> dict[str, Any]:
    return {"edits": result.num_edits, "reference_length": result.ref_length}


_METRICS = {
    "bleu": _Metric(_bleu, _bleu_details),
    "chrf": _Metric(_chrf(word_order=0), _chrf_details),
    "chrf++": _Metric(_chrf(word_order=2), _chrf_details),
    "ter": _Metric(_ter, _ter_details),
}
