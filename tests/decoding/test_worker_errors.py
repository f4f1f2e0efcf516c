"""What goes wrong in a worker arrives as if it had gone wrong here."""

from dataclasses import dataclass
from typing import NoReturn

import pytest

from nmt.decoding.recipe import Recipe
from nmt.decoding.team import Job, open_team
from nmt.decoding.writers.options import WriterOptions
from nmt.errors import FolderError


class Unsendable(Exception):
    """An error that cannot be made again from what it says."""

    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


@dataclass(frozen=True)
class Failing(Recipe):
    """A recipe that never comes to anything."""

    error: type[Exception] = Exception
    arguments: tuple[object, ...] = ()

    def load(self) -> NoReturn:
        """Fail."""
        raise self.error(*self.arguments)


@pytest.mark.parametrize(
    ("failing", "arrives"),
    [
        (
            Failing("m", error=ZeroDivisionError, arguments=("by zero",)),
            ZeroDivisionError("by zero"),
        ),
        (Failing("m", error=MemoryError), MemoryError()),
        (Failing("m", error=FolderError, arguments=("m: damaged",)), FolderError("m: damaged")),
        (Failing("m", error=Unsendable, arguments=(1, 2)), RuntimeError("Unsendable: 1 and 2")),
    ],
)
def test_an_error_keeps_its_kind_and_tells_where_it_happened(failing, arrives):
    job = Job(failing, WriterOptions(), "in")
    with pytest.raises(type(arrives)) as told, open_team(job, 2):
        pass
    assert (type(told.value), str(told.value)) == (type(arrives), str(arrives))
    assert "raise self.error(*self.arguments)" in "".join(told.value.__notes__)
