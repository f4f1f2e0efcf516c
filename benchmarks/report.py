"""What every benchmark prints: where it ran, and a table to paste into README.md."""

import datetime
import os
import platform
from collections.abc import Iterable, Sequence
from pathlib import Path

DISTURBED = 0.95  # a lower share of its cores means that somebody else was working on them


def machine() -> str:
    """Return the processor, the number of cores, and the date, in one line."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    named = dict(line.split(":", 1) for line in lines if ":" in line)
    name = {key.strip(): value.strip() for key, value in named.items()}
    processor = name.get("model name", platform.processor())
    kind = f"family {name.get('cpu family', '?')} model {name.get('model', '?')}"
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    today = datetime.date.today().isoformat()
    return f"{processor} ({kind}), {cores} cores, load {load:.1f} at the start, {today}"


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table, padded so that it reads well in a terminal too."""
    texts = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in texts) for column in range(len(header))]
    lines = ["| " + " | ".join(_pad(row, widths)) + " |" for row in texts]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _pad(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]


def warn_if_disturbed(shares: Iterable[float]) -> None:
    """Say so when a measured process did not have its cores for itself."""
    worst = min(shares, default=1.0)
    if worst < DISTURBED:
        print(f"\nDisturbed: a process got only {worst:.0%} of its cores. Measure again.")
