from __future__ import annotations

import itertools
import random

import pytest

from harness import trace
from harness.oracle.expect import OneOf, Step, answer, any_order, callback, nothing, one_of, state
from harness.oracle.judge import judge
from harness.oracle.verdict import Check, Verdict
from harness.trace import Observation, What
from tests.unit.oracle.story import LOGGED_IN, Story, at_ns, blamed, what_failed

LEFT = callback("onMemberLeft", "RECONNECTING-7", channel="lobby", member="bob")
JOINED = callback("onMemberJoined", "RECONNECTING-8", channel="lobby", member="bob")
INTERRUPTED = state("RECONNECTING", "INTERRUPTED", "CONNECTED-3")


def say(story: Story, at_s: float, *steps: Step, person: str = "alice") -> Story:
    """Have a client say what these steps are of."""
    for index, step in enumerate(steps):
        story.said(at_s + index / 1000, step.name, person=person, **step.args)
    return story


def test_a_story_that_went_as_written_passes_and_proves_the_clauses_of_its_steps() -> None:
    story = Story("CONNECTED-3").logged_in()
    say(story, 5, INTERRUPTED)
    judgement = story.expects(*LOGGED_IN, INTERRUPTED).judged()
    assert (judgement.verdict, judgement.reason, judgement.blame) == (Verdict.PASS, "", "")
    assert Check("CONNECTED-3", Verdict.PASS, "alice", "RECONNECTING / INTERRUPTED") in judgement.checks
    assert {"DISCONNECTED-2", "CONNECTING-1", "CONNECTING-2", "GENERAL-1", "GENERAL-3"} <= set(judgement.of_clauses())
    assert set(judgement.of_clauses().values()) == {Verdict.PASS}


def test_a_missing_callback_fails_by_its_clause() -> None:
    judgement = Story("CONNECTED-3").logged_in().expects(*LOGGED_IN, INTERRUPTED).judged()
    assert (judgement.verdict, judgement.blame) == (Verdict.FAIL, "implementation")
    assert judgement.reason == "CONNECTED-3: alice: RECONNECTING / INTERRUPTED never came"
    assert blamed(judgement) == ["CONNECTED-3"]


def test_a_callback_missing_in_the_middle_fails_by_its_own_clause_not_by_that_of_the_next() -> None:
    story = say(Story("RECONNECTING-8").logged_in(), 2, JOINED)
    judgement = story.expects(*LOGGED_IN, LEFT, JOINED).judged()
    assert blamed(judgement) == ["RECONNECTING-7"]
    assert what_failed(judgement) == ["onMemberJoined(channel=lobby, member=bob) was not expected here"]


def test_an_extra_callback_at_the_end_fails_although_nothing_was_said_of_it() -> None:
    story = say(Story("CONNECTED-1").logged_in(), 2, LEFT)
    judgement = story.expects(*LOGGED_IN).judged()
    assert (judgement.verdict, blamed(judgement)) == (Verdict.FAIL, ["GENERAL-1"])
    assert what_failed(judgement) == ["onMemberLeft(channel=lobby, member=bob) was not expected here"]


def test_an_extra_callback_between_two_steps_fails() -> None:
    story = say(Story("CONNECTED-3").logged_in(), 2, LEFT, INTERRUPTED)
    assert blamed(story.expects(*LOGGED_IN, INTERRUPTED).judged()) == ["CONNECTED-3"]


def test_the_wrong_order_fails() -> None:
    story = say(Story("RECONNECTING-7").logged_in(), 2, JOINED, LEFT)
    assert blamed(story.expects(*LOGGED_IN, LEFT, JOINED).judged()) == ["RECONNECTING-7"]


def test_the_wrong_reason_fails() -> None:
    story = Story("CONNECTED-6").logged_in()
    story.switched(2, "DISCONNECTED", "LOGIN_FAILURE")
    judgement = story.expects(*LOGGED_IN, state("DISCONNECTED", "LOGOUT", "CONNECTED-6")).judged()
    assert (judgement.verdict, blamed(judgement)) == (Verdict.FAIL, ["CONNECTED-6", "GENERAL-1"])


def test_a_duplicate_fails() -> None:
    story = say(Story("RECONNECTING-7").logged_in(), 2, LEFT, LEFT)
    judgement = story.expects(*LOGGED_IN, LEFT).judged()
    assert (judgement.verdict, blamed(judgement)) == (Verdict.FAIL, ["GENERAL-1", "OPEN-24"])


@pytest.mark.parametrize("then", [(), (INTERRUPTED,)], ids=["until the end", "between two steps"])
def test_something_in_a_quiet_stretch_fails_by_the_clauses_of_the_quiet(then: tuple[Step, ...]) -> None:
    story = say(Story("CONNECTED-4").logged_in(), 2, LEFT, *then)
    judgement = story.expects(*LOGGED_IN, nothing("CONNECTED-4", "OPEN-2"), *then).judged()
    assert (judgement.verdict, blamed(judgement)) == (Verdict.FAIL, ["CONNECTED-4", "OPEN-2"])


def test_several_quiets_in_a_row_are_all_to_blame() -> None:
    story = say(Story("CONNECTED-4").logged_in(), 2, LEFT)
    assert blamed(story.expects(*LOGGED_IN, nothing("CONNECTED-4"), nothing("OPEN-3")).judged()) == [
        "CONNECTED-4",
        "OPEN-3",
    ]


def test_a_quiet_that_was_kept_proves_its_clauses_at_the_end_and_between_steps() -> None:
    story = say(Story("CONNECTED-4", "RECONNECTING-10").logged_in(), 5, INTERRUPTED)
    judgement = story.expects(*LOGGED_IN, nothing("CONNECTED-4"), INTERRUPTED, nothing("RECONNECTING-10")).judged()
    assert Check("CONNECTED-4", Verdict.PASS, "alice", "nothing else before RECONNECTING / INTERRUPTED") in (
        judgement.checks
    )
    assert Check("RECONNECTING-10", Verdict.PASS, "alice", "nothing else until the end") in judgement.checks


def test_a_quiet_that_was_not_reached_proves_nothing() -> None:
    story = Story("RECONNECTING-10").logged_in()
    judgement = story.expects(*LOGGED_IN, INTERRUPTED, nothing("RECONNECTING-10")).judged()
    assert not [check for check in judgement.checks if check.clause == "RECONNECTING-10"]
    assert (judgement.verdict, judgement.of_clauses()["RECONNECTING-10"]) == (Verdict.FAIL, Verdict.NOT_REACHED)


def test_a_step_without_a_clause_fails_by_what_the_scenario_sets_out_to_prove() -> None:
    judgement = Story("OPEN-2", "OPEN-3").logged_in().expects(*LOGGED_IN, callback("onLogout", code="OK")).judged()
    assert blamed(judgement) == ["OPEN-2", "OPEN-3"]


# ------------------------------------------------------------------------------------------ answers and alternatives


def test_an_answer_that_says_more_than_ok_is_part_of_the_sequence() -> None:
    story = Story("CONNECTED-1").logged_in()
    story.returned(2, "queryOnline", online={"bob": False})
    expected = answer("queryOnline", "CONNECTED-1", online={"bob": True})
    assert blamed(story.expects(*LOGGED_IN, expected).judged()) == ["CONNECTED-1"]


def test_an_answer_that_is_merely_ok_is_not() -> None:
    story = Story("CONNECTED-1").logged_in()
    story.returned(2, "join", code="OK")
    assert story.expects(*LOGGED_IN).judged().verdict is Verdict.PASS


def test_an_answer_stands_where_it_arrived_although_it_was_put_down_later() -> None:
    story = Story("OPEN-12").logged_in()
    refused, late = {"code": "ALREADY_LOGGED_IN"}, {"channel": "lobby", "member": "bob"}
    story.called(2, "login", token="another")
    story.trace.append(Observation(at_ns(2.2), "alice", What.CALLBACK, "onMemberLeft", late, arrived_ns=at_ns(2.22)))
    story.trace.append(Observation(at_ns(2.1), "alice", What.RETURN, "login", refused, arrived_ns=at_ns(2.21)))
    story.expects(*LOGGED_IN, answer("login", "OPEN-12", code="ALREADY_LOGGED_IN"), LEFT)
    assert story.judged().verdict is Verdict.PASS


@pytest.mark.parametrize(("said", "named"), [((), "no_event"), ((LEFT, JOINED), "left_and_joined")])
def test_each_accepted_answer_is_named_and_proves_its_clause(said: tuple[Step, ...], named: str) -> None:
    accepted = one_of("OPEN-10", no_event=(), left_and_joined=(LEFT, JOINED))
    judgement = say(Story("OPEN-10").logged_in(), 2, *said).expects(*LOGGED_IN, accepted).judged()
    assert (judgement.verdict, judgement.answers) == (Verdict.PASS, {"OPEN-10": named})
    assert Check("OPEN-10", Verdict.PASS, "alice", f"answered by {named!r}") in judgement.checks


@pytest.mark.parametrize("said", [(JOINED,), (LEFT,), (JOINED, LEFT), (LEFT, LEFT), (LEFT, JOINED, JOINED)])
def test_what_none_of_the_accepted_answers_says_fails_and_no_answer_is_named(said: tuple[Step, ...]) -> None:
    accepted = one_of("OPEN-10", no_event=(), left_and_joined=(LEFT, JOINED))
    judgement = say(Story("OPEN-10").logged_in(), 2, *said).expects(*LOGGED_IN, accepted).judged()
    assert (judgement.verdict, judgement.answers) == (Verdict.FAIL, {})


def test_a_clause_that_was_answered_in_several_ways_names_each_of_them_once() -> None:
    def accepted(answered: Step) -> OneOf:
        return one_of("OPEN-10", no_event=(), one=(answered,), both=(answered, answered))

    expected = (accepted(LEFT), INTERRUPTED, accepted(JOINED), accepted(callback("onTokenExpired")))
    judgement = say(Story("OPEN-10").logged_in(), 2, LEFT, INTERRUPTED, JOINED).expects(*LOGGED_IN, *expected).judged()
    assert (judgement.verdict, judgement.answers) == (Verdict.PASS, {"OPEN-10": "one, no_event"})
    said = [check.what for check in judgement.checks if check.clause == "OPEN-10"]
    assert said == ["answered by 'one, no_event'"]


ORDERS = list(itertools.permutations([LEFT, JOINED, INTERRUPTED]))


@pytest.mark.parametrize("order", ORDERS, ids=range(len(ORDERS)))
def test_any_order_takes_every_order(order: tuple[Step, ...]) -> None:
    story = say(Story("RECONNECTING-7").logged_in(), 2, *order)
    assert story.expects(*LOGGED_IN, any_order(LEFT, JOINED, INTERRUPTED)).judged().verdict is Verdict.PASS


@pytest.mark.parametrize("said", [(LEFT,), (LEFT, LEFT), (LEFT, JOINED, LEFT), (INTERRUPTED, LEFT)])
def test_any_order_takes_neither_less_nor_more_nor_others(said: tuple[Step, ...]) -> None:
    story = say(Story("RECONNECTING-7").logged_in(), 2, *said)
    assert story.expects(*LOGGED_IN, any_order(LEFT, JOINED)).judged().verdict is Verdict.FAIL


# ------------------------------------------------------------------------------------------ the same verdict, always


def eventful() -> Story:
    """A story with several people, an alternative, a window, a quiet stretch and a failure."""
    story = Story("CONNECTED-3", "OPEN-10").logged_in("alice", clock_error_ns=1_000).logged_in("bob", at_s=0.7)
    cut = story.fault(1.0, 1.01)
    story.delayed(1.2, 2_000_000)
    story.switched(5.3, "RECONNECTING", "INTERRUPTED")
    say(story, 31.2, LEFT, JOINED, JOINED, person="bob")
    story.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=cut, late="heartbeat"), nothing("RECONNECTING-10"))
    return story.expects(*LOGGED_IN, one_of("OPEN-10", none=(), both=(LEFT, JOINED)), person="bob")


def test_a_stored_trace_is_judged_as_it_was_when_it_was_new() -> None:
    observations = eventful().ended()
    judgement = judge(observations)
    assert judgement.verdict is Verdict.FAIL
    assert judge(trace.load(trace.dump(observations))) == judgement


def test_what_others_said_in_between_changes_nothing() -> None:
    first, *middle, end = eventful().ended()
    verdict = judge([first, *middle, end])
    for seed in range(20):
        rng = random.Random(seed)
        queues = {who: [each for each in middle if each.source == who] for who in {each.source for each in middle}}
        mixed = []
        while any(queues.values()):
            mixed.append(queues[rng.choice(sorted(who for who in queues if queues[who]))].pop(0))
        shuffled = judge([first, *mixed, end])
        assert shuffled.verdict is verdict.verdict
        assert shuffled.of_clauses() == verdict.of_clauses()
        assert sorted(map(repr, shuffled.columns)) == sorted(map(repr, verdict.columns))


def answered_by(*people: str) -> Story:
    """A story in which some people see bob leave and come back, and the others see nothing of it."""
    story = Story("OPEN-10")
    for name in ("alice", "carol", "dave"):
        story.logged_in(name)
        say(story, 3, *((LEFT, JOINED) if name in people else ()), person=name)
        story.expects(*LOGGED_IN, one_of("OPEN-10", none=(), both=(LEFT, JOINED)), person=name)
    return story


@pytest.mark.parametrize(
    ("people", "named"),
    [((), "none"), (("carol",), "none, both"), (("alice",), "both, none"), (("alice", "carol", "dave"), "both")],
)
def test_what_several_people_answer_to_one_clause_is_named_once_each_in_the_order_of_the_people(
    people: tuple[str, ...], named: str
) -> None:
    judgement = answered_by(*people).judged()
    assert (judgement.verdict, judgement.answers) == (Verdict.PASS, {"OPEN-10": named})


def test_the_answer_of_one_stays_where_what_another_saw_is_none() -> None:
    story = answered_by("alice")
    story.said(9, "onTokenExpired", person="carol")
    judgement = story.judged()
    assert (judgement.verdict, judgement.answers) == (Verdict.FAIL, {"OPEN-10": "both, none"})
    assert [check.person for check in judgement.checks if check.what.startswith("answered by")] == ["alice", "dave"]
