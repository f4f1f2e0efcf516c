"""How good a model is on the validation set: its loss, and the scores of real translations."""

import math
from dataclasses import dataclass

from nmt.data.batching import make_batch, plan_in_order
from nmt.data.corpus import Corpus
from nmt.decoding.model_folder import Description, LoadedModel
from nmt.decoding.options import SearchOptions
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
# Points of BLEU or chrF between equally good models, for a single sentence: half a point for a
# thousand, which is what the last validations of a run differ by where the loss hardly does.
NOISE = 16.0


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


@dataclass(frozen=True)
class Share:
    """What one of W processes found out about a model."""

    hypotheses: list[str]  # of every W-th line of those that are translated
    loss: float  # summed over the tokens of every W-th batch
    tokens: int


class Examiner:
    """Lets a model translate a validation set, or one process's share of it."""

    def __init__(
        self, corpus: Corpus, description: Description, worker: int = 0, workers: int = 1
    ) -> None:
        """Prepare the share of `worker` (from 0) of `workers`."""
        self.corpus, self.description = corpus, description
        self.rows = _translated(corpus)[worker::workers]
        self.worker, self.workers = worker, workers

    def examine(self, learner: Learner, beam_size: int) -> Share:
        """Measure the loss of a model, and translate."""
        split, loss, tokens = self.corpus.valid, 0.0, 0
        plan = plan_in_order(split, learner.config.batch_tokens)
        for rows in plan[self.worker :: self.workers]:
            batch = as_tensors(make_batch(split, rows))
            loss += float(learner.plain_loss(batch))
            tokens += batch.tokens
        if not math.isfinite(loss):  # such a model writes at great length, and for nothing
            return Share([""] * len(self.rows), loss, tokens)
        return Share(self._translate(learner.model, beam_size), loss, tokens)

    def _translate(self, model: Seq2Seq, beam_size: int) -> list[str]:
        lines = [self.corpus.valid_source_text[row] for row in self.rows]
        loaded = LoadedModel(
            self.description, model, self.corpus.source_vocabulary, self.corpus.target_vocabulary
        )
        device = next(model.parameters()).device
        translator = Translator(loaded, SearchOptions(beam_size=beam_size), device=str(device))
        texts = [translation.text for translation in translator.translate(lines)]
        model.train()
        return texts


class Validator:
    """Scores models against the validation set of a corpus."""

    def __init__(
        self, corpus: Corpus, description: Description, bleu_tokenize: str | None = None
    ) -> None:
        """Prepare for a corpus; `bleu_tokenize` overrides the tokeniser for the language."""
        self.language = description.target.language
        self.tokenizer = bleu_tokenize or bleu_tokenizer(self.language)
        self.metrics = ("bleu", "chrf") if self.tokenizer else ("chrf",)
        rows = _translated(corpus)
        self.sources = [corpus.valid_source_text[row] for row in rows]
        self.references = [corpus.valid_target_text[row] for row in rows]

    def noise(self, name: str) -> float:
        """Return by how much a score can differ between models that are equally good."""
        return 0.0 if name == "loss" else NOISE / math.sqrt(max(1, len(self.sources)))

    def score(self, shares: list[Share]) -> Validation:
        """Put together what all processes found out, in their order, and score it."""
        hypotheses = [""] * len(self.sources)
        for worker, share in enumerate(shares):
            hypotheses[worker :: len(shares)] = share.hypotheses
        scored = score(
            hypotheses,
            [self.references],
            self.metrics,
            bleu_tokenize=self.tokenizer,
            language=self.language,
        )
        rows = list(zip(self.sources, self.references, hypotheses, strict=True))
        # Spread over the set, and the same ones each time.
        step = max(1, len(rows) // SAMPLES)
        samples = [Sample(*row) for row in rows[::step][:SAMPLES]]
        values = {metric.name: metric.value for metric in scored}
        tokens = sum(share.tokens for share in shares)
        loss = sum(share.loss for share in shares) / max(1, tokens)
        return Validation(loss, values, samples)


def _translated(corpus: Corpus) -> range:
    """Return which pairs of the validation set are translated."""
    pairs = len(corpus.valid_target_text)
    return range(0, pairs, max(1, -(-pairs // LARGEST)))
