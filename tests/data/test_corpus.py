"""Opening what is not, or no longer, a corpus."""

import json
import shutil
from pathlib import Path

import pytest

from nmt.api import PreprocessOptions, preprocess
from nmt.data.arrays import SideWriter, id_type, read_array
from nmt.data.corpus import Corpus
from nmt.errors import FolderError


@pytest.fixture(scope="module")
def pristine(tmp_path_factory, make_toy_corpus) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    toy = make_toy_corpus(folder / "toy")
    preprocess(PreprocessOptions((toy.train_source,), (toy.train_target,)), folder / "corpus")
    return folder / "corpus"


@pytest.fixture
def corpus(pristine, tmp_path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "corpus"))


def edit(corpus: Path, **changes: object) -> None:
    path = corpus / "corpus.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}))


def test_a_copy_is_as_good_as_the_original(corpus):
    assert len(Corpus.open(corpus).train) > 300


@pytest.mark.parametrize("name", ["train.source.ids.npy", "joint.model", "valid.target.txt"])
def test_a_file_cut_short_is_told(corpus, name):
    content = (corpus / name).read_bytes()
    (corpus / name).write_bytes(content[:-1])
    with pytest.raises(FolderError, match=f"{name}: the file was changed or cut short"):
        Corpus.open(corpus)


def test_a_file_that_was_edited_is_told(corpus):
    text = (corpus / "valid.source.txt").read_bytes()
    (corpus / "valid.source.txt").write_bytes(text.replace(b"a", b"e"))
    with pytest.raises(FolderError, match=r"valid\.source\.txt: the file was changed"):
        Corpus.open(corpus)


def test_a_missing_file_is_told(corpus):
    (corpus / "joint.model").unlink()
    with pytest.raises(FolderError, match=r"joint\.model: the file is missing"):
        Corpus.open(corpus)


def test_a_newer_version_is_told(corpus):
    edit(corpus, format_version=2)
    with pytest.raises(FolderError, match="format version 2 is newer than this program reads"):
        Corpus.open(corpus)


@pytest.mark.parametrize(
    "changes",
    [
        {"splits": {}},
        {"source": None},
        {"joint": False, "target": {"language": "de", "vocabulary": "no.model", "pieces": 5}},
        {"source": {"language": "en", "vocabulary": "joint.model", "pieces": 5}},
        {"splits": {"train": {"pairs": 1, "source_tokens": 1, "target_tokens": 1}}},
        {"files": {}, "splits": [1, 2]},
    ],
)
def test_a_manifest_that_does_not_fit_is_told(corpus, changes):
    edit(corpus, **changes)
    with pytest.raises(FolderError, match=r"corpus\.json: it does not fit the files beside it"):
        Corpus.open(corpus)


@pytest.mark.parametrize("content", ["", "[]", "{", "null", '{"format_version": 1}'])
def test_a_manifest_that_is_damaged_is_told(corpus, content):
    (corpus / "corpus.json").write_text(content)
    with pytest.raises(FolderError, match=r"corpus\.json: the file is damaged"):
        Corpus.open(corpus)


def test_other_things_are_told(tmp_path):
    with pytest.raises(FolderError, match="there is no such corpus folder"):
        Corpus.open(tmp_path / "nowhere")
    with pytest.raises(
        FolderError, match=r"this is not a corpus folder \(it has no corpus\.json\)"
    ):
        Corpus.open(tmp_path)


@pytest.mark.parametrize("pieces", [256, 257, 65536, 65537])
def test_ids_take_the_smallest_type_that_holds_them(tmp_path, pieces):
    sentences = [[pieces - 1, 0], [], [1]]
    with SideWriter(tmp_path, "train", "source", pieces) as writer:
        writer.write(sentences)
        writer.write([])
        writer.write([[2]])
    ids = read_array(tmp_path / "train.source.ids.npy", "u")
    offsets = read_array(tmp_path / "train.source.offsets.npy", "i")
    assert ids.tolist() == [pieces - 1, 0, 1, 2]
    assert offsets.tolist() == [0, 2, 2, 3, 4]
    assert ids.dtype == id_type(pieces)
    assert ids.dtype.itemsize == {256: 1, 257: 2, 65536: 2, 65537: 4}[pieces]


def test_an_array_that_is_none_is_told(tmp_path):
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY nonsense")
    with pytest.raises(FolderError, match=r"x\.npy: this is not an array of ours"):
        read_array(tmp_path / "x.npy", "u")


def test_a_reversed_corpus_has_its_sides_exchanged(corpus):
    opened = Corpus.open(corpus)
    turned = opened.reversed()
    assert turned.source_language == opened.target_language
    assert turned.target_language == opened.source_language
    assert turned.valid_source_text == opened.valid_target_text
    assert turned.valid_target_text == opened.valid_source_text
    assert turned.manifest["target"] == opened.manifest["source"]
    counts = (turned.manifest["splits"]["train"], opened.manifest["splits"]["train"])
    assert counts[0]["source_tokens"] == counts[1]["target_tokens"] != counts[1]["source_tokens"]
    for mine, theirs in ((turned.train, opened.train), (turned.valid, opened.valid)):
        assert mine.source is theirs.target
        assert mine.target is theirs.source
    assert turned.reversed().manifest == opened.manifest
    assert turned.reversed().valid_source_text == opened.valid_source_text
