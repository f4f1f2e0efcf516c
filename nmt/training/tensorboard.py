"""The lines of metrics.jsonl as curves of TensorBoard, which is an extra: nmt[tensorboard]."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nmt.errors import SettingError


def summary_writer() -> Any:
    """Return torch's class that writes for TensorBoard.

    Raises:
        SettingError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter  # here, because few want it
    except ImportError:
        raise SettingError(
            "train.tensorboard: TensorBoard is not installed; pip install 'nmt[tensorboard]'"
        ) from None
    return SummaryWriter


class Board:
    """A folder that `tensorboard --logdir` shows."""

    def __init__(self, folder: Path, earlier: Sequence[dict[str, Any]]) -> None:
        """Begin; of what lies there only `earlier` lines count, and they are written again."""
        seconds = earlier[-1]["seconds"] if earlier else 0.0
        self._began = time.time() - seconds  # as if the run had never been interrupted
        self._writer = summary_writer()(str(folder), purge_step=0)
        for line in earlier:
            self._add(line)
        self._writer.flush()

    def write(self, line: dict[str, Any]) -> None:
        """Show a line."""
        self._add(line)
        self._writer.flush()  # so that nothing is lost with the process

    def _add(self, line: dict[str, Any]) -> None:
        at = self._began + line["seconds"]
        for name, value in line.items():
            if isinstance(value, int | float) and name not in ("update", "best"):
                self._writer.add_scalar(f"{line['kind']}/{name}", value, line["update"], at)
