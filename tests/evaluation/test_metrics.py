"""The scores are sacreBLEU's own, for any text, and bad requests are told in a sentence."""

import subprocess
import sys
from importlib.util import find_spec

import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st

from nmt.errors import SettingError
from nmt.evaluation.metrics import check_metrics, default_metrics, score

HYPOTHESES = [
    "Ein Hund läuft.",
    "",
    "„Nein!“ \u2028 rief er\u0085",
    "x  y\tz",
    "我喜欢狗。 👍",
    "a b c d e",
]
REFERENCES = [
    ["Der Hund läuft.", "leer", "„Nein!“ rief sie", "x y z", "我喜欢大狗。 👍", "a b c d e f"],
    ["Ein Hund rennt.", "", "", "X Y Z", "他不喜欢狗。", "b c d e"],
]
ALL = ("bleu", "chrf", "chrf++", "ter")
# Words in common, so that n-grams match, among anything that a line can hold.
WORDS = st.sampled_from(["der", "Hund", "ein", "läuft", ".", ",", "3.5", "&quot;", "我", "ไป"])
LINES = st.lists(WORDS | st.text(max_size=5), max_size=8).map(" ".join)
TRIPLES = st.lists(st.tuples(LINES, LINES, LINES), min_size=1, max_size=6)


def sacrebleu_values(hypotheses, references):
    return [
        sacrebleu.corpus_bleu(hypotheses, references, force=True).score,
        sacrebleu.corpus_chrf(hypotheses, references).score,
        sacrebleu.corpus_chrf(hypotheses, references, word_order=2).score,
        sacrebleu.corpus_ter(hypotheses, references).score,
    ]


@pytest.mark.parametrize("count", [1, 2])
def test_nasty_lines_score_as_sacrebleu_does(count):
    references = REFERENCES[:count]
    scores = score(HYPOTHESES, references, ALL)
    assert [s.value for s in scores] == sacrebleu_values(HYPOTHESES, references)
    assert [s.name for s in scores] == list(ALL)
    assert [s.label for s in scores] == ["BLEU", "chrF2", "chrF2++", "TER"]
    assert all(f"nrefs:{count}|" in s.signature for s in scores)


@settings(max_examples=50)
@given(TRIPLES)
def test_any_lines_score_as_sacrebleu_does(lines):
    hypotheses, *references = (list(side) for side in zip(*lines, strict=True))
    values = [s.value for s in score(hypotheses, references, ALL)]
    assert values == sacrebleu_values(hypotheses, references)


def test_the_details_are_those_of_sacrebleu():
    bleu, chrf, ter = score(HYPOTHESES, REFERENCES, ("bleu", "chrf", "ter"))
    expected = sacrebleu.corpus_bleu(HYPOTHESES, REFERENCES)
    assert bleu.details == {
        "precisions": expected.precisions,
        "brevity_penalty": expected.bp,
        "length_ratio": expected.sys_len / expected.ref_len,
        "hypothesis_length": expected.sys_len,
        "reference_length": expected.ref_len,
    }
    assert bleu.signature == (
        f"nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp|version:{sacrebleu.__version__}"
    )
    assert chrf.details == {"character_order": 6, "word_order": 0, "beta": 2}
    assert ter.details["edits"] == sacrebleu.corpus_ter(HYPOTHESES, REFERENCES).num_edits


def test_a_perfect_translation_and_an_empty_one():
    lines = ["Ein Hund läuft durch den Wald.", "Zwei Katzen schlafen heute."]
    assert [round(s.value, 9) for s in score(lines, [lines])] == [100, 100, 0]
    assert [s.value for s in score(["", ""], [lines])] == [0, 0, 100]


def test_chinese_is_scored_by_its_characters():
    hypothesis, reference = ["我喜欢大狗和小猫。"], ["我喜欢大狗和花猫。"]
    bleu, ter = score(hypothesis, [reference], ("bleu", "ter"), language="zh")
    assert bleu.value == sacrebleu.corpus_bleu(hypothesis, [reference], tokenize="zh").score > 40
    assert "|tok:zh|" in bleu.signature
    expected = sacrebleu.corpus_ter(hypothesis, [reference], normalized=True, asian_support=True)
    assert ter.value == expected.score < 20
    assert "|norm:yes|" in ter.signature
    assert "|asian:yes|" in ter.signature
    assert score(hypothesis, [reference], ("bleu",), language="de")[0].value == 0


def test_a_tokeniser_asked_for_goes_before_that_of_the_language():
    bleu = score(["我喜欢狗。"], [["我喜欢狗。"]], ("bleu",), bleu_tokenize="char", language="zh")[
        0
    ]
    assert "|tok:char|" in bleu.signature


def test_the_metrics_that_fit_a_language():
    assert default_metrics("de") == default_metrics(None) == ("bleu", "chrf", "ter")
    assert default_metrics("zh_Hant") == ("bleu", "chrf", "ter")
    assert "ter" not in default_metrics("th")


def test_metrics_are_named_in_any_case_and_counted_once():
    assert check_metrics(["chrF", " BLEU", "chrf"]) == ("chrf", "bleu")


@pytest.mark.parametrize(
    ("metrics", "tokenizer", "message"),
    [
        (
            ["blue"],
            None,
            "there is no metric 'blue' (did you mean 'bleu'?); choose from bleu, chrf, chrf++, ter",
        ),
        ([], None, "name at least one metric: bleu, chrf, chrf++, ter"),
        (
            ["bleu"],
            "13",
            "there is no BLEU tokeniser '13' (did you mean '13a'?); choose one of none, zh, 13a, "
            "intl, char, ja-mecab, ko-mecab, ",
        ),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(metrics, tokenizer, message):
    with pytest.raises(SettingError) as caught:
        score(["a"], [["a"]], metrics, tokenizer)
    assert str(caught.value).startswith(message)


@pytest.mark.skipif(find_spec("MeCab") is not None, reason="the Japanese segmenter is installed")
def test_japanese_without_its_segmenter_says_what_to_install():
    with pytest.raises(SettingError) as caught:
        score(["犬"], [["犬"]], ("bleu",), language="ja")
    assert str(caught.value) == (
        "BLEU cannot find the words of Japanese: its word segmenter is not installed "
        "(pip install 'nmt[ja]'); or use --metric chrf, or --bleu-tokenize char"
    )
    assert default_metrics("ja") == ("chrf", "ter")
    assert score(["犬"], [["犬"]], default_metrics("ja"), language="ja")[0].value == 100


@pytest.mark.skipif(find_spec("MeCab") is None, reason="needs pip install 'nmt[ja]'")
def test_japanese_with_its_segmenter():
    bleu = score(["犬が公園を走る。"], [["犬が公園を走る。"]], ("bleu",), language="ja")[0]
    assert round(bleu.value, 9) == 100
    assert "tok:ja-mecab" in bleu.signature


@pytest.mark.parametrize(
    ("hypotheses", "references"), [([], [[]]), (["a"], []), (["a", "b"], [["a", "b"], ["a"]])]
)
def test_sides_that_do_not_match_are_refused(hypotheses, references):
    with pytest.raises(ValueError, match=r"nothing to score|as many lines"):
        score(hypotheses, references)


def test_importing_evaluation_loads_nothing_heavy():
    program = (
        "import sys, nmt.evaluation.metrics, nmt.evaluation.report, nmt.evaluation.plots, nmt.api;"
        "print(*{'torch', 'numpy', 'matplotlib', 'sacrebleu'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("\n", "")
