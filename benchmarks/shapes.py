"""Training speed of nmt at several shapes: config A, the presets, and the GNMT shape.

    python -m benchmarks.shapes --data DIR
    python -m benchmarks.shapes --data DIR --cores 2 --only small
    python -m benchmarks.shapes --data DIR --device cuda --batch-tokens 16384 --only gnmt-32k

Tokens a second, the share of the measured bf16 peak, and the most memory of one process. The shape
of GNMT is there with 8,000 pieces, like the others, and with 32,000, as in published figures.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.contestants.base import Training, add_data_option, prepare_data
from benchmarks.contestants.nmt import BATCH_TOKENS, CONFIG_A, Nmt
from benchmarks.machine_peak import measure_peaks
from benchmarks.operations import SHAPES, sources_and_targets, training
from benchmarks.processes import spread_over
from benchmarks.report import machine, table, warn_if_disturbed
from nmt.errors import SettingError
from nmt.hardware import choose_device, matrix_peak
from nmt.models.cost import cost
from nmt.training.catalogue import OURS

GNMT = (
    "model.embedding_size=1024",
    "model.hidden_size=1024",
    "model.encoder_layers=4",
    "model.decoder_layers=4",
    "train.batch_tokens=4096",
)
SETTINGS = {
    "config A": (*CONFIG_A, f"train.batch_tokens={BATCH_TOKENS}"),
    "gnmt": GNMT,
    "gnmt-32k": GNMT,
}
REPORT_EVERY = {"gnmt": 1, "gnmt-32k": 1, "base": 3}
HEADS = (
    "shape",
    "MFLOP a target token",
    "target tokens/s",
    "source and target tokens/s",
    "share of peak",
    "core share",
    "peak MiB",
)


class Shaped(Nmt):
    """nmt with a preset, or with settings of its own."""

    def __init__(self, name: str, device: str, batch_tokens: int | None) -> None:
        super().__init__(pieces=SHAPES[name][1])
        self.name = name
        self.more = ["--device", device]
        if batch_tokens:
            self.more += ["--set", f"train.batch_tokens={batch_tokens}"]

    def _train(self, folder: Path, report_every: int) -> list[str | Path]:
        chosen = SETTINGS.get(self.name)
        preset = self.name if chosen is None else "small"
        named = [part for setting in chosen or () for part in ("--set", setting)]
        named += ["--set", f"train.report_every={report_every}"]
        files = (self.corpus, "-o", folder / "model")
        return [self.python, "-m", "nmt", "train", *files, "--preset", preset, *named, *self.more]


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_data_option(parser)
    every = list(SHAPES)
    parser.add_argument("--seconds", type=float, default=60, help="length of each training")
    parser.add_argument("--cores", type=int, default=1, help="how many cores each gets")
    parser.add_argument("--only", choices=every, action="append", help="a shape; repeat")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda for a GPU")
    parser.add_argument("--batch-tokens", type=int, help="instead of what the shape has")
    options = parser.parse_args()
    device = find_device(options.device)
    cores = spread_over(options.cores)
    prepare_data(options.data)
    print(machine(), flush=True)
    if device.type == "cpu":
        peak = measure_peaks(cores, ("bf16",))["bf16"]
    else:
        peak = matrix_peak(device, torch.bfloat16, seconds=3) / 1e9
    rows, shares = [], []
    for name in options.only or ("config A", *OURS, "gnmt"):
        toolkit = Shaped(name, options.device, options.batch_tokens)
        toolkit.prepare()
        report_every = REPORT_EVERY.get(name, 10) if device.type == "cpu" else 25
        found = toolkit.measure_training(options.seconds, cores, report_every)
        rows.append(row(name, found, peak))
        shares.append(found.core_share)
        print(f"{name}: {found.tokens_per_second:,.0f}", flush=True)
    print("\n" + table(HEADS, rows))
    warn_if_disturbed(shares)


def find_device(name: str) -> torch.device:
    """Return the device called `name`.

    Raises:
        SystemExit: there is none; it says so.
    """
    try:
        return choose_device(name)
    except SettingError as error:
        raise SystemExit(str(error)) from None


def row(name: str, found: Training, peak: float) -> Sequence[str]:
    """Return a line of the table; `peak` in GFLOP/s."""
    config, pieces = SHAPES[name]
    operations = training(cost(config, pieces), pieces)
    share = found.tokens_per_second * operations / 1e9 / peak
    return [
        name,
        f"{operations / 1e6:.1f}",
        f"{found.tokens_per_second:,.0f}",
        f"{found.tokens_per_second * sources_and_targets(pieces):,.0f}",
        f"{share:.0%}",
        f"{found.core_share:.0%}",
        f"{found.peak_mib:,.0f}",
    ]


if __name__ == "__main__":
    main()
