from __future__ import annotations

import pytest

from harness.oracle.expect import Step, callback, nothing, state
from harness.oracle.judge import JudgeError, judge
from harness.oracle.verdict import Verdict
from tests.unit.oracle.story import Story

# Of MQTT: no table has these switches, and RECONNECTING / LOGIN_TIMEOUT is no legal pair of rtm-1.0.
SEEN: tuple[Step, ...] = (state("CONNECTING", "LOGIN"), state("RECONNECTING", "LOGIN_TIMEOUT", "MQTT-3.2"))


def story(profile: str | None) -> Story:
    told = Story("MQTT-3.2")
    told.declared()
    if profile is not None:
        told.trace[0].args["profile"] = profile
    told.switched(1, "CONNECTING", "LOGIN")
    told.switched(4, "RECONNECTING", "LOGIN_TIMEOUT")
    return told


def test_a_trace_of_a_profile_without_a_table_is_judged_by_what_was_expected_alone() -> None:
    judgement = story("mqtt-5").expects(*SEEN).judged()
    assert judgement.verdict is Verdict.PASS
    assert [check.clause for check in judgement.checks] == ["MQTT-3.2"]


@pytest.mark.parametrize("profile", ["rtm-1.0", None])
def test_the_same_trace_breaks_the_table_of_the_first_profile_which_is_that_of_traces_that_name_none(
    profile: str | None,
) -> None:
    judgement = story(profile).expects(*SEEN).judged()
    assert judgement.verdict is Verdict.FAIL
    assert "GENERAL-1" in judgement.of_clauses()


@pytest.mark.parametrize(("profile", "blamed"), [("mqtt-5", "MQTT-3.2"), ("rtm-1.0", "GENERAL-1")])
def test_what_nobody_expected_is_laid_on_the_scenarios_own_clauses_unless_the_profile_has_one_for_it(
    profile: str, blamed: str
) -> None:
    told = story(profile)
    told.said(5, "onTokenExpired")
    reason = told.expects(*SEEN).judged().reason
    assert reason == f"{blamed}: alice: onTokenExpired() was not expected here"


def test_a_clause_of_a_foreign_profile_is_blamed_where_nothing_was_to_come() -> None:
    told = story("mqtt-5")
    told.said(5, "onTokenExpired")
    judgement = told.expects(*SEEN, nothing("MQTT-OPEN-2")).judged()
    assert judgement.reason.startswith("MQTT-OPEN-2: alice: ")


def test_a_scenario_of_a_foreign_profile_that_expects_nothing_has_checked_nothing() -> None:
    judgement = story("mqtt-5").judged()
    assert (judgement.verdict, judgement.reason) == (Verdict.ERROR, "the scenario checked nothing")


def test_a_profile_that_there_is_not_is_named_with_those_that_there_are() -> None:
    with pytest.raises(JudgeError, match=r"no profile is called 'mqtt-4'; there are rtm-1.0, mqtt-5"):
        judge(story("mqtt-4").expects(*SEEN, callback("onLogout", code="OK")).ended())
