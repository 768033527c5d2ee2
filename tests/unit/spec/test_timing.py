from __future__ import annotations

import pytest

from harness.spec.timing import Timing, ns


@pytest.mark.parametrize(
    ("seconds", "nanoseconds"),
    [(0, 0), (4, 4_000_000_000), (0.1, 100_000_000), (1e-9, 1), (1.4e-9, 1), (-0.5, -500_000_000), (4.35, 4350000000)],
)
def test_a_duration_is_whole_nanoseconds(seconds: float, nanoseconds: int) -> None:
    result = ns(seconds)
    assert (result, type(result)) == (nanoseconds, int)


def test_the_numbers_are_those_of_the_document() -> None:
    timing = Timing()
    assert (timing.login_s, timing.interruption_s, timing.presence_s, timing.join_channel_s) == (6.0, 4.0, 30.0, 5.0)
    assert (timing.login_calls_max, timing.login_calls_window_s, timing.channels_max) == (2, 1.0, 20)
