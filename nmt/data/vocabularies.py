"""The vocabularies of a corpus: given, or trained on its text; one for both languages, or two."""

import logging
from dataclasses import dataclass
from pathlib import Path

from nmt.data.adoption import Adopted, adopt
from nmt.data.corpus import SIDES
from nmt.data.lessons import unhidden
from nmt.data.options import PreprocessOptions
from nmt.data.pairs import PairFiles, batches
from nmt.data.text_statistics import TextStatistics, choose_joint, choose_size
from nmt.data.vocabulary import Vocabulary
from nmt.data.vocabulary_training import Sample, together, train_vocabulary
from nmt.data.word_training import train_words

LOGGER = logging.getLogger("nmt")
WORD = "word"
SAMPLE_PAIRS = 500_000
SAMPLE_BYTES = 50_000_000
SAMPLE_AT_LEAST = 1_000  # pairs, however long their lines are


@dataclass(frozen=True)
class Vocabularies:
    """The vocabularies of a corpus; when joint, both are the same object."""

    source: Vocabulary
    target: Vocabulary
    tokenizer: str

    @property
    def joint(self) -> bool:
        """Whether both languages share one vocabulary."""
        return self.source is self.target


def make_vocabularies(
    pairs: PairFiles, count: int, options: PreprocessOptions, folder: Path
) -> Vocabularies:
    """Put the vocabularies that `options` ask for into `folder`.

    Args:
        pairs: the training text; temporary files are written beside it.
        count: how many pairs there are.
        options: which models, of what size, are wanted.
        folder: where the models go.

    Raises:
        DataError: a given model is none, or the text does not suffice for a vocabulary.
        SettingError: the wanted size is too small for the text.
    """
    paths = (options.source_vocabulary, options.target_vocabulary)
    given = [adopt(path) if path else None for path in paths]
    for path, model in zip(paths, given, strict=True):
        if model and model.renumbered:
            LOGGER.info(
                f"{path}: its pieces were given new numbers (<pad>, <unk>, <s>, </s> first)."
            )
    if given[0] and given[1]:
        return _store_given(given[0], given[1], options, folder)
    samples = _draw_samples(pairs, count)
    if given[0] is given[1] is None and _wants_joint(samples, options):
        trained = _train("Vocabulary", samples, options)
        vocabulary = _store(trained, folder / "joint.model")
        return Vocabularies(vocabulary, vocabulary, options.tokenizer)
    models = [
        model or Adopted(_train(f"{side.title()} vocabulary", [sample], options), options.tokenizer)
        for side, sample, model in zip(SIDES, samples, given, strict=True)
    ]
    return _store_two(models[0], models[1], folder)


def _store_given(
    source: Adopted, target: Adopted, options: PreprocessOptions, folder: Path
) -> Vocabularies:
    if source.model == target.model and options.joint is not False:
        vocabulary = _store(source.model, folder / "joint.model")
        return Vocabularies(vocabulary, vocabulary, source.tokenizer)
    return _store_two(source, target, folder)


def _store_two(source: Adopted, target: Adopted, folder: Path) -> Vocabularies:
    kinds = dict.fromkeys((source.tokenizer, target.tokenizer))
    return Vocabularies(
        _store(source.model, folder / "source.model"),
        _store(target.model, folder / "target.model"),
        "+".join(kinds),
    )


def _store(model: bytes, path: Path) -> Vocabulary:
    path.write_bytes(model)
    return Vocabulary.load(path)


def _wants_joint(samples: list[Sample], options: PreprocessOptions) -> bool:
    if options.joint is not None:
        return options.joint
    if options.tokenizer == WORD:
        LOGGER.info("Words are of one language: each gets a vocabulary of its own.")
        return False
    joint = choose_joint(*(sample.statistics for sample in samples))
    LOGGER.info(
        "The languages share most of their letters: one vocabulary for both (--separate-vocabs "
        "makes two)."
        if joint
        else "The languages share few letters: each gets a vocabulary of its own (--joint-vocab "
        "makes one)."
    )
    return joint


def _draw_samples(pairs: PairFiles, count: int) -> list[Sample]:
    """Write lines from all over the text, at most SAMPLE_PAIRS and SAMPLE_BYTES, to files."""
    sample = PairFiles.beside(pairs.source.parent, "sample")
    size = pairs.source.stat().st_size + pairs.target.stat().st_size
    share = min(1.0, SAMPLE_PAIRS / count, max(SAMPLE_BYTES / size, SAMPLE_AT_LEAST / count))
    statistics = [TextStatistics(share=share), TextStatistics(share=share)]
    with sample.writer() as writer:
        seen = 0
        for batch in batches(pairs):
            taken = [
                unhidden(pair)
                for number, pair in enumerate(batch, start=seen)
                if int((number + 1) * share) > int(number * share)
            ]
            seen += len(batch)
            writer.write(taken)
            for side in (0, 1):
                statistics[side].add([pair[side] for pair in taken])
    return [Sample(sample.source, statistics[0]), Sample(sample.target, statistics[1])]


def _train(name: str, samples: list[Sample], options: PreprocessOptions) -> bytes:
    """Train one vocabulary and say what it became, and why."""
    if options.tokenizer == WORD:
        return _train_words(name, samples, options)
    statistics = together(samples)
    aim = options.vocabulary_size or choose_size(statistics, options.tokenizer)
    trained = train_vocabulary(samples, options.tokenizer, aim)
    LOGGER.info(f"{name}: {_describe(trained.pieces, aim, statistics, options)}")
    left_out = len(statistics.characters) - len(statistics.covered())
    if left_out:
        LOGGER.info(
            f"{name}: {left_out:,} rare characters (seen fewer than {statistics.rarest} times) are "
            "left out; translation copies them."
        )
    return trained.model


def _train_words(name: str, samples: list[Sample], options: PreprocessOptions) -> bytes:
    trained = train_words(samples, options)
    LOGGER.info(
        f"{name}: {trained.words:,} words and marks, which occur at least {trained.least:,} times; "
        f"{trained.left_out:,} others ({trained.unknown:.1%} of the text) are unknown: "
        "translation copies them."
    )
    if together(samples).unspaced:
        LOGGER.warning(
            f"{name}: this text has hardly any spaces, and words are what stands between spaces; "
            "choose another --tokenizer."
        )
    return trained.model


def _describe(pieces: int, aim: int, statistics: TextStatistics, options: PreprocessOptions) -> str:
    what = f"{pieces:,} {options.tokenizer} pieces"
    text = f"{statistics.size:,} letters, {len(statistics.words):,} different words"
    if statistics.share < 1:
        text += f" in a sample of {statistics.share:.1%}"
    if options.vocabulary_size is None:
        return f"{what}, to fit the text of {text} (--vocab-size sets another size)."
    if pieces < aim:
        return f"{what} instead of {aim:,}: the text of {text} offers no more."
    return f"{what}."
