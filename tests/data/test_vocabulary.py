"""Vocabularies: text to ids and back, what a piece covers, and models made elsewhere."""

import io
import unicodedata
from pathlib import Path

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from nmt.data.adoption import adopt
from nmt.data.special import BOS, EOS, PAD, UNK
from nmt.data.text_statistics import TextStatistics, choose_joint, choose_size
from nmt.data.vocabulary import Vocabulary
from nmt.data.vocabulary_training import Sample, train_vocabulary
from nmt.errors import DataError, SettingError

LINES = [
    "A dog runs, and 27 cats sleep: “why?”",
    "Ein Hund läuft über die Straße; 35 Äpfel für 1,50 €.",
    "m² and ½ of ２，full-width，stay — as they are…",
    "می‌خواهم and 👩‍👩‍👧 keep their joiners",
    "这是一个句子，没有空格。",
] * 20
COVERED = sorted({character for line in LINES for character in line if not character.isspace()})


def make(
    tmp_path: Path, lines: list[str], tokenizer: str = "unigram", size: int = 200
) -> Vocabulary:
    statistics = TextStatistics()
    statistics.add(lines)
    text = tmp_path / "lines.txt"
    text.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    model = tmp_path / f"{tokenizer}.model"
    model.write_bytes(train_vocabulary([Sample(text, statistics)], tokenizer, size).model)
    return Vocabulary.load(model)


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory) -> Vocabulary:
    return make(tmp_path_factory.mktemp("vocabulary"), LINES)


def normalized(text: str) -> str:
    """The normalisation in words: canonical composition, single spaces, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


covered_text = st.text(st.sampled_from([*COVERED, " ", "\t", "\u00a0", "\u2028", "\u3000"]))


@given(covered_text)
def test_ids_of_covered_text_decode_to_the_normalised_text(vocabulary, text):
    for variant in (text, unicodedata.normalize("NFD", text)):
        ids = vocabulary.encode([variant])
        assert UNK not in ids[0]
        assert vocabulary.decode(ids) == [normalized(text)]


@pytest.mark.parametrize("tokenizer", ["bpe", "char"])
def test_other_tokenizers_round_trip_too(tmp_path, tokenizer):
    vocabulary = make(tmp_path, LINES, tokenizer)
    assert vocabulary.decode(vocabulary.encode(LINES[:5])) == [
        normalized(line) for line in LINES[:5]
    ]


def test_pieces_stay_pieces_whatever_signs_the_text_holds(tmp_path):
    vocabulary = make(tmp_path, [*LINES, *["\u203f \u203f \u203f"] * 500], "bpe")
    assert vocabulary.id("\u2581\u203f") == 4  # where vocabularies of words have it
    ids = vocabulary.encode(LINES[:2])
    assert not {UNK} & {id for line in ids for id in line}
    assert vocabulary.decode(ids) == [normalized(line) for line in LINES[:2]]


def test_words_of_another_program_are_cut_as_it_does(tmp_path):
    lines = [*LINES, *["a \u203f b,"] * 200]
    path = elsewhere(tmp_path / "theirs.model", lines, model_type="word", pad_id=3)
    (tmp_path / "ours.model").write_bytes(adopt(path).model)
    ours = Vocabulary.load(tmp_path / "ours.model")
    assert ours.id("\u2581\u203f") != UNK
    assert ours.pieces(ours.encode(["a \u203f b,"])[0]) == ["\u2581a", "\u2581\u203f", "\u2581b,"]


def test_control_characters_and_invisible_marks_vanish(vocabulary):
    text = "\ufeffA do\u00adg\x01 runs\x7f"
    assert vocabulary.decode(vocabulary.encode([text])) == ["A dog runs"]


@given(
    st.text(
        st.sampled_from([*COVERED, *" \t\u3000\u0301e", "ж", "☃"]) | st.characters(codec="utf-8")
    )
)
def test_surfaces_are_the_line_in_as_many_stretches_as_pieces(vocabulary, line):
    surfaces = vocabulary.surfaces(line)
    ids = vocabulary.encode([line])[0]
    assert len(surfaces) == len(ids)
    assert "".join(surfaces) == (line if ids else "")


def test_the_surface_of_an_unknown_piece_is_what_the_source_says(vocabulary):
    line = "A  dog Ж☃ runs"
    ids = vocabulary.encode([line])[0]
    assert vocabulary.surfaces(line)[ids.index(UNK)] == "Ж☃"


def test_join_takes_pieces_outside_the_vocabulary_literally(vocabulary):
    pieces = [*vocabulary.pieces(vocabulary.encode(["A dog"])[0]), "▁", "Жuk"]
    assert vocabulary.join([pieces, []]) == ["A dog Жuk", ""]


def test_special_ids_leave_no_trace(vocabulary):
    [ids] = vocabulary.encode(["A dog"])
    assert vocabulary.decode([[BOS, *ids, EOS, PAD, PAD], [], [EOS]]) == ["A dog", "", ""]
    assert vocabulary.pieces([PAD, UNK, BOS, EOS]) == ["<pad>", "<unk>", "<s>", "</s>"]
    assert vocabulary.id("<s>") == BOS
    assert vocabulary.id("no such piece") == UNK


def test_text_that_looks_like_a_special_piece_is_text(vocabulary):
    [ids] = vocabulary.encode(["<s> </s> <pad>"])
    assert not {PAD, BOS, EOS} & set(ids)


def test_no_line_and_an_empty_line(vocabulary):
    assert vocabulary.encode([]) == []
    assert vocabulary.encode(["", "  "]) == [[], []]


def test_a_size_too_small_for_the_letters_is_told(tmp_path):
    with pytest.raises(
        SettingError, match="a vocabulary of 20 pieces is too small for the letters"
    ):
        make(tmp_path, LINES, size=20)


def test_a_tiny_text_gives_a_smaller_vocabulary(tmp_path):
    vocabulary = make(tmp_path, ["one line"], size=8000)
    assert 4 < len(vocabulary) < 30
    assert vocabulary.decode(vocabulary.encode(["nine one"])) == ["nine one"]


def test_a_text_without_letters_is_told(tmp_path):
    with pytest.raises(DataError, match="there is no text to make a vocabulary from"):
        make(tmp_path, ["\x01\x02"])


@pytest.mark.parametrize("line", ["a ▁ b", "a ▅ b"])
def test_signs_that_sentencepiece_uses_itself_cost_no_other_character(tmp_path, line):
    rare = "".join(map(chr, range(0x430, 0x450)))
    lines = ["the cat and the dog"] * 2000 + [rare]
    vocabulary = make(tmp_path, [*lines, line])
    assert UNK not in vocabulary.encode([rare])[0]


def test_a_script_of_very_many_characters_can_be_covered(tmp_path):
    characters = list(map(chr, range(0x20000, 0x20000 + 12_000)))  # 12 bytes of JSON each
    lines = [" ".join(characters[start : start + 50]) for start in range(0, len(characters), 50)]
    vocabulary = make(tmp_path, lines, "char", 12_100)
    assert UNK not in vocabulary.encode(["".join(characters)])[0]


def test_rare_characters_of_a_large_text_are_left_to_unk():
    statistics = TextStatistics()
    statistics.add(["abcdefgh" * 1000] * 500 + ["é☃☃☃"])
    assert statistics.rarest == 3
    assert set(statistics.covered()) == set("abcdefgh☃")


def test_no_character_of_a_small_text_is_left_out():
    statistics = TextStatistics()
    statistics.add(["abc é", "☃"])
    assert set(statistics.covered()) == set("abcé☃")


def test_languages_with_other_letters_get_vocabularies_of_their_own():
    english, german, russian, greek = (TextStatistics() for _ in range(4))
    english.add(["A dog runs across the street."])
    german.add(["Ein Hund läuft über die Straße."])
    russian.add(["Собака бежит через дорогу."])
    greek.add(["Ένας σκύλος τρέχει."])
    assert choose_joint(english, german)
    assert not choose_joint(english, russian)
    assert not choose_joint(russian, greek)


def test_text_without_spaces_is_thinned_since_it_is_slow_to_train_on(tmp_path):
    spaced, unspaced = TextStatistics(), TextStatistics()
    spaced.add(["Dies ist eine Zeile mit vielen Wörtern."] * 300_000)
    unspaced.add(["这是一个句子，没有空格而且很长，真的很长。"] * 300_000)
    assert Sample(tmp_path, spaced).stride == 1
    assert Sample(tmp_path, unspaced).stride == 3


@pytest.mark.parametrize(
    ("characters", "low", "high"),
    [(400_000, 2_000, 3_000), (3_500_000, 6_000, 8_000), (400_000_000, 32_000, 32_000)],
)
def test_the_size_grows_with_the_text(characters, low, high):
    statistics = TextStatistics(words={str(i) for i in range(50_000)})
    statistics.characters.update({chr(97 + i): characters // 26 for i in range(26)})
    size = choose_size(statistics, "unigram")
    assert low <= size <= high
    # A sample tells the same, as far as its share is known.
    for letter in statistics.characters:
        statistics.characters[letter] //= 10
    statistics.share = 0.1
    assert choose_size(statistics, "unigram") == pytest.approx(size, rel=0.02)


@pytest.mark.parametrize("characters", [51, 505])
def test_the_size_leaves_room_for_every_character(tmp_path, characters):
    line = " ".join(map(chr, range(0x4E00, 0x4E00 + characters)))
    statistics = TextStatistics()
    statistics.add([line])
    vocabulary = make(tmp_path, [line], "bpe", choose_size(statistics, "bpe"))
    assert UNK not in vocabulary.encode([line])[0]


def elsewhere(path: Path, lines: list[str] = LINES, **options: object) -> Path:
    """A model as people train them, in SentencePiece's own words."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines),
        model_writer=model,
        minloglevel=2,
        hard_vocab_limit=False,
        **{"vocab_size": 200, **options},
    )
    path.write_bytes(model.getvalue())
    return path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"model_type": "bpe", "pad_id": 3},
        {"unk_id": 3, "bos_id": -1, "eos_id": 0, "pad_id": 1, "unk_piece": "?!"},
        {"byte_fallback": True, "vocab_size": 500, "bos_piece": "[B]", "eos_piece": "[E]"},
    ],
)
def test_a_model_made_elsewhere_is_renumbered_and_cuts_text_as_before(tmp_path, options):
    path = elsewhere(tmp_path / "theirs.model", **options)
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(path))
    adopted = adopt(path)
    (tmp_path / "ours.model").write_bytes(adopted.model)
    ours = Vocabulary.load(tmp_path / "ours.model")
    assert adopted.renumbered
    assert adopted.tokenizer == options.get("model_type", "unigram")
    for line in [*LINES[:5], "Жuk"]:
        [ids] = ours.encode([line])
        assert ours.pieces(ids) == [theirs.id_to_piece(id) for id in theirs.encode(line)]
        assert ours.decode([ids]) == [theirs.decode(theirs.encode(line))]
        assert "".join(ours.surfaces(line)) == line


def test_a_model_of_ours_is_adopted_as_it_is(vocabulary):
    assert adopt(vocabulary.path).model == vocabulary.path.read_bytes()


def test_a_model_with_other_ids_is_not_loaded_unawares(tmp_path):
    path = elsewhere(tmp_path / "theirs.model")
    with pytest.raises(DataError, match=r"the ids of <pad>, <unk>, <s>, </s> are not 0, 1, 2, 3"):
        Vocabulary.load(path)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"hello\n", b"\x0a\x05ab", bytes(100), b"\xff" * 50),
        b"\x0a\x00\x12\x01\x08",  # an empty piece, and settings cut short
    ],
)
def test_a_file_that_is_no_model_is_told(tmp_path, content):
    path = tmp_path / "no.model"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"no\.model: this is not a SentencePiece model"):
        adopt(path)


def test_a_model_cut_short_is_told(vocabulary, tmp_path):
    path = tmp_path / "short.model"
    path.write_bytes(vocabulary.path.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"short\.model: this is not a SentencePiece model"):
        adopt(path)
