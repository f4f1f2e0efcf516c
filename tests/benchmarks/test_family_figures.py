"""What benchmarks/family.py keeps and writes."""

import shutil

import pytest

from benchmarks.family import record
from benchmarks.runs import Ledger
from nmt.settings import read_toml
from nmt.training.catalogue import FOLDER, facts, names

FIGURES = {"parameters": 1_234_567, "bleu": 35.678, "tokens_per_second": 4321.4, "chrf": 60.0}


@pytest.mark.parametrize("name", names())
def test_measured_figures_go_into_a_preset_and_change_nothing_else(tmp_path, name):
    path = tmp_path / f"{name}.toml"
    shutil.copy(FOLDER / path.name, path)
    old, text = read_toml(path), path.read_text(encoding="utf-8")
    record(path, FIGURES)
    once = path.read_text(encoding="utf-8")
    new = read_toml(path)
    measured = {"parameters": 1_234_567, "bleu": 35.7, "tokens_per_second": 4321}
    assert new.pop("preset") == old.pop("preset") | measured
    assert new == old
    assert facts(name, read_toml(path)["preset"]).bleu == 35.7
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert [line for line in once.splitlines() if line.startswith("#")] == comments
    record(path, FIGURES)
    assert path.read_text(encoding="utf-8") == once


def test_what_was_measured_is_not_measured_again(tmp_path):
    turns = []

    def measure():
        turns.append(1)
        return {"bleu": len(turns)}

    path = tmp_path / "new" / "figures.json"
    assert Ledger(path).measured("tiny", measure) == {"bleu": 1}
    assert Ledger(path).measured("tiny", measure) == {"bleu": 1}
    ledger = Ledger(path)
    ledger.forget("tiny")
    ledger.forget("small")
    assert Ledger(path).measured("tiny", measure) == {"bleu": 2}
