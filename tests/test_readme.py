"""The commands and the Python of our pages run as they stand, in order, on small files."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.runs import nmt_program

ROOT = Path(__file__).resolve().parent.parent
# The first makes what others use.
PAGES = ("README.md", "docs/train.md", "docs/translate.md", "docs/models.md", "data/README.md")
BLOCKS = re.findall(
    r"^```(\w+)\n(.*?)^```$",
    "".join((ROOT / page).read_text(encoding="utf-8") for page in PAGES),
    re.MULTILINE | re.DOTALL,
)

# What continuous integration runs itself, before the tests.
SKIPPED = {
    "make demo": "minutes",
    "python3 -m venv .venv && . .venv/bin/activate": "make installs",
    "pip install .": "make installs",
}
# What is made shorter: nobody wants to wait for a test that trains for twenty minutes.
SHORTENED = {"--time-limit 20m": "--updates 5"}
SHELL = set("|&;<>()$`*?[~#")


def steps() -> list[tuple[str, str]]:
    """Every command and every Python block in the pages' order, with its language."""
    found = []
    for language, text in BLOCKS:
        lines = text.replace("\\\n", " ").splitlines() if language == "sh" else [text]
        found += [(language, line) for line in lines if line.strip()]
    return found


@pytest.fixture
def workplace(tmp_path, make_toy_corpus) -> Path:
    """A folder with the files that the README speaks of, and an `nmt` command."""
    toy = make_toy_corpus(tmp_path / "toy")
    for name, path in {
        "train.en": toy.train_source,
        "train.de": toy.train_target,
        "valid.en": toy.valid_source,
        "valid.de": toy.valid_target,
        "more.de": toy.valid_target,
        "test.en": toy.valid_source,
        "test.de": toy.valid_target,
    }.items():
        shutil.copy(path, tmp_path / name)
    (tmp_path / "scripts").symlink_to(ROOT / "scripts")
    nmt_program(tmp_path)
    return tmp_path


def test_every_command_runs(workplace, forked_nmt):
    environment = os.environ | {
        "PATH": f"{workplace / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
    }
    for language, step in steps():
        if step in SKIPPED:
            continue
        for long, short in SHORTENED.items():
            step = step.replace(long, short)
        if step.startswith("nmt ") and not SHELL & set(step):  # needs no shell, only time
            ended = forked_nmt(*shlex.split(step)[1:], cwd=str(workplace))
            assert ended.code == 0, f"{step}\n{ended.stderr}"
            continue
        program = ["bash", "-euo", "pipefail"] if language == "sh" else [sys.executable]
        done = subprocess.run(
            [*program, "-c", step],
            cwd=workplace,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, f"{step}\n{done.stderr}"


def test_the_exceptions_are_still_in_the_readme():
    commands = [step for _, step in steps()]
    assert not set(SKIPPED) - set(commands)
    assert all(any(long in command for command in commands) for long in SHORTENED)


def test_blocks_are_of_a_language_that_is_tested():
    assert {language for language, _ in BLOCKS} <= {"sh", "python"}


def anchors(page: Path) -> set[str]:
    """The names by which links find the headings of a page."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [*PAGES, "benchmarks/README.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target, heading in re.findall(r"\]\(([^)#]*)(#[^)]*)?\)", text):
        if "://" in target:
            continue
        path = (ROOT / page).parent.joinpath(target) if target else ROOT / page
        assert path.exists(), target
        if heading:
            assert heading[1:] in anchors(path), target + heading
