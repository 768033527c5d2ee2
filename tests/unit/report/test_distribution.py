from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.oracle.verdict import Check, Judgement, Measured, Verdict
from harness.report.distribution import Distribution, distributions


def judged(elapsed_s: float, repetition: int, *, step: str = "x", latest_s: float = 4.5) -> Judgement:
    measured = Measured(step, elapsed_s, 3.5, latest_s, 0.0, 0.02)
    check = Check("CONNECTED-3", Verdict.PASS, "alice", "", measured)
    return Judgement(f"t.py::s[r{repetition}]", Verdict.PASS, "", [check], [], repetition=repetition)


def of(*times_s: float) -> Distribution:
    (found,) = distributions(judged(elapsed_s, number) for number, elapsed_s in enumerate(times_s, start=1))
    return found


def test_the_times_of_all_repetitions_are_in_order_with_what_they_say_together() -> None:
    found = of(4.2, 4.0, 4.1, 4.3)
    assert found.times_s == (4.0, 4.1, 4.2, 4.3)
    assert (found.min_s, found.max_s) == (4.0, 4.3)
    assert found.median_s == pytest.approx(4.15)
    assert found.p95_s == pytest.approx(4.285)
    assert (found.step.scenario, found.earliest_s, found.latest_s) == ("t.py::s", 3.5, 4.5)


def test_the_least_margin_is_of_the_repetition_that_was_closest_to_either_edge() -> None:
    assert (of(4.0, 4.4).margin_s, of(4.0, 3.6).margin_s) == (0.1, 0.1)
    assert of(4.0, 4.75).margin_s == -0.25
    assert (of(4.0, 4.25).room, of(4.0, 4.75).room) == (0.5, -0.5)


def test_each_time_is_held_to_its_own_window_and_the_one_in_the_middle_is_shown() -> None:
    (found,) = distributions([judged(4.4, 1, latest_s=4.41), judged(4.4, 2), judged(4.4, 3, latest_s=5.0)])
    assert (found.latest_s, found.margin_s) == (4.5, 0.01)


def test_a_single_time_is_its_own_distribution() -> None:
    found = of(4.0)
    assert found.min_s == found.median_s == found.p95_s == found.max_s == 4.0


def test_the_step_with_the_least_room_comes_first() -> None:
    wide = judged(4.3, 1, step="wide")
    exact = Judgement("t.py::s", Verdict.PASS, "", [], [])
    timed = Measured("exact", 4.0, 3.98, 4.02, 0.02, 0.02)  # no more room there could be, and hardly a margin
    exact.checks.append(Check("CONNECTED-3", Verdict.PASS, "alice", "", timed))
    assert [each.step.step for each in distributions([exact, wide])] == ["wide", "exact"]


def test_where_nothing_was_timed_there_is_nothing() -> None:
    assert distributions([Judgement("s", Verdict.PASS, "", [], [])]) == []


@given(st.lists(st.floats(3.0, 5.0), min_size=2, max_size=40))
def test_its_numbers_are_in_order_and_95_in_100_keep_to_the_one_of_that_name(times_s: list[float]) -> None:
    found = of(*times_s)
    assert found.min_s <= found.median_s <= found.max_s
    # It is interpolated: equal times may come out of that the last digit apart.
    assert found.median_s - 1e-9 <= found.p95_s <= found.max_s + 1e-9
    assert sum(each > found.p95_s + 1e-9 for each in times_s) <= 0.05 * len(times_s) + 1
