"""The durations and counts of the document, by name."""

from __future__ import annotations

from dataclasses import dataclass

NS_PER_S = 1_000_000_000


def ns(seconds: float) -> int:
    """Return a duration in whole nanoseconds, the unit of every clock in the project."""
    return round(seconds * NS_PER_S)


@dataclass(frozen=True, slots=True)
class Timing:
    """What a profile says in numbers; the clause behind each stands beside it."""

    login_s: float = 6.0  # CONNECTING-5: a login not through by then has timed out
    interruption_s: float = 4.0  # CONNECTED-3: an interruption not recovered by then switches to RECONNECTING
    presence_s: float = 30.0  # GENERAL-4: the system presumes an interrupted user online for so long
    join_channel_s: float = 5.0  # OPEN-23: a join not through by then has timed out
    login_calls_max: int = 2  # OPEN-13: more login() calls than this ...
    login_calls_window_s: float = 1.0  # ... within so long are TOO_OFTEN
    channels_max: int = 20  # section 1: JOIN_CHANNEL_ERR_EXCEED_LIMIT
