from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.oracle.verdict import Measured
from harness.report.drift import ENOUGH, Drift, are_lopsided, drift
from harness.report.margins import EARLY, LATE, TimedStep

TIMES_S = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)
STEP = TimedStep("s", "alice", "CONNECTED / LOGIN_SUCCESS", ("OPEN-25",), 1)


def due_at_once(elapsed_s: float, *, error_s: float = 0.02, open_s: float = 1.2) -> Measured:
    """A step that is due within so many seconds."""
    return Measured("x", elapsed_s, -error_s, open_s + error_s, 0.0, error_s)


def moved(old: Sequence[float], new: Sequence[float], **window: float) -> Drift:
    return drift(STEP, [due_at_once(each, **window) for each in old], [due_at_once(each, **window) for each in new])


def is_told(found: Drift) -> bool:
    return found.closer_s > found.error_s and not found.may_be_chance


def test_a_step_that_comes_later_is_closer_to_the_edge_by_as_much() -> None:
    found = moved([0.1], [0.4])
    assert (found.closer_s, found.error_s) == (0.3, 0.04)
    assert (found.old.margins_s, found.new.margins_s, found.edge) == ({LATE: 1.1}, {LATE: 0.8}, LATE)
    assert found.passes


def test_a_step_that_comes_sooner_is_no_closer_to_the_moment_of_its_cause() -> None:
    assert moved([0.4], [0.0]).closer_s == -0.4


@pytest.mark.parametrize(
    ("old_s", "new_s", "edge", "closer_s"),
    [
        (4.0, 4.3, LATE, 0.3),
        (4.0, 3.7, EARLY, 0.3),
        (3.5, 4.1, LATE, 0.6),
        (3.6, 3.9, EARLY, -0.3),
        (4.5, 4.2, LATE, -0.3),
        (3.6, 3.6, EARLY, 0.0),
    ],
)
def test_of_two_edges_the_one_counts_that_it_is_nearer_to_now(
    old_s: float, new_s: float, edge: str, closer_s: float
) -> None:
    def silent(elapsed_s: float) -> list[Measured]:
        return [Measured("x", elapsed_s, 3.48, 4.52, 0.0, 0.02)]

    found = drift(STEP, silent(old_s), silent(new_s))
    assert (found.edge, found.closer_s) == (edge, closer_s)


def test_a_step_passes_until_it_is_outside_by_more_than_the_error() -> None:
    assert moved([0.1], [1.22]).passes
    assert not moved([0.1], [1.221]).passes


def test_an_error_that_is_another_one_in_each_run_is_no_drift() -> None:
    loud, quiet = [due_at_once(0.1, error_s=0.25)], [due_at_once(0.1, error_s=0.02)]
    assert drift(STEP, loud, quiet).closer_s == drift(STEP, quiet, loud).closer_s == 0.0
    assert drift(STEP, loud, quiet).error_s == pytest.approx(0.27)


def test_of_few_measurements_chance_explains_anything() -> None:
    assert not is_told(moved([0.0], [1.2]))
    assert not is_told(moved([0.0] * (ENOUGH - 1), [1.2] * (ENOUGH - 1)))
    assert is_told(moved([0.0] * ENOUGH, [1.2] * ENOUGH))


def test_what_both_measurements_can_be_wrong_by_is_not_told_however_often_they_were_made() -> None:
    assert not is_told(moved([0.10] * 20, [0.14] * 20))
    assert is_told(moved([0.10] * 20, [0.141] * 20))


def test_repetitions_show_by_themselves_what_is_no_chance() -> None:
    steady, spread = [0.1, 0.11, 0.12, 0.13] * 2, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]
    assert is_told(moved(steady, [each + 0.3 for each in steady]))
    assert not is_told(moved(spread, [each + 0.3 for each in spread]))
    assert is_told(moved(spread * 4, [each + 0.3 for each in spread * 4]))
    assert not moved([each + 0.3 for each in steady], steady).may_be_chance


def test_repetitions_of_which_few_are_late_have_not_moved() -> None:
    assert not is_told(moved([0.1] * 8, [0.1] * 5 + [1.1] * 3))
    assert moved([0.1] * 8, [0.1] * 3 + [1.1] * 5).may_be_chance


def test_repetitions_are_compared_by_their_medians() -> None:
    found = moved([0.1, 0.2, 0.9], [0.3, 0.5, 0.4])
    assert (found.old.elapsed_s, found.new.elapsed_s, found.closer_s) == (0.2, 0.4, 0.2)
    assert (found.old.repetitions, found.new.repetitions) == (3, 3)


def test_a_cause_that_lasted_longer_widened_its_window_and_that_is_no_drift() -> None:
    found = drift(STEP, [due_at_once(0.1, open_s=0.7)] * ENOUGH, [due_at_once(0.1, open_s=0.2)] * ENOUGH)
    assert (found.closer_s, found.error_s) == (0.5, 0.54)
    assert not is_told(found)


def test_runs_of_the_same_client_are_hardly_ever_told_apart() -> None:
    chance = random.Random(7)

    def run() -> list[float]:
        return [chance.uniform(0.0, 1.0) for _ in range(10)]

    assert sum(is_told(moved(run(), run())) for _ in range(2000)) <= 4


@given(TIMES_S, TIMES_S)
def test_what_is_closer_one_way_is_farther_the_other_way(old: list[float], new: list[float]) -> None:
    there, back = moved(old, new), moved(new, old)
    assert (there.closer_s, there.error_s, there.deviations) == (-back.closer_s, back.error_s, -back.deviations)
    assert not is_told(moved(old, old))


@given(TIMES_S, TIMES_S)
def test_the_later_all_of_them_are_the_closer_it_is(times_s: list[float], shifts_s: list[float]) -> None:
    closer = [moved(times_s, [each + shift_s for each in times_s]).closer_s for shift_s in sorted(shifts_s)]
    assert all(one <= other for one, other in pairwise(closer))


@pytest.mark.parametrize(
    ("closer", "farther", "lopsided"),
    [(0, 0, False), (9, 0, False), (10, 0, True), (0, 10, False), (18, 2, True), (15, 5, False), (63, 40, False)],
)
def test_many_steps_that_move_one_way_are_no_chance(closer: int, farther: int, lopsided: bool) -> None:
    drifts = [moved([0.1], [0.4])] * closer + [moved([0.4], [0.1])] * farther
    assert are_lopsided(drifts) is lopsided


def test_a_few_steps_that_were_repeated_are_as_good_as_many() -> None:
    each = moved([0.1, 0.2, 0.3, 0.4, 0.5], [0.3, 0.41, 0.51, 0.6, 0.7])
    assert each.may_be_chance
    assert not are_lopsided([each])
    assert are_lopsided([each] * 5)
