"""The errors a user can meet. The text of each is one clear sentence: what, where, and the mend."""

import difflib
from collections.abc import Iterable


class NmtError(Exception):
    """A problem that the user can mend; its text is all that the command line prints."""

    exit_code = 1


class DataError(NmtError):
    """A text file or a corpus holds something we cannot use."""


class FolderError(NmtError):
    """A corpus or model folder is missing, damaged, of another kind or of a newer version."""


class SettingError(NmtError):
    """A setting is unknown, or its value makes no sense."""


class UsageError(NmtError):
    """The command line contradicts itself."""

    exit_code = 2


def memory_ran_out(error: BaseException) -> bool:
    """Recognise torch's errors by name and text: importing torch takes seconds."""
    name, text = type(error).__name__, str(error)
    named = isinstance(error, MemoryError) or name == "OutOfMemoryError"
    return named or "can't allocate memory" in text


class BelowThreshold(NmtError):
    """A score is lower than --fail-under asks for; everything else went well."""

    exit_code = 3


class Interrupted(NmtError):
    """The user (Ctrl-C) or the system (SIGTERM) asked us to stop, and the state is saved."""

    def __init__(self, message: str, exit_code: int = 130) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class LeaderLost(NmtError):
    """The process that speaks for all of a run ended without a word; another one says so."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return ` (did you mean 'x'?)` for the choice most like `word`, or nothing if none is."""
    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f" (did you mean '{found[0]}'?)" if found else ""
