"""Translator: N lines in, N lines out, each the same whatever its neighbours."""

import random
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nmt.data.special import EOS, UNK
from nmt.decoding import windows as module
from nmt.decoding.model_folder import load_model, save_weights
from nmt.decoding.options import SearchOptions
from nmt.decoding.precision import int8_works
from nmt.decoding.translator import Translator
from nmt.decoding.windows import windows
from nmt.errors import FolderError
from tests.support.corpora import digit_strings

DIGITS = st.text("0123456789", min_size=1, max_size=6)
NASTY = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=60)
LINES = st.lists(DIGITS | NASTY | st.sampled_from(["", " ", "\t", "\r", "\u2028", "1 \U0001f600"]))


@pytest.fixture(scope="module")
def reverser(learned):
    """A model that reverses digits."""
    return learned("reverse").model


@pytest.fixture(scope="module")
def greedy(reverser):
    return Translator.load(reverser, SearchOptions(beam_size=1), precision="fp32", device="cpu")


@pytest.fixture(scope="module")
def beam(reverser):
    return Translator.load(reverser, SearchOptions(beam_size=4), precision="fp32", device="cpu")


def texts(translator: Translator, lines: list[str]) -> list[str]:
    return [translation.text for translation in translator.translate(lines)]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(LINES)
def test_as_many_lines_come_out_as_go_in_and_each_in_its_place(greedy, lines):
    found = texts(greedy, lines)
    assert len(found) == len(lines)
    for line, text in zip(lines, found, strict=True):
        assert text == texts(greedy, [line])[0]
        if not line.strip():
            assert text == ""


def test_no_lines_give_none(greedy):
    assert greedy.translate([]) == []


@pytest.mark.parametrize("precision", ["fp32", "int8"])
@pytest.mark.parametrize("beam_size", [1, 4])
def test_batch_size_and_order_change_no_translation(reverser, precision, beam_size):
    if precision == "int8" and not int8_works():
        pytest.skip("this build of torch has no 8-bit linear operator")
    lines = [*digit_strings(120, seed=5), "", "12 ab", "\u00e9", "7" * 200]
    loaded = load_model(reverser)
    found = []
    for size in (1, 3, 64):
        options = SearchOptions(beam_size=beam_size)
        translator = Translator(loaded, options, precision=precision, device="cpu", batch_size=size)
        found.append(translator.translate(lines))
        shuffled = lines.copy()
        random.Random(size).shuffle(shuffled)
        again = dict(zip(shuffled, texts(translator, shuffled), strict=True))
        assert [again[line] for line in lines] == [each.text for each in found[-1]]
    for other in found[1:]:
        assert [each.text for each in other] == [each.text for each in found[0]]
        scores = [each.score for each in other]
        assert scores == pytest.approx([each.score for each in found[0]], abs=1e-2)


def test_windows_are_bounded_and_whole(monkeypatch):
    monkeypatch.setattr(module, "WINDOW_LINES", 10)
    monkeypatch.setattr(module, "WINDOW_CHARACTERS", 100)
    lines = [str(number) * (number % 17) for number in range(200)] + ["x" * 1000, "", "y"]
    found = list(windows(iter(lines)))
    assert [line for window in found for line in window] == lines
    assert max(map(len, found)) == 10
    for window in found:
        # The line that fills a window is its last one.
        assert sum(map(len, window[:-1])) < 100
    assert list(windows([])) == []


def test_windows_of_what_has_arrived_are_bounded_and_so_is_what_waits(monkeypatch):
    monkeypatch.setattr(module, "WINDOW_CHARACTERS", 1000)
    lines = [str(number) * (number % 300) for number in range(1000)]
    all_read = threading.Event()

    def read():
        yield from lines
        all_read.set()

    found = module.waiting(read())
    first = next(found)
    assert not all_read.wait(0.1)  # before there is room for more
    rest = list(found)
    assert [line for window in (first, *rest) for line in window] == lines
    for window in (first, *rest):
        assert sum(map(len, window[:-1])) < 1000


def test_windows_change_no_translation(monkeypatch, beam):
    lines = [*digit_strings(40, seed=6), ""]
    expected = texts(beam, lines)
    monkeypatch.setattr(module, "WINDOW_LINES", 7)
    assert texts(beam, lines) == expected


def test_a_stream_is_translated_before_its_end(monkeypatch, greedy):
    monkeypatch.setattr(module, "WINDOW_LINES", 2)
    taken = []

    def lines():
        for digits in ("12", "34", "56", "78", "90"):
            taken.append(digits)
            yield digits

    stream = greedy.stream(lines())
    assert next(stream).text == "21"
    assert len(taken) <= 2
    assert [translation.text for translation in stream] == ["43", "65", "87", "09"]


def test_a_line_that_is_too_long_is_split_and_put_together(greedy):
    assert greedy.longest == 50
    line = ". ".join(["12345"] * 40) + "."
    text = texts(greedy, [line])[0]
    segments = text.split(" ")
    assert len(line) > 4 * greedy.longest
    assert len(segments) > 4
    assert text == text.strip()


def test_50_000_characters_without_a_space_are_translated(greedy):
    text = texts(greedy, ["12345678" * 500, "0" * 50_000, "56"])
    assert text[2] == "65"
    assert len(text[0]) > 100


def writes_unknown(reverser, monkeypatch_target: str) -> Translator:
    """A translator whose model writes UNK wherever it would write the piece."""
    loaded = load_model(reverser)
    vocabulary = loaded.target_vocabulary
    piece = vocabulary.encode([monkeypatch_target])[0][-1]
    with torch.no_grad():
        table, bias = loaded.model.target_embedding, loaded.model.output_bias
        table[UNK] = table[piece] * 1.01
        bias[UNK] = bias[piece] + 5.0
    return Translator(loaded, SearchOptions(beam_size=1), precision="fp32", device="cpu")


def test_an_unknown_piece_is_copied_from_the_source_it_attends_to(reverser):
    translator = writes_unknown(reverser, "7")
    loaded = translator.loaded
    for line in ("172", "7", "89127", "\U0001f60012", "1 Zo\u00eb 2"):
        ids = loaded.source_vocabulary.encode([line])
        source = torch.tensor([[*ids[0], EOS]])
        hypothesis = translator.search(source, None)[0][0]
        surfaces = [*loaded.source_vocabulary.surfaces(line), ""]
        unknown = [at for at, piece in enumerate(ids[0]) if piece == UNK]
        expected = loaded.target_vocabulary.pieces(hypothesis.ids)
        for at, position in enumerate(hypothesis.attended):
            if hypothesis.ids[at] == UNK:
                # What is unknown in the source comes first, each but once.
                place = min(unknown, key=lambda each: abs(each - position), default=position)
                expected[at] = surfaces[place]
                unknown = [each for each in unknown if each != place]
        text = texts(translator, [line])[0]
        assert text == "".join(expected).replace("\u2581", " ").strip()
        assert "\u2047" not in text
    assert "7" in texts(translator, ["172"])[0]


def always_unknown(reverser) -> Translator:
    """A translator whose model writes UNK once and ends, or goes on for ever."""
    loaded = load_model(reverser)
    with torch.no_grad():
        loaded.model.output_bias[UNK] = 100.0
    options = SearchOptions(beam_size=2, length_ratio=0.0, length_extra=2)
    return Translator(loaded, options, precision="fp32", device="cpu")


@pytest.mark.parametrize(
    "line", ["\U0001f600", "\u674e\u96f7", "\u0001", "a\u0301\u200d", "Zo\u00eb"]
)
def test_text_that_no_vocabulary_knows_comes_out_as_it_is(reverser, line):
    translator = always_unknown(reverser)
    text = texts(translator, [line])[0]
    assert "\u2047" not in text
    assert text == ("" if line == "\u0001" else line)  # normalisation drops control characters


@settings(max_examples=40)
@given(NASTY)
def test_copied_text_is_of_the_source_and_never_a_question_mark(reverser, line):
    text = texts(always_unknown(reverser), [line])[0]
    assert "\u2047" not in text or "\u2047" in line
    assert "\n" not in text
    assert "".join(text.split()) in "".join(line.split())


def test_the_scores_are_those_of_the_search(beam):
    one = beam.translate(["123"])[0]
    ids = beam.loaded.source_vocabulary.encode(["123"])[0]
    hypothesis = beam.search(torch.tensor([[*ids, EOS]]), None)[0][0]
    assert one.score == pytest.approx(hypothesis.score, abs=1e-5)
    assert one.score <= 0


def test_attention_tells_where_the_decoder_looked(greedy):
    [found] = greedy.attention("12345")
    assert found.source_pieces[-1] == found.target_pieces[-1] == "</s>"
    assert "".join(found.source_pieces[:-1]).strip("\u2581") == "12345"
    assert "".join(found.target_pieces[:-1]).strip("\u2581") == "54321"
    shape = (len(found.target_pieces), len(found.source_pieces))
    assert found.weights.shape == shape
    assert np.allclose(found.weights.sum(axis=1), 1, atol=1e-5)
    assert greedy.attention("") == []


def test_languages_without_spaces_are_joined_without(learned, monkeypatch):
    loaded = load_model(learned("copy").model)
    description = loaded.description
    chinese = replace(
        loaded, description=replace(description, target=replace(description.target, language="zh"))
    )
    line = ". ".join(["123456"] * 12)
    for model, spaces in ((loaded, True), (chinese, False)):
        translator = Translator(model, SearchOptions(beam_size=1), precision="fp32", device="cpu")
        monkeypatch.setattr(translator, "longest", 10)
        joined = texts(translator, [line])[0]
        parts = [texts(translator, [part])[0] for part in line.split(" ")]
        assert joined == (" " if spaces else "").join(parts)


def test_parts_of_a_source_without_spaces_stand_apart_where_the_target_has_them(
    learned, monkeypatch
):
    loaded = load_model(learned("copy").model)
    description = loaded.description
    from_chinese = replace(
        loaded, description=replace(description, source=replace(description.source, language="zh"))
    )
    translator = Translator(
        from_chinese, SearchOptions(beam_size=1), precision="fp32", device="cpu"
    )
    monkeypatch.setattr(translator, "longest", 10)
    sentences = ["123456。"] * 12
    joined = texts(translator, ["".join(sentences)])[0]
    assert joined == " ".join(texts(translator, sentences))


def test_weights_that_are_no_numbers_are_refused(learned, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(learned("copy").model, folder)
    loaded = load_model(folder)
    with torch.no_grad():
        loaded.model.output_bias[5] = torch.nan
    save_weights(folder, loaded.model, {})
    with pytest.raises(FolderError, match="some of the weights are no numbers; train the model"):
        load_model(folder)


def test_a_translation_carries_the_pieces_it_is_made_of(beam):
    one, empty = beam.translate(["123", ""])
    (part,) = one.parts
    assert beam.loaded.source_vocabulary.encode(["123"])[0] == part.source_ids
    assert beam.loaded.target_vocabulary.decode([part.hypothesis.ids]) == [one.text]
    assert one.score == part.hypothesis.score
    assert one.log_probability == part.hypothesis.log_probability < 0
    assert (one.others, empty.parts, empty.log_probability) == ([], [], 0)


def test_the_next_best_come_with_the_best(reverser):
    loaded = load_model(reverser)
    several = Translator(loaded, SearchOptions(n_best=3), precision="fp32", device="cpu")
    only = Translator(loaded, SearchOptions(), precision="fp32", device="cpu")
    line = ". ".join(["123456"] * 12)
    split, whole, empty = several.translate([line, "4711", ""])
    assert [split.text, whole.text, empty.text] == texts(only, [line, "4711", ""])
    assert (len(split.parts), len(whole.parts)) == (2, 1)
    assert empty.others == []
    for best in (split, whole):
        every = [best, *best.others]
        assert len({each.text for each in every}) == len(every) == 3
        for rank, each in enumerate(every):
            assert each.score == sum(part.hypothesis.score for part in each.parts)
            assert [part.segment for part in each.parts] == [part.segment for part in best.parts]
            assert rank == 0 or each.score <= every[rank - 1].score
    # The second best of the line are the second best of its segments.
    segments = several.translate([part.segment.text for part in split.parts])
    assert split.others[0].text == " ".join(segment.others[0].text for segment in segments)


def test_samples_depend_on_the_number_of_the_line_alone(reverser, monkeypatch):
    loaded = load_model(reverser)
    lines = [*digit_strings(20, seed=7), "", ". ".join(["123456"] * 12), "4711", "4711"]
    options = SearchOptions(sample=True, temperature=4.0, n_best=2)
    found = []
    for size in (1, 7, 64):
        translator = Translator(loaded, options, precision="fp32", device="cpu", batch_size=size)
        monkeypatch.setattr(module, "WINDOW_LINES", 5 * size)
        every = translator.translate(lines)
        found.append([[each.text, *(other.text for other in each.others)] for each in every])
        late = translator.translate_window(lines[10:], first=10)
        assert [translation.text for translation in late] == [texts[0] for texts in found[-1][10:]]
    assert found[0] == found[1] == found[2]
    assert found[0][-1] != found[0][-2]  # the same line elsewhere has other samples
    split = every[-3]
    assert len(split.parts) == 2
    assert all(len(set(samples)) == 2 for samples in found[0] if len(samples[0]) > 5)


@pytest.mark.parametrize("options", [{"beam_size": 1}, {"beam_size": 3, "n_best": 3}])
def test_a_translation_begins_with_its_prefix(reverser, options):
    translator = Translator(
        load_model(reverser), SearchOptions(**options), precision="fp32", device="cpu"
    )
    lines = ["12345", "4711", "", "660", "89", ". ".join(["123456"] * 12)]
    prefixes = ["54", "", "9 9", "1066\U0001f600", "  ", "7"]
    found = translator.translate(lines, prefixes)
    assert [each.text for each in found[:3]] == ["54321", "1174", "9 9"]
    assert found[3].text.startswith("1066\U0001f600")
    assert found[4].text == "98"
    for translation, prefix in zip(found, prefixes, strict=True):
        for each in (translation, *translation.others):
            assert each.text.startswith(prefix.strip())
    split = found[-1].parts
    assert [part.prefix for part in split] == ["7", ""]
    for at, (line, prefix) in enumerate(zip(lines, prefixes, strict=True)):
        alone = translator.translate([line], [prefix])[0]
        assert [alone.text, *(other.text for other in alone.others)] == [
            found[at].text,
            *(other.text for other in found[at].others),
        ]


def test_each_line_needs_its_prefix(greedy):
    with pytest.raises(ValueError, match="2 lines, but 1 prefixes"):
        greedy.translate(["1", "2"], ["1"])


def test_many_samples_come_in_smaller_batches(reverser, monkeypatch):
    options = SearchOptions(sample=True, n_best=6)
    translator = Translator(load_model(reverser), options, precision="fp32", device="cpu")
    lines = digit_strings(30, seed=9)
    expected, search, sizes = texts(translator, lines), translator.search, []
    monkeypatch.setattr("nmt.decoding.translator.BATCH_HYPOTHESES", 20)
    translator.search = lambda source, *rest: sizes.append(len(source)) or search(source, *rest)
    assert texts(translator, lines) == expected
    assert sizes == [3] * 10
