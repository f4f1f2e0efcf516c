"""A model of each paper's preset is trained, saved, and translates in a fresh process."""

import pytest

from nmt.api import Limits, TrainOptions, Translator, train
from nmt.training.catalogue import OURS, names

CHANGES = ["model.embedding_size=16", "model.hidden_size=16", "train.batch_tokens=300"]
LINES = ["Two big dogs sleep.", "", "Five new cars are there!", "Three old cats are here."]


@pytest.mark.parametrize("preset", [name for name in names() if name not in OURS])
def test_a_fresh_process_translates_one_by_one_as_this_one_does_together(
    forked_nmt, toy_folder, tmp_path, preset
):
    options = TrainOptions(
        preset=preset, changes=CHANGES, limits=Limits(updates=3), device="cpu", precision="fp32"
    )
    train(toy_folder, tmp_path / "model", options)
    here = Translator.load(tmp_path / "model", device="cpu", precision="fp32").translate(LINES)
    ended = forked_nmt(
        *("translate", tmp_path / "model", "--batch-size", 1),
        *("--device=cpu", "--precision=fp32"),
        stdin="".join(f"{line}\n" for line in LINES).encode(),
    )
    assert ended.code == 0, ended.stderr
    assert ended.stdout.split("\n") == [*(translation.text for translation in here), ""]
    assert here[1].text == ""
