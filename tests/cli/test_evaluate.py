"""`nmt evaluate` as people run it: scores, choices by language, and what goes wrong."""

import gzip
import json

import pytest
import sacrebleu
import sentencepiece

HYPOTHESIS = ["Ein Hund läuft im Park.", "", "Zwei\u2028Katzen schlafen.\u0085", "Es regnet heute."]
REFERENCES = [
    ["Ein Hund rennt im Park.", "Ja.", "Zwei Katzen\u2028schlafen.", "Es regnet heute sehr."],
    ["Der Hund läuft im Park.", "Ja!", "Zwei Katzen ruhen.", "Heute regnet es."],
]
CHINESE = ["我喜欢大狗和小猫。", "今天下雨。"]
THAI = ["สุนัขวิ่งอยู่ในสวน", "วันนี้ฝนตก"]
BLEU = sacrebleu.corpus_bleu(HYPOTHESIS, REFERENCES[:1])
CHRF = sacrebleu.corpus_chrf(HYPOTHESIS, REFERENCES[:1])
TER = sacrebleu.corpus_ter(HYPOTHESIS, REFERENCES[:1])


@pytest.fixture
def files(tmp_path):
    """A folder of small files to score."""
    texts = {"out.de": HYPOTHESIS, "ref.de": REFERENCES[0], "ref2.de": REFERENCES[1]}
    texts |= {"three.de": HYPOTHESIS[:3], "one.de": HYPOTHESIS[:1], "empty.de": []}
    texts |= {"ref.zh": CHINESE, "ref.th": THAI, "tokenised.de": ["Ein Hund läuft ."] * 4}
    for name, lines in texts.items():
        (tmp_path / name).write_bytes("".join(f"{line}\n" for line in lines).encode())
    return tmp_path


def test_the_table_shows_each_metric_with_its_signature(nmt_cli, files):
    outcome = nmt_cli("evaluate", "--hypothesis", "out.de", "--reference", "ref.de", cwd=files)
    precisions = "/".join(f"{precision:.1f}" for precision in BLEU.precisions)
    ratio = BLEU.sys_len / BLEU.ref_len
    details = f"{precisions}, brevity penalty {BLEU.bp:.3f}, length ratio {ratio:.3f}"
    version, space = f"version:{sacrebleu.__version__}", " " * len(details)
    assert outcome.stdout.splitlines() == [
        f"metric  score  {'details':<{len(details)}}  signature",
        f"BLEU    {BLEU.score:.2f}  {details}  "
        f"nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|{version}",
        f"chrF2   {CHRF.score:.2f}  {space}  "
        f"nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|{version}",
        f"TER     {TER.score:.2f}  {'lower is better':<{len(details)}}  "
        f"nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|{version}",
    ]
    assert (outcome.code, outcome.stderr) == (0, "")


def test_json_has_every_figure_unrounded(nmt_cli, files):
    outcome = nmt_cli(
        *("evaluate", "--hypothesis", "out.de", "--reference", "ref.de"),
        *("--reference", "ref2.de", "--json", "--metric", "ter,BLEU"),
        cwd=files,
    )
    report = json.loads(outcome.stdout)
    bleu = sacrebleu.corpus_bleu(HYPOTHESIS, REFERENCES)
    assert list(report["scores"]) == ["ter", "bleu"]
    assert report["scores"]["bleu"]["value"] == bleu.score
    assert report["scores"]["bleu"]["details"]["precisions"] == bleu.precisions
    assert report["scores"]["bleu"]["signature"].startswith("nrefs:2|")
    assert report["scores"]["ter"]["value"] == sacrebleu.corpus_ter(HYPOTHESIS, REFERENCES).score
    assert (report["hypothesis"], report["references"]) == ("out.de", ["ref.de", "ref2.de"])
    assert (report["lines"], outcome.stderr, outcome.code) == (4, "", 0)


def test_standard_input_and_compressed_files_are_read(nmt_cli, files):
    (files / "ref.de.gz").write_bytes(gzip.compress((files / "ref.de").read_bytes()))
    outcome = nmt_cli(
        *("evaluate", "--hypothesis", "-", "--reference", "ref.de.gz", "--json"),
        *("--metric", "chrf", "--metric", "bleu"),
        stdin=(files / "out.de").read_bytes(),
        cwd=files,
    )
    report = json.loads(outcome.stdout)
    values = {name: score["value"] for name, score in report["scores"].items()}
    assert values == {"chrf": CHRF.score, "bleu": BLEU.score}
    assert report["hypothesis"] == "standard input"


SCORE = ("--hypothesis", "out.de", "--reference", "ref.de")


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (
            ("--hypothesis", "out.de", "--reference", "three.de"),
            1,
            "out.de has 4 lines, but three.de has 3 lines: each line needs its reference",
        ),
        (
            (*SCORE, "--reference", "one.de"),
            1,
            "out.de has 4 lines, but one.de has 1 line: each line needs its reference",
        ),
        (
            ("--model", "nowhere", "--source", "three.de", "--reference", "ref.de"),
            1,
            "three.de has 3 lines, but ref.de has 4 lines: each line needs its reference",
        ),
        (
            ("--hypothesis", "empty.de", "--reference", "empty.de"),
            1,
            "empty.de is empty: there is nothing to score against",
        ),
        (("--hypothesis", "no.de", "--reference", "ref.de"), 1, "no.de: there is no such file"),
        (("--hypothesis", "out.de", "--reference", "no.de"), 1, "no.de: there is no such file"),
        (
            (*SCORE, "--metric", "bleu,chrff"),
            1,
            "there is no metric 'chrff' (did you mean 'chrf'?); "
            "choose from bleu, chrf, chrf++, ter",
        ),
        (
            (*SCORE, "--model", "m"),
            2,
            "give either a hypothesis file to score or a model to score, not both",
        ),
        (
            (*SCORE, "--source", "m"),
            2,
            "a source file is of use only with a model, not with a hypothesis file",
        ),
        (
            ("--model", "m", "--reference", "ref.de"),
            2,
            "a model is scored by translating: name the file (--source F)",
        ),
        (
            ("--reference", "ref.de"),
            2,
            "there is nothing to score: give --hypothesis F, or --model and --source",
        ),
        (
            ("--hypothesis", "-", "--reference", "-"),
            2,
            "only one of the files can be - (standard input)",
        ),
        (
            (*SCORE, "--metric", "ter", "--fail-under", "50"),
            2,
            "--fail-under cannot watch TER, where lower is better: add bleu or chrf",
        ),
        (
            (*SCORE, "--metric", "chrf", "--bleu-tokenize", "char"),
            2,
            "--bleu-tokenize char: BLEU is not among the metrics; add --metric bleu, or leave "
            "--bleu-tokenize out",
        ),
        ((*SCORE, "--fail-under", "nan"), 2, "--fail-under nan is no score: give a number like 30"),
    ],
)
def test_bad_input_is_told_in_one_sentence(nmt_cli, files, arguments, code, sentence):
    outcome = nmt_cli("evaluate", *arguments, cwd=files)
    assert outcome.stderr == f"nmt: error: {sentence}\n"
    assert (outcome.code, outcome.stdout) == (code, "")


def test_a_line_that_would_fill_the_memory_is_refused_by_its_number(nmt_cli, files):
    with (files / "one.de").open("ab") as file:
        file.truncate((1 << 25) + 1)
    outcome = nmt_cli("evaluate", "--hypothesis", "one.de", "--reference", "ref.de", cwd=files)
    assert (outcome.code, outcome.stdout, outcome.stderr) == (
        1,
        "",
        "nmt: error: one.de: line 2 has more than 16,777,216 bytes; is this a text with a sentence "
        "a line?\n",
    )


def test_an_unknown_tokeniser_is_refused_with_the_list(nmt_cli, files):
    outcome = nmt_cli("evaluate", *SCORE, "--bleu-tokenize", "ja_mecab", cwd=files)
    assert outcome.code == 1
    assert outcome.stderr.startswith(
        "nmt: error: there is no BLEU tokeniser 'ja_mecab' (did you mean 'ja-mecab'?); "
        "choose one of none, zh, 13a, intl, char, "
    )


def test_without_a_reference_it_is_wrong_usage(nmt_cli, files):
    outcome = nmt_cli("evaluate", "--hypothesis", "out.de", cwd=files)
    assert outcome.code == 2
    assert "--reference" in outcome.stderr


@pytest.mark.parametrize(
    ("options", "code", "stderr"),
    [
        (("--fail-under", "1"), 0, ""),
        (
            ("--fail-under", "99.5"),
            3,
            f"nmt: error: BLEU is {BLEU.score:.2f}, below --fail-under 99.5\n",
        ),
        (
            ("--metric", "chrf,ter", "--fail-under", "99"),
            3,
            f"nmt: error: chrF2 is {CHRF.score:.2f}, below --fail-under 99\n",
        ),
    ],
)
def test_fail_under_sets_the_exit_code_and_prints_the_scores(nmt_cli, files, options, code, stderr):
    outcome = nmt_cli("evaluate", *SCORE, *options, cwd=files)
    assert (outcome.code, outcome.stderr) == (code, stderr)
    assert "chrF2" in outcome.stdout


def test_chinese_is_recognised_and_scored_with_its_tokeniser(nmt_cli, files):
    command = ("evaluate", "--hypothesis", "ref.zh", "--reference", "ref.zh", "--json")
    outcome = nmt_cli(*command, cwd=files)
    assert "|tok:zh|" in json.loads(outcome.stdout)["scores"]["bleu"]["signature"]
    assert outcome.stderr == (
        "ref.zh looks like Chinese, so it is scored as such (--target-lang says otherwise)\n"
    )
    assert nmt_cli(*command, "--quiet", cwd=files).stderr == ""
    outcome = nmt_cli(*command, "--target-lang", "de", "--bleu-tokenize", "char", cwd=files)
    assert "|tok:char|" in json.loads(outcome.stdout)["scores"]["bleu"]["signature"]
    assert outcome.stderr == ""


def test_thai_is_scored_by_chrf_until_its_tokeniser_is_there(nmt_cli, files):
    command = ("evaluate", "--hypothesis", "ref.th", "--reference", "ref.th", "--target-lang", "th")
    cache = {"SACREBLEU": str(files / "cache")}
    outcome = nmt_cli(*command, "--json", cwd=files, env=cache)
    assert list(json.loads(outcome.stdout)["scores"]) == ["chrf"]
    path = files / "cache" / "models" / "flores200sacrebleuspm"
    reason = (
        "BLEU cannot find the words of Thai: the model of sacreBLEU's tokeniser flores200 is not "
        f"at {path} (to download it: python -c "
        "\"from sacrebleu import BLEU; BLEU(tokenize='flores200')\")"
    )
    assert outcome.stderr == (
        f"{reason}; or choose a tokeniser of your own, such as --bleu-tokenize char\n"
        "TER is left out: it counts words, and Thai has no spaces\n"
    )
    assert not (files / "cache").exists()  # nothing was downloaded

    outcome = nmt_cli(*command, "--metric", "bleu", cwd=files, env=cache)
    assert outcome.stderr == (
        f"nmt: error: {reason}; or use --metric chrf, or --bleu-tokenize char\n"
    )
    assert outcome.code == 1

    outcome = nmt_cli(*command, "--fail-under", "20", cwd=files, env=cache)
    assert outcome.stderr.endswith(
        "nmt: error: --fail-under found no BLEU to watch: name another with --metric\n"
    )
    assert outcome.code == 1

    path.parent.mkdir(parents=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(THAI),
        model_prefix=str(path),
        model_type="char",
        vocab_size=24,
        minloglevel=2,
    )
    path.with_suffix(".model").rename(path)
    outcome = nmt_cli(*command, "--json", cwd=files, env=cache)
    bleu = json.loads(outcome.stdout)["scores"]["bleu"]
    assert round(bleu["value"], 9) == 100
    assert "|tok:flores200|" in bleu["signature"]


def test_tokenised_text_gets_a_warning(nmt_cli, files):
    outcome = nmt_cli(
        *("evaluate", "--hypothesis", "tokenised.de", "--reference", "ref.de", "--quiet"),
        cwd=files,
    )
    assert outcome.code == 0
    assert outcome.stderr == (
        "most lines of tokenised.de end in ' .', as tokenised text does: "
        "BLEU is only comparable on plain text\n"
    )


def test_lines_that_are_not_utf8_keep_their_place(nmt_cli, files):
    (files / "bad.de").write_bytes(b"Ein Hund\n\xff\xfe\nZwei\nEs regnet heute.\n")
    outcome = nmt_cli("evaluate", "--hypothesis", "bad.de", "--reference", "ref.de", cwd=files)
    assert outcome.code == 0
    assert "bad.de: not valid UTF-8 in 1 of 4 lines" in outcome.stderr
