"""The house rules that a program can check: which room may import which, and sizes."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "nmt").rglob("*.py"))
OURS = MODULES + [
    path
    for folder in ("scripts", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ".work" not in path.parts
]

FOUNDATION = {
    "errors",
    "files",
    "hardware",
    "processes",
    "progress",
    "settings",
    "signals",
    "tensors",
}
MIDDLE = {"models", "data", "evaluation"}
# Each room, and what it may import besides itself. What is missing here may import anything but
# cli: nmt/api.py, which puts the rooms together.
ARROWS = {
    "errors": set(),
    "progress": set(),
    "processes": {"errors"},
    "files": {"errors"},
    "settings": {"errors"},
    "signals": {"errors"},
    "tensors": {"errors", "files", "signals"},
    "hardware": {"errors"},
    "models": {"errors", "settings"},
    "data": FOUNDATION,
    "evaluation": FOUNDATION,
    "decoding": FOUNDATION | MIDDLE,
    "training": FOUNDATION | MIDDLE | {"decoding"},
}
MODELS_MAY_IMPORT = {"torch", "nmt", "abc", "collections", "dataclasses", "math", "typing"}


def room(module: str) -> str:
    """`nmt.data.corpus` is in the room `data`."""
    return module.split(".")[1]


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports in full, please"
            # `from nmt import api` imports nmt.api
            inside = [f"nmt.{name.name}" for name in node.names] if node.module == "nmt" else []
            yield from inside or [node.module or ""]


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def public(path: Path) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    """Every class, function and method of a file that others may use."""
    todo = list(ast.parse(path.read_text(encoding="utf-8")).body)
    for node in todo:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node
            todo += node.body if isinstance(node, ast.ClassDef) else []


def name_of(path: Path) -> str:
    """A file's name in messages."""
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_arrows_point_one_way(path):
    here = path.relative_to(ROOT / "nmt").with_suffix("").parts[0]
    ours = {room(name) for name in imported(path) if name.startswith("nmt.")} - {here}
    if here not in ("cli", "__main__"):
        assert "cli" not in ours
    if here in ARROWS:
        assert ours <= ARROWS[here]
    if here == "models":
        assert {name.split(".")[0] for name in imported(path)} <= MODELS_MAY_IMPORT


@pytest.mark.parametrize("path", OURS, ids=name_of)
def test_files_and_functions_fit_on_a_screen(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    for function in functions(path):
        assert (function.end_lineno or 0) - function.lineno < 50 or "cli" in path.parts, (
            function.name
        )


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_is_public_is_explained_and_takes_few_arguments(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), "the module itself"
    for item in public(path):
        assert ast.get_docstring(item), item.name
    for function in functions(path):
        arguments = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        own = [argument for argument in arguments if argument.arg not in ("self", "cls")]
        assert len(own) <= 7 or "cli" in path.parts, function.name


def test_the_order_to_read_the_models_in_names_every_file_once():
    pages = (ROOT / "nmt" / "models" / "__init__.py").read_text(encoding="utf-8").splitlines()
    named = [line.strip().split("  ")[0].split(", ") for line in pages if line.startswith("    ")]
    files = [path.stem for path in MODULES if path.parent.name == "models"]
    assert sorted(sum(named, ["__init__"])) == sorted(files)


def test_the_middle_of_the_functions_is_short():
    lengths = sorted((f.end_lineno or 0) - f.lineno + 1 for p in MODULES for f in functions(p))
    assert lengths[len(lengths) // 2] <= 12
