"""A host with more to do than it can: busy processes, twice as many as cores, and bursts of process starts."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator

BUSY_PER_CORE = 2
BURST = 40  # processes started at once, about as many as a run has starting at its beginning
BURST_EVERY_S = 10.0
# Whatever becomes of who started them, they end by themselves.
_BUSY = "import time\nend = time.monotonic() + {limit_s}\nwhile time.monotonic() < end: pass"


@contextlib.contextmanager
def overloaded(*, limit_s: float) -> Iterator[None]:
    """Overload this host for a while, and for no longer than so many seconds."""
    busy = [
        subprocess.Popen([sys.executable, "-I", "-S", "-c", _BUSY.format(limit_s=limit_s)])
        for _ in range(BUSY_PER_CORE * (os.cpu_count() or 1))
    ]
    over = threading.Event()
    bursting = threading.Thread(target=_burst, args=(over, limit_s), name="bursts")
    bursting.start()
    try:
        yield
    finally:
        over.set()
        bursting.join()
        for process in busy:
            process.kill()
            process.wait()


def _burst(over: threading.Event, limit_s: float) -> None:
    for _ in range(int(limit_s // BURST_EVERY_S)):
        if over.wait(BURST_EVERY_S):
            return
        started = [subprocess.Popen([sys.executable, "-I", "-S", "-c", "pass"]) for _ in range(BURST)]
        for process in started:
            process.wait()
