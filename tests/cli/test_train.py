"""`nmt train` as people meet it: it keeps its limits, and says what is wrong."""

import contextlib
import json
import os
import pty
import re
import shutil
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from nmt import api
from nmt.data.corpus import Corpus
from nmt.training.catalogue import Preset, names
from nmt.training.loader import Feed
from tests.conftest import environment
from tests.support.runs import (
    SMALL,
    UPDATES,
    WATCHED,
    command,
    computed,
    metrics,
    same_weights,
    updates,
)


def test_a_finished_model_folder_has_everything(uninterrupted):
    names = {path.name for path in uninterrupted.iterdir()}
    vocabularies = {name for name in names if name.endswith(".model")}
    assert vocabularies
    assert names - vocabularies == {
        "README.md",
        "checkpoints",
        "config.json",
        "curves.png",
        "metrics.jsonl",
        "model.safetensors",
    }
    assert "nmt translate model" in (uninterrupted / "README.md").read_text()
    for line in metrics(uninterrupted):
        assert {"kind", "update", "epoch", "loss", "seconds"} <= line.keys()


def test_the_seed_decides(forked_nmt, toy_folder, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2), ("d", 20_261_120)):
        options = (*SMALL, "--updates", 3, "--seed", seed)
        assert forked_nmt(*command(toy_folder, tmp_path / name, *options)).code == 0
    assert same_weights(tmp_path / "a", tmp_path / "b")
    assert not same_weights(tmp_path / "a", tmp_path / "c")
    assert not same_weights(tmp_path / "c", tmp_path / "d")


def test_json_and_quiet(forked_nmt, toy_folder, tmp_path):
    model = tmp_path / "model"
    ended = forked_nmt(*command(toy_folder, model, *SMALL, "--updates", 3, "--json", "--quiet"))
    report = json.loads(ended.stdout)
    assert ended.stderr == ""
    assert report["model"] == str(model)
    assert report["updates"] == report["best_update"] == 3
    assert {"loss", "bleu", "chrf", "seconds"} <= report.keys()


def test_epochs_are_counted(forked_nmt, toy_folder, tmp_path):
    model = tmp_path / "model"
    ended = forked_nmt(*command(toy_folder, model, *WATCHED, "--epochs", 2))
    batches = int(re.search(r"([\d,]+) batches an epoch", ended.stderr).group(1))
    assert updates(model) == list(range(1, 2 * batches + 1))
    assert metrics(model)[-1]["epoch"] == 2


def test_a_time_limit_is_kept_and_the_rate_falls_to_zero(forked_nmt, toy_folder, tmp_path):
    model = tmp_path / "model"
    options = [option for option in WATCHED if "validate_every" not in option]
    ended = forked_nmt(*command(toy_folder, model, *options, "--time-limit", "4s"))
    assert ended.code == 0, ended.stderr
    rates = [line["learning_rate"] for line in metrics(model) if line["kind"] == "train"]
    assert rates[-1] < 0.03 * max(rates)
    assert metrics(model)[-1]["seconds"] == pytest.approx(4, abs=1)


def test_the_bar_follows_the_time(toy_folder, tmp_path):
    arguments = command(toy_folder, tmp_path / "model", *SMALL, "--time-limit", "3s")
    terminal, inside = pty.openpty()
    termios.tcsetwinsize(inside, (40, 160))
    process = subprocess.Popen(
        [sys.executable, "-m", "nmt", *map(str, arguments)], stderr=inside, env=environment()
    )
    os.close(inside)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal says that nobody writes to it any more
        while part := os.read(terminal, 4096):
            shown += part
    os.close(terminal)
    assert process.wait(timeout=30) == 0
    figures = rb"epoch \d+, update [\d,]+, loss \d\.\d+, rate 0\.\d+, tokens/s [\d,]+, peak \d+%"
    assert re.search(figures, shown)
    shares = [int(share) for share in re.findall(rb"Training: +(\d+)%", shown)]
    assert shares == sorted(shares)
    assert shares[-1] > 60


def test_a_validation_shows_its_scores_whether_they_are_the_best_and_translations(
    forked_nmt, toy_folder, tmp_path
):
    model = tmp_path / "model"
    ended = forked_nmt(*command(toy_folder, model, *WATCHED, "--updates", 70))
    validations = [line for line in metrics(model) if line["kind"] == "valid"]
    assert [line["update"] for line in validations] == [30, 60, 70]
    said, best = ended.stderr.split("\nupdate ")[1:], 0
    assert len(said) == 3
    sources = (toy_folder / "valid.source.txt").read_text().splitlines()
    references = (toy_folder / "valid.target.txt").read_text().splitlines()
    for line, (first, *samples) in zip(validations, map(str.splitlines, said), strict=True):
        best = line["update"] if line["best"] else best
        mark = "best so far" if line["best"] else f"(best at update {best})"
        assert first == (
            f"{line['update']}: BLEU {line['bleu']:.1f}, chrF {line['chrf']:.1f}, loss "
            f"{line['loss']:.3f} (perplexity {line['perplexity']:.1f})  {mark}"
        )
        names, texts = zip(*(sample.split(maxsplit=1) for sample in samples[:9]), strict=True)
        assert names == ("source", "reference", "translation") * 3
        pairs = list(zip(texts[::3], texts[1::3], strict=True))
        assert set(pairs) <= set(zip(sources, references, strict=True))
        assert len(set(pairs)) == 3


def test_list_settings_names_each_with_its_values_and_meaning(forked_nmt):
    header, *rows = forked_nmt("train", "--list-settings").stdout.splitlines()
    assert header.split() == ["setting", "tiny", "small", "base", "meaning"]
    listed = {row.split()[0]: row.split(None, 4)[1:] for row in rows}
    assert listed["model.hidden_size"][:3] == ["256", "384", "512"]
    assert listed["model.hidden_size"][3].startswith("size of a layer's output")
    assert "train.select_by" in listed
    found = json.loads(forked_nmt("train", "--list-settings", "--json").stdout)
    assert [row["setting"] for row in found] == list(listed)
    assert {row["small"] for row in found if row["setting"] == "model.hidden_size"} == {"384"}


def test_list_presets_tells_what_is_known_of_each(forked_nmt):
    header, *rows = forked_nmt("train", "--list-presets").stdout.splitlines()
    assert header.split() == ["preset", "year", "parameters", "BLEU", "tokens/s", "features"]
    listed = {row.split()[0]: row.split(None, 5)[1:] for row in rows}
    assert list(listed) == names()
    assert listed["small"][:2] == ["-", "14,450,496"]
    assert listed["small"][4] == "2+2 LSTM layers of 384, general attention in each"
    ended = forked_nmt("train", "--list-presets", "--json")
    found = [Preset(**values) for values in json.loads(ended.stdout)]
    assert found == api.list_presets()


# What is wrong with what was typed: the options, the sentence, the exit code.
MISTAKES = [
    (
        ["--set", "model.hiden_size=3"],
        "model: there is no setting 'hiden_size' (did you mean 'hidden_size'?)",
        1,
    ),
    (["--set", "train.dropout=2"], "train: dropout must be at least 0 and below 1, not 2.0", 1),
    (["--set", "dropout=0.1"], "--set dropout=0.1: write it as group.name=value", 1),
    (
        ["--preset", "smal"],
        "there is no preset 'smal' (did you mean 'small'?); "
        f"choose one of auto, {', '.join(names())}, or give a .toml file",
        1,
    ),
    (["--device", "tpu"], "--device tpu: choose one of auto, cpu", 1),
    (["--precision", "int4"], "--precision int4: choose one of auto, fp32, bf16 to train in", 1),
    *(
        (["--time-limit", text], f"--time-limit {text}: write it like 90s, 20m or 1h30m", 2)
        for text in ("soon", "-5m", "0", "1h30", "20 m", "\u00b2", "nan", "inf")
    ),
    (
        ["--time-limit", "5m", "--updates", "7"],
        "give only one of --time-limit, --epochs and --updates",
        2,
    ),
    (
        ["--epochs", "1", "--updates", "7"],
        "give only one of --time-limit, --epochs and --updates",
        2,
    ),
]


@pytest.mark.parametrize(("options", "sentence", "code"), MISTAKES)
def test_a_mistake_is_one_sentence(forked_nmt, toy_folder, tmp_path, options, sentence, code):
    ended = forked_nmt(*command(toy_folder, tmp_path / "model", *options))
    if "tpu" in sentence:  # where there is a GPU, it is among the choices
        assert ended.stderr.startswith(f"nmt: error: {sentence}")
    else:
        assert ended.stderr == f"nmt: error: {sentence}\n"
    assert (ended.code, ended.stdout) == (code, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments", [[], ["corpus"], ["-o", "model"]])
def test_both_folders_must_be_named(forked_nmt, arguments):
    ended = forked_nmt("train", *arguments)
    sentence = "name the corpus and the model folder: nmt train CORPUS -o MODEL"
    assert (ended.stderr, ended.code) == (f"nmt: error: {sentence}\n", 2)


@pytest.mark.parametrize(
    ("option", "value"), [("--updates", "0"), ("--epochs", "-1"), ("--seed", "x")]
)
def test_numbers_out_of_bounds_are_wrong_usage(forked_nmt, toy_folder, tmp_path, option, value):
    ended = forked_nmt(*command(toy_folder, tmp_path / "model", option, value))
    assert ended.code == 2
    assert option in ended.last_line
    assert "Traceback" not in ended.stderr


def newer(folder: Path) -> None:
    path = folder / "corpus.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format_version": 99}))


def cut(name: str):
    """Cut a file in half."""

    def damage(folder: Path) -> None:
        path = folder / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return damage


def flip(name: str):
    """Change the last byte of a file."""

    def damage(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        content[-1] ^= 1
        (folder / name).write_bytes(content)

    return damage


def remove(name: str):
    """Remove a file."""
    return lambda folder: (folder / name).unlink()


CHANGED = (
    "the file was changed or cut short after it was written; "
    "make the corpus again, or copy the folder again"
)
DAMAGES = {
    "cut ids": (cut("train.source.ids.npy"), "/train.source.ids.npy: " + CHANGED),
    "edited ids": (flip("train.target.ids.npy"), "/train.target.ids.npy: " + CHANGED),
    "edited text": (flip("valid.target.txt"), "/valid.target.txt: " + CHANGED),
    "missing": (
        remove("valid.source.offsets.npy"),
        "/valid.source.offsets.npy: the file is missing; make the corpus again",
    ),
    "cut manifest": (
        cut("corpus.json"),
        "/corpus.json: the file is damaged; make the corpus again",
    ),
    "newer": (
        newer,
        "/corpus.json: format version 99 is newer than this program reads (1); update nmt",
    ),
    "something else": (
        remove("corpus.json"),
        ": this is not a corpus folder (it has no corpus.json)",
    ),
}


@pytest.mark.parametrize(("damage", "sentence"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_corpus_is_refused(forked_nmt, toy_folder, tmp_path, damage, sentence):
    corpus, model = tmp_path / "corpus", tmp_path / "model"
    shutil.copytree(toy_folder, corpus)
    damage(corpus)
    ended = forked_nmt(*command(corpus, model, *SMALL, "--updates", 1))
    assert ended.stderr == f"nmt: error: {corpus}{sentence}\n"
    assert ended.code == 1
    assert not model.exists()


def test_no_corpus_or_something_else(forked_nmt, uninterrupted, tmp_path):
    (tmp_path / "file").write_text("text")
    for corpus, sentence in (
        (tmp_path / "none", "there is no such corpus folder"),
        (tmp_path / "file", "this is not a corpus folder (it has no corpus.json)"),
        (uninterrupted, "this is not a corpus folder (it has no corpus.json)"),
    ):
        ended = forked_nmt(*command(corpus, tmp_path / "model"))
        assert (ended.stderr, ended.code) == (f"nmt: error: {corpus}: {sentence}\n", 1)


def test_an_output_that_holds_something_else_is_left_alone(forked_nmt, toy_folder, tmp_path):
    (tmp_path / "file").write_text("text")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "thesis.txt").write_text("text")
    for output, sentence in (
        ("file", "this is a file; choose a folder for the model"),
        (
            "folder",
            "the folder holds other files (thesis.txt, for one); choose a new folder for the model",
        ),
        ("file/model", "a part of this path is a file, not a folder"),
    ):
        for overwrite in ([], ["--overwrite"]):
            arguments = command(toy_folder, tmp_path / output, *SMALL, "--updates", 1)
            ended = forked_nmt(*arguments, *overwrite)
            assert ended.stderr == f"nmt: error: {tmp_path / output}: {sentence}\n"
            assert ended.code == 1
    everything = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert everything == ["file", "folder", "folder/thesis.txt"]


def test_files_of_others_survive_a_model_beside_them(forked_nmt, toy_folder, tmp_path):
    model = tmp_path / "model"
    model.mkdir()
    (model / ".gitignore").write_text("*\n")
    for overwrite in ([], ["--overwrite"]):
        ended = forked_nmt(*command(toy_folder, model, *SMALL, "--updates", 2), *overwrite)
        assert ended.code == 0, ended.stderr
        assert (model / ".gitignore").read_text() == "*\n"


def test_folders_of_other_programs_survive(forked_nmt, toy_folder, tmp_path):
    card = tmp_path / "checkout"
    card.mkdir()
    (card / "README.md").write_text("my project")
    vocabulary = tmp_path / "vocabulary"
    vocabulary.mkdir()
    (vocabulary / "mine.model").write_text("pieces")
    named = tmp_path / "named"
    named.mkdir()
    (named / "source.model").write_text("pieces")
    states = tmp_path / "states"
    (states / "checkpoints").mkdir(parents=True)
    (states / "checkpoints" / "thesis.pt").write_text("years")
    other = tmp_path / "other"
    other.mkdir()
    for name, text in (("config.json", '{"model_type": "bert"}'), ("model.safetensors", "")):
        (other / name).write_text(text)
    for folder in (card, vocabulary, named, states, other):
        before = content(folder)
        arguments = command(toy_folder, folder, *SMALL, "--updates", 1)
        for overwrite in ([], ["--overwrite"]):
            ended = forked_nmt(*arguments, *overwrite)
            assert ended.code == 1
            assert ended.last_line.startswith(f"nmt: error: {folder}")
            assert content(folder) == before


def content(folder):
    return {path: path.read_text() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_that_may_not_be_written(forked_nmt, toy_folder, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    ended = forked_nmt(*command(toy_folder, closed / "model", *SMALL, "--updates", 1))
    assert ended.stderr == f"nmt: error: {closed / 'model'}: permission denied\n"
    assert ended.code == 1


def test_a_run_with_other_settings_is_refused_and_named(
    forked_nmt, toy_folder, uninterrupted, tmp_path
):
    model = tmp_path / "model"
    shutil.copytree(uninterrupted, model)
    way_out = "choose another folder, or start anew with --overwrite"
    for options, difference in (
        (["--set=train.dropout=0.5"], "train.dropout was 0.2 and is now 0.5"),
        (["--seed=2"], "seed was 1 and is now 2"),
        (["--set=model.attention=dot"], "model.attention was general and is now dot"),
    ):
        ended = forked_nmt(*command(toy_folder, model, *WATCHED, *options, "--updates", 9))
        assert ended.stderr == (
            f"nmt: error: {model}: the folder holds a run with other settings ({difference}); "
            f"{way_out}\n"
        )
        assert ended.code == 1
    assert same_weights(model, uninterrupted)
    assert computed(model) == computed(uninterrupted)


def test_a_run_on_another_corpus_is_refused_and_may_be_overwritten(
    forked_nmt, learned, uninterrupted, tmp_path
):
    model = tmp_path / "model"
    shutil.copytree(uninterrupted, model)
    arguments = command(learned("reverse").corpus, model, *SMALL, "--updates", 2)
    ended = forked_nmt(*arguments)
    assert ended.code == 1
    assert ended.stderr.startswith(f"nmt: error: {model}: the folder holds a run ")
    assert ended.stderr.endswith("; choose another folder, or start anew with --overwrite\n")
    assert same_weights(model, uninterrupted)
    ended = forked_nmt(*arguments, "--overwrite", "--set=train.report_every=1")
    assert ended.code == 0, ended.stderr
    assert updates(model) == [1, 2]


def test_limits_precision_and_reports_are_no_other_settings(
    forked_nmt, toy_folder, uninterrupted, tmp_path
):
    model = tmp_path / "model"
    shutil.copytree(uninterrupted, model)
    changed = [*WATCHED, "--set=train.report_every=7", "--set=train.checkpoint_minutes=3"]
    coarser = ["--precision=bf16", "--set=train.keep_checkpoints=1"]
    ended = forked_nmt(*command(toy_folder, model, *changed, *coarser, "--epochs", 4))
    assert ended.code == 0, ended.stderr
    assert "on cpu in bf16\ndropout rises by" in ended.stderr
    assert "\ngoing on after update 90\n" in ended.stderr
    assert updates(model) == [*range(1, UPDATES + 1), 91, 98, 100]
    ended = forked_nmt(*command(toy_folder, model, *changed, "--time-limit", "1s"))
    assert ended.code == 0, ended.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_model_may_lie_in_a_folder_whose_name_is_not_utf8(forked_nmt, toy_folder, tmp_path):
    model = tmp_path / os.fsdecode(b"caf\xe9")
    for limit in (2, 4):
        ended = forked_nmt(*command(toy_folder, model, *SMALL, "--updates", limit))
        assert ended.code == 0, ended.stderr
    assert "going on after update 2\n" in ended.stderr
    assert "nmt translate caf\\xe9 FILE" in (model / "README.md").read_text(encoding="utf-8")
    translated = forked_nmt("translate", model, stdin=b"Two big dogs sleep.\n")
    assert (translated.code, translated.stdout.count("\n")) == (0, 1), translated.stderr


@pytest.mark.parametrize("size", [2_000, 20_000, 200_000])
def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(
    forked_nmt, toy_folder, tmp_path, size
):
    model = tmp_path / "model"
    larger = ("--set=model.hidden_size=128", "--set=model.embedding_size=64")
    arguments = command(toy_folder, model, *WATCHED, *larger, "--updates", 40)
    ended = forked_nmt(*arguments, file_size=size)
    assert ended.code == 1
    assert ended.last_line.startswith(f"nmt: error: {model}")
    assert ended.last_line.endswith(
        ": no space left for a file this large: free some and run the same command again"
    )
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.rglob("*.tmp")) == []
    anew = forked_nmt(*arguments, "--overwrite", file_size=size)
    assert anew.last_line.endswith("and run the same command again, without --overwrite")
    ended = forked_nmt(*arguments)  # with more room the same command works
    assert ended.code == 0, ended.stderr
    assert updates(model) == list(range(1, 41))


def test_a_dry_run_tells_the_cost_and_writes_nothing(forked_nmt, toy_folder, tmp_path):
    ended = forked_nmt("train", toy_folder, "-o", tmp_path / "model", *SMALL, "--dry-run")
    assert ended.code == 0
    figures = dict(line.split("  ", 1) for line in ended.stdout.splitlines())
    assert list(figures) == [
        "parameters",
        "processes",
        "batches an epoch",
        "largest batch",
        "speed",
        "an epoch",
        "memory",
    ]
    assert list(tmp_path.iterdir()) == []
    ended = forked_nmt("train", toy_folder, *SMALL, "--dry-run", "--json")
    report = json.loads(ended.stdout)
    assert report["tokens_per_second"] > 0
    assert report["seconds_per_epoch"] > 0
    assert int(figures["parameters"].replace(",", "")) == report["parameters"] > 1000
    assert figures["largest batch"].split()[:5] == report["largest_batch"].split()
    assert report["largest_batch"] == largest_batch(toy_folder)
    assert 50 < report["memory_mb"] < 3000  # torch alone takes 200


def largest_batch(corpus: Path) -> str:
    """The shape of the batch of most places that SMALL makes, ends of sentences counted."""
    split = Corpus.open(corpus).train
    source, target = split.source.lengths() + 1, split.target.lengths() + 1
    shapes = [
        (len(rows), int(source[rows].max()), int(target[rows].max()))
        for rows in Feed(split, 300, seed=1).plan(0)
    ]
    pairs, longest_source, longest_target = max(shapes, key=lambda shape: shape[0] * sum(shape[1:]))
    return f"{pairs} x {longest_source} x {longest_target}"
