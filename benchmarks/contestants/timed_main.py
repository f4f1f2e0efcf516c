"""python timed_main.py TIMES.json LOADER MODULE ARGUMENT...

Runs a toolkit's own command (`python -m MODULE ARGUMENT...`) in any environment, and writes how
long it worked after its model was loaded, that is after the call of LOADER (`module:attribute`)
returned: from before the first line is read to after the last is written.
"""

import functools
import importlib
import json
import runpy
import sys
import time
from typing import Any


def main() -> None:
    """Wrap the loader, run the command, write the times."""
    times, loader, module, *arguments = sys.argv[1:]
    started = time.monotonic()
    loaded: list[tuple[float, float]] = []
    _notice(loader, loaded)
    sys.argv = [module, *arguments]
    sys.path.insert(0, "")  # what `python -m` does; this file's own folder is of no use
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as ending:
        if ending.code:
            raise
    sys.stdout.flush()
    wall, processor = loaded[-1]
    figures = {
        "load_seconds": wall - started,
        "seconds": time.monotonic() - wall,
        "cpu_seconds": time.process_time() - processor,
    }
    with open(times, "w", encoding="utf-8") as file:
        json.dump(figures, file)


def _notice(loader: str, loaded: list[tuple[float, float]]) -> None:
    """Make the loader add the clock and the processor time at its end to `loaded`."""
    sys.path[0] = ""
    module, _, path = loader.partition(":")
    owner = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    original = getattr(owner, name)

    @functools.wraps(original, updated=())
    def load(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        loaded.append((time.monotonic(), time.process_time()))
        return result

    setattr(owner, name, staticmethod(load) if outer else load)


main()
