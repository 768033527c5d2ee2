from __future__ import annotations

from typing import Any

import pytest

from harness.oracle.budget import DELAY_SPEAKS_FOR_NS, ERROR_MAX_NS
from harness.oracle.expect import Step, any_order, callback, one_of, state
from harness.oracle.verdict import Judgement, Verdict
from harness.trace import Observation, What
from tests.unit.oracle.story import LOGGED_IN, Moment, Story, at_ns, blamed

S = 1_000_000_000
MS = 1_000_000
TICK = 15_625_000  # a 64th of a second, of which every window is wider, and unsure as much again
INTERRUPTED = state("RECONNECTING", "INTERRUPTED", "CONNECTED-3")


def interrupted(
    after_ns: int,
    *,
    clock_error_ns: int = 0,
    fault_took_ns: int = 0,
    delays: tuple[tuple[float, int], ...] = (),
    earliest_s: float = 4.0,
    latest_s: float = 4.0,
    early: str = "",
    late: str = "",
) -> Judgement:
    """A client that says RECONNECTING so long after the fault's first possible moment, held against a window."""
    story = Story("CONNECTED-3").logged_in(clock_error_ns=clock_error_ns)
    fault = Moment(at_ns(10), at_ns(10) + fault_took_ns)
    args = {"state": "RECONNECTING", "reason": "INTERRUPTED"}
    said = Observation(at_ns(10) + after_ns, "alice", What.CALLBACK, "onConnectionStateChanged", args)
    story.trace.append(said)
    for due_s, by_ns in delays:
        story.delayed(due_s, by_ns)
    step = INTERRUPTED.within(earliest_s, latest_s, after=fault, early=early, late=late)
    return story.expects(*LOGGED_IN, step).judged()


def check_borders(opens_ns: int, closes_ns: int, error_ns: int, **measured: Any) -> None:
    """Hold the last nanosecond on each side of each border of a window, and of its uncertain band, against it."""
    for after_ns, verdict in [
        (opens_ns - error_ns - 1, "FAIL"),
        (opens_ns - error_ns, "INCONCLUSIVE"),
        (opens_ns - 1, "INCONCLUSIVE"),
        (opens_ns, "PASS"),
        (closes_ns, "PASS"),
        (closes_ns + 1, "INCONCLUSIVE"),
        (closes_ns + error_ns, "INCONCLUSIVE"),
        (closes_ns + error_ns + 1, "FAIL"),
    ]:
        judgement = interrupted(after_ns, **measured)
        assert judgement.verdict == verdict
        assert judgement.blame == {"PASS": "", "INCONCLUSIVE": "host", "FAIL": "implementation"}[verdict]
        assert verdict == "PASS" or blamed(judgement) == ["CONNECTED-3"]


def test_where_nothing_was_measured_a_window_is_wider_by_a_timers_tick() -> None:
    check_borders(4 * S - TICK, 4 * S + TICK, TICK)


def test_the_error_of_the_clock_widens_a_window_and_as_much_again_cannot_be_told() -> None:
    check_borders(4 * S - TICK - 1000, 4 * S + TICK + 1000, TICK + 1000, clock_error_ns=1000)


def test_300_ms_late_fails_and_the_reason_says_the_time_and_the_window() -> None:
    judgement = interrupted(4300 * MS, clock_error_ns=375_000)
    assert judgement.reason == ("CONNECTED-3: alice: RECONNECTING / INTERRUPTED after 4.300 s, due in [3.984, 4.016] s")
    assert [
        check.measured.margin_s for check in judgement.checks if check.measured and check.clause == "CONNECTED-3"
    ] == [-0.284]


def test_300_ms_early_fails() -> None:
    assert blamed(interrupted(3700 * MS, clock_error_ns=MS)) == ["CONNECTED-3"]


def test_what_came_before_its_cause_fails() -> None:
    assert interrupted(-2 * TICK - 1, earliest_s=0.0, latest_s=1.0).verdict is Verdict.FAIL


def test_a_fault_that_took_a_while_may_have_begun_late_but_not_before_it_was_asked_for() -> None:
    check_borders(4 * S - TICK, 4 * S + 30 * MS + TICK, TICK, fault_took_ns=30 * MS)


@pytest.mark.parametrize(
    ("early", "late", "opens_ns", "closes_ns"),
    [
        ("heartbeat", "", 3500 * MS, 4000 * MS),
        ("", "heartbeat", 4000 * MS, 4500 * MS),
        ("heartbeat", "retry", 3500 * MS, 6000 * MS),
        ("", "heartbeat retry", 4000 * MS, 6500 * MS),
    ],
)
def test_a_declared_interval_opens_only_the_side_that_names_it(
    early: str, late: str, opens_ns: int, closes_ns: int
) -> None:
    check_borders(opens_ns - TICK, closes_ns + TICK, TICK, early=early, late=late)


def test_a_window_that_is_wide_is_wide_on_its_own() -> None:
    check_borders(3 * S - TICK, 5 * S + TICK, TICK, earliest_s=3.0, latest_s=5.0)


def test_a_host_that_was_late_in_between_widens_the_window_by_what_each_process_may_have_been_late() -> None:
    error_ns = TICK + 4 * 10 * MS
    check_borders(4 * S - error_ns, 4 * S + error_ns, error_ns, delays=((12.0, 10 * MS), (12.5, 3 * MS)))


def check_borders_of_what_proves_nothing(
    opens_ns: int, closes_ns: int, error_ns: int, took_ns: int = 0, **measured: Any
) -> None:
    """Hold each border of a window whose error is too large: what decides is the window without the error."""
    for after_ns, verdict in [
        (opens_ns - 2 * error_ns - 1, "FAIL"),
        (opens_ns - 2 * error_ns, "INCONCLUSIVE"),
        (opens_ns - error_ns, "INCONCLUSIVE"),
        (opens_ns - 1, "INCONCLUSIVE"),
        (opens_ns, "PASS"),
        (closes_ns, "PASS"),
        (closes_ns + 1, "INCONCLUSIVE"),
        (closes_ns + error_ns, "INCONCLUSIVE"),
        (closes_ns + 2 * error_ns, "INCONCLUSIVE"),
        (closes_ns + 2 * error_ns + 1, "FAIL"),
    ]:
        assert interrupted(after_ns, fault_took_ns=took_ns, **measured).verdict == verdict


def test_an_error_of_up_to_half_a_second_widens_a_window() -> None:
    assert ERROR_MAX_NS == S // 2
    check_borders(3500 * MS, 4500 * MS, ERROR_MAX_NS, clock_error_ns=ERROR_MAX_NS - TICK)


def test_a_larger_error_widens_no_window_and_outside_of_it_nothing_can_be_told() -> None:
    error_ns = ERROR_MAX_NS + 1
    check_borders_of_what_proves_nothing(4 * S, 4 * S, error_ns, clock_error_ns=error_ns - TICK)


def test_under_a_larger_error_a_window_still_has_what_the_clause_and_the_fault_give_it() -> None:
    error_ns, measured = 600 * MS, {"clock_error_ns": 600 * MS - TICK, "early": "heartbeat", "late": "retry"}
    check_borders_of_what_proves_nothing(3500 * MS, 6030 * MS, error_ns, took_ns=30 * MS, **measured)


def test_a_host_so_late_that_the_error_is_too_large_proves_nothing_either() -> None:
    most_ns = (ERROR_MAX_NS - TICK) // 4
    outside = 4 * S + 300 * MS
    assert interrupted(outside, delays=((12.0, most_ns),)).verdict is Verdict.PASS
    assert interrupted(outside, delays=((12.0, most_ns + 1),)).verdict is Verdict.INCONCLUSIVE
    assert interrupted(4 * S, delays=((12.0, most_ns + 1),)).verdict is Verdict.PASS


def test_how_late_the_harness_was_widens_no_window() -> None:
    fault = Moment(at_ns(10), at_ns(10))
    for source, verdict in (("host", Verdict.PASS), ("harness", Verdict.FAIL)):
        story = Story("CONNECTED-3").logged_in()
        story.delayed(12.0, 50 * MS, source=source)
        story.switched(14.2, "RECONNECTING", "INTERRUPTED")
        assert story.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=fault)).judged().verdict is verdict


@pytest.mark.parametrize(
    ("due_s", "counts"),
    [
        (10 - 0.010 - DELAY_SPEAKS_FOR_NS / S - 1e-6, False),
        (10 - 0.010 - DELAY_SPEAKS_FOR_NS / S, True),
        (14.055 + DELAY_SPEAKS_FOR_NS / S, True),
        (14.055 + DELAY_SPEAKS_FOR_NS / S + 1e-6, False),
    ],
)
def test_only_a_delay_that_may_have_fallen_between_cause_and_effect_counts(due_s: float, counts: bool) -> None:
    # The second delay is there to be outdone: it always counts.
    verdict = interrupted(4 * S + 55 * MS, delays=((due_s, 10 * MS), (12.0, 1 * MS))).verdict
    assert verdict is (Verdict.PASS if counts else Verdict.FAIL)


def test_a_delay_with_no_end_was_not_measured() -> None:
    story = Story("CONNECTED-3").logged_in()
    story.put(3, "host", What.DELAY, "late")
    cut = story.fault(2, 2)
    story.switched(7, "RECONNECTING", "INTERRUPTED")
    assert story.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=cut)).judged().verdict is Verdict.FAIL


def test_a_failure_outranks_what_cannot_be_told() -> None:
    story = Story("CONNECTED-3").logged_in(clock_error_ns=MS)
    cut = story.fault(2, 2)
    story.put(6.020, "alice", What.CALLBACK, "onConnectionStateChanged", state="RECONNECTING", reason="INTERRUPTED")
    story.said(8, "onLogout", code="OK")
    judgement = story.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=cut)).judged()
    assert judgement.verdict is Verdict.FAIL
    assert Verdict.INCONCLUSIVE in {check.verdict for check in judgement.checks}


def test_a_timed_step_without_a_clause_is_judged_for_all_that_the_scenario_sets_out_to_prove() -> None:
    story = Story("OPEN-2", "OPEN-3").logged_in()
    story.said(9, "onTokenExpired")
    late = callback("onTokenExpired").at(1.0, after=Moment(at_ns(2), at_ns(2)))
    assert blamed(story.expects(*LOGGED_IN, late).judged()) == ["OPEN-2", "OPEN-3"]


def test_a_timed_step_without_a_clause_proves_nothing_where_it_is_in_time() -> None:
    story = Story("OPEN-2", "OPEN-3").logged_in()
    story.said(3, "onTokenExpired")
    in_time = callback("onTokenExpired").at(1.0, after=Moment(at_ns(2), at_ns(2)))
    judgement = story.expects(*LOGGED_IN, in_time).judged()
    assert judgement.verdict is Verdict.PASS
    assert not {check.clause for check in judgement.checks} & {"OPEN-2", "OPEN-3"}
    assert [judgement.of_clauses()[clause] for clause in ("OPEN-2", "OPEN-3")] == [Verdict.ERROR, Verdict.ERROR]


def left(within: tuple[float, float], clause: str) -> Step:
    step = callback("onMemberLeft", clause, channel="lobby", member="bob")
    return step.within(*within, after=Moment(at_ns(0), at_ns(0)))


@pytest.mark.parametrize(("at_s", "named"), [(3.0, "at_once"), (30.0, "later")])
def test_accepted_answers_that_differ_in_their_times_alone_are_told_apart_by_them(at_s: float, named: str) -> None:
    story = Story("OPEN-16").logged_in()
    story.said(at_s, "onMemberLeft", channel="lobby", member="bob")
    accepted = one_of("OPEN-16", at_once=(left((0, 4), "OPEN-16"),), later=(left((28, 32), "OPEN-16"),))
    judgement = story.expects(*LOGGED_IN, accepted).judged()
    assert (judgement.verdict, judgement.answers) == (Verdict.PASS, {"OPEN-16": named})


def test_where_no_answer_fits_in_time_the_first_that_is_written_is_held_against_it() -> None:
    story = Story("OPEN-16").logged_in()
    story.said(10, "onMemberLeft", channel="lobby", member="bob")
    accepted = one_of("OPEN-16", at_once=(left((0, 4), "OPEN-16"),), later=(left((28, 32), "OPEN-16"),))
    assert "due in [-0.016, 4.016] s" in story.expects(*LOGGED_IN, accepted).judged().reason


def test_in_any_order_equal_steps_with_different_times_each_find_their_own() -> None:
    story = Story("RECONNECTING-7").logged_in()
    story.said(3, "onMessageReceivedFromPeer", peer="bob", text="x")
    story.said(30, "onMessageReceivedFromPeer", peer="bob", text="x")
    message = callback("onMessageReceivedFromPeer", "OPEN-2", peer="bob", text="x")
    start = Moment(at_ns(0), at_ns(0))
    late, soon = message.within(28, 32, after=start), message.within(0, 4, after=start)
    assert story.expects(*LOGGED_IN, any_order(late, soon)).judged().verdict is Verdict.PASS


def test_what_cannot_be_told_says_how_exactly_the_times_are_known() -> None:
    judgement = interrupted(4020 * MS, clock_error_ns=375_000)
    said = "RECONNECTING / INTERRUPTED after 4.020 s, due in [3.984, 4.016] s, and times are known to 0.016 s only"
    assert (judgement.verdict, judgement.reason) == (Verdict.INCONCLUSIVE, f"CONNECTED-3: alice: {said}")


def test_what_lies_in_a_window_that_proves_nothing_says_so_too() -> None:
    judgement = interrupted(4300 * MS, clock_error_ns=600 * MS)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.reason.endswith("due in [3.384, 4.616] s, and times are known to 0.616 s only")


@pytest.mark.parametrize("after_ms", [4000, 4300])
def test_what_can_be_told_does_not_speak_of_how_exactly(after_ms: int) -> None:
    judgement = interrupted(after_ms * MS)
    assert not any("known to" in check.what for check in judgement.checks)
