"""What the tests of the command line share."""

from pathlib import Path

import pytest

from tests.support.runs import UPDATES, WATCHED, command


@pytest.fixture(scope="session")
def uninterrupted(forked_nmt, toy_folder, tmp_path_factory) -> Path:
    """A model trained in one go."""
    model = tmp_path_factory.mktemp("whole") / "model"
    ended = forked_nmt(*command(toy_folder, model, *WATCHED, "--updates", UPDATES))
    assert ended.code == 0, ended.stderr
    return model
