"""What is missing or extra is held against nobody where the host was so late that this could be the cause."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from harness.oracle.budget import DELAY_SPEAKS_FOR_NS, ERROR_MAX_NS, PROCESSES_ON_THE_WAY, Budget
from harness.oracle.expect import callback, nothing, state
from harness.oracle.judge import judge
from harness.oracle.verdict import Judgement, Verdict
from harness.trace import Observation, What
from tests.unit.oracle.story import LOGGED_IN, Story, at_ns, blamed, what_failed

NS_PER_S = 1_000_000_000
MOST_NS = 125_000_000  # by so much the host may be late, and is not yet taken for the cause
ENOUGH_NS = 200_000_000
SPEAKS_FOR_S = DELAY_SPEAKS_FOR_NS / NS_PER_S
NOTICED_S = 20.0
INTERRUPTED = state("RECONNECTING", "INTERRUPTED", "CONNECTED-3")


def missing(story: Story) -> Judgement:
    """A step that never came; noticed at the end of the scenario."""
    sequence = msgspec.to_builtins((*LOGGED_IN, INTERRUPTED))
    story.put(NOTICED_S, "alice", What.EXPECTED, "saw", sequence=sequence)
    story.put(NOTICED_S, "scenario", What.END, "end")
    return judge(story.trace)


def extra(story: Story) -> Judgement:
    """A callback that nobody expected; noticed when it came."""
    story.said(NOTICED_S, "onTokenExpired")
    return story.expects(*LOGGED_IN, nothing("CONNECTED-3")).judged()


def awaited(story: Story) -> Judgement:
    """A step that was waited for in vain; noticed when the wait was given up."""
    step = msgspec.to_builtins(INTERRUPTED)
    story.put(NOTICED_S, "alice", What.AWAITED, "onConnectionStateChanged", step=step, within_s=7.0)
    return story.judged()


WAYS = [
    (missing, "RECONNECTING / INTERRUPTED never came"),
    (extra, "onTokenExpired() was not expected here"),
    (awaited, "waited 7 s for RECONNECTING / INTERRUPTED, which never came"),
]
each_way = pytest.mark.parametrize(("way", "said"), WAYS, ids=["missing", "extra", "awaited"])
Way = Callable[[Story], Judgement]


def delayed(due_s: float, by_ns: int, *, source: str = "host") -> Story:
    story = Story("CONNECTED-3").logged_in()
    story.delayed(5.0, 1_000_000)  # there to be outdone
    story.delayed(due_s, by_ns, source=source)
    return story


@each_way
def test_on_a_host_that_was_late_by_no_more_than_an_eighth_of_a_second_it_is_a_failure(way: Way, said: str) -> None:
    assert PROCESSES_ON_THE_WAY * MOST_NS == ERROR_MAX_NS
    judgement = way(delayed(12.0, MOST_NS))
    assert (judgement.verdict, judgement.blame, blamed(judgement)) == (Verdict.FAIL, "implementation", ["CONNECTED-3"])
    assert judgement.reason == f"CONNECTED-3: alice: {said}"


@each_way
def test_on_a_host_that_was_later_than_that_it_cannot_be_told(way: Way, said: str) -> None:
    judgement = way(delayed(12.0, MOST_NS + 1))
    assert (judgement.verdict, judgement.blame, blamed(judgement)) == (Verdict.INCONCLUSIVE, "host", ["CONNECTED-3"])
    assert judgement.reason == f"CONNECTED-3: alice: {said}; but on this host things may have been 500 ms late"
    assert what_failed(judgement) == []


@each_way
def test_a_harness_that_was_late_by_no_more_than_half_a_second_excuses_nobody(way: Way, said: str) -> None:
    judgement = way(delayed(12.0, ERROR_MAX_NS, source="harness"))
    assert (judgement.verdict, judgement.reason) == (Verdict.FAIL, f"CONNECTED-3: alice: {said}")


@each_way
def test_under_a_harness_that_was_later_than_that_it_cannot_be_told(way: Way, said: str) -> None:
    judgement = way(delayed(12.0, ERROR_MAX_NS + 1, source="harness"))
    assert (judgement.verdict, judgement.blame, blamed(judgement)) == (Verdict.INCONCLUSIVE, "host", ["CONNECTED-3"])
    assert judgement.reason == f"CONNECTED-3: alice: {said}; but on this host things may have been 500 ms late"


def test_the_delays_of_the_host_and_of_the_harness_do_not_add_up() -> None:
    story = delayed(12.0, MOST_NS)
    story.delayed(12.0, ERROR_MAX_NS, source="harness")
    assert missing(story).verdict is Verdict.FAIL


@each_way
@pytest.mark.parametrize(
    ("host_ns", "harness_ns", "told_ms"), [(300_000_000, 1_100_000_000, 1200), (300_000_000, 1_234_567_890, 1235)]
)
def test_the_worst_of_both_is_told_and_the_hosts_counts_for_each_process_on_the_way(
    way: Way, said: str, host_ns: int, harness_ns: int, told_ms: int
) -> None:
    story = delayed(12.0, host_ns)
    story.delayed(14.0, ENOUGH_NS)
    story.delayed(13.0, harness_ns, source="harness")
    story.delayed(15.0, 9 * NS_PER_S, source="carol")  # of nobody else is it known how late they were
    told = f"but on this host things may have been {told_ms} ms late"
    assert way(story).reason == f"CONNECTED-3: alice: {said}; {told}"


@pytest.mark.parametrize(
    ("due_s", "counts"),
    [
        (-ENOUGH_NS / NS_PER_S - SPEAKS_FOR_S - 1e-9, False),
        (-ENOUGH_NS / NS_PER_S - SPEAKS_FOR_S, True),
        (0.0, True),
        (NOTICED_S, True),
        (NOTICED_S + SPEAKS_FOR_S, True),
        (NOTICED_S + SPEAKS_FOR_S + 1e-9, False),
    ],
)
@each_way
def test_what_counts_is_from_the_start_until_it_was_noticed_or_close_by(
    way: Way, said: str, due_s: float, counts: bool
) -> None:
    judgement = way(delayed(due_s, ENOUGH_NS))
    assert judgement.verdict is (Verdict.INCONCLUSIVE if counts else Verdict.FAIL)
    assert judgement.reason.endswith("late" if counts else said)


def test_a_delay_after_an_extra_callback_came_is_not_its_cause_although_the_scenario_went_on() -> None:
    story = delayed(NOTICED_S + 2, ENOUGH_NS)
    assert extra(story).verdict is Verdict.FAIL


def test_a_step_without_a_clause_cannot_be_told_for_all_that_the_scenario_sets_out_to_prove() -> None:
    story = Story("OPEN-2", "OPEN-3").logged_in()
    story.delayed(12.0, ENOUGH_NS)
    judgement = story.expects(*LOGGED_IN, callback("onLogout", code="OK")).judged()
    assert (judgement.verdict, blamed(judgement)) == (Verdict.INCONCLUSIVE, ["OPEN-2", "OPEN-3"])


def test_what_comes_after_the_step_that_cannot_be_told_was_not_reached() -> None:
    story = Story("CONNECTED-3", "RECONNECTING-10").logged_in()
    story.delayed(12.0, ENOUGH_NS)
    found = story.expects(*LOGGED_IN, INTERRUPTED, nothing("RECONNECTING-10")).judged().of_clauses()
    assert (found["CONNECTED-3"], found["RECONNECTING-10"]) == (Verdict.INCONCLUSIVE, Verdict.NOT_REACHED)


def test_what_the_table_forbids_is_a_failure_on_any_host() -> None:
    story = Story("CONNECTED-3").logged_in()
    story.delayed(12.0, ENOUGH_NS)
    story.switched(13.0, "CONNECTED", "LOGIN_SUCCESS")
    judgement = story.expects(*LOGGED_IN).judged()
    assert (judgement.verdict, blamed(judgement)) == (Verdict.FAIL, ["GENERAL-1"])
    assert "where the table has no such switch" in judgement.reason


def test_a_sequence_that_is_whole_passes_on_any_host() -> None:
    assert delayed(12.0, 10 * NS_PER_S).expects(*LOGGED_IN, nothing("CONNECTED-3")).judged().verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("source", "by_ns", "late_ns"),
    [
        ("host", MOST_NS, 0),
        ("host", MOST_NS + 1, ERROR_MAX_NS + 4),
        ("harness", ERROR_MAX_NS, 0),
        ("harness", ERROR_MAX_NS + 1, ERROR_MAX_NS + 1),
    ],
)
def test_the_border_is_exact(source: str, by_ns: int, late_ns: int) -> None:
    budget = Budget(delayed(12.0, by_ns, source=source).trace)
    assert budget.disturbed_ns(at_ns(0), at_ns(20)) == late_ns
    assert budget.disturbed_ns(at_ns(0), at_ns(11)) == 0


def test_a_host_that_was_not_measured_was_not_disturbed() -> None:
    assert Budget([]).disturbed_ns(0, NS_PER_S) == 0


@pytest.mark.parametrize(("due_s", "verdict"), [(NOTICED_S + 1.9, "INCONCLUSIVE"), (NOTICED_S + 2.3, "FAIL")])
def test_a_missing_step_is_missing_at_the_end_and_not_when_the_expectation_was_written_down(
    due_s: float, verdict: str
) -> None:
    story = delayed(due_s, ENOUGH_NS)
    story.put(NOTICED_S, "alice", What.EXPECTED, "saw", sequence=msgspec.to_builtins((*LOGGED_IN, INTERRUPTED)))
    story.put(NOTICED_S + 2, "scenario", What.END, "end")
    assert judge(story.trace).verdict == verdict


# ------------------------------------------------------------------------------------------ the harness came too late

TOO_LATE = "the harness came 1.000 s too late to the moment 2 s after something"


def too_late(story: Story) -> Judgement:
    story.put(NOTICED_S, "scenario", What.LATE, "until", text=TOO_LATE)
    return story.judged()


def test_a_scenario_that_could_not_go_on_in_time_cannot_be_told() -> None:
    judgement = too_late(Story("CONNECTED-3").logged_in())
    assert (judgement.verdict, judgement.reason, judgement.blame) == (Verdict.INCONCLUSIVE, TOO_LATE, "host")
    assert judgement.of_clauses()["CONNECTED-3"] is Verdict.NOT_REACHED


def test_what_was_broken_before_it_came_too_late_stays_broken() -> None:
    story = Story("CONNECTED-3").logged_in()
    story.switched(3, "CONNECTED", "LOGIN_SUCCESS")
    judgement = too_late(story)
    assert (judgement.verdict, judgement.blame, blamed(judgement)) == (Verdict.FAIL, "implementation", ["GENERAL-1"])


def test_a_scenario_that_lacks_something_or_failed_is_that_although_it_came_too_late() -> None:
    for what, verdict in ((What.LACKING, Verdict.UNSUPPORTED), (What.ERROR, Verdict.ERROR)):
        story = Story("CONNECTED-3").logged_in()
        story.put(3, "scenario", what, "x", text="no")
        assert too_late(story).verdict is verdict


@pytest.mark.parametrize("by_ns", [MOST_NS, MOST_NS + 1])
def test_on_a_disturbed_host_a_client_may_be_on_its_way_from_one_connection_to_another(by_ns: int) -> None:
    story = delayed(12.0, by_ns)
    story.put(NOTICED_S, "alice", What.COUNTED, "counted", connections=2, logins=1)
    judgement = story.expects(*LOGGED_IN).judged()
    assert judgement.verdict is (Verdict.FAIL if by_ns == MOST_NS else Verdict.PASS)
    checked = {"OPEN-2", "OPEN-28"} if by_ns == MOST_NS else {"OPEN-28"}  # a storm of logins is one on any host
    assert {check.clause for check in judgement.checks} & {"OPEN-2", "OPEN-28"} == checked


def flapped(story: Story, *moments_s: float) -> Story:
    """A flap of 2 s: cut and healed in turn at these times, the first cut being when its schedule begins."""
    for number, at_s in enumerate(moments_s):
        name = "healing of flap" if number % 2 else "flap"
        parameters = {"period_s": 2.0, "count": 9, "cycle": number // 2 + 1}
        moment_ns = at_ns(at_s)
        story.trace.append(
            Observation(moment_ns, "alice", What.FAULT, name, {"parameters": parameters}, until_ns=moment_ns)
        )
    return story


@pytest.mark.parametrize(
    ("moments_s", "late_s"),
    [
        ((5.0, 6.0, 7.0, 8.0), 0.0),
        ((5.0, 6.0, 7.0, 8.4), 0.0),  # known to the half second, as everything is
        ((5.0, 6.6, 7.0, 8.0), 0.6),
        ((5.0, 6.0, 7.7, 8.0), 0.7),
    ],
)
def test_a_flap_that_was_behind_its_schedule_is_a_delay_of_the_harness(
    moments_s: tuple[float, ...], late_s: float
) -> None:
    budget = Budget(flapped(Story("OPEN-3").logged_in(), *moments_s).trace)
    assert budget.disturbed_ns(at_ns(4), at_ns(9)) == pytest.approx(late_s * NS_PER_S, abs=1000)


@pytest.mark.parametrize(("asked_s", "late_s"), [(7.0, 1.0), (7.6, 0.0)])
def test_a_fault_that_took_long_to_make_is_a_delay_of_the_harness(asked_s: float, late_s: float) -> None:
    story = Story("OPEN-3").logged_in()
    details = {"asked_ns": at_ns(asked_s)}
    story.trace.append(Observation(at_ns(7.9), "alice", What.FAULT, "healing of cut", details, until_ns=at_ns(8.0)))
    budget = Budget(story.trace)
    assert budget.disturbed_ns(at_ns(4), at_ns(9)) == pytest.approx(late_s * NS_PER_S, abs=1000)
    assert budget.disturbed_ns(at_ns(9), at_ns(12)) == 0


def test_a_client_on_its_way_back_waits_for_the_four_worst_turns_of_the_server() -> None:
    story = Story("OPEN-3").logged_in()
    for number, late_ms in enumerate((10, 50, 20, 40, 30)):
        story.delayed(5.0 + number / 4, late_ms * 1_000_000, source="server")
    budget = Budget(story.trace)
    undisturbed_ns = budget.error_ns("alice", at_ns(20), at_ns(21))
    assert budget.error_ns("alice", at_ns(5), at_ns(7)) - undisturbed_ns == (50 + 40 + 30 + 20) * 1_000_000
