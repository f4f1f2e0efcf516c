"""Writers: what is written of translations says what the model did, in every form."""

import json

import numpy as np
import pytest
import torch
from matplotlib.image import imread

from nmt.data.special import BOS, EOS
from nmt.decoding.desk import Desk
from nmt.decoding.forced import ForcedDecoder, Pair
from nmt.decoding.options import SearchOptions
from nmt.decoding.search import Hypothesis
from nmt.decoding.segments import Segment
from nmt.decoding.translation import Part, Translation
from nmt.decoding.translator import Translator
from nmt.decoding.windows import Window
from nmt.decoding.writers.alignments import AlignmentWriter
from nmt.decoding.writers.options import WriterOptions
from nmt.decoding.writers.writer import Line
from tests.support.small import small_model

LONG = ". ".join(["12345"] * 40) + "."
LINES = ["12 345", "", "9\t8", "\u00e9 7", LONG, "   ", "4"]


@pytest.fixture(scope="module")
def translator(learned):
    """A model that copies digits, with three translations for each line."""
    options = SearchOptions(beam_size=3, n_best=3)
    return Translator.load(learned("copy").model, options, precision="fp32", device="cpu")


def written(translator, lines, **options) -> list[list[str]]:
    """The lines of each output."""
    texts = Desk(translator, WriterOptions(**options), "test")(Window(0, lines))
    return [text.removesuffix("\n").split("\n") for text in texts]


def test_text_is_the_best_translation_of_each_line(translator):
    [lines] = written(translator, LINES)
    assert lines == [each.text for each in translator.translate(LINES)]


def test_an_nbest_list_has_number_score_and_text(translator):
    [rows] = written(translator, LINES, format="nbest")
    expected = [
        (str(number), f"{each.score:.4f}", each.text.replace("\t", " "))
        for number, best in enumerate(translator.translate(LINES), start=1)
        for each in (best, *best.others)
    ]
    assert [tuple(row.split("\t")) for row in rows] == expected


def test_json_holds_what_python_gives(translator):
    [rows] = written(translator, LINES, format="json", attention=True)
    vocabulary = translator.loaded.target_vocabulary
    translations = translator.translate(LINES)
    for number, (row, best) in enumerate(zip(rows, translations, strict=True), start=1):
        value = json.loads(row)
        assert (value["line"], value["source"]) == (number, LINES[number - 1])
        found = [value, *value.get("others", [])]
        for one, translation in zip(found, [best, *best.others], strict=True):
            assert one["text"] == translation.text
            assert one["score"] == pytest.approx(translation.score, abs=1e-5)
            for part, real in zip(one["parts"], translation.parts, strict=True):
                assert [vocabulary.id(piece) for piece in part["pieces"]] == real.hypothesis.ids
                weights = np.array(part["attention"])
                shape = (len(part["pieces"]) + 1, len(part["source_pieces"]) + 1)
                assert weights.shape == shape
                assert np.allclose(weights.sum(axis=1), 1, atol=1e-3)


def test_every_line_has_a_line_of_alignments_within_its_words(translator):
    texts, rows = written(translator, LINES, alignments="somewhere")
    for line, text, row in zip(LINES, texts, rows, strict=True):
        links = [tuple(map(int, link.split("-"))) for link in row.split()]
        targets = [target for _, target in links]
        assert targets == list(range(len(text.split())))
        assert all(source < len(line.split()) for source, _ in links)
    sources = [int(link.split("-")[0]) for link in rows[4].split()]
    assert sources[-1] > 30  # the words of the last part are counted in the whole line


def test_alignments_follow_the_rule_word_by_word(translator):
    """Against the rule written out: sums over the pieces of both words, ends left out."""
    line, text = "12 345 6", "6 12 3 45"
    ids = [
        vocabulary.encode([words])[0]
        for vocabulary, words in (
            (translator.loaded.source_vocabulary, line),
            (translator.loaded.target_vocabulary, text),
        )
    ]
    part = Part(Segment(line, False), ids[0], Hypothesis(ids[1], 0.0, 0.0, [0] * len(ids[1])))
    best = Translation(text, 0.0, [part])
    random = np.random.default_rng(1)
    shape = (len(part.hypothesis.ids) + 1, len(part.source_ids) + 1)
    weights = random.random(shape).astype(np.float32)
    words = []
    for pieces in (
        translator.loaded.source_vocabulary.pieces(part.source_ids),
        translator.loaded.target_vocabulary.pieces(part.hypothesis.ids),
    ):
        word, found = -1, []
        for piece in pieces:
            word += piece.startswith("\u2581")
            found.append(None if piece == "\u2581" else word)
        words.append(found)
    sums = np.zeros((len(best.text.split()), len(line.split())))
    for row, target in enumerate(words[1]):
        for column, source in enumerate(words[0]):
            if target is not None and source is not None:
                sums[target, source] += weights[row, column]
    expected = " ".join(f"{row.argmax()}-{target}" for target, row in enumerate(sums))
    written = AlignmentWriter(translator).write(Line(1, line, best, [[weights]]))
    assert written == expected + "\n"


def test_pictures_of_the_first_lines(translator, tmp_path):
    folder = tmp_path / "pictures"
    lines = ["12", "", LONG, "4"]
    options = {"attention_plots": str(folder), "plotted_lines": 3}
    [texts] = written(translator, lines, **options)
    assert len(texts) == 4
    names = sorted(path.name for path in folder.iterdir())
    parts = len(translator.translate([LONG])[0].parts)
    assert names == ["000001.png", *sorted(f"000003-{n}.png" for n in range(1, parts + 1))]
    assert imread(folder / "000001.png").size


@pytest.mark.parametrize("attention", ["general", "additive"])
def test_whole_targets_give_what_single_steps_give(attention):
    model = small_model(attention, (2, 2))
    sizes = [(3, 4), (1, 0), (0, 2), (5, 1), (3, 4), (2, 9)]
    random = torch.Generator().manual_seed(3)

    def sentence(length):
        return torch.randint(EOS + 1, 9, (length,), generator=random).tolist()

    pairs = [Pair(sentence(source), sentence(target)) for source, target in sizes]
    decoder = ForcedDecoder(model)
    found = zip(pairs, decoder.log_probabilities(pairs), decoder.attention(pairs), strict=True)
    for pair, log_probabilities, attention in found:
        encoded = model.encode(torch.tensor([[*pair.source, EOS]]))
        for position, right in enumerate([*pair.target, EOS]):
            given = torch.tensor([[BOS, *pair.target[:position]]])
            decoded = model.attend(given, encoded)
            likely = model.logits(decoded.readouts)[0, -1].log_softmax(dim=0)[right]
            assert log_probabilities[position] == pytest.approx(likely.item(), abs=1e-9)
            looked = decoded.attention[0, -1].detach().numpy()
            assert np.allclose(attention[position], looked, atol=1e-9)
