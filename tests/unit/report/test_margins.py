from __future__ import annotations

import pytest

from harness.oracle.expect import callback, state
from harness.oracle.verdict import Check, Judgement, Measured, Verdict
from harness.report.margins import EARLY, LATE, TimedStep, by_step, margins_s, room
from tests.unit.oracle.story import LOGGED_IN, Story

INTERRUPTED = "RECONNECTING / INTERRUPTED"


def judged(*steps: tuple[str, str, float], scenario: str = "s", repetition: int = 0) -> Judgement:
    """A judgement with a timed check for each clause, person and elapsed time."""
    checks = [
        Check(clause, Verdict.PASS, person, "x", Measured(INTERRUPTED, elapsed_s, 3.5, 4.5, 0.1, 0.02))
        for clause, person, elapsed_s in steps
    ]
    return Judgement(scenario, Verdict.PASS, "", checks, [], repetition=repetition)


def times(*judgements: Judgement) -> dict[TimedStep, list[float]]:
    return {step: [each.elapsed_s for each in measured] for step, measured in by_step(judgements).items()}


def test_the_judge_s_checks_of_one_time_are_one_step_with_all_its_clauses() -> None:
    story = Story("CONNECTED-3").logged_in()
    cut = story.fault(1.5, 1.5)
    story.switched(5.5, "RECONNECTING", "INTERRUPTED")
    step = state("RECONNECTING", "INTERRUPTED", "CONNECTED-3", "OPEN-1").at(4.0, after=cut, late="heartbeat")
    judgement = story.expects(*LOGGED_IN, step).judged()
    (found,) = by_step([judgement]).items()
    assert found[0] == TimedStep("test_story", "alice", INTERRUPTED, ("CONNECTED-3", "OPEN-1"), 1)
    (measured,) = found[1]
    assert (measured.elapsed_s, measured.margin_s) == (4.0, 0.015625)


def test_what_is_not_timed_is_no_step() -> None:
    story = Story("CONNECTED-3").logged_in()
    story.said(2.0, "onTokenExpired")
    assert by_step([story.expects(*LOGGED_IN, callback("onTokenExpired", "OPEN-22")).judged()]) == {}


def test_steps_that_are_alike_are_told_apart_by_their_number() -> None:
    found = times(judged(("A", "alice", 4.0), ("A", "alice", 4.1), ("A", "bob", 4.2), ("B", "alice", 4.3)))
    step = TimedStep("s", "alice", INTERRUPTED, ("A",), 1)
    assert found == {
        step: [4.0],
        TimedStep("s", "alice", INTERRUPTED, ("A",), 2): [4.1],
        TimedStep("s", "bob", INTERRUPTED, ("A",), 1): [4.2],
        TimedStep("s", "alice", INTERRUPTED, ("B",), 1): [4.3],
    }


def test_repetitions_of_a_scenario_are_measurements_of_the_same_step() -> None:
    of = [judged(("A", "alice", 4.0 + n / 10), scenario=f"t.py::s[cut-r{n}]", repetition=n) for n in (1, 2)]
    alone = judged(("A", "alice", 4.4), scenario="t.py::s[cut]")
    other = judged(("A", "alice", 4.5), scenario="t.py::s[freeze]")
    assert list(times(*of, alone, other).values()) == [[4.1, 4.2, 4.4], [4.5]]


@pytest.mark.parametrize(
    ("scenario", "repetition", "plain"),
    [
        ("t.py::s", 0, "t.py::s"),
        ("t.py::s[r2]", 2, "t.py::s"),
        ("t.py::s[cut-r2]", 2, "t.py::s[cut]"),
        ("t.py::s[r2-r12]", 12, "t.py::s[r2]"),
        ("t.py::s[r2]", 0, "t.py::s[r2]"),  # a scenario whose parameter is called so
        ("t.py::s[r1-r2]", 1, "t.py::s[r1-r2]"),
    ],
)
def test_the_plain_name_of_a_scenario_is_without_its_repetition(scenario: str, repetition: int, plain: str) -> None:
    assert judged(scenario=scenario, repetition=repetition).plain_name == plain


def measured(elapsed_s: float, earliest_s: float, latest_s: float, error_s: float = 0.1) -> Measured:
    return Measured("x", elapsed_s, earliest_s, latest_s, 0.0, error_s)


def test_a_margin_is_counted_from_each_edge() -> None:
    assert margins_s(measured(4.25, 3.5, 4.5)) == {LATE: 0.25, EARLY: 0.75}
    assert margins_s(measured(5.0, 3.5, 4.5)) == {LATE: -0.5, EARLY: 1.5}


def test_a_window_that_opens_with_its_cause_has_no_early_edge() -> None:
    assert margins_s(measured(0.0, -0.125, 1.0, 0.125)) == {LATE: 1.0}
    assert margins_s(measured(0.5, -0.124, 1.0, 0.125)) == {LATE: 0.5, EARLY: 0.624}


@pytest.mark.parametrize(
    ("timed", "left"),
    [
        (measured(4.0, 3.5, 4.5), 1.0),
        (measured(4.25, 3.5, 4.5), 0.5),
        (measured(3.5, 3.5, 4.5), 0.0),
        (measured(4.75, 3.5, 4.5), -0.5),
        (measured(0.0, -0.25, 1.75, 0.25), 0.875),
        (measured(1.75, -0.25, 1.75, 0.25), 0.0),
    ],
)
def test_room_is_the_part_that_is_left_of_the_margin_that_there_could_be(timed: Measured, left: float) -> None:
    assert room(timed) == left
