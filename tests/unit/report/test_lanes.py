from __future__ import annotations

import pytest

from harness.oracle.expect import callback, nothing, state
from harness.oracle.judge import judge
from harness.oracle.verdict import Verdict
from harness.report.lanes import Band, Due, Lane, LaneKind, Mark, MarkKind, Picture, Span, picture_of
from harness.trace import Observation, What
from tests.unit.oracle.story import LOGGED_IN, START_NS, Story, at_ns

INTERRUPTED = state("RECONNECTING", "INTERRUPTED", "CONNECTED-3")


def pictured(story: Story) -> Picture:
    trace = story.ended()
    picture = picture_of(trace, judge(trace))
    assert picture is not None
    return picture


def lane(picture: Picture, name: str) -> Lane:
    (found,) = [each for each in picture.lanes if each.name == name]
    return found


def healed(story: Story, at_s: float, name: str = "cut") -> None:
    story.trace.append(
        Observation(at_ns(at_s), "alice", What.FAULT, f"healing of {name}", until_ns=at_ns(at_s + 0.002))
    )


def lost(*, interrupted_s: float) -> Story:
    """A login, a cut at 2 s, and the interruption, due 4 s after it."""
    story = Story("CONNECTED-3").logged_in()
    cut = story.fault(2.0, 2.001)
    story.switched(interrupted_s, "RECONNECTING", "INTERRUPTED")
    return story.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=cut))


def test_a_state_is_a_band_from_its_callback_to_the_next() -> None:
    picture = pictured(lost(interrupted_s=6.0))
    assert lane(picture, "alice").bands == [
        Band("DISCONNECTED", "", 0.1, 0.5),
        Band("CONNECTING", "LOGIN", 0.5, 0.6),
        Band("CONNECTED", "LOGIN_SUCCESS", 0.6, 6.0),
        Band("RECONNECTING", "INTERRUPTED", 6.0, 91.0),
    ]
    assert (picture.from_s, picture.to_s) == (0.1, 91.0)


def test_a_fault_lies_on_the_link_of_its_person_from_when_it_was_made_until_it_was_healed() -> None:
    story = Story("CONNECTED-3").logged_in().logged_in("bob")
    story.fault(2.0, 2.001)
    healed(story, 7.5)
    picture = pictured(story.expects(*LOGGED_IN))
    assert lane(picture, "alice's link").spans == [Span("cut", 2.0, 7.502, ended=True)]
    assert lane(picture, "bob's link").spans == []
    assert [each.name for each in picture.lanes] == ["alice", "alice's link", "bob", "bob's link"]


def test_a_fault_that_was_never_healed_lasts_to_the_end() -> None:
    assert lane(pictured(lost(interrupted_s=6.0)), "alice's link").spans == [Span("cut", 2.0, 91.0, ended=False)]


def test_callbacks_calls_and_answers_are_marks_where_they_were_made_and_a_plain_ok_is_none() -> None:
    story = Story("CONNECTED-1").logged_in()
    story.called(3, "queryOnline", uids=["bob"])
    story.returned(3.25, "queryOnline", online={"bob": True})
    marks = lane(pictured(story.expects(*LOGGED_IN)), "alice").marks
    assert [(mark.kind, mark.at_s, mark.text.partition("(")[0]) for mark in marks] == [
        (MarkKind.CALL, 0.5, "login"),
        (MarkKind.CALLBACK, 0.5, "CONNECTING / LOGIN"),
        (MarkKind.CALLBACK, 0.6, "onLoginSuccess"),
        (MarkKind.CALLBACK, 0.6, "CONNECTED / LOGIN_SUCCESS"),
        (MarkKind.CALL, 3.0, "queryOnline"),
        (MarkKind.ANSWER, 3.25, "queryOnline"),
    ]


def test_a_killed_client_has_no_state_any_more_and_its_link_is_not_to_blame() -> None:
    story = Story("CONNECTED-2").logged_in()
    story.put(4, "alice", What.FAULT, "crash", visible=True)
    picture = pictured(story.expects(*LOGGED_IN))
    assert lane(picture, "alice").bands[-1] == Band("CONNECTED", "LOGIN_SUCCESS", 0.6, 4.0)
    assert lane(picture, "alice").marks[-1] == Mark(MarkKind.DEED, 4.0, "crash")
    assert lane(picture, "alice's link").spans == []


def test_the_server_has_a_lane_where_something_was_done_to_it() -> None:
    story = Story("OPEN-27")
    story.put(0.05, "server", What.SERVER, "server start", proof="it answered")
    story.logged_in()
    assert [each.kind for each in pictured(story.expects(*LOGGED_IN)).lanes] == [LaneKind.PERSON, LaneKind.LINK]

    story = Story("OPEN-27").logged_in()
    story.put(3, "server", What.SERVER, "server kill", proof="it was reaped")
    story.put(5, "server", What.SERVER, "server start", proof="it answered")
    story.put(6, "server", What.SERVER, "ban", uid="bob")
    server = lane(pictured(story.expects(*LOGGED_IN)), "server")
    assert server.spans == [Span("server kill", 3.0, 5.0, ended=True)]
    assert server.marks == [Mark(MarkKind.DEED, 5.0, "server start()"), Mark(MarkKind.DEED, 6.0, "ban(uid=bob)")]


def test_a_window_lies_where_the_judge_opened_and_closed_it() -> None:
    story = lost(interrupted_s=6.0)
    trace = story.ended()
    (row,) = [row for row in judge(trace).columns[0].rows if row.due_s is not None]
    picture = picture_of(trace, judge(trace))
    assert picture is not None
    (due,) = lane(picture, "alice").dues
    assert (due.from_s, due.to_s, due.flaw) == (*(row.due_s or ()), 0)
    assert due.from_s == pytest.approx(6.0, abs=0.02)
    assert due.to_s == pytest.approx(6.0, abs=0.02)
    assert picture.flaws() == []


def test_what_came_late_is_pointed_at_where_it_came_and_its_window_has_the_same_number() -> None:
    picture = pictured(lost(interrupted_s=7.5))
    (flaw,) = picture.flaws()
    (due,) = lane(picture, "alice").dues
    assert (flaw.number, flaw.person, flaw.at_s, due.flaw) == (1, "alice", 7.5, 1)
    assert flaw.fault.startswith("late by 1.4")


def test_what_never_came_is_pointed_at_where_its_window_closed() -> None:
    story = Story("CONNECTED-3").logged_in()
    cut = story.fault(2.0, 2.001)
    picture = pictured(story.expects(*LOGGED_IN, INTERRUPTED.at(4.0, after=cut)))
    (flaw,) = picture.flaws()
    (due,) = lane(picture, "alice").dues
    assert (flaw.fault, flaw.at_s) == ("missing", due.to_s)


def test_what_was_done_is_told_in_its_order_calls_faults_and_deeds() -> None:
    story = Story("OPEN-27").logged_in()
    story.fault(2.0, 2.001)
    story.put(3, "server", What.SERVER, "server kill", proof="it was reaped")
    story.called(4, "logout")
    story.put(5, "server", What.SERVER, "server start", proof="it answered")
    done = pictured(story.expects(*LOGGED_IN)).done()
    assert [(at_s, who, what.partition("(")[0]) for at_s, who, what in done] == [
        (0.5, "alice", "login"),
        (2.0, "alice's link", "cut, and never healed"),
        (3.0, "server", "server kill, until 5.000 s"),
        (4.0, "alice", "logout"),
        (5.0, "server", "server start"),
    ]


def test_what_was_waited_for_in_vain_was_due_while_it_was_waited_for() -> None:
    story = Story("CONNECTED-3").logged_in()
    step = {"name": "onConnectionStateChanged", "args": {"state": "ABORTED", "reason": "REMOTE_LOGIN"}, "clauses": []}
    story.put(9, "alice", What.AWAITED, "onConnectionStateChanged", step=step, within_s=7.0)
    picture = pictured(story)
    assert lane(picture, "alice").dues == [Due("ABORTED / REMOTE_LOGIN", 2.0, 9.0, 1)]
    assert [(flaw.number, flaw.at_s) for flaw in picture.flaws()] == [(1, 9.0)]


def test_flaws_are_numbered_through_all_people() -> None:
    story = Story("CONNECTED-3").logged_in().logged_in("bob")
    story.said(5, "onTokenExpired")
    story.expects(*LOGGED_IN, nothing("CONNECTED-3")).expects(*LOGGED_IN, callback("onLeave"), person="bob")
    assert [(flaw.number, flaw.person, flaw.fault) for flaw in pictured(story).flaws()] == [
        (1, "alice", "extra"),
        (2, "bob", "missing"),
    ]


def test_a_rule_of_every_trace_that_is_broken_is_pointed_at_when_its_words_say_so() -> None:
    story = Story("CONNECTED-3").logged_in()
    story.switched(3.0, "RECONNECTING", "INTERRUPTED")  # with nothing in the way of its connection
    story.put(90, "scenario", What.RULES_ALONE, "rules_alone")
    flaws = pictured(story).flaws()
    assert {flaw.at_s for flaw in flaws if "at 3.000 s" in flaw.fault} == {3.0}
    assert [flaw.number for flaw in flaws] == list(range(1, len(flaws) + 1))
    assert all(flaw.clause and flaw.row is None for flaw in flaws)


def test_only_a_scenario_that_was_disturbed_shows_how_late_the_host_was() -> None:
    story = lost(interrupted_s=7.0)
    story.delayed(5.9, 400_000_000)
    story.delayed(2.0, 1_000_000)  # shorter than a tick: nothing
    picture = pictured(story)
    assert lane(picture, "host").spans == [Span("host 400 ms late", 5.9, 6.3, ended=True)]
    assert not [each for each in pictured(lost(interrupted_s=6.0)).lanes if each.kind is LaneKind.HOST]


def test_what_kept_the_scenario_from_going_on_is_a_stop() -> None:
    story = Story("CONNECTED-3").logged_in()
    story.put(5, "scenario", What.ERROR, "AdapterError", text="adapter: it is gone", blame="adapter")
    assert pictured(story).stops == (Mark(MarkKind.STOP, 5.0, "adapter: it is gone"),)


def test_a_scenario_that_never_had_a_client_has_no_picture() -> None:
    story = Story("CONNECTED-3")
    story.put(5, "scenario", What.ERROR, "ToxiproxyError", text="toxiproxy: gone", blame="toxiproxy")
    trace = story.ended()
    assert judge(trace).verdict is Verdict.ERROR
    assert picture_of(trace, judge(trace)) is None


def test_what_comes_after_the_end_is_not_shown() -> None:
    story = lost(interrupted_s=6.0)
    trace = [*story.ended(), Observation(at_ns(91.5), "alice", What.CALLBACK, "onLogout", {"code": "OK"})]
    picture = picture_of(trace, judge(trace))
    assert picture is not None
    assert max(mark.at_s for mark in lane(picture, "alice").marks) <= picture.to_s == (at_ns(91) - START_NS) / 1e9
