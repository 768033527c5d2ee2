"""DISCONNECTED and CONNECTING: login, its 6 s, its failures, and the calls out of season."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.reference.wire import Code, Frame, LoggedIn, Login, Logout, MemberJoined, Ping, Pong, Refused
from harness.spec.states import (
    JoinChannelError,
    LeaveChannelError,
    LoginError,
    LogoutError,
    Reason,
    RenewTokenError,
    State,
)
from harness.spec.timing import ns
from tests.unit.reference.client_rig import (
    APP,
    CONNECTED,
    CONNECTING,
    HEARTBEAT_S,
    KICKED,
    LOGGED_OUT,
    RECONNECTING,
    TOKEN,
    UID,
    Rig,
)

FAILED = ("onConnectionStateChanged", State.DISCONNECTED, Reason.LOGIN_FAILURE)
TIMED_OUT = [
    ("onLoginFailure", LoginError.TIMEOUT),
    ("onConnectionStateChanged", State.DISCONNECTED, Reason.LOGIN_TIMEOUT),
]


def test_it_is_disconnected_and_wants_nothing_before_the_first_login() -> None:
    rig = Rig()
    assert rig.core.state is State.DISCONNECTED
    assert rig.core.next_deadline() is None
    rig.wait(100)
    assert rig.take() == []


def test_login_switches_to_connecting_and_connects() -> None:
    rig = Rig()
    assert rig.login() is LoginError.OK
    assert rig.take() == [CONNECTING]
    assert rig.opening == {1}
    assert rig.accept(1) == Login(APP, UID, TOKEN, "instance", 1, None)


def test_a_login_that_succeeds_is_confirmed_by_a_ping_and_told_before_its_switch_when_that_is_answered() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.take()
    rig.admit(1)
    assert rig.sent[1][1:] == [Ping(1)]
    assert rig.take() == []
    rig.feed(1, Pong(1))
    assert rig.take() == [("onLoginSuccess",), CONNECTED]
    assert rig.sent[1][1:] == [Ping(1)]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (Code.INVALID_ARGUMENT, LoginError.INVALID_ARGUMENT),
        (Code.INVALID_APP_ID, LoginError.INVALID_APP_ID),
        (Code.INVALID_TOKEN, LoginError.INVALID_TOKEN),
        (Code.TOKEN_EXPIRED, LoginError.TOKEN_EXPIRED),
        (Code.NOT_AUTHORIZED, LoginError.NOT_AUTHORIZED),
        (Code.SUPERSEDED, LoginError.REJECTED),
        (Code.BANNED, LoginError.REJECTED),
        (Code.REJECTED, LoginError.REJECTED),
        (Code.TOO_OFTEN, LoginError.TOO_OFTEN),
        (Code.EXCEED_LIMIT, LoginError.UNKNOWN),
    ],
)
def test_a_refusal_is_a_failure_at_once(code: Code, told: LoginError) -> None:
    rig = Rig()
    rig.login()
    rig.wait(1)  # two attempts are under way by now
    rig.accept(2)
    rig.take()
    rig.feed(2, Refused(code, "because"))
    assert rig.take() == [("onLoginFailure", told), FAILED]
    assert rig.closed == {1: False, 2: False}
    assert rig.core.next_deadline() is None
    assert rig.logs == [f"connection 2 refused: {code} because"]


def test_a_stale_attempt_is_no_failure_of_the_login() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.feed(1, Refused(Code.STALE))
    rig.wait(0.1)
    rig.let_in(2)
    assert rig.take() == [CONNECTING, ("onLoginSuccess",), CONNECTED]


def test_the_6_s_are_exact() -> None:
    rig = Rig()
    rig.login()
    rig.tick_at(ns(6.0) - 1)
    assert rig.take() == [CONNECTING]
    rig.tick_at(ns(6.0))
    assert rig.take() == TIMED_OUT
    assert not rig.opening | rig.open
    assert rig.core.next_deadline() is None


@pytest.mark.parametrize(("at_ns", "told"), [(ns(6.0) - 1, [("onLoginSuccess",), CONNECTED]), (ns(6.0), TIMED_OUT)])
def test_a_success_counts_until_the_6_s_are_over(at_ns: int, told: list[tuple[object, ...]]) -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.tick_at(ns(6.0) - 1)
    rig.admit(1)
    rig.take()
    rig.now += at_ns - (ns(6.0) - 1)
    rig.feed(1, Pong(1))
    assert rig.take() == told


def test_a_connection_that_opens_when_the_6_s_are_over_is_too_late() -> None:
    rig = Rig()
    rig.login()
    rig.take()
    rig.now += ns(6.0)
    rig.core.connection_opened(rig.now, 1)
    assert rig.take() == TIMED_OUT
    assert rig.sent == {}


def test_a_late_success_is_closed_and_changes_nothing() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.wait(6)
    assert rig.closed[1] is False  # OPEN-7: an abort, so that the server sees it gone
    rig.take()
    rig.admit(1)
    assert rig.take() == []
    assert rig.core.state is State.DISCONNECTED


def test_a_retry_does_not_restart_the_6_s() -> None:
    rig = Rig()
    rig.login()
    while rig.core.state is State.CONNECTING:  # a port that refuses, OPEN-5
        for conn in sorted(rig.opening):
            rig.lose(conn)
        deadline = rig.core.next_deadline()
        assert deadline is not None
        rig.wait_until(deadline)
    assert rig.now == rig.started[1] + ns(6.0)
    assert rig.take() == [CONNECTING, *TIMED_OUT]


def test_a_break_while_connecting_is_retried_and_never_leads_to_reconnecting() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.lose(1)
    rig.wait(0.1)
    rig.let_in(2)
    assert rig.take() == [CONNECTING, ("onLoginSuccess",), CONNECTED]


def test_an_answer_after_more_than_5_s_still_counts_while_connecting() -> None:
    rig = Rig()
    rig.login()
    rig.wait(2.8)
    rig.accept(1)
    rig.wait(2.8)
    rig.awake.add(1)
    rig.admit(1)
    assert rig.take() == [CONNECTING, ("onLoginSuccess",), CONNECTED]


# ------------------------------------------------------------------------------------------------ calls out of season


def test_login_while_logged_in_or_in_between_is_refused_and_switches_nothing() -> None:
    rig = Rig()
    rig.login()
    rig.take()
    assert rig.login() is LoginError.ALREADY_LOGGED_IN  # CONNECTING
    rig.let_in(1)
    rig.wait(1)
    rig.take()
    assert rig.login() is LoginError.ALREADY_LOGGED_IN  # CONNECTED
    rig.lose(1)
    rig.wait(4)
    assert rig.take() == [RECONNECTING]
    assert rig.login() is LoginError.ALREADY_LOGGED_IN  # RECONNECTING
    rig.accept(rig.last)
    rig.feed(rig.last, Refused(Code.SUPERSEDED))
    assert rig.take() == [KICKED]
    rig.wait(1)
    assert rig.login() is LoginError.ALREADY_LOGGED_IN  # ABORTED
    assert rig.take() == []


def test_more_than_two_logins_in_a_second_are_too_often() -> None:
    rig = Rig()
    assert rig.login("", UID) is LoginError.INVALID_ARGUMENT
    rig.now += ns(0.5)
    assert rig.login("", UID) is LoginError.INVALID_ARGUMENT
    rig.now += ns(0.5) - 1
    assert rig.login() is LoginError.TOO_OFTEN
    assert rig.take() == []
    rig.now += ns(0.5) + 1  # the second and the third call are within a second still ...
    assert rig.login() is LoginError.OK
    rig.now += ns(0.25)  # ... and now the third and the fourth
    assert rig.login() is LoginError.TOO_OFTEN
    assert rig.take() == [CONNECTING]


def test_the_second_of_too_often_ends_exactly() -> None:
    rig = Rig()
    rig.login("", UID)
    rig.login("", UID)
    rig.now += ns(1.0) - 1
    assert rig.login("", UID) is LoginError.TOO_OFTEN
    rig = Rig()
    rig.login("", UID)
    rig.login("", UID)
    rig.now += ns(1.0)
    assert rig.login("", UID) is LoginError.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("token", "uid"),
    [("", UID), (TOKEN, ""), (TOKEN, "u" * 65), ("t" * 4097, UID), (TOKEN, "\ud800"), (TOKEN, 5), (None, UID)],
)
def test_bad_arguments_leave_it_disconnected(token: str, uid: str) -> None:
    rig = Rig()
    assert rig.login(token, uid) is LoginError.INVALID_ARGUMENT
    assert rig.take() == []
    assert rig.core.next_deadline() is None


def test_logout_before_a_login_has_nothing_to_log_out() -> None:
    rig = Rig()
    assert rig.logout() is LogoutError.USER_NOT_LOGGED_IN
    assert rig.take() == []


def test_logout_while_connecting_lets_the_login_go_on() -> None:
    rig = Rig()
    rig.login()
    assert rig.logout() is LogoutError.USER_NOT_LOGGED_IN
    rig.let_in(1)
    assert rig.take() == [CONNECTING, ("onLoginSuccess",), CONNECTED]


def test_logout_tells_the_server_and_closes() -> None:
    rig = Rig()
    conn = rig.online()
    assert rig.logout() is LogoutError.OK
    assert rig.take() == [*LOGGED_OUT]
    assert rig.frames(conn) == [Logout()]
    assert rig.closed == {conn: True}
    assert rig.core.next_deadline() is None
    rig.wait(100)
    assert rig.take() == []


def test_logout_in_the_grace_is_local() -> None:
    rig = Rig()
    rig.lose(rig.online())
    assert rig.logout() is LogoutError.OK
    assert rig.take() == [*LOGGED_OUT]
    assert rig.closed == {2: False}
    assert rig.core.next_deadline() is None


def test_after_a_failure_and_after_a_logout_a_login_begins_afresh() -> None:
    rig = Rig()
    rig.online(session="first")
    rig.core.join(rig.now, "lobby")
    rig.logout()
    rig.take()
    rig.login()
    login = rig.accept(rig.last)
    assert (login.resume, login.attempt) == (None, 2)
    rig.awake.add(rig.last)
    rig.admit(rig.last)
    assert rig.frames(rig.last) == []  # neither channels nor attributes of the earlier session


def test_whoever_is_not_logged_in_cannot_do_anything() -> None:
    rig = Rig()
    core = rig.core
    assert core.renew_token(rig.now, "new") is RenewTokenError.USER_NOT_LOGGED_IN
    assert core.join(rig.now, "lobby") is JoinChannelError.USER_NOT_LOGGED_IN
    assert core.leave(rig.now, "lobby") is LeaveChannelError.USER_NOT_LOGGED_IN
    rig.login()
    assert core.renew_token(rig.now, "new") is RenewTokenError.USER_NOT_LOGGED_IN
    assert core.join(rig.now, "lobby") is JoinChannelError.USER_NOT_LOGGED_IN
    assert core.leave(rig.now, "lobby") is LeaveChannelError.USER_NOT_LOGGED_IN


# --------------------------------------------------------------------------------------- what a server must not send


@pytest.mark.parametrize(
    "frame",
    [
        b"no json",
        b'{"type":"logged_in","session":"s","resumed":true,"heartbeat_s":0.5,"more":1}',
        b"[" * 70_000,
        Pong(1),
        MemberJoined("lobby", "bob"),
        LoggedIn("session", False, 0.0),
        LoggedIn("session", False, 0.009),
        LoggedIn("session", False, 2.001),
    ],
)
def test_an_attempt_that_brings_nonsense_is_given_up_and_another_one_made(frame: Frame | bytes) -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.feed(1, frame)
    assert rig.closed == {1: False}
    assert rig.logs[0].startswith("connection 1 given up: ")
    rig.wait(0.1)
    rig.let_in(2)
    assert rig.take() == [CONNECTING, ("onLoginSuccess",), CONNECTED]


@pytest.mark.parametrize("heartbeat_s", [0.01, HEARTBEAT_S, 2.0])
def test_a_heartbeat_within_bounds_is_kept(heartbeat_s: float) -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.feed(1, LoggedIn("session", False, heartbeat_s))
    rig.feed(1, Pong(1))
    assert rig.core.next_deadline() == rig.now + ns(heartbeat_s)


def test_an_answer_before_the_login_was_sent_is_nonsense() -> None:
    rig = Rig()
    rig.login()
    rig.core.received(rig.now, 1, b'{"type":"refused","code":"banned"}')
    rig.take()
    assert rig.core.state is State.CONNECTING
    assert rig.logs == ["connection 1 given up: a frame before the login"]


# --------------------------------------------------------------------------------- what a shell, or the core, must not


def test_a_connection_that_was_never_asked_for_is_an_error_of_the_shell() -> None:
    rig = Rig()
    for conn in (0, 1):
        with pytest.raises(HarnessError, match=f"connection {conn} was never opened, the last one is 0"):
            rig.core.connection_opened(rig.now, conn)
        with pytest.raises(HarnessError, match="never opened"):
            rig.core.received(rig.now, conn, b"")
        with pytest.raises(HarnessError, match="never opened"):
            rig.core.connection_lost(rig.now, conn)


def test_a_connection_that_opens_twice_is_an_error_of_the_shell() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    with pytest.raises(HarnessError, match="connection 1 is reported open for a second time while CONNECTING"):
        rig.core.connection_opened(rig.now, 1)
    rig.awake.add(1)
    rig.admit(1)
    with pytest.raises(HarnessError, match="connection 1 is reported open for a second time while CONNECTED"):
        rig.core.connection_opened(rig.now, 1)


def test_an_illegal_switch_is_one_precise_error_and_leaves_the_state_as_it_was() -> None:
    rig = Rig()
    with pytest.raises(HarnessError, match="RECONNECTING / INTERRUPTED while DISCONNECTED"):
        rig.core._switch(State.RECONNECTING, Reason.INTERRUPTED)
    assert rig.core.state is State.DISCONNECTED
    assert rig.take() == []


def test_what_comes_late_of_a_closed_connection_is_ignored() -> None:
    rig = Rig()
    conn = rig.online()
    rig.logout()
    rig.take()
    rig.core.connection_opened(rig.now, conn)
    rig.feed(conn, b"nonsense")
    rig.core.connection_lost(rig.now, conn)
    assert rig.take() == []
    assert rig.core.next_deadline() is None
