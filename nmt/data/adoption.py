"""SentencePiece models that were made elsewhere, given the special ids that we rely on."""

from dataclasses import dataclass
from pathlib import Path

from nmt.data.protobuf import bytes_field, read_fields, values, varint_field
from nmt.data.sentencepiece_model import (
    MODEL_PIECE,
    MODEL_TRAINER,
    PIECE_TEXT,
    PIECE_TYPE,
    TYPE_CONTROL,
    TYPE_UNKNOWN,
    tokenizer_of,
)
from nmt.data.special import BOS, EOS, PAD, UNK
from nmt.data.vocabulary import has_our_ids, no_model, open_model
from nmt.errors import DataError

# Fields of the trainer's settings.
TRAINER_IDS = {UNK: 40, BOS: 41, EOS: 42, PAD: 43}
TRAINER_NAMES = {UNK: 45, BOS: 46, EOS: 47, PAD: 48}
USUAL_NAMES = {UNK: b"<unk>", BOS: b"<s>", EOS: b"</s>", PAD: b"<pad>"}


@dataclass(frozen=True)
class Adopted:
    """A SentencePiece model with our special ids.

    Attributes:
        model: the content of its file.
        tokenizer: how it cuts text: `unigram`, `bpe`, `word` or `char`.
        renumbered: whether its ids had to change.
    """

    model: bytes
    tokenizer: str
    renumbered: bool = False


@dataclass(frozen=True)
class Model:
    """A model file taken apart: its pieces, the settings of its trainer, and all the rest."""

    pieces: list[bytes]
    trainer: bytes
    rest: bytes


def adopt(path: Path) -> Adopted:
    """Read a SentencePiece model and give its special pieces our ids.

    Models come with all sorts of ids for them (by default unk 0, bos 1, eos 2 and no pad); here
    they move to the front, and what is missing is added. How text is cut stays as it was, because
    that depends on the scores of the pieces and not on their order.

    Raises:
        DataError: it cannot be read, or is not a SentencePiece model.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"vocabulary {path}: cannot be read: {error.strerror}") from None
    # SentencePiece comes first: it refuses what is no model, and we read little of it.
    ours = has_our_ids(open_model(content, path))
    try:
        model = _take_apart(content)
        tokenizer = tokenizer_of(model.trainer)
        adopted = content if ours else renumber(model)
    except ValueError:
        raise no_model(path) from None
    if not has_our_ids(open_model(adopted, path)):
        raise DataError(f"vocabulary {path}: its special pieces cannot be moved to the ids 0 to 3")
    return Adopted(adopted, tokenizer, renumbered=not ours)


def _take_apart(content: bytes) -> Model:
    pieces, trainer, rest = [], b"", b""
    for field, value in read_fields(content):
        if not isinstance(value, bytes):
            raise ValueError("a model holds nothing but messages")
        if field == MODEL_PIECE:
            pieces.append(value)
        elif field == MODEL_TRAINER:
            trainer += value  # protobuf's own rule for a message that comes in parts
        else:
            rest += bytes_field(field, value)
    return Model(pieces, trainer, rest)


def renumber(model: Model) -> bytes:
    """Put the special pieces first, in our order, and tell the trainer's settings so."""
    by_text = {_text(piece): piece for piece in model.pieces}
    names = _special_names(model)
    special = []
    for id in (PAD, UNK, BOS, EOS):
        kind = TYPE_UNKNOWN if id == UNK else TYPE_CONTROL
        piece = by_text.get(names[id], bytes_field(PIECE_TEXT, names[id]))
        special.append(piece + varint_field(PIECE_TYPE, kind))  # the last value counts
    ordinary = [piece for piece in model.pieces if _text(piece) not in names.values()]
    settings = [varint_field(field, id) for id, field in TRAINER_IDS.items()]
    settings += [bytes_field(field, names[id]) for id, field in TRAINER_NAMES.items()]
    pieces = [bytes_field(MODEL_PIECE, piece) for piece in special + ordinary]
    trainer = bytes_field(MODEL_TRAINER, b"".join([model.trainer, *settings]))
    return b"".join([*pieces, trainer, model.rest])


def _special_names(model: Model) -> dict[int, bytes]:
    """Return what the model calls its special pieces, by our ids."""
    names = dict(USUAL_NAMES)
    for id, field in TRAINER_NAMES.items():
        names[id] = (values(model.trainer, field) or [names[id]])[-1]
    for piece in model.pieces:
        if TYPE_UNKNOWN in values(piece, PIECE_TYPE):
            names[UNK] = _text(piece)
    return names


def _text(piece: bytes) -> bytes:
    return bytes(values(piece, PIECE_TEXT)[-1])
