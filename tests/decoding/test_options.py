"""Options of a search: what has no sense is refused in a sentence."""

import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from nmt.decoding.options import SearchOptions
from nmt.errors import SettingError

REFUSED = [
    ({"beam_size": 0}, "the beam size must be 1 or more, not 0"),
    ({"length_penalty": -0.5}, "the length penalty must be 0 or more, not -0.5"),
    ({"length_penalty": float("nan")}, "the length penalty must be 0 or more, not nan"),
    (
        {"length_penalty": "mean"},
        "the length penalty must be a number or one of none, average, not mean",
    ),
    ({"coverage_penalty": -1.0}, "the coverage penalty must be 0 or more, not -1.0"),
    ({"max_length": 10**20}, f"the maximum length must be at most 1,000,000, not {10**20}"),
    ({"max_length_ratio": 1e20}, "the maximum length ratio must be at most 1,000,000, not 1e+20"),
    ({"coverage_penalty": 1e39}, "the coverage penalty must be at most 1,000,000, not 1e+39"),
    ({"length_penalty": 200.0}, "the length penalty must be at most 6, not 200.0"),
    ({"length_ratio": -5.0}, "the length ratio must be 0 or more, not -5.0"),
    ({"length_extra": -5}, "the extra length must be 0 or more, not -5"),
    ({"sample": True, "temperature": 1e-40}, "the temperature must be 0.001 or more, not 1e-40"),
    ({"max_length": 0}, "the maximum length must be 1 or more, not 0"),
    ({"max_length_ratio": 0.0}, "the maximum length ratio must be more than 0, not 0.0"),
    ({"sample": True, "beam_size": 1, "temperature": 0.0}, "the temperature must be 0.001 or more"),
    (
        {"sample": True, "top_p": 1.5},
        "the probability to draw from (--top-p) must be more than 0 and at most 1, not 1.5",
    ),
    (
        {"n_best": 6},
        "the 6 best translations need a beam of 6 or more, not 5; add --beam-size 6",
    ),
    (
        {"beam_size": 1, "n_best": 2},
        "the 2 best translations need a beam of 2 or more, not 1; add --beam-size 2",
    ),
    (
        {"min_length": 9, "max_length": 5},
        "no translation has at least 9 and at most 5 pieces; change --min-length or --max-length",
    ),
    (
        {"min_length_ratio": 2.0, "max_length_ratio": 0.5},
        "no translation is at least 2.0 and at most 0.5 times as long as its source; change "
        "--min-length-ratio or --max-length-ratio",
    ),
    (
        {"beam_size": 1, "coverage_penalty": 0.2},
        "--coverage-penalty changes nothing in greedy search; it is for beam search",
    ),
    (
        {"sample": True, "beam_size": 4},
        "--beam-size changes nothing in sampling (--sample); it is for beam search and greedy "
        "search",
    ),
    ({"top_k": 4}, "--top-k changes nothing in beam search; it is for sampling (--sample)"),
    ({"beam_size": 1, "seed": 2}, "--seed changes nothing in greedy search; it is for sampling"),
]


@pytest.mark.parametrize(("options", "sentence"), REFUSED)
def test_options_without_sense_are_refused(options, sentence):
    with pytest.raises(SettingError) as caught:
        SearchOptions(**options)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("options", "shortest", "longest"),
    [
        ({}, [0, 0, 0], [22, 24, 42]),
        ({"max_length": 7}, [0, 0, 0], [8, 8, 8]),
        ({"max_length_ratio": 1.1}, [0, 0, 0], [2, 2, 12]),  # at least a piece
        ({"min_length": 30}, [30, 30, 30], [31, 31, 42]),
        ({"min_length_ratio": 1.1}, [0, 2, 11], [22, 24, 42]),  # 1.1 * 10 is 11
        ({"min_length": 6, "max_length_ratio": 0.5}, [1, 1, 5], [2, 2, 6]),  # the limit wins
    ],
)
def test_lengths_are_limited(options, shortest, longest):
    found, lengths = SearchOptions(**options), torch.tensor([1, 2, 11])
    assert found.longest(lengths).tolist() == longest
    assert found.shortest(lengths).tolist() == shortest


def test_options_are_made_without_torch():
    code = "import nmt, sys; nmt.SearchOptions(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def table_of_the_docs() -> list[tuple[str, str, str]]:
    """Each option, kind of search and cell of the table in docs/translate.md."""
    page = (Path(__file__).parents[2] / "docs" / "translate.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("| ")]
    kinds = [kind.strip() for kind in rows[0][1:]]
    return [
        (option, kind, cell.strip())
        for options, *cells in rows[1:]
        for option in re.findall(r"--([\w-]+)", options)
        for kind, cell in zip(kinds, cells, strict=True)
    ]


KINDS = {"beam": {}, "greedy": {"beam_size": 1}, "sampling": {"sample": True}}
OTHER_VALUES = {"max_length": 9, "max_length_ratio": 1.5, "top_p": 0.5}


def test_the_table_in_the_docs_says_what_is_refused():
    told = table_of_the_docs()
    names = {field.name: field.default for field in fields(SearchOptions)}
    for option, kind, cell in told:
        name = option.replace("-", "_")
        if name in names:
            value = OTHER_VALUES.get(name) or names[name] + 1
            others = {} if name == "beam_size" and kind == "greedy" else {name: value}
            if cell == "refused":
                with pytest.raises(SettingError, match=f"--{option} |beam"):
                    SearchOptions(**KINDS[kind] | others)
            else:
                assert SearchOptions(**KINDS[kind] | others).strategy == kind
        else:
            assert cell == "yes"
    hidden = {"sample", "length_ratio", "length_extra"}
    assert {option.replace("-", "_") for option, _, _ in told} >= names.keys() - hidden
