"""Checkpoints: whole or passed over; and files of tensors."""

import logging
from dataclasses import replace

import pytest
import torch

from nmt.errors import FolderError
from nmt.tensors import load_tensors, save_tensors
from nmt.training.checkpoint import Position, load_newest, save_checkpoint, trained_in

TENSORS = {
    "weights": torch.randn(3, 4),
    "half": torch.randn(5).bfloat16(),
    "step": torch.tensor(7.0),
    "empty": torch.zeros(0, 2, dtype=torch.float64),
    "ids": torch.arange(6),
}
POSITION = Position(update=300, epoch=2, batch=17, seconds=1.25, best_score=33.4, bad_validations=2)


def same(found: dict[str, torch.Tensor]) -> bool:
    return found.keys() == TENSORS.keys() and all(
        torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype
        for name, tensor in TENSORS.items()
    )


def save_three(folder) -> list:
    for update in (100, 200, 300):
        save_checkpoint(folder, TENSORS, replace(POSITION, update=update), keep=3)
    return sorted(folder.iterdir())


def test_what_is_saved_comes_back(tmp_path):
    save_checkpoint(tmp_path / "checkpoints", TENSORS, POSITION, keep=1)
    tensors, position = load_newest(tmp_path / "checkpoints")
    assert same(tensors)
    assert position == POSITION


def test_without_a_checkpoint_there_is_none(tmp_path):
    assert load_newest(tmp_path / "checkpoints") is None


def test_only_the_newest_are_kept_and_none_from_which_the_run_went_back(tmp_path):
    kept = []
    for update in (5, 20, 100, 50, 3000):
        save_checkpoint(tmp_path, TENSORS, Position(update=update), keep=2)
        kept.append([int(path.stem.removeprefix("update-")) for path in sorted(tmp_path.iterdir())])
    assert kept == [[5], [5, 20], [20, 100], [20, 50], [50, 3000]]
    assert load_newest(tmp_path)[1].update == 3000


def test_copies_by_other_names_are_let_be(tmp_path):
    save_checkpoint(tmp_path, TENSORS, Position(update=100), keep=1)
    names = ("update-best", "update-00000900-copy", "update-00000900 (1)")
    copies = [tmp_path / f"{name}.safetensors" for name in names]
    for copy in copies:
        copy.write_bytes((tmp_path / "update-00000100.safetensors").read_bytes())
    save_checkpoint(tmp_path, TENSORS, Position(update=200), keep=1)
    assert all(copy.exists() for copy in copies)
    assert load_newest(tmp_path)[1].update == 200
    assert [path.name for path in trained_in(tmp_path)] == ["update-00000200.safetensors"]


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip_last(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def flip_notes(content: bytes) -> bytes:
    return content.replace(b"17", b"18", 1)


DAMAGES = {
    "cut": cut,
    "flipped": flip_last,
    "edited": flip_notes,
    "empty": lambda content: b"",
    "text": lambda content: b"hello\n" * 100,
    "zeros": lambda content: bytes(len(content)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_newest_checkpoint_is_passed_over(tmp_path, caplog, damage):
    caplog.set_level(logging.INFO, "nmt")
    logging.getLogger("nmt").propagate = True
    newest = save_three(tmp_path)[-1]
    newest.write_bytes(damage(newest.read_bytes()))
    tensors, position = load_newest(tmp_path)
    assert position.update == 200
    assert same(tensors)
    assert caplog.messages == [f"{newest} is damaged; going back to the checkpoint before it"]


def test_where_all_are_damaged_there_is_none(tmp_path, caplog):
    logging.getLogger("nmt").propagate = True
    paths = save_three(tmp_path)
    for path in paths:
        path.write_bytes(cut(path.read_bytes()))
    assert load_newest(tmp_path) is None
    assert caplog.messages[-1] == f"{paths[0]} is damaged"
    assert sorted(tmp_path.iterdir()) == paths  # somebody may know what to do with them


def test_a_checkpoint_of_another_version_is_not_taken_for_a_damaged_one(tmp_path):
    path = save_three(tmp_path)[-1]
    tensors, notes = load_tensors(path)
    save_tensors(path, tensors, notes | {"mood": 0.5})
    with pytest.raises(FolderError, match="another version of nmt wrote this checkpoint; go on"):
        load_newest(tmp_path)
    assert path.exists()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_tensors_are_named(tmp_path, damage):
    path = tmp_path / "model.safetensors"
    save_tensors(path, TENSORS, {"batch": 17})
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(FolderError) as caught:
        load_tensors(path)
    sentence = "the file was changed or cut short after it was written"
    assert str(caught.value) == f"{path}: {sentence}"


def test_missing_tensors_are_named(tmp_path):
    with pytest.raises(FolderError) as caught:
        load_tensors(tmp_path / "no.safetensors")
    assert str(caught.value) == f"{tmp_path / 'no.safetensors'}: the file is missing"


def test_tensors_of_another_program_are_no_checkpoint_of_ours(tmp_path):
    from safetensors.torch import save_file

    save_file(TENSORS, tmp_path / "other.safetensors")
    with pytest.raises(FolderError):
        load_tensors(tmp_path / "other.safetensors")
