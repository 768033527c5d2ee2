"""What must hold when all is quiet: who is in a channel, and which of two instances of a user is left."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.oracle.verdict import Verdict
from harness.trace import What
from tests.unit.oracle.story import Story
from tests.unit.oracle.timed_rig import checks, deed, host_late, lost, online, verdict

PASS, FAIL = Verdict.PASS, Verdict.FAIL

# 4 s, the declared 0.5 s of a heartbeat and 2 s to try again, 0.2 s of 'at once', and twice a timer's tick.
SETTLING_S = 6.75


def in_lobby(*, with_bob: bool = True) -> Story:
    """Alice is in the lobby; bob is online, and is not."""
    story = online()
    if with_bob:
        story.logged_in("bob", at_s=1.2)
    story.called(2, "join", channel="lobby")
    story.said(2, "onJoinSuccess", channel="lobby")
    return story


def told(story: Story, *members: str, at_s: float = 80.0, person: str = "alice") -> Verdict | None:
    """What is said of this answer to getMembers."""
    story.called(at_s, "getMembers", person=person, channel="lobby")
    story.returned(at_s, "getMembers", person=person, members=list(members))
    return verdict(story, "OPEN-23", person=person)


@pytest.mark.parametrize(
    ("members", "expected"), [(("alice",), PASS), ((), FAIL), (("alice", "bob"), FAIL), (("alice", "carol"), PASS)]
)
def test_in_a_channel_are_those_who_joined_it(members: tuple[str, ...], expected: Verdict) -> None:
    assert told(in_lobby(), *members) is expected  # of carol nobody knows


def test_what_is_wrong_is_named() -> None:
    story = in_lobby()
    assert told(story, "bob") is FAIL
    (check,) = checks(story, "OPEN-23")
    assert "alice is in lobby, and the server says otherwise" in check.what
    assert "bob is not in lobby, and the server says otherwise" in check.what


def test_an_answer_without_members_says_nothing_and_each_call_is_told_from_the_others() -> None:
    story = in_lobby()
    story.returned(70, "getMembers", members=["alice"])  # which nobody asked for
    story.called(71, "getMembers", channel="lobby")
    story.returned(71, "getMembers", code="TIMEOUT")
    story.called(71.5, "getMembers", channel="lobby")
    story.returned(71.5, "getMembers", code="USER_NOT_LOGGED_IN", members=[])  # a refusal, whatever is beside it
    story.called(72, "queryOnline", uids=["bob"])
    story.returned(72, "queryOnline", online={"bob": True})
    assert verdict(story, "OPEN-23") is None
    assert told(story, "alice") is PASS


# ------------------------------------------------------------------------------------------ by their own callbacks


def left(story: Story, code: str = "OK") -> None:
    story.called(5, "leave", channel="lobby")
    story.said(5, "onLeave", channel="lobby", code=code)


@pytest.mark.parametrize("code", ["OK", "NOT_IN_CHANNEL"])
def test_who_has_left_is_out(code: str) -> None:
    story = in_lobby()
    left(story, code)
    assert told(story) is PASS
    again = in_lobby()
    left(again, code)
    assert told(again, "alice") is FAIL


def leave_that_failed(story: Story) -> None:
    left(story, "FAILURE")


def join_that_failed(story: Story) -> None:
    story.said(5, "onJoinFailure", channel="lobby", code="FAILURE")


def join_under_way(story: Story) -> None:
    story.called(5, "join", channel="lobby")


def leave_under_way(story: Story) -> None:
    story.called(5, "leave", channel="lobby")


def leave_inside_a_callback(story: Story) -> None:
    story.called(5, "react", callback="onLogout", call="leave", args={"channel": "lobby"})


def crash(story: Story) -> None:
    story.put(90, "alice", What.FAULT, "crash")


def trying_to_come_back(story: Story) -> None:
    story.switched(6, "RECONNECTING", "INTERRUPTED")


def just_logged_out(story: Story) -> None:
    story.switched(55, "DISCONNECTED", "LOGOUT")


@pytest.mark.parametrize(
    "doubt",
    [
        leave_that_failed,
        join_that_failed,
        join_under_way,
        leave_under_way,
        leave_inside_a_callback,
        trying_to_come_back,
        just_logged_out,
    ],
)
@pytest.mark.parametrize("members", [(), ("alice",)])
def test_where_the_server_may_have_it_otherwise_both_are_right(
    doubt: Callable[[Story], None], members: tuple[str, ...]
) -> None:
    story = in_lobby()
    doubt(story)
    assert told(story, *members, person="bob") is PASS


@pytest.mark.parametrize(("to", "reason"), [("DISCONNECTED", "LOGOUT"), ("ABORTED", "REMOTE_LOGIN")])
def test_who_has_been_gone_for_long_is_out(to: str, reason: str) -> None:
    story = in_lobby()
    story.switched(6, to, reason)
    assert told(story, person="bob") is PASS
    again = in_lobby()
    again.switched(6, to, reason)
    assert told(again, "alice", person="bob") is FAIL


def test_who_has_logged_in_anew_begins_outside() -> None:
    story = in_lobby()
    story.switched(6, "DISCONNECTED", "LOGOUT")
    story.switched(7, "CONNECTING", "LOGIN")
    story.switched(7, "CONNECTED", "LOGIN_SUCCESS")
    assert told(story, person="bob") is PASS


def test_what_concerns_another_channel_or_comes_later_moves_nobody() -> None:
    story = in_lobby()
    story.called(5, "leave", channel="hall")
    story.called(5, "react", callback="onLogout", call="join", args={"channel": "hall"})
    story.said(5, "onMemberJoined", channel="lobby", member="bob")
    story.called(85, "leave", channel="lobby")
    assert told(story, "alice") is PASS


def test_who_has_not_logged_in_yet_is_out() -> None:
    story = in_lobby()
    story.declared("carol")
    story.called(85, "login", person="carol", uid="carol", token="t")
    assert told(story, "alice", "carol") is FAIL


def test_two_of_one_uid_are_in_if_one_of_them_is() -> None:
    story = in_lobby()
    story.declared("alice_too")
    story.called(3, "login", person="alice_too", uid="alice", token="t")
    assert told(story, "alice") is PASS


# ------------------------------------------------------------------------------------------ quiet


def joined_just_now(story: Story) -> None:
    story.said(80 - SETTLING_S + 0.1, "onJoinSuccess", channel="hall", person="bob")


def healed_just_now(story: Story) -> None:
    lost(story, 60, 80 - SETTLING_S + 0.1, person="bob")


def server_started_just_now(story: Story) -> None:
    deed(story, 60, "server kill")
    deed(story, 80 - SETTLING_S + 0.1, "server start")


def called_just_now(story: Story) -> None:
    story.called(79, "setAttributes", person="bob")


def late_just_now(story: Story) -> None:
    host_late(story, 79)


@pytest.mark.parametrize(
    "noise", [joined_just_now, healed_just_now, server_started_just_now, called_just_now, late_just_now, crash]
)
def test_nothing_is_said_before_all_has_been_quiet_for_long(noise: Callable[[Story], None]) -> None:
    story = in_lobby()
    noise(story)
    assert told(story) is None


def test_what_was_over_before_that_is_no_noise() -> None:
    story = in_lobby()
    lost(story, 60, 80 - SETTLING_S - 0.1, person="bob")
    story.said(80 - SETTLING_S - 0.1, "onTokenExpired", person="bob")
    assert told(story) is FAIL


def test_a_fault_that_was_never_healed_is_noise_for_ever() -> None:
    story = in_lobby()
    lost(story, 3, person="bob")
    assert told(story) is None


# ------------------------------------------------------------------------------------------ two of one uid


def rivals() -> Story:
    """Two instances of one user; both say that they are CONNECTED."""
    story = Story("OPEN-20")
    for name, at_s in (("first", 1.0), ("second", 2.0)):
        story.declared(name)
        story.called(at_s, "login", person=name, uid="alice", token="t")
        story.switched(at_s, "CONNECTING", "LOGIN", person=name)
        story.switched(at_s + 0.1, "CONNECTED", "LOGIN_SUCCESS", person=name)
    return story


def test_one_of_two_instances_survives() -> None:
    story = rivals()
    assert verdict(story, "OPEN-20", person="first") is FAIL
    story.switched(2.2, "ABORTED", "REMOTE_LOGIN", person="first")
    assert verdict(story, "OPEN-20", person="first") is None
    assert verdict(story, "OPEN-20", person="second") is PASS


def test_two_instances_are_not_judged_before_all_is_quiet_nor_is_one_alone() -> None:
    assert verdict(rivals(), "OPEN-20", person="first", end_s=5) is None
    assert verdict(online(), "OPEN-20") is None
