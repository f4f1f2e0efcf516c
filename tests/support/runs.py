"""Runs of `nmt train` that tests can watch."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file

UPDATES = 90
SMALL = (
    "--preset=tiny",
    "--set=model.embedding_size=16",
    "--set=model.hidden_size=16",
    "--set=train.batch_tokens=300",
    "--precision=fp32",
    "--device=cpu",
)
# A line for each update, validations in between, a checkpoint every few updates.
WATCHED = (
    *SMALL,
    "--set=train.report_every=1",
    "--set=train.validate_every=30",
    "--set=train.checkpoint_minutes=0.001",
)


def command(corpus: Path, model: Path, *options: object) -> list[object]:
    """The arguments of `nmt train`."""
    return ["train", corpus, "-o", model, *options]


def nmt_program(folder: Path) -> Path:
    """Make an `nmt` command in a new folder, for shell scripts to find; returns that folder."""
    program = folder / "bin" / "nmt"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m nmt "$@"\n')
    program.chmod(0o755)
    return program.parent


def metrics(model: Path) -> list[dict]:
    """The lines of metrics.jsonl."""
    return [json.loads(line) for line in (model / "metrics.jsonl").read_text().splitlines()]


def updates(model: Path, kind: str = "train") -> list[int]:
    """The updates that metrics.jsonl tells of."""
    return [line["update"] for line in metrics(model) if line["kind"] == kind]


def computed(model: Path) -> list[dict]:
    """What metrics.jsonl says of the model, without what it says of the clock."""
    clock = {"seconds", "tokens_per_second", "share_of_peak"}
    return [{key: line[key] for key in line if key not in clock} for line in metrics(model)]


def same_weights(one: Path, other: Path) -> bool:
    """Say whether two models are equal, bit for bit."""
    first, second = (load_file(model / "model.safetensors") for model in (one, other))
    return first.keys() == second.keys() and all(
        torch.equal(first[name], second[name]) for name in first
    )


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.005)


def has_lines(model: Path, count: int) -> bool:
    """Say whether metrics.jsonl has so many lines by now."""
    path = model / "metrics.jsonl"
    return path.exists() and path.read_bytes().count(b"\n") >= count
