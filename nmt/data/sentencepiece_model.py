"""What the file of a SentencePiece model holds, by field numbers (sentencepiece_model.proto)."""

from nmt.data.protobuf import values

MODEL_PIECE, MODEL_TRAINER, MODEL_NORMALIZER = 1, 2, 3
PIECE_TEXT, PIECE_TYPE = 1, 3
TYPE_UNKNOWN, TYPE_CONTROL = 2, 3
TRAINER_TYPE, WORD_TYPE = 3, 3
NORMALIZER_NAME = 1
TOKENIZERS = {1: "unigram", 2: "bpe", WORD_TYPE: "word", 4: "char"}


def tokenizer_of(trainer: bytes) -> str:
    """Return how a model cuts text: `unigram`, `bpe`, `word`, `char` or `other`.

    Raises:
        ValueError: these are not the settings of a trainer.
    """
    kinds = values(trainer, TRAINER_TYPE) or [1]
    return TOKENIZERS.get(kinds[-1], "other")
