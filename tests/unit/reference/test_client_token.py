"""The token: when it expires, and how a new one takes its place."""

from __future__ import annotations

import pytest

from harness.reference.wire import Code, Done, Ended, EndReason, Failed, Refused, RenewToken
from harness.spec.states import RenewTokenError
from harness.spec.timing import ns
from tests.unit.reference.client_rig import CONNECTED, KICKED, LOGGED_OUT, RECONNECTING, TOKEN, Rig

EXPIRED = ("onTokenExpired",)
NEW = "token-2"


def result(code: RenewTokenError, token: str = NEW) -> tuple[object, ...]:
    return ("onRenewTokenResult", token, code)


def renew(rig: Rig, token: str = NEW) -> int:
    return rig.ask(rig.core.renew_token, token)


def refuse(rig: Rig, code: Code) -> None:
    """Refuse the login of the attempt that was started last."""
    rig.accept(rig.last)
    rig.feed(rig.last, Refused(code))


# ------------------------------------------------------------------------------------------------------------- expiry


@pytest.mark.parametrize("lifetime_s", ["1e308", "-1e308"])
def test_a_lifetime_that_is_no_time_gives_the_connection_up_and_nothing_else(lifetime_s: str) -> None:
    rig = Rig()
    conn = rig.online()
    rig.feed(conn, f'{{"type":"done","id":1,"token_expires_in_s":{lifetime_s}}}'.encode())
    assert conn in rig.closed
    rig.let_in(rig.last, resumed=True)
    assert rig.take() == []  # CONNECTED-4: back within 4 s


def test_it_is_told_when_it_expires_and_switches_nothing() -> None:
    rig = Rig()
    rig.login()
    rig.let_in(1, expires_in_s=10.0)
    rig.take()
    rig.tick_at(ns(10.0) - 1)
    assert rig.take() == []
    rig.tick_at(ns(10.0))
    assert rig.take() == [EXPIRED]
    rig.wait(60)
    assert rig.take() == []


def test_it_is_told_while_reconnecting_without_asking_the_server() -> None:
    rig = Rig()
    conn = rig.online(expires_in_s=10.0)
    rig.lose(conn)
    rig.wait(60)
    assert rig.take() == [RECONNECTING, EXPIRED]


def test_one_that_the_server_calls_expired_is_told_once_and_tried_on() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(4.5)
    rig.take()
    for _ in range(5):
        refuse(rig, Code.TOKEN_EXPIRED)
        rig.wait(1)
    assert rig.take() == [EXPIRED]
    assert rig.accept(rig.last).token == TOKEN


def test_the_timer_and_the_server_together_tell_it_once() -> None:
    rig = Rig()
    rig.lose(rig.online(expires_in_s=10.0))
    rig.wait(4.5)
    refuse(rig, Code.TOKEN_EXPIRED)
    rig.wait(60)
    assert rig.take() == [RECONNECTING, EXPIRED]


def test_a_return_with_a_token_that_was_told_does_not_tell_it_again() -> None:
    rig = Rig()
    conn = rig.online(expires_in_s=1.0)
    rig.wait(1)
    assert rig.take() == [EXPIRED]
    rig.lose(conn)
    rig.let_in(rig.last, resumed=True, expires_in_s=1.0)
    rig.wait(60)
    assert rig.take() == []


def test_a_return_sets_the_timer_anew() -> None:
    rig = Rig()
    rig.lose(rig.online(expires_in_s=10.0))
    rig.let_in(rig.last, resumed=True, expires_in_s=20.0)
    back = rig.now
    rig.wait_until(back + ns(20.0) - 1)
    assert rig.take() == []
    rig.wait_until(back + ns(20.0))
    assert rig.take() == [EXPIRED]


def test_a_refusal_of_another_kind_says_nothing_of_the_token() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(4.5)
    rig.take()
    for code in (Code.INVALID_TOKEN, Code.NOT_AUTHORIZED, Code.REJECTED, Code.TOO_OFTEN, Code.STALE):
        refuse(rig, code)
        rig.wait(1)
    assert rig.take() == []
    rig.let_in(rig.last, resumed=True)
    assert rig.take() == [CONNECTED]


# ------------------------------------------------------------------------------------------------------- with a link


def test_a_new_token_is_given_to_the_server() -> None:
    rig = Rig()
    conn = rig.online()
    assert renew(rig) == RenewTokenError.OK
    assert rig.frames(conn) == [RenewToken(1, NEW)]
    assert rig.take() == []
    rig.feed(conn, Done(1))
    assert rig.take() == [result(RenewTokenError.OK)]
    rig.lose(conn)
    assert rig.accept(rig.last).token == NEW


def test_a_new_token_has_a_life_of_its_own() -> None:
    rig = Rig()
    conn = rig.online(expires_in_s=10.0)
    renew(rig)
    rig.feed(conn, Done(1, 20.0))
    renewed = rig.now
    rig.wait_until(renewed + ns(20.0) - 1)
    assert rig.take() == [result(RenewTokenError.OK)]
    rig.wait_until(renewed + ns(20.0))
    assert rig.take() == [EXPIRED]


def test_the_same_token_again_counts_as_a_new_one() -> None:
    rig = Rig()
    conn = rig.online(expires_in_s=1.0)
    rig.wait(1)
    renew(rig, TOKEN)
    rig.feed(conn, Done(1, 1.0))
    rig.wait(1)
    assert rig.take() == [EXPIRED, result(RenewTokenError.OK, TOKEN), EXPIRED]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (Code.INVALID_ARGUMENT, RenewTokenError.INVALID_ARGUMENT),
        (Code.INVALID_TOKEN, RenewTokenError.INVALID_TOKEN),
        (Code.TOKEN_EXPIRED, RenewTokenError.TOKEN_EXPIRED),
        (Code.NOT_AUTHORIZED, RenewTokenError.REJECTED),
        (Code.REJECTED, RenewTokenError.REJECTED),
        (Code.TOO_OFTEN, RenewTokenError.TOO_OFTEN),
        (Code.BANNED, RenewTokenError.FAILURE),
    ],
)
def test_a_new_token_that_is_refused_leaves_the_old_one_in_use(code: Code, told: RenewTokenError) -> None:
    rig = Rig()
    conn = rig.online()
    renew(rig)
    rig.feed(conn, Failed(1, code))
    assert rig.take() == [result(told)]
    rig.lose(conn)
    assert rig.accept(rig.last).token == TOKEN


def test_a_new_token_without_an_answer_fails_after_5_s() -> None:
    rig = Rig()
    conn = rig.online()
    called = rig.now
    renew(rig)
    rig.wait_until(called + ns(5.0) - 1)
    assert rig.take() == []
    rig.wait_until(called + ns(5.0))
    assert rig.take() == [result(RenewTokenError.FAILURE)]
    rig.feed(conn, Done(1))
    assert rig.take() == []


def test_of_two_new_tokens_in_a_row_the_second_counts() -> None:
    rig = Rig()
    conn = rig.online()
    renew(rig)
    renew(rig, "token-3")
    assert rig.take() == [result(RenewTokenError.FAILURE)]
    rig.feed(conn, Done(1))
    assert rig.take() == []
    rig.feed(conn, Done(2))
    assert rig.take() == [result(RenewTokenError.OK, "token-3")]


@pytest.mark.parametrize("token", ["", "t" * 4097, "\ud800"])
def test_a_token_that_is_none_is_refused_here(token: str) -> None:
    rig = Rig()
    conn = rig.online()
    assert renew(rig, token) == RenewTokenError.INVALID_ARGUMENT
    assert rig.frames(conn) == []
    assert rig.take() == []


# ----------------------------------------------------------------------------------------------------- without a link


def test_a_new_token_while_reconnecting_is_the_next_logins() -> None:
    rig = Rig()
    rig.lose(rig.online(expires_in_s=1.0))
    rig.wait(5)
    assert rig.take() == [EXPIRED, RECONNECTING]
    renew(rig)
    assert rig.let_in(rig.last, resumed=True, expires_in_s=9.0) == []
    assert rig.take() == [CONNECTED, result(RenewTokenError.OK)]
    rig.wait(9)
    assert rig.take() == [EXPIRED]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (Code.TOKEN_EXPIRED, RenewTokenError.TOKEN_EXPIRED),
        (Code.INVALID_TOKEN, RenewTokenError.INVALID_TOKEN),
        (Code.NOT_AUTHORIZED, RenewTokenError.REJECTED),
    ],
)
def test_a_new_token_that_a_login_is_refused_for_gives_way_to_the_old_one(code: Code, told: RenewTokenError) -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(4.5)
    rig.take()
    renew(rig)
    refuse(rig, code)
    assert rig.take() == [result(told)]
    rig.wait(1)
    assert rig.accept(rig.last).token == TOKEN


@pytest.mark.parametrize("code", [Code.TOO_OFTEN, Code.STALE, Code.EXCEED_LIMIT])
def test_a_refusal_that_says_nothing_of_the_token_leaves_the_renewal_waiting(code: Code) -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(4.5)
    rig.take()
    renew(rig)
    refuse(rig, code)
    rig.wait(1)
    assert rig.take() == []
    assert rig.accept(rig.last).token == NEW


def test_a_login_that_was_out_with_the_old_token_is_followed_by_the_renewal() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(5)
    rig.take()
    conn = rig.last
    rig.accept(conn)
    renew(rig)
    rig.awake.add(conn)
    rig.admit(conn, resumed=True)
    assert rig.take() == [CONNECTED]
    (frame,) = rig.frames(conn)
    assert frame == RenewToken(1, NEW)
    rig.feed(conn, Done(1))
    assert rig.take() == [result(RenewTokenError.OK)]


def test_a_login_with_a_renewal_that_was_replaced_is_followed_by_the_newer_one() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(5)
    rig.take()
    renew(rig)
    conn = rig.last
    rig.accept(conn)
    renew(rig, "token-3")
    rig.admit(conn, resumed=True)
    assert rig.take() == [result(RenewTokenError.FAILURE), CONNECTED]
    assert rig.frames(conn) == [RenewToken(1, "token-3")]
    rig.feed(conn, Failed(1, Code.INVALID_TOKEN))
    assert rig.take() == [result(RenewTokenError.INVALID_TOKEN, "token-3")]
    rig.lose(conn)
    rig.wait(1)
    assert rig.accept(rig.last).token == NEW  # the last one that the server took


def test_a_token_that_a_login_was_let_in_with_expires_as_such_although_it_was_replaced() -> None:
    rig = Rig()
    rig.lose(rig.online(expires_in_s=1.0))
    rig.wait(5)
    renew(rig)
    conn = rig.last
    rig.accept(conn)
    renew(rig, "token-3")
    rig.take()
    rig.awake.add(conn)
    rig.admit(conn, resumed=True, expires_in_s=1.0)
    rig.wait(1)
    assert rig.take() == [CONNECTED, EXPIRED]


def test_a_refusal_of_a_renewal_that_was_replaced_is_told_to_nobody() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(5)
    renew(rig)
    conn = rig.last
    rig.accept(conn)
    renew(rig, "token-3")
    rig.take()
    rig.feed(conn, Refused(Code.TOKEN_EXPIRED))
    assert rig.take() == []


def test_a_renewal_whose_link_is_lost_becomes_the_next_logins() -> None:
    rig = Rig()
    conn = rig.online()
    renew(rig)
    rig.lose(conn)
    assert rig.accept(rig.last).token == NEW
    rig.admit(rig.last, resumed=True)
    assert rig.take() == [result(RenewTokenError.OK)]
    assert rig.frames(rig.last) == []


@pytest.mark.parametrize("ending", ["logout", "kick"])
def test_a_renewal_under_way_fails_with_the_session(ending: str) -> None:
    rig = Rig()
    conn = rig.online()
    renew(rig)
    if ending == "logout":
        rig.logout()
        assert rig.take() == [result(RenewTokenError.FAILURE), *LOGGED_OUT]
    else:
        rig.feed(conn, Ended(EndReason.REMOTE_LOGIN))
        assert rig.take() == [result(RenewTokenError.FAILURE), KICKED]


def test_a_renewal_that_waits_for_a_link_fails_with_the_logout() -> None:
    rig = Rig()
    rig.lose(rig.online())
    renew(rig)
    rig.logout()
    assert rig.take() == [result(RenewTokenError.FAILURE), *LOGGED_OUT]
