"""How long a scenario took."""

from __future__ import annotations

from collections.abc import Sequence

from harness.spec.timing import NS_PER_S
from harness.trace import Observation, What


def took_s(trace: Sequence[Observation]) -> float:
    """Return how long a scenario took that was recorded to its end (seconds)."""
    ended_ns = next(each.at_ns for each in trace if each.what is What.END)
    return (ended_ns - begun_ns(trace)) / NS_PER_S


def begun_ns(trace: Sequence[Observation]) -> int:
    """Return when a scenario had its first person: what it waited for before that is no part of it."""
    return next((each.at_ns for each in trace if each.what is What.DECLARED), trace[0].at_ns)
