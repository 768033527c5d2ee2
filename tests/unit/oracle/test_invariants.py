"""What the table says of every trace. Each person here saw just what was expected, so that the table alone speaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.oracle.expect import Step
from harness.oracle.history import of_person
from harness.oracle.invariants import check_invariants
from harness.oracle.judge import seen_by
from harness.oracle.verdict import Judgement, Verdict
from harness.trace import What
from tests.unit.oracle.story import Story, blamed, what_failed

Tell = Callable[[Story], object]


def told(*events: Tell) -> Judgement:
    """The judgement of somebody logged in of whom everything that follows was expected."""
    story = Story("CONNECTED-1").logged_in()
    for event in events:
        event(story)
    return story.expects(*(Step(each.name, each.args) for each in seen_by("alice", story.trace))).judged()


def switch(at_s: float, to: str, reason: str) -> Tell:
    return lambda story: story.switched(at_s, to, reason)


def say(at_s: float, name: str, /, **args: Any) -> Tell:
    return lambda story: story.said(at_s, name, **args)


def call(at_s: float, name: str, /, code: str = "OK", **args: Any) -> Tell:
    def tell(story: Story) -> None:
        story.called(at_s, name, **args)
        story.returned(at_s, name, code=code)

    return tell


def test_what_breaks_no_rule_proves_each_rule_that_it_touched() -> None:
    judgement = told(
        say(1, "onMemberJoined", channel="lobby", member="bob"),
        say(2, "onTokenExpired"),
        call(3, "logout"),
        say(3, "onLogout", code="OK"),
        switch(3, "DISCONNECTED", "LOGOUT"),
    )
    assert judgement.verdict is Verdict.PASS
    assert {check.clause for check in judgement.checks} == {"GENERAL-1", "GENERAL-3", "OPEN-15", "OPEN-22", "OPEN-24"}


def test_somebody_who_did_nothing_proves_nothing() -> None:
    story = Story("CONNECTED-1")
    story.declared()
    assert check_invariants("alice", of_person("alice", story.trace)) == []


# ------------------------------------------------------------------------------------------ GENERAL-1


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("ABORTED", "LOGOUT"),
        ("CONNECTED", "INTERRUPTED"),
        ("RECONNECTING", "LOGIN_TIMEOUT"),
        ("<6>", "INTERRUPTED"),
        ("RECONNECTING", "<9>"),
        ("<True>", "<'LOGOUT'>"),
    ],
)
def test_an_illegal_pair_fails(to: str, reason: str) -> None:
    judgement = told(switch(2, to, reason))
    assert blamed(judgement) == ["GENERAL-1"]
    assert f"{to} / {reason} is no legal pair" in judgement.reason


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("CONNECTED", "LOGIN_SUCCESS"),
        ("CONNECTING", "LOGIN"),
        ("DISCONNECTED", "LOGIN_FAILURE"),
        ("DISCONNECTED", "LOGIN_TIMEOUT"),
    ],
)
def test_a_switch_that_is_no_row_of_the_table_fails_although_its_pair_is_legal(to: str, reason: str) -> None:
    judgement = told(switch(2, to, reason))
    assert blamed(judgement) == ["GENERAL-1"]
    assert f"{to} / {reason} came in CONNECTED, where the table has no such switch" in judgement.reason


def test_a_switch_that_was_kept_secret_shows_at_the_next_one() -> None:
    assert "came in CONNECTED" in told(switch(2, "RECONNECTING", "INTERRUPTED"), *[reconnected(3)] * 2).reason


def reconnected(at_s: float) -> Tell:
    return switch(at_s, "CONNECTED", "LOGIN_SUCCESS")


def test_after_an_illegal_pair_the_state_that_was_told_is_what_the_next_switch_is_held_against() -> None:
    (broken,) = what_failed(told(switch(2, "RECONNECTING", "LOGOUT"), reconnected(3)))
    assert broken.count(";") == 1, broken


def test_after_an_unknown_state_the_last_known_one_counts() -> None:
    (broken,) = what_failed(told(switch(2, "<9>", "LOGOUT"), switch(3, "DISCONNECTED", "LOGOUT")))
    assert broken.count(";") == 1, broken


# ------------------------------------------------------------------------------------------ GENERAL-3


@pytest.mark.parametrize(
    "result", [("onLoginSuccess", {}), ("onLoginFailure", {"code": "TIMEOUT"})], ids=["success", "failure"]
)
def test_a_second_login_result_fails(result: tuple[str, dict[str, str]]) -> None:
    judgement = told(say(2, result[0], **result[1]))
    assert blamed(judgement) == ["GENERAL-3"]
    assert f"{result[0]} callback came without a login() call" in judgement.reason


def test_a_login_out_of_season_may_be_refused_in_the_answer_or_in_the_callback() -> None:
    in_answer = told(call(2, "login", code="ALREADY_LOGGED_IN", token="t"))
    in_callback = told(call(2, "login", token="t"), say(2, "onLoginFailure", code="ALREADY_LOGGED_IN"))
    assert (in_answer.verdict, in_callback.verdict) == (Verdict.PASS, Verdict.PASS)


@pytest.mark.parametrize("answer_first", [True, False])
def test_a_login_refused_both_in_the_answer_and_in_the_callback_fails_in_either_order(answer_first: bool) -> None:
    def refused(story: Story) -> None:
        story.called(2, "login", token="t")
        story.returned(2.1 if answer_first else 2.2, "login", code="ALREADY_LOGGED_IN")
        story.said(2.2 if answer_first else 2.1, "onLoginFailure", code="ALREADY_LOGGED_IN")

    assert blamed(told(refused)) == ["GENERAL-3"]


def test_each_login_call_has_a_result_of_its_own() -> None:
    assert told(call(2, "login", token="a"), say(3, "onLoginSuccess")).verdict is Verdict.PASS


# ------------------------------------------------------------------------------------------ OPEN-24


def joined(at_s: float, channel: str = "lobby", member: object = "bob") -> Tell:
    return say(at_s, "onMemberJoined", channel=channel, member=member)


def left(at_s: float, channel: str = "lobby") -> Tell:
    return say(at_s, "onMemberLeft", channel=channel, member="bob")


@pytest.mark.parametrize(
    "events", [(joined(2), joined(3)), (left(2), left(3)), (joined(2), left(3), left(4))], ids=["JJ", "LL", "JLL"]
)
def test_two_of_a_kind_of_one_member_in_one_channel_fail(events: tuple[Tell, ...]) -> None:
    judgement = told(*events)
    assert blamed(judgement) == ["OPEN-24"]
    assert "of bob in lobby" in judgement.reason


@pytest.mark.parametrize(
    "events",
    [
        (joined(2), left(3), joined(4)),
        (joined(2), joined(3, channel="hall")),
        (joined(2), joined(3, member="carol")),
    ],
    ids=["in turn", "in two channels", "two members"],
)
def test_one_of_each_in_turn_channel_and_member_is_right(events: tuple[Tell, ...]) -> None:
    assert told(*events).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "away",
    [
        (say(3, "onLeave", channel="lobby", code="OK"), say(4, "onJoinSuccess", channel="lobby")),
        (switch(3, "RECONNECTING", "INTERRUPTED"), reconnected(4)),
    ],
    ids=["left the channel", "was away"],
)
def test_an_observer_that_was_not_there_missed_what_came_between(away: tuple[Tell, ...]) -> None:
    assert told(joined(2), *away, joined(5)).verdict is Verdict.PASS


@pytest.mark.parametrize("end", ["server kill", "server stop"])
def test_when_a_server_has_ended_who_is_back_joins_again(end: str) -> None:
    """Its sessions are gone without a Left, until the observer itself switches and begins anew."""

    def ends(story: Story) -> None:
        story.put(3, "server", What.SERVER, end)

    assert told(joined(2), ends, joined(4)).verdict is Verdict.PASS
    away_and_back = (switch(5, "RECONNECTING", "INTERRUPTED"), reconnected(6))
    assert blamed(told(joined(2), ends, *away_and_back, joined(7), joined(8))) == ["OPEN-24"]


@pytest.mark.parametrize("deed", ["server suspend", "ban"])
def test_a_server_that_goes_on_forgets_nobody(deed: str) -> None:
    assert blamed(told(joined(2), lambda story: story.put(3, "server", What.SERVER, deed), joined(4))) == ["OPEN-24"]


def test_entering_another_channel_hides_no_second_joined() -> None:
    assert blamed(told(joined(2), say(3, "onJoinSuccess", channel="hall"), joined(4))) == ["OPEN-24"]


def test_a_member_that_is_no_text_is_no_stumbling_block() -> None:
    assert blamed(told(joined(2, member=["bob"]), joined(3, member=["bob"]))) == ["OPEN-24"]


# ------------------------------------------------------------------------------------------ OPEN-22 and OPEN-15


def test_a_token_that_expires_twice_fails() -> None:
    judgement = told(say(2, "onTokenExpired"), say(3, "onTokenExpired"))
    assert blamed(judgement) == ["OPEN-22"]
    assert "the 2. came when 1 tokens had been given" in judgement.reason


def test_a_token_that_is_given_afterwards_makes_no_excuse_for_the_second_time() -> None:
    second = (say(2, "onTokenExpired"), say(3, "onTokenExpired"))
    assert blamed(told(*second, call(4, "renewToken", token="another"))) == ["OPEN-22"]


def test_every_token_may_expire_once() -> None:
    renewed = call(3, "renewToken", token="another")
    assert told(say(2, "onTokenExpired"), renewed, say(4, "onTokenExpired")).verdict is Verdict.PASS


def test_the_same_token_given_again_is_no_other_token() -> None:
    again = call(3, "renewToken", token="alice's token")
    assert blamed(told(say(2, "onTokenExpired"), again, say(4, "onTokenExpired"))) == ["OPEN-22"]


def test_an_on_logout_without_a_logout_that_was_accepted_fails() -> None:
    assert blamed(told(say(2, "onLogout", code="OK"))) == ["OPEN-15"]
    refused = call(2, "logout", code="USER_NOT_LOGGED_IN")
    assert blamed(told(refused, say(2, "onLogout", code="OK"))) == ["OPEN-15"]


def test_what_is_missing_is_for_the_scenario_to_say() -> None:
    # A host that stood still may have kept an onLogout back, which the table alone cannot know.
    assert told(call(2, "logout")).of_clauses()["OPEN-15"] is Verdict.PASS


@pytest.mark.parametrize(("accepted", "told_of", "verdict"), [(2, 1, "PASS"), (2, 2, "PASS"), (1, 2, "FAIL")])
def test_too_many_on_logouts_fail_and_too_few_do_not(accepted: int, told_of: int, verdict: str) -> None:
    calls = [call(2 + number, "logout") for number in range(accepted)]
    told_back = [say(5 + number, "onLogout", code="OK") for number in range(told_of)]
    judgement = told(*calls, *told_back)
    assert judgement.of_clauses()["OPEN-15"] == verdict
    if verdict == "FAIL":
        assert judgement.reason.endswith("; but 2 came for 1 accepted calls")


def test_an_on_logout_that_says_anything_but_ok_is_no_second_one() -> None:
    failed = say(3, "onLogout", code="FAILURE")
    assert told(call(2, "logout"), failed, say(3, "onLogout", code="OK")).of_clauses()["OPEN-15"] is Verdict.PASS


# ------------------------------------------------------------------------------------------ from inside a callback


def reacts(at_s: float, to_call: str, **args: str) -> Tell:
    return call(at_s, "react", callback="onMessageReceivedFromPeer", call=to_call, args=args)


def test_a_logout_from_inside_a_callback_is_a_call_like_any_other() -> None:
    once = (reacts(2, "logout"), say(3, "onLogout", code="OK"))
    assert told(*once).of_clauses()["OPEN-15"] is Verdict.PASS
    assert blamed(told(*once, say(4, "onLogout", code="OK"))) == ["OPEN-15"]
    assert blamed(told(reacts(2, "leave", channel="lobby"), say(3, "onLogout", code="OK"))) == ["OPEN-15"]


def test_a_login_from_inside_a_callback_is_waited_for_once() -> None:
    once = (reacts(2, "login", uid="alice", token="another"), say(3, "onLoginSuccess"))
    assert told(*once).of_clauses()["GENERAL-3"] is Verdict.PASS
    assert blamed(told(*once, say(4, "onLoginSuccess"))) == ["GENERAL-3"]


@pytest.mark.parametrize("to_call", ["login", "renewToken"])
def test_a_token_that_is_given_from_inside_a_callback_may_expire_too(to_call: str) -> None:
    once = (say(2, "onTokenExpired"), reacts(3, to_call, token="another"), say(4, "onTokenExpired"))
    assert told(*once).of_clauses()["OPEN-22"] is Verdict.PASS
    assert blamed(told(*once, say(5, "onTokenExpired"))) == ["OPEN-22"]


def test_an_exception_that_is_asked_for_is_no_call_at_all() -> None:
    raises = reacts(2, "")
    assert blamed(told(raises, say(3, "onLoginSuccess"))) == ["GENERAL-3"]
    assert blamed(told(raises, say(3, "onLogout", code="OK"))) == ["OPEN-15"]
