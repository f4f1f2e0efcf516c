"""How good a model is on the validation set: its loss, and the scores of real translations."""

import math
from dataclasses import dataclass

from nmt.data.batching import make_batch, plan_in_order
from nmt.data.corpus import Corpus
from nmt.decoding.model_folder import Description, LoadedModel
from nmt.decoding.search import SearchOptions
from nmt.decoding.translator import Translator
from nmt.evaluation.languages import bleu_tokenizer
from nmt.evaluation.metrics import score
from nmt.models.seq2seq import Seq2Seq
from nmt.training.learner import Learner
from nmt.training.loader import as_tensors

SAMPLES = 3
# Of a larger validation set so many pairs, evenly spread, are translated: more would take the
# time from training and tell nothing new.
LARGEST = 2000


@dataclass(frozen=True)
class Sample:
    """One sentence of the validation set, its reference, and what the model made of it."""

    source: str
    reference: str
    hypothesis: str


@dataclass(frozen=True)
class Validation:
    """The scores of a model."""

    loss: float  # nats a target token
    scores: dict[str, float]  # by metric: bleu (where it fits the language) and chrf
    samples: list[Sample]

    @property
    def perplexity(self) -> float:
        """exp(loss)."""
        return math.exp(min(self.loss, 50.0))

    def value(self, name: str) -> float:
        """Return a score of which more is better."""
        return -self.loss if name == "loss" else self.scores[name]


class Validator:
    """Validates models against the validation set of a corpus."""

    def __init__(
        self, corpus: Corpus, description: Description, bleu_tokenize: str | None = None
    ) -> None:
        """Prepare for a corpus; `bleu_tokenize` overrides the tokeniser for the language."""
        self.corpus = corpus
        self.description = description
        self.language = description.target.language
        self.tokenizer = bleu_tokenize or bleu_tokenizer(self.language)
        self.metrics = ("bleu", "chrf") if self.tokenizer else ("chrf",)
        pairs = len(corpus.valid_target_text)
        self.rows = range(0, pairs, max(1, -(-pairs // LARGEST)))

    def validate(self, learner: Learner, beam_size: int = 1) -> Validation:
        """Measure the loss, translate the validation set, and score the translations."""
        sources = [self.corpus.valid_source_text[row] for row in self.rows]
        references = [self.corpus.valid_target_text[row] for row in self.rows]
        hypotheses = self._translate(learner.model, sources, beam_size)
        scored = score(
            hypotheses,
            [references],
            self.metrics,
            bleu_tokenize=self.tokenizer,
            language=self.language,
        )
        rows = zip(sources, references, hypotheses, strict=True)
        # Spread over the set, and the same ones each time.
        step = max(1, len(references) // SAMPLES)
        samples = [Sample(*row) for row in list(rows)[::step][:SAMPLES]]
        values = {metric.name: metric.value for metric in scored}
        return Validation(self._loss(learner), values, samples)

    def _loss(self, learner: Learner) -> float:
        split = self.corpus.valid
        total, tokens = 0.0, 0
        for rows in plan_in_order(split, learner.config.batch_tokens):
            batch = as_tensors(make_batch(split, rows))
            total += float(learner.plain_loss(batch))
            tokens += batch.tokens
        return total / max(1, tokens)

    def _translate(self, model: Seq2Seq, lines: list[str], beam_size: int) -> list[str]:
        loaded = LoadedModel(
            self.description, model, self.corpus.source_vocabulary, self.corpus.target_vocabulary
        )
        device = next(model.parameters()).device.type
        translator = Translator(loaded, SearchOptions(beam_size=beam_size), device=device)
        texts = [translation.text for translation in translator.translate(lines)]
        model.train()
        return texts
