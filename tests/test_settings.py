"""Settings: what is unknown or unfit is refused with a sentence that helps."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt.errors import SettingError
from nmt.settings import assignments, build, read_toml, setting


@dataclasses.dataclass(frozen=True)
class Group:
    """A group with one setting of each type."""

    layers: int = setting(2, "how many layers")
    dropout: float = setting(0.1, "share of zeros")
    tied: bool = setting(True, "one table for both")
    attention: str = setting("general", "how scores are made", ("general", "dot"))

    def __post_init__(self) -> None:
        if self.layers < 1:
            raise ValueError(f"layers must be 1 or more, not {self.layers}")


def test_defaults_are_in_one_place():
    assert build(Group, {}, "model") == Group(2, 0.1, True, "general")


def test_every_setting_says_what_it_means():
    assert [field.metadata["meaning"] for field in dataclasses.fields(Group)] == [
        "how many layers",
        "share of zeros",
        "one table for both",
        "how scores are made",
    ]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"layer": 3}, "model: there is no setting 'layer' (did you mean 'layers'?)"),
        ({"colour": 3}, "model: there is no setting 'colour'"),
        ({"layers": "many"}, "model: layers needs a whole number, not 'many'"),
        ({"layers": 1.5}, "model: layers needs a whole number, not '1.5'"),
        ({"layers": True}, "model: layers needs a whole number, not 'True'"),
        ({"dropout": False}, "model: dropout needs a number, not 'False'"),
        ({"attention": True}, "model: attention needs text, not 'True'"),
        ({"dropout": "x"}, "model: dropout needs a number, not 'x'"),
        ({"dropout": 10**400}, f"model: dropout needs a number, not '{10**400}'"),
        ({"tied": "maybe"}, "model: tied needs true or false, not 'maybe'"),
        (
            {"attention": "dott"},
            "model: attention cannot be 'dott' (did you mean 'dot'?); choose one of general, dot",
        ),
        ({"layers": 0}, "model: layers must be 1 or more, not 0"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(values, sentence):
    with pytest.raises(SettingError) as caught:
        build(Group, values, "model")
    assert str(caught.value) == sentence


@given(
    st.builds(
        Group,
        layers=st.integers(1, 1000),
        dropout=st.floats(0, 1),
        tied=st.booleans(),
        attention=st.sampled_from(["general", "dot"]),
    )
)
def test_text_and_typed_values_mean_the_same(group):
    typed = dataclasses.asdict(group)
    assert build(Group, typed, "model") == group
    assert build(Group, {name: str(value) for name, value in typed.items()}, "model") == group


def test_assignments_are_sorted_into_groups():
    assert assignments(["model.layers=2", "training.name = a=b", "model.tied=no"]) == {
        "model": {"layers": "2", "tied": "no"},
        "training": {"name": "a=b"},
    }


@pytest.mark.parametrize("text", ["layers=2", "model.layers", "", "="])
def test_an_assignment_needs_a_group_a_name_and_a_value(text):
    with pytest.raises(SettingError) as caught:
        assignments([text])
    assert str(caught.value) == f"--set {text}: write it as group.name=value"


def test_a_file_of_settings(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text("[model]\nlayers = 3\n")
    assert read_toml(path) == {"model": {"layers": 3}}


@pytest.mark.parametrize("content", [None, b"[model\n", b"\xff"])
def test_a_file_that_holds_no_settings_is_named(tmp_path, content):
    path = tmp_path / "my.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingError) as caught:
        read_toml(path)
    assert str(caught.value).startswith(f"{path}: cannot be read as a file of settings: ")
    assert "\n" not in str(caught.value)
