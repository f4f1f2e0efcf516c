"""What nmt can do, one function each: the command line calls these and nothing else.

    preprocess(PreprocessOptions(...), output)      text files to a corpus folder
    train(corpus, output, TrainOptions(...))        a corpus folder to a model folder
    forecast_training(corpus, TrainOptions(...))    what that would cost
    list_presets()                                  what TrainOptions.preset may be
    list_settings()                                 what TrainOptions.changes may change
    Translator.load(model).translate(lines)         lines to translations
    translate_file(Recipe(model), source, output)   the same for files of any size
    score_file(model, Texts(source, target))        translations to log-probabilities
    average(models, output)                         several models to one
    evaluate(reference, hypothesis)                 translations to BLEU, chrF and TER

Names are imported when they are first used, so that evaluating a file loads no torch.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt.errors import UsageError

if TYPE_CHECKING:
    from nmt.data.options import PreprocessOptions, PreprocessReport
    from nmt.data.preprocess import preprocess
    from nmt.decoding.files import TranslateOptions, translate_file
    from nmt.decoding.options import SearchOptions
    from nmt.decoding.recipe import Recipe
    from nmt.decoding.scoring import ScoreOptions, ScoreReport, Texts, score_file
    from nmt.decoding.translation import Part, Translation
    from nmt.decoding.translator import Translator
    from nmt.decoding.writers.options import WriterOptions
    from nmt.evaluation.report import Report, Text
    from nmt.training.average import average
    from nmt.training.catalogue import Preset, list_presets
    from nmt.training.config import Limits
    from nmt.training.forecast import Forecast
    from nmt.training.options import TrainOptions
    from nmt.training.presets import SettingValues, list_settings
    from nmt.training.run import TrainReport, forecast_training, train

__all__ = [
    "Forecast",
    "Limits",
    "Part",
    "PreprocessOptions",
    "PreprocessReport",
    "Preset",
    "Recipe",
    "ScoreOptions",
    "ScoreReport",
    "SearchOptions",
    "SettingValues",
    "Texts",
    "TrainOptions",
    "TrainReport",
    "TranslateOptions",
    "Translation",
    "Translator",
    "WriterOptions",
    "average",
    "evaluate",
    "forecast_training",
    "list_presets",
    "list_settings",
    "preprocess",
    "score_file",
    "train",
    "translate_file",
]

HOMES = {
    "Forecast": "nmt.training.forecast",
    "Limits": "nmt.training.config",
    "Part": "nmt.decoding.translation",
    "PreprocessOptions": "nmt.data.options",
    "PreprocessReport": "nmt.data.options",
    "Preset": "nmt.training.catalogue",
    "Recipe": "nmt.decoding.recipe",
    "ScoreOptions": "nmt.decoding.scoring",
    "ScoreReport": "nmt.decoding.scoring",
    "SearchOptions": "nmt.decoding.options",
    "SettingValues": "nmt.training.presets",
    "Texts": "nmt.decoding.scoring",
    "TrainOptions": "nmt.training.options",
    "TrainReport": "nmt.training.run",
    "TranslateOptions": "nmt.decoding.files",
    "Translation": "nmt.decoding.translation",
    "Translator": "nmt.decoding.translator",
    "WriterOptions": "nmt.decoding.writers.options",
    "average": "nmt.training.average",
    "forecast_training": "nmt.training.run",
    "list_presets": "nmt.training.catalogue",
    "list_settings": "nmt.training.presets",
    "preprocess": "nmt.data.preprocess",
    "score_file": "nmt.decoding.scoring",
    "train": "nmt.training.run",
    "translate_file": "nmt.decoding.files",
}

FilePath = str | Path


def __getattr__(name: str) -> Any:
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(f"module 'nmt.api' has no attribute {name!r}")


def evaluate(
    reference: FilePath | Sequence[FilePath],
    hypothesis: FilePath | None = None,
    model: FilePath | None = None,
    source: FilePath | None = None,
    metrics: Sequence[str] | None = None,
    target_language: str | None = None,
    bleu_tokenize: str | None = None,
) -> "Report":
    """Score a file of translations, or the translations that a model makes of a source file.

    Args:
        reference: the file of right translations, or several of them.
        hypothesis: the file to score; without it, `model` and `source` make the translations.
        model: a model folder.
        source: the file to translate.
        metrics: any of bleu, chrf, chrf++, ter; by default the first, second and last of these,
            where they fit the language.
        target_language: by default the model's, or told by the script of the reference.
        bleu_tokenize: sacreBLEU's tokeniser, by default the one for the language.

    Raises:
        UsageError: no reference, or not exactly one of a hypothesis, and a model with a source;
            or a tokeniser for BLEU without BLEU.
        DataError: an empty file, a line over 16 MiB, or files with different numbers of lines.
        SettingError: an unknown metric or tokeniser, or one that cannot run here.
        FolderError: `model` is no usable model folder.
    """
    from nmt.evaluation.report import Text, check_pairing, choose_scoring, evaluate_texts

    files = [reference] if isinstance(reference, str | Path) else list(reference)
    if not files:
        raise UsageError("name a reference, a file of right translations")
    given = _file_to_score(hypothesis, model, source)
    if [str(file) for file in (given, *files)].count("-") > 1:
        raise UsageError("only one of the files can be - (standard input)")
    references = [_read(file) for file in files]
    text = _read(given)
    check_pairing(text, references)  # now, not after minutes of translating
    if model is None:
        scoring = choose_scoring(references, metrics, target_language, bleu_tokenize)
        return evaluate_texts(text, references, scoring)

    from nmt.decoding.translator import Translator

    translator = Translator.load(model)
    language = target_language or translator.target_language
    scoring = choose_scoring(references, metrics, language, bleu_tokenize)
    lines = [translation.text for translation in translator.translate(text.lines)]
    return evaluate_texts(Text(f"the translation of {text.name}", lines), references, scoring)


def _file_to_score(
    hypothesis: FilePath | None, model: FilePath | None, source: FilePath | None
) -> FilePath:
    """Return the file of hypotheses, or the one to translate; UsageError if it is not clear."""
    if hypothesis is not None and model is not None:
        raise UsageError("give either a hypothesis file to score or a model to score, not both")
    if hypothesis is not None and source is not None:
        raise UsageError("a source file is of use only with a model, not with a hypothesis file")
    if model is None and hypothesis is not None:
        return hypothesis
    if model is not None and source is not None:
        return source
    if model is not None:
        raise UsageError("a model is scored by translating: name the file (--source F)")
    raise UsageError("there is nothing to score: give --hypothesis F, or --model and --source")


def _read(file: FilePath) -> "Text":
    from nmt.data.text import LONGEST_TRANSLATION, read_lines
    from nmt.evaluation.report import Text

    with read_lines(file, invalid_utf8="replace", longest=LONGEST_TRANSLATION) as reader:
        return Text(reader.name, list(reader))
