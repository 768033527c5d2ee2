"""Channels: joining and leaving, with a link and without."""

from __future__ import annotations

import pytest

from harness.reference.client_requests_core import PENDING_MAX
from harness.reference.wire import (
    ChannelMessage,
    Code,
    Done,
    Ended,
    EndReason,
    GetMembers,
    Join,
    Leave,
    MemberJoined,
    MemberLeft,
    PeerMessage,
)
from harness.spec.states import JoinChannelError, LeaveChannelError
from harness.spec.timing import ns
from tests.unit.reference.client_rig import (
    CONNECTED,
    HEARTBEAT_S,
    KICKED,
    LOGGED_OUT,
    RECONNECTING,
    Rig,
    answer,
    asked,
    away,
    join,
    leave,
    member,
)

# ------------------------------------------------------------------------------------------------------------ joining


def test_a_join_that_is_let_in() -> None:
    rig = Rig()
    conn = rig.online()
    assert join(rig, "lobby") == JoinChannelError.OK
    assert asked(rig.frames(conn)) == [(Join, "lobby")]
    assert rig.take() == []
    answer(rig, conn)
    assert rig.take() == [("onJoinSuccess", "lobby")]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (Code.INVALID_ARGUMENT, JoinChannelError.INVALID_ARGUMENT),
        (Code.NOT_AUTHORIZED, JoinChannelError.REJECTED),
        (Code.REJECTED, JoinChannelError.REJECTED),
        (Code.EXCEED_LIMIT, JoinChannelError.EXCEED_LIMIT),
        (Code.TOO_OFTEN, JoinChannelError.TOO_OFTEN),
        (Code.BANNED, JoinChannelError.FAILURE),
    ],
)
def test_a_join_that_is_refused_may_be_tried_again(code: Code, told: JoinChannelError) -> None:
    rig = Rig()
    conn = rig.online()
    join(rig, "lobby")
    answer(rig, conn, code)
    assert rig.take() == [("onJoinFailure", "lobby", told)]
    assert join(rig, "lobby") == JoinChannelError.OK


def test_what_is_known_here_is_returned_and_the_server_is_not_asked() -> None:
    rig, conn = member("lobby")
    assert join(rig, "lobby") == JoinChannelError.ALREADY_JOINED
    assert join(rig, "") == JoinChannelError.INVALID_ARGUMENT
    assert join(rig, "c" * 65) == JoinChannelError.INVALID_ARGUMENT
    assert leave(rig, "elsewhere") == LeaveChannelError.NOT_IN_CHANNEL
    assert rig.frames(conn) == []
    join(rig, "arena")
    assert join(rig, "arena") == JoinChannelError.ALREADY_JOINED
    assert leave(rig, "arena") == LeaveChannelError.NOT_IN_CHANNEL  # not in it yet
    assert asked(rig.frames(conn)) == [(Join, "arena")]
    assert rig.take() == []


def test_no_more_than_20_channels() -> None:
    rig, conn = member(*(f"channel-{number}" for number in range(19)))
    assert join(rig, "twentieth") == JoinChannelError.OK  # counts while it is under way
    assert join(rig, "one too many") == JoinChannelError.EXCEED_LIMIT
    answer(rig, conn)
    leave(rig, "channel-7")
    assert join(rig, "one more") == JoinChannelError.OK


def test_a_join_times_out_5_s_after_the_call_and_a_late_answer_does_not_let_it_in() -> None:
    rig = Rig()
    conn = rig.online()
    called = rig.now
    join(rig, "lobby")
    rig.wait_until(called + ns(5.0) - 1)
    assert rig.take() == []
    rig.wait_until(called + ns(5.0))
    assert rig.take() == [("onJoinFailure", "lobby", JoinChannelError.JOIN_CHANNEL_TIMEOUT)]
    assert asked(rig.frames(conn)) == [(Join, "lobby"), (Leave, "lobby")]  # it may be in for the server
    rig.feed(conn, Done(1))
    rig.feed(conn, Done(2))
    assert rig.take() == []
    rig.lose(conn)
    assert rig.let_in(rig.last, resumed=True) == []


def test_a_join_waits_for_a_link_and_is_carried_out_on_it() -> None:
    rig = away()
    assert join(rig, "lobby") == JoinChannelError.OK
    rig.wait(4.9)
    assert asked(rig.let_in(rig.last, resumed=True)) == [(Join, "lobby")]
    answer(rig, rig.last)
    assert rig.take() == [CONNECTED, ("onJoinSuccess", "lobby")]


def test_a_join_that_no_link_came_for_times_out_and_is_forgotten() -> None:
    rig = away()
    called = rig.now
    join(rig, "lobby")
    rig.wait_until(called + ns(5.0) - 1)
    assert rig.take() == []
    rig.wait_until(called + ns(5.0))
    assert rig.take() == [("onJoinFailure", "lobby", JoinChannelError.JOIN_CHANNEL_TIMEOUT)]
    assert rig.let_in(rig.last, resumed=True) == []


@pytest.mark.parametrize("code", [None, Code.ALREADY_JOINED])
def test_a_join_whose_answer_was_lost_is_sent_again(code: Code | None) -> None:
    rig = Rig()
    conn = rig.online()
    join(rig, "lobby")
    rig.lose(conn)
    assert asked(rig.let_in(rig.last, resumed=True)) == [(Join, "lobby")]
    answer(rig, rig.last, code)
    assert rig.take() == [("onJoinSuccess", "lobby")]


def test_a_join_that_was_sent_and_timed_out_while_away_is_taken_back_on_the_return() -> None:
    rig = Rig()
    conn = rig.online()
    join(rig, "lobby")
    rig.lose(conn)
    rig.wait(6)
    assert rig.take() == [RECONNECTING, ("onJoinFailure", "lobby", JoinChannelError.JOIN_CHANNEL_TIMEOUT)]
    assert asked(rig.let_in(rig.last, resumed=True)) == [(Leave, "lobby")]
    answer(rig, rig.last, Code.NOT_IN_CHANNEL)
    rig.lose(rig.last)
    rig.wait(1)
    assert rig.let_in(rig.last, resumed=True) == []


# ------------------------------------------------------------------------------------------------------------ leaving


@pytest.mark.parametrize("code", [None, Code.NOT_IN_CHANNEL])
def test_a_leave_is_told_when_the_server_has_answered(code: Code | None) -> None:
    rig, conn = member("lobby")
    assert leave(rig, "lobby") == LeaveChannelError.OK
    assert asked(rig.frames(conn)) == [(Leave, "lobby")]
    assert leave(rig, "lobby") == LeaveChannelError.NOT_IN_CHANNEL
    assert rig.take() == []
    answer(rig, conn, code)
    assert rig.take() == [("onLeave", "lobby", LeaveChannelError.OK)]
    rig.lose(conn)
    assert rig.let_in(rig.last) == []  # not restored


@pytest.mark.parametrize(
    ("code", "told"), [(Code.REJECTED, LeaveChannelError.REJECTED), (Code.TOO_OFTEN, LeaveChannelError.FAILURE)]
)
def test_a_leave_that_is_refused_leaves_it_in(code: Code, told: LeaveChannelError) -> None:
    rig, conn = member("lobby")
    leave(rig, "lobby")
    answer(rig, conn, code)
    assert rig.take() == [("onLeave", "lobby", told)]
    assert join(rig, "lobby") == JoinChannelError.ALREADY_JOINED
    rig.lose(conn)
    assert rig.let_in(rig.last, resumed=True) == []  # the server has it there, and need not be told


def test_a_leave_without_an_answer_fails_after_5_s_and_is_told_again_until_it_is_known() -> None:
    rig, conn = member("lobby")
    leave(rig, "lobby")
    rig.wait(5)
    assert rig.take() == [("onLeave", "lobby", LeaveChannelError.FAILURE)]
    assert asked(rig.frames(conn)) == [(Leave, "lobby")] * 2
    rig.wait(5)
    assert asked(rig.frames(conn)) == [(Leave, "lobby")] * 2
    rig.lose(conn)
    assert asked(rig.let_in(rig.last, resumed=True)) == [(Leave, "lobby")]


def test_a_channel_that_was_joined_again_is_not_left_for_an_earlier_leave() -> None:
    rig, conn = member("lobby")
    leave(rig, "lobby")
    rig.wait(5)
    join(rig, "lobby")
    answer(rig, conn)
    rig.take()
    rig.lose(conn)
    assert rig.let_in(rig.last, resumed=True) == []


def test_a_leave_while_reconnecting_is_immediate_and_told_on_the_return() -> None:
    rig = away("lobby", "arena")
    assert leave(rig, "lobby") == LeaveChannelError.OK
    assert rig.take() == [("onLeave", "lobby", LeaveChannelError.OK)]
    assert asked(rig.let_in(rig.last, resumed=True)) == [(Leave, "lobby")]
    answer(rig, rig.last)
    assert rig.take() == [CONNECTED]


def test_a_leave_while_reconnecting_is_no_news_for_a_new_session() -> None:
    rig = away("lobby", "arena")
    leave(rig, "lobby")
    assert asked(rig.let_in(rig.last)) == [(Join, "arena")]


def test_a_leave_in_the_grace_is_decided_with_the_switch() -> None:
    rig, conn = member("lobby")
    rig.lose(conn)
    leave(rig, "lobby")
    assert rig.take() == []
    rig.wait(4)
    assert rig.take() == [RECONNECTING, ("onLeave", "lobby", LeaveChannelError.OK)]
    assert asked(rig.let_in(rig.last, resumed=True)) == [(Leave, "lobby")]


def test_a_leave_in_the_grace_is_carried_out_on_the_next_link() -> None:
    rig, conn = member("lobby")
    rig.lose(conn)
    leave(rig, "lobby")
    assert asked(rig.let_in(rig.last, resumed=True)) == [(Leave, "lobby")]
    answer(rig, rig.last)
    assert rig.take() == [("onLeave", "lobby", LeaveChannelError.OK)]


def test_left_and_joined_while_reconnecting_is_told_in_this_order() -> None:
    rig = away("lobby")
    leave(rig, "lobby")
    join(rig, "lobby")
    assert asked(rig.let_in(rig.last, resumed=True)) == [(Leave, "lobby"), (Join, "lobby")]


# ---------------------------------------------------------------------------------------------------------- the others


def test_what_others_do_is_told_of_channels_that_it_is_in() -> None:
    rig, conn = member("lobby")
    for channel in ("lobby", "elsewhere"):
        rig.feed(conn, MemberJoined(channel, "bob"))
        rig.feed(conn, ChannelMessage(channel, "bob", "hi"))
        rig.feed(conn, MemberLeft(channel, "bob"))
    rig.feed(conn, PeerMessage("bob", "psst"))
    assert rig.take() == [
        ("onMemberJoined", "lobby", "bob"),
        ("onMessageReceived", "lobby", "bob", "hi"),
        ("onMemberLeft", "lobby", "bob"),
        ("onMessageReceivedFromPeer", "bob", "psst"),
    ]


# ------------------------------------------------------------------------------------------------------------- endings


def test_an_end_fails_what_is_under_way() -> None:
    rig, conn = member("lobby")
    join(rig, "arena")
    leave(rig, "lobby")
    rig.feed(conn, Ended(EndReason.REMOTE_LOGIN))
    assert rig.take() == [
        ("onJoinFailure", "arena", JoinChannelError.FAILURE),
        ("onLeave", "lobby", LeaveChannelError.FAILURE),
        KICKED,
    ]
    assert join(rig, "lobby") == JoinChannelError.USER_NOT_LOGGED_IN


def test_a_logout_fails_what_is_under_way_before_it() -> None:
    rig = away()
    join(rig, "lobby")
    rig.logout()
    assert rig.take() == [("onJoinFailure", "lobby", JoinChannelError.FAILURE), *LOGGED_OUT]


def test_whoever_asks_for_too_much_at_once_is_told_so() -> None:
    rig, conn = member("lobby")
    for _ in range(PENDING_MAX):
        rig.ask(rig.core.get_members, "lobby")
    assert join(rig, "arena") == JoinChannelError.TOO_OFTEN
    assert leave(rig, "lobby") == LeaveChannelError.FAILURE
    assert all(isinstance(frame, GetMembers) for frame in rig.frames(conn))
    rig.lose(conn)
    rig.wait(4.5)
    assert leave(rig, "lobby") == LeaveChannelError.OK  # needs nobody's answer
    assert rig.take() == [RECONNECTING, ("onLeave", "lobby", LeaveChannelError.OK)]
    rig.wait(HEARTBEAT_S)
    assert join(rig, "arena") == JoinChannelError.OK  # the others are too late by now
