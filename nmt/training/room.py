"""Room in memory: who runs out of it in training is told which setting to lower."""

import contextlib
from collections.abc import Iterator

from nmt.errors import NmtError, memory_ran_out
from nmt.training.config import TrainConfig


@contextlib.contextmanager
def room_for(what: str, mend: str) -> Iterator[None]:
    """Do in the block what needs memory.

    Args:
        what: that work, as the sentence calls it.
        mend: what to do where memory does not suffice.

    Raises:
        NmtError: memory ran out.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not memory_ran_out(error):
            raise
        raise NmtError(f"there is not enough memory for {what}: {mend}") from error


def less(config: TrainConfig) -> str:
    """Say what takes less memory than training by these settings."""
    tokens = max(1, config.batch_tokens // 2)
    return f"smaller batches (--set train.batch_tokens={tokens}) or a smaller model"


def begin_anew(config: TrainConfig) -> str:
    """Propose to train with less, which a run that has begun cannot change to."""
    return f"begin anew, by --overwrite, with {less(config)}"
