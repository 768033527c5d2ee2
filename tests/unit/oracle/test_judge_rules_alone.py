"""A scenario that expects nothing in particular: the rules of every trace judge it."""

from __future__ import annotations

from harness.oracle.explain import render
from harness.oracle.verdict import Verdict
from harness.trace import What
from tests.unit.oracle.story import Story, blamed


def alone() -> Story:
    story = Story()
    story.put(0, "scenario", What.RULES_ALONE, "rules_alone")
    return story


def test_it_passes_where_the_rules_checked_something() -> None:
    judgement = alone().logged_in().judged()
    assert judgement.verdict is Verdict.PASS
    assert {check.clause for check in judgement.checks} >= {"GENERAL-1", "GENERAL-3"}


def test_it_fails_by_the_rule_that_is_broken() -> None:
    story = alone().logged_in()
    story.said(5, "onLoginSuccess")
    judgement = story.judged()
    assert (judgement.verdict, judgement.blame) == (Verdict.FAIL, "implementation")
    assert blamed(judgement) == ["GENERAL-3"]


def test_it_is_an_error_where_they_checked_nothing() -> None:
    judgement = alone().judged()
    assert (judgement.verdict, judgement.reason) == (Verdict.ERROR, "the scenario checked nothing")


def test_without_that_word_a_scenario_without_expectation_is_an_error_still() -> None:
    assert Story().logged_in().judged().verdict is Verdict.ERROR


def test_all_that_each_person_saw_is_shown() -> None:
    shown = render(alone().logged_in().logged_in("bob").judged())
    assert "  alice\n" in shown
    assert "  bob\n" in shown
    assert shown.count("CONNECTED / LOGIN_SUCCESS") == 2
