"""The whole suite really played in each way: takes about two hours, and is only measured where it is asked for."""

from __future__ import annotations

from tests.benchmarks.figures import Measured
from tests.benchmarks.parts.suite import PART_QUICK, WAYS, WAYS_QUICK, compared
from tests.benchmarks.suite_runs import play

WHAT = "serial: the whole suite side by side, serially and by xdist; two hours"
LIMIT_S = 4 * 3600.0


def measure(*, quick: bool) -> Measured:
    """Play all of it, again and again."""
    files, ways = (PART_QUICK, WAYS_QUICK) if quick else ((), WAYS)
    played = {name: play(files, how, limit_s=LIMIT_S) for name, how in ways.items()}
    return Measured(compared(", ".join(files) or "whole suite", played))
