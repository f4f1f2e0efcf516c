"""The processes that torchrun started for one run: how they join, talk and part.

Rank 0 does what a single process would do, and the others help it. Should one of them end before
its time, the connections of the group break, and no word gets through any more: for that, each has
a lifeline to rank 0, a connection of its own.
"""

import contextlib
import os
import select
import signal
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from nmt.errors import LeaderLost, NmtError

PATIENCE = 60.0  # seconds for a lifeline to be made
NOTICE = 1.0  # seconds for the word of a process that has ended to arrive
HELPER_LOST = "a process of the run has ended, most likely because memory ran out"
LEADER_LOST = "the first process of the run has ended, most likely because memory ran out"
GO_ON = "; the same command goes on from the last checkpoint"


class RankLost(NmtError):
    """Another process of the run has ended; `reason` is what it or its end says."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason + hint)
        self.reason = reason


class Ranks:
    """All processes of a run, as one of them sees them; in a `with` block they are joined."""

    def __init__(self) -> None:
        self.rank, self.size = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE"))
        self._lifelines: list[socket.socket] = []

    def tell(self, message: Any) -> None:
        """Send something from rank 0 to all others, which `hear` it."""
        with self._together():
            dist.broadcast_object_list([message], src=0)

    def hear(self) -> Any:
        """Wait for what rank 0 tells."""
        box: list[Any] = [None]
        with self._together():
            dist.broadcast_object_list(box, src=0)
        return box[0]

    def add_up(self, *tensors: Tensor) -> None:
        """Replace each tensor by its sum over all ranks."""
        with self._together():
            for tensor in tensors:
                dist.all_reduce(tensor)

    def spread(self, *tensors: Tensor) -> None:
        """Replace each tensor by that of rank 0."""
        with self._together():
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def collect(self, item: Any) -> list[Any]:
        """Return on rank 0 what all ranks give, in their order; on the others nothing."""
        items = [] if self.rank else [None] * self.size
        with self._together():
            dist.gather_object(item, items or None, dst=0)
        return items

    def __enter__(self) -> "Ranks":
        # Words and counts go by gloo, wherever the model is.
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        try:
            dist.init_process_group(backend)
            self._hold_on()
        except (RuntimeError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise NmtError(f"the processes of this run do not find each other: {reason}") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            mine = self.rank and not isinstance(error, RankLost | LeaderLost)
            self._say(f"{error or type(error).__name__}" if mine else "")
            if threading.current_thread() is threading.main_thread():
                # torchrun sends it to those that are left; they end by themselves, with a word.
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
        else:
            # One that left while another still reads its last word would break off that word.
            with contextlib.suppress(RuntimeError):
                dist.barrier()
        for lifeline in self._lifelines:
            lifeline.close()
        dist.destroy_process_group()

    def _hold_on(self) -> None:
        """Make the lifelines."""
        if self.rank:
            address = (os.environ["MASTER_ADDR"], self.hear())
            self._lifelines = [socket.create_connection(address, PATIENCE)]
            return
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        with socket.create_server(("", 0), family=family, dualstack_ipv6=both) as server:
            server.settimeout(PATIENCE)
            self.tell(server.getsockname()[1])
            self._lifelines = [server.accept()[0] for _ in range(1, self.size)]

    @contextlib.contextmanager
    def _together(self) -> Iterator[None]:
        """Turn what torch says of a broken connection into a sentence."""
        try:
            yield
        except RuntimeError as error:
            self._say("")
            raise self._helper_lost() if self.rank == 0 else self._leader_lost() from error

    def _say(self, last_words: str) -> None:
        """Send last words; none means that others will find them."""
        host = f"rank {self.rank}, on {socket.gethostname()}: " if last_words else ""
        for lifeline in self._lifelines:
            with contextlib.suppress(OSError):
                lifeline.sendall(f"{host}{last_words}\n".encode())

    def _heard(self) -> list[str]:
        """Return the last words that have arrived; an empty text is of a process that had none."""
        ready, _, _ = select.select(self._lifelines, [], [], NOTICE)
        heard = []
        for lifeline in ready:
            try:
                heard.append(lifeline.recv(1 << 16).decode())
            except OSError:
                heard.append("")
        return heard

    def _helper_lost(self) -> RankLost:
        words = [text.strip() for text in self._heard()]
        given = next(filter(None, words), None)
        return RankLost(given) if given else RankLost(HELPER_LOST, GO_ON)

    def _leader_lost(self) -> NmtError:
        if self._heard() == [""] and self.rank == 1:
            return LeaderLost(LEADER_LOST + GO_ON)
        return RankLost("another process of the run has ended, and says why")
