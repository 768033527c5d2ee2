from __future__ import annotations

from typing import Any

import msgspec
import pytest

from harness.oracle.expect import callback, state
from harness.oracle.judge import CutShortError, JudgeError, judge
from harness.oracle.verdict import Column, Row, Verdict
from harness.trace import What
from tests.unit.oracle.story import LOGGED_IN, Story, blamed

STEP = msgspec.to_builtins(state("ABORTED", "REMOTE_LOGIN", "CONNECTED-5"))


def test_a_scenario_that_checks_nothing_is_an_error_of_the_harness() -> None:
    judgement = Story("CONNECTED-1").judged()
    assert (judgement.verdict, judgement.blame) == (Verdict.ERROR, "harness")
    assert judgement.reason == "the scenario checked nothing"
    assert judgement.of_clauses() == {"CONNECTED-1": Verdict.ERROR}


def test_a_scenario_that_wrote_nothing_down_is_an_error_although_the_table_held() -> None:
    assert Story("CONNECTED-1").logged_in().judged().verdict is Verdict.ERROR


def test_a_scenario_that_expects_nothing_of_somebody_who_said_nothing_is_an_error() -> None:
    story = Story("CONNECTED-1")
    story.declared()
    assert story.expects().judged().verdict is Verdict.ERROR


@pytest.mark.parametrize("late", [False, True], ids=["before the end", "after the end"])
def test_an_error_spoils_the_scenario_whatever_else_it_saw(late: bool) -> None:
    story = Story("CONNECTED-1").logged_in().expects(*LOGGED_IN)
    if late:
        story.ended()
    story.put(92 if late else 90, "scenario", What.ERROR, "AdapterError", text="adapter: gone", blame="adapter")
    judgement = judge(story.trace if late else story.ended())
    assert (judgement.verdict, judgement.reason, judgement.blame) == (Verdict.ERROR, "adapter: gone", "adapter")


def test_what_is_said_after_the_end_is_not_judged() -> None:
    story = Story("CONNECTED-1").logged_in().expects(*LOGGED_IN)
    story.ended()
    story.said(92, "onLogout", code="OK")
    assert judge(story.trace).verdict is Verdict.PASS


def test_what_the_implementation_lacks_makes_it_unsupported_and_nobody_is_to_blame() -> None:
    story = Story("RECONNECTING-6").logged_in()
    story.put(1, "alice", What.LACKING, "capability", text="sdk does not declare 'attributes'")
    judgement = story.judged()
    assert (judgement.verdict, judgement.blame) == (Verdict.UNSUPPORTED, "")
    assert judgement.reason == "sdk does not declare 'attributes'"
    assert judgement.of_clauses()["RECONNECTING-6"] is Verdict.UNSUPPORTED


def test_an_error_outranks_what_is_lacking() -> None:
    story = Story("RECONNECTING-6").logged_in()
    story.put(1, "alice", What.LACKING, "capability", text="lacking")
    story.put(2, "scenario", What.ERROR, "HarnessError", text="broken", blame="harness")
    assert story.judged().verdict is Verdict.ERROR


@pytest.mark.parametrize(("step", "clauses"), [(STEP, ["CONNECTED-5"]), ({**STEP, "clauses": []}, ["OPEN-19"])])
def test_something_awaited_in_vain_fails_by_its_clause_or_by_the_scenarios_own(
    step: dict[str, Any], clauses: list[str]
) -> None:
    story = Story("OPEN-19").logged_in()
    story.put(8, "alice", What.AWAITED, "onConnectionStateChanged", step=step, within_s=7.0)
    judgement = story.judged()
    assert (judgement.verdict, blamed(judgement)) == (Verdict.FAIL, clauses)
    assert judgement.reason.endswith("waited 7 s for ABORTED / REMOTE_LOGIN, which never came")


@pytest.mark.parametrize(("within_s", "shown"), [(7.0, "7 s"), (7, "7 s"), (0.5, "0.5 s"), (31.25, "31.25 s")])
def test_how_long_was_waited_in_vain_is_told_without_idle_digits(within_s: float, shown: str) -> None:
    story = Story("OPEN-19").logged_in()
    story.put(8, "alice", What.AWAITED, "onConnectionStateChanged", step=STEP, within_s=within_s)
    assert story.judged().reason == f"CONNECTED-5: alice: waited {shown} for ABORTED / REMOTE_LOGIN, which never came"


def test_where_the_wait_was_in_vain_all_that_was_seen_is_shown_with_the_step_that_never_came() -> None:
    story = Story("OPEN-19").logged_in("bob", at_s=0.2).logged_in()
    story.returned(2, "queryOnline", online={"bob": True})
    story.returned(3, "join", code="OK")
    story.put(8, "alice", What.AWAITED, "onConnectionStateChanged", step=STEP, within_s=7.0)
    story.said(8.5, "onTokenExpired")
    assert story.judged().columns == [
        Column(
            "alice",
            [
                Row("", "    0.500 s  CONNECTING / LOGIN", at_s=0.5),
                Row("", "    0.600 s  onLoginSuccess()", at_s=0.6),
                Row("", "    0.600 s  CONNECTED / LOGIN_SUCCESS", at_s=0.6),
                Row("", "    2.000 s  queryOnline(online={'bob': True})", at_s=2.0),
                Row("", "    8.500 s  onTokenExpired()", at_s=8.5),
                Row("ABORTED / REMOTE_LOGIN", "", "waited for, and it never came"),
            ],
        )
    ]


# ------------------------------------------------------------------------------------------ traces of no run


def test_a_trace_begins_with_its_scenario() -> None:
    with pytest.raises(JudgeError, match="begins with its scenario"):
        judge([])
    with pytest.raises(JudgeError, match="begins with its scenario"):
        judge(Story().ended()[1:])


def test_a_trace_that_was_cut_short_is_not_judged() -> None:
    with pytest.raises(CutShortError, match="test_story: the trace has no end"):
        judge(Story("CONNECTED-1").logged_in().expects(*LOGGED_IN).trace)


def test_an_expectation_that_cannot_be_read_is_named_by_its_person() -> None:
    story = Story("CONNECTED-1").logged_in()
    story.put(9, "alice", What.EXPECTED, "saw", sequence=[{"type": "sometimes"}])
    with pytest.raises(JudgeError, match="the expectation of alice cannot be read"):
        story.judged()


def test_an_alternative_without_any_answer_cannot_be_read() -> None:
    story = Story("OPEN-10").logged_in()
    story.put(9, "alice", What.EXPECTED, "saw", sequence=[{"type": "one_of", "clause": "OPEN-10", "answers": {}}])
    with pytest.raises(JudgeError, match="accepts no answer at all"):
        story.judged()


def test_an_awaited_step_that_cannot_be_read_is_named_by_its_person() -> None:
    story = Story("CONNECTED-1").logged_in()
    story.put(9, "alice", What.AWAITED, "onLogout", step={"nome": "onLogout"}, within_s=1)
    with pytest.raises(JudgeError, match="what alice waited for cannot be read"):
        story.judged()


@pytest.mark.parametrize(
    ("what", "name", "lacking"),
    [
        (What.DECLARED, "sdk", "heartbeat_s"),
        (What.EXPECTED, "saw", "sequence"),
        (What.AWAITED, "onLogout", "step"),
        (What.ERROR, "HarnessError", "text"),
        (What.LACKING, "capability", "text"),
        (What.CALLBACK, "onConnectionStateChanged", "state"),
        (What.CALLBACK, "onMemberLeft", "member"),
        (What.CALLBACK, "onLogout", "code"),
    ],
)
def test_an_observation_that_does_not_say_what_it_must_is_named(what: What, name: str, lacking: str) -> None:
    story = Story("CONNECTED-1").logged_in().expects(*LOGGED_IN)
    story.put(9, "alice", what, name)
    with pytest.raises(JudgeError, match=f"alice's {what} '{name}' does not say its .*'{lacking}'"):
        story.judged()


def test_a_scenario_that_does_not_say_what_it_proves_is_no_trace_of_a_run() -> None:
    story = Story()
    story.trace[0] = msgspec.structs.replace(story.trace[0], args={})
    with pytest.raises(JudgeError, match="clauses"):
        story.judged()


def test_nothing_can_be_expected_of_somebody_whose_client_never_declared_itself() -> None:
    with pytest.raises(JudgeError, match="of carol something is expected, and nothing was declared"):
        Story("CONNECTED-1").expects(callback("onLogout"), person="carol").judged()
