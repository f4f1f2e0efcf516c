"""What `pip install .` installs: everything that the program reads, and the command."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("pyproject.toml", "README.md", "LICENSE", "nmt")


def test_the_wheel_holds_the_program_and_the_files_that_it_reads(tmp_path):
    source = tmp_path / "source"  # building leaves files beside the sources
    source.mkdir()
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, source / name)
    build = [sys.executable, "-m", "pip", "wheel", source, "--quiet", "-w", tmp_path]
    offline = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    done = subprocess.run([*build, *offline], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("nmt-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
        (commands,) = (name for name in held if name.endswith("entry_points.txt"))
        assert b"nmt = nmt.__main__:run" in archive.read(commands)
    files = [path for path in (ROOT / "nmt").rglob("*") if path.is_file()]
    read = {path for path in files if "__pycache__" not in path.parts}
    assert {str(path.relative_to(ROOT)) for path in read} <= held
