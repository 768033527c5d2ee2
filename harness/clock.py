"""The one clock of a run."""

from __future__ import annotations

import time


def now_ns() -> int:
    """Return the monotonic time of this machine, in nanoseconds."""
    return time.monotonic_ns()
