"""Files of tensors."""

import random
import signal

import pytest
import torch

from nmt.errors import NmtError
from nmt.tensors import load_tensors, save_tensors


class Terminated(BaseException):
    """SIGTERM came."""


class Bell:
    """Sends SIGTERM to this process when it is time, and counts how often it did."""

    def __init__(self):
        self.rung = 0

    def ring_in(self, seconds):
        """Ring after so many seconds; 0 is never."""
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def ring(self, number, frame):
        self.rung += 1
        signal.raise_signal(signal.SIGTERM)


@pytest.fixture
def bell():
    def terminate(number, frame):
        raise Terminated

    bell = Bell()
    handlers = {signal.SIGALRM: bell.ring, signal.SIGTERM: terminate}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    yield bell
    bell.ring_in(0)
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_while_a_file_is_read_is_neither_lost_nor_taken_for_damage(tmp_path, bell):
    path = tmp_path / "model.safetensors"
    save_tensors(path, {f"part{n}": torch.randn(50, 50) for n in range(60)}, {})
    load_tensors(path)
    chance, ended = random.Random(1), 0
    for _ in range(300):
        try:
            bell.ring_in(chance.uniform(1e-5, 3e-3))
            load_tensors(path)
            bell.ring_in(0)
        except Terminated:
            ended += 1
    assert ended == bell.rung > 0


def test_a_signal_while_a_damaged_file_is_read_is_not_lost(tmp_path, bell):
    path = tmp_path / "model.safetensors"
    save_tensors(path, {f"part{n}": torch.randn(50, 50) for n in range(60)}, {})
    path.write_bytes(path.read_bytes()[:-1])
    chance, ended = random.Random(1), 0
    for _ in range(300):
        try:
            bell.ring_in(chance.uniform(1e-5, 3e-4))
            with pytest.raises(NmtError):
                load_tensors(path)
            bell.ring_in(0)
        except Terminated:
            ended += 1
    assert ended == bell.rung > 0


def test_without_a_signal_a_damaged_file_is_told(tmp_path):
    path = tmp_path / "model.safetensors"
    save_tensors(path, {"part": torch.randn(50, 50)}, {})
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(NmtError, match="changed or cut short after it was written"):
        load_tensors(path)
