"""The toolkits that are measured: nmt and its peers, behind one interface."""

from benchmarks.contestants.base import Contestant
from benchmarks.contestants.eole import Eole
from benchmarks.contestants.joeynmt import JoeyNmt
from benchmarks.contestants.nmt import Nmt

PEERS: dict[str, Contestant] = {peer.name: peer for peer in (JoeyNmt(), Eole())}
OURS: dict[str, Contestant] = {
    one.name: one for one in (Nmt("auto"), Nmt("fp32"), Nmt("bf16"), Nmt("int8"))
}
ALL: dict[str, Contestant] = {**OURS, **PEERS}
