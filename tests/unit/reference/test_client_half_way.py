"""A new session between the server's yes and its answer to the ping that confirms it: nothing is told until then."""

from __future__ import annotations

import pytest

from harness.reference.wire import (
    ChannelMessage,
    Code,
    Done,
    Ended,
    EndReason,
    Frame,
    Join,
    LoggedIn,
    Logout,
    PeerMessage,
    Ping,
    Pong,
    Refused,
)
from harness.spec.states import JoinChannelError, LoginError, LogoutError, Reason, State
from harness.spec.timing import ns
from tests.unit.reference.client_rig import (
    CONNECTED,
    CONNECTING,
    ENDED,
    HEARTBEAT_S,
    KICKED,
    LOGGED_OUT,
    RECONNECTING,
    Rig,
    asked,
    away,
    join,
)

FAILED = ("onConnectionStateChanged", State.DISCONNECTED, Reason.LOGIN_FAILURE)
TIMED_OUT = [
    ("onLoginFailure", LoginError.TIMEOUT),
    ("onConnectionStateChanged", State.DISCONNECTED, Reason.LOGIN_TIMEOUT),
]


def half_way(at_s: float = 0.0) -> Rig:
    """A login on connection 1 that the server has accepted, and whose ping is not answered."""
    rig = Rig()
    rig.login()
    rig.wait(at_s)
    rig.accept(1)
    rig.admit(1)
    assert rig.take() == [CONNECTING]
    return rig


def returning(away_s: float = 5.0) -> tuple[Rig, int]:
    """Somebody in the lobby whose link has been gone for so long, half-way in a new session; and the connection."""
    rig = away("lobby", away_s=away_s)
    conn = rig.last
    rig.accept(conn)
    rig.admit(conn, session="new")
    assert rig.take() == []
    return rig, conn


# ------------------------------------------------------------------------------------------------- what is told when


def test_while_connecting_it_is_not_logged_in_yet() -> None:
    rig = half_way()
    rig.wait(0.7)
    assert rig.core.state is State.CONNECTING
    assert rig.login() is LoginError.ALREADY_LOGGED_IN
    assert rig.logout() is LogoutError.USER_NOT_LOGGED_IN
    assert join(rig, "lobby") == JoinChannelError.USER_NOT_LOGGED_IN
    rig.feed(1, Pong(1))
    assert rig.take() == [("onLoginSuccess",), CONNECTED]
    assert rig.sent[1][1:] == [Ping(1)]


def test_a_return_to_a_new_session_is_told_and_restored_when_it_is_confirmed() -> None:
    rig, conn = returning()
    assert rig.frames(conn) == []
    rig.feed(conn, Pong(1))
    assert rig.take() == [CONNECTED]
    assert asked(rig.frames(conn)) == [(Join, "lobby")]


def test_a_return_to_the_same_session_is_told_at_once() -> None:
    rig = away("lobby")
    rig.accept(rig.last)
    rig.admit(rig.last, resumed=True)
    assert rig.take() == [CONNECTED]
    assert rig.sent[rig.last][1:] == [Ping(1)]


@pytest.mark.parametrize(
    ("after_ns", "told"), [(ns(4.0) - 1, []), (ns(4.0), [RECONNECTING, CONNECTED])], ids=["in time", "too late"]
)
def test_the_grace_ends_with_the_confirmation(after_ns: int, told: list[tuple[object, ...]]) -> None:
    rig = Rig()
    conn = rig.online()
    lost = rig.now
    rig.lose(conn)
    rig.accept(rig.last)
    rig.wait_until(lost + ns(3.9))
    rig.admit(2, session="new")
    rig.wait_until(lost + ns(4.0) - 1)
    rig.now = lost + after_ns
    rig.feed(2, Pong(1))
    assert rig.take() == told
    assert rig.core.state is State.CONNECTED


def test_a_pong_to_an_older_ping_confirms_nothing() -> None:
    rig = half_way()
    rig.feed(1, Pong(0))
    assert rig.take() == []
    rig.feed(1, Pong(1))
    assert rig.take() == [("onLoginSuccess",), CONNECTED]


@pytest.mark.parametrize(
    "frame",
    [Pong(2), LoggedIn("session", False, HEARTBEAT_S), Done(1), ChannelMessage("lobby", "bob", "hi"), b"no json"],
)
def test_nonsense_in_between_ends_the_attempt(frame: Frame | bytes) -> None:
    rig = half_way()
    rig.feed(1, frame)
    assert rig.closed == {1: False}
    assert rig.frames(1) == []
    assert rig.logs[0].startswith("connection 1 given up: ")
    rig.wait(0.1)
    rig.let_in(2)
    assert rig.take() == [("onLoginSuccess",), CONNECTED]


def test_messages_that_come_in_between_are_delivered_after_the_login_in_their_order() -> None:
    rig = half_way()
    rig.feed(1, PeerMessage("bob", "one"))
    rig.feed(1, PeerMessage("carol", "two"))
    assert rig.take() == []
    rig.feed(1, Pong(1))
    assert rig.take() == [
        ("onLoginSuccess",),
        CONNECTED,
        ("onMessageReceivedFromPeer", "bob", "one"),
        ("onMessageReceivedFromPeer", "carol", "two"),
    ]
    rig.feed(1, PeerMessage("bob", "three"))
    assert rig.take() == [("onMessageReceivedFromPeer", "bob", "three")]


def test_messages_of_a_session_that_came_to_nothing_are_lost_with_it() -> None:
    rig = half_way()
    rig.feed(1, PeerMessage("bob", "one"))
    rig.lose(1)
    rig.wait(0.1)
    rig.let_in(2)
    assert rig.take() == [("onLoginSuccess",), CONNECTED]


@pytest.mark.parametrize(("pong_s", "ping_s"), [(0.3, 0.5), (0.5, 0.5), (0.8, 0.8)])
def test_the_heartbeat_goes_on_from_the_confirmation_and_is_not_put_off(pong_s: float, ping_s: float) -> None:
    rig = half_way()
    began = rig.now
    rig.wait(pong_s)
    rig.feed(1, Pong(1))
    rig.wait_until(max(rig.now, began + ns(ping_s) - 1))
    if pong_s < ping_s:
        assert rig.sent[1][1:] == [Ping(1)]
        rig.wait_until(began + ns(ping_s))
    assert rig.sent[1][1:] == [Ping(1), Ping(2)]
    rig.wait_until(began + ns(ping_s + HEARTBEAT_S) - 1)
    assert rig.sent[1][1:] == [Ping(1), Ping(2)]
    rig.wait_until(began + ns(ping_s + HEARTBEAT_S))
    assert rig.sent[1][1:] == [Ping(1), Ping(2), Ping(3)]


# ---------------------------------------------------------------------------------------------------- what breaks it


def test_one_that_breaks_is_followed_by_another_after_the_back_off() -> None:
    rig = half_way()
    rig.lose(1)
    rig.tick_at(ns(0.1) - 1)
    assert rig.last == 1
    rig.tick_at(ns(0.1))
    assert rig.last == 2
    rig.let_in(2)
    assert rig.take() == [("onLoginSuccess",), CONNECTED]


@pytest.mark.parametrize("at_s", [0.0, 0.4, 2.9])
def test_one_whose_ping_was_lost_is_followed_by_another_a_second_later(at_s: float) -> None:
    # However long its connection took to open: the link may have been away until then.
    rig = half_way(at_s)
    before = rig.last
    rig.tick_at(ns(at_s + 1.0) - 1)
    assert rig.last == before
    rig.tick_at(ns(at_s + 1.0))
    assert rig.last == before + 1
    rig.let_in(rig.last)
    assert rig.take() == [("onLoginSuccess",), CONNECTED]
    assert rig.frames(1) == [Logout()]
    assert rig.closed[1] is True


def test_it_has_5_s_for_its_confirmation_while_reconnecting() -> None:
    rig = away("lobby", away_s=5.0)
    conn, started = rig.last, rig.now
    rig.wait_until(started + ns(4.5))
    rig.accept(conn)
    rig.wait(0.4)
    accepted = rig.now
    rig.admit(conn, session="new")
    rig.wait_until(accepted + ns(5.0) - 1)
    assert conn in rig.open
    assert rig.frames(conn) == []
    rig.wait_until(accepted + ns(5.0))
    assert rig.frames(conn) == [Logout()]
    assert rig.closed[conn] is True
    assert rig.core.state is State.RECONNECTING


@pytest.mark.parametrize(
    ("reason", "told"), [(EndReason.REMOTE_LOGIN, LoginError.REJECTED), (EndReason.BANNED, LoginError.REJECTED)]
)
def test_an_end_while_connecting_is_a_refusal(reason: EndReason, told: LoginError) -> None:
    rig = half_way()
    rig.feed(1, Ended(reason))
    assert rig.take() == [("onLoginFailure", told), FAILED]
    assert rig.closed == {1: False}
    assert rig.frames(1) == []  # there is nothing left to log out of
    assert rig.core.next_deadline() is None


@pytest.mark.parametrize("reason", list(EndReason))
@pytest.mark.parametrize("away_s", [1.0, 5.0, 40.0])
def test_an_end_on_the_way_back_aborts_directly(reason: EndReason, away_s: float) -> None:
    rig, conn = returning(away_s)
    rig.feed(conn, Ended(reason))
    assert rig.take() == [ENDED[reason]]
    assert rig.closed[conn] is False
    assert rig.frames(conn) == []
    assert not rig.open | rig.opening
    assert rig.core.next_deadline() is None


def test_an_end_before_the_answer_to_the_login_is_nonsense() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.feed(1, Ended(EndReason.REMOTE_LOGIN))
    assert rig.logs == ["connection 1 given up: Ended in the middle of the login"]
    assert rig.core.state is State.CONNECTING


def test_a_login_that_is_taken_back_as_stale_is_followed_by_another() -> None:
    rig = half_way()
    rig.feed(1, Refused(Code.STALE))
    assert rig.closed == {1: False}
    assert rig.frames(1) == []
    rig.wait(0.1)
    rig.let_in(2)
    assert rig.take() == [("onLoginSuccess",), CONNECTED]


def test_a_login_that_is_taken_back_for_good_has_failed() -> None:
    rig = half_way()
    rig.feed(1, Refused(Code.BANNED))
    assert rig.take() == [("onLoginFailure", LoginError.REJECTED), FAILED]
    assert rig.closed == {1: False}
    assert rig.frames(1) == []


# ---------------------------------------------------------------------------------------------------------- no ghost


def test_a_login_that_times_out_half_way_is_logged_out() -> None:
    rig = half_way(4.9)
    rig.tick_at(ns(6.0) - 1)
    assert rig.frames(1) == []
    rig.tick_at(ns(6.0))
    assert rig.take() == TIMED_OUT
    assert rig.frames(1) == [Logout()]
    assert rig.closed.pop(1) is True
    assert not any(rig.closed.values())  # the others had not got so far
    rig.feed(1, Pong(1))
    assert rig.take() == []


def test_a_login_that_fails_elsewhere_is_logged_out_half_way() -> None:
    rig = half_way()
    rig.wait(1)
    rig.accept(2)
    rig.feed(2, Refused(Code.INVALID_TOKEN))
    assert rig.take() == [("onLoginFailure", LoginError.INVALID_TOKEN), FAILED]
    assert rig.closed == {1: True, 2: False}
    assert rig.frames(1) == [Logout()]


@pytest.mark.parametrize("away_s", [1.0, 5.0])
def test_a_logout_on_the_way_back_is_told_on_it(away_s: float) -> None:
    rig, conn = returning(away_s)
    assert rig.logout() is LogoutError.OK
    assert rig.take() == [*LOGGED_OUT]
    assert rig.frames(conn) == [Logout()]
    assert rig.closed[conn] is True


def test_an_abort_on_another_attempt_logs_it_out() -> None:
    rig, conn = returning()
    rig.wait(1)
    rig.accept(rig.last)
    rig.feed(rig.last, Refused(Code.SUPERSEDED))
    assert rig.take() == [KICKED]
    assert rig.frames(conn) == [Logout()]
    assert rig.closed[conn] is True


# ------------------------------------------------------------------------------------------------- beside a silent link


def beside() -> tuple[Rig, int, int]:
    """A silent link in its grace, and an attempt beside it that is half-way; and the two connections."""
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    rig.wait(2)
    other = rig.last
    rig.accept(other)
    rig.admit(other, session="new")
    return rig, conn, other


def test_a_confirmation_takes_the_place_of_a_silent_link() -> None:
    rig, conn, other = beside()
    assert rig.open >= {conn, other}
    rig.awake = {other}
    rig.feed(other, Pong(1))
    assert rig.open == {other}
    rig.wait(60)
    assert rig.take() == []  # CONNECTED-4


def test_it_is_waited_for_when_the_silent_link_seems_to_recover() -> None:
    # The old session is gone, or the new one would have been it: what still comes on the link is from before.
    rig, conn, other = beside()
    rig.feed(conn, Pong(max(frame.n for frame in rig.sent[conn] if isinstance(frame, Ping))))
    assert rig.open == {conn, other}
    assert rig.opening == set()
    rig.feed(other, Pong(1))
    assert rig.open == {other}
    assert rig.closed[conn] is False
    assert rig.take() == []


def test_it_is_logged_out_5_s_after_it_was_accepted_when_the_link_went_on_without_it() -> None:
    rig, conn, other = beside()
    rig.awake = {conn}
    rig.feed(conn, Pong(max(frame.n for frame in rig.sent[conn] if isinstance(frame, Ping))))
    accepted = rig.now
    rig.wait_until(accepted + ns(5.0) - 1)
    assert rig.open == {conn, other}
    rig.wait_until(accepted + ns(5.0))
    assert rig.open == {conn}
    assert rig.frames(other) == [Logout()]
    assert rig.closed[other] is True


def test_a_loss_of_the_silent_link_leaves_it_alone() -> None:
    rig, conn, other = beside()
    rig.lose(conn)
    rig.awake.add(other)
    rig.feed(other, Pong(1))
    assert rig.open == {other}
    rig.wait(60)
    assert rig.take() == []
