"""The attempt that leads: as long as its next answer is not overdue, no other one logs in beside it."""

from __future__ import annotations

import pytest

from harness.reference.client_attempts_core import Attempts
from harness.reference.client_link_core import Link
from harness.reference.wire import Code, LoggedIn, Logout, Refused
from harness.spec.states import RenewTokenError
from harness.spec.timing import ns
from tests.unit.reference.client_rig import CONNECTED, CONNECTING, HEARTBEAT_S, START_NS, Rig

LOGGED_IN = [CONNECTING, ("onLoginSuccess",), CONNECTED]


def test_another_that_opens_beside_it_is_closed_without_a_login() -> None:
    rig = Rig()
    rig.login()
    rig.wait(1.5)
    rig.accept(1)
    rig.wait(0.5)
    assert not rig.open_up(2)
    assert rig.open == {1}
    rig.awake.add(1)
    rig.admit(1)
    assert rig.take() == LOGGED_IN


@pytest.mark.parametrize(("after_ns", "is_overdue"), [(ns(1.0) - 1, False), (ns(1.0), True)])
def test_on_a_fast_link_it_is_overdue_after_a_second(after_ns: int, is_overdue: bool) -> None:
    rig = Rig()
    rig.login()
    rig.wait(1.5)
    rig.accept(1)
    rig.now += ns(0.9)
    rig.lose(2)  # so that another one is started beside it, after the back-off of 0.1 s
    rig.now = rig.started[1] + ns(1.5) + after_ns
    rig.core.tick(rig.now)
    rig.settle()
    assert rig.last == (3 if is_overdue else 2)
    if is_overdue:
        rig.let_in(3)
        assert rig.take() == LOGGED_IN


@pytest.mark.parametrize(
    ("leg_s", "pace_s", "overdue_s"),
    [
        (0.0, 0.0, 1.0),
        (0.5, 0.5, 1.0),
        (0.6, 0.6, 1.2),
        (1.8, 1.8, 3.6),  # a slow link ...
        (1.8, 0.7, 1.4),  # ... that has become faster
        (0.7, 1.8, 1.4),
        (3.0, 0.01, 1.0),  # one that was away when the leader was started
    ],
)
def test_on_a_slow_link_it_is_given_the_time_of_two_answers(leg_s: float, pace_s: float, overdue_s: float) -> None:
    for early_ns in (1, 0):
        attempts = Attempts(lambda: 1.0)
        attempts.seek(START_NS)
        assert attempts.start_due(START_NS, 1)
        opened = START_NS + ns(leg_s)
        assert attempts.opened(opened, 1, "token")
        now = opened + ns(overdue_s) - early_ns
        attempts.hasten(now - ns(pace_s))
        assert attempts.start_due(now - ns(pace_s), 2)
        assert attempts.opened(now, 2, "token") is (early_ns == 0)
        assert (attempts.get(2) is not None) is (early_ns == 0)


def test_each_answer_puts_the_next_attempt_off_by_a_second() -> None:
    rig = Rig()
    rig.login()
    rig.wait(0.3)
    rig.accept(1)
    rig.wait(0.4)
    rig.admit(1)
    rig.tick_at(ns(1.7) - 1)
    assert rig.last == 1
    rig.tick_at(ns(1.7))
    assert rig.last == 2


def test_on_a_slow_link_others_are_opened_every_second_and_turned_away() -> None:
    # A round trip of 1.5 s: the last one opens 1.5 s after the leader's last answer, and less than two of them.
    rig = Rig()
    rig.login()
    rig.wait(1.5)
    rig.accept(1)
    rig.wait(1.0)
    assert not rig.open_up(2)
    rig.wait(0.5)
    rig.admit(1)
    rig.wait(1.0)
    assert not rig.open_up(3)
    rig.awake.add(1)
    rig.wait(0.5)
    assert [at - START_NS for at in rig.started.values()] == [0, ns(1.0), ns(2.5), ns(4.0)]
    assert rig.open == {1}


def test_one_that_dies_in_silence_is_followed_by_another_that_logs_in() -> None:
    rig = Rig()
    rig.login()
    rig.wait(0.25)
    rig.accept(1)
    rig.tick_at(ns(1.25) - 1)
    assert rig.last == 1
    rig.tick_at(ns(1.25))
    rig.let_in(2)
    assert rig.take() == LOGGED_IN
    assert rig.closed == {1: False}


def test_one_that_is_seen_to_fail_holds_nobody_up() -> None:
    rig = Rig()
    rig.login()
    rig.wait(1)
    rig.accept(1)
    rig.lose(1)
    rig.let_in(2)
    assert rig.take() == LOGGED_IN


def test_one_that_is_refused_as_stale_holds_nobody_up() -> None:
    rig = Rig()
    rig.login()
    rig.wait(1)
    rig.accept(1)
    rig.feed(1, Refused(Code.STALE))
    rig.let_in(2)
    assert rig.take() == LOGGED_IN


def test_the_next_is_started_when_the_one_that_turned_it_away_is_overdue() -> None:
    rig = Rig()
    rig.login()
    rig.wait(1.0)
    rig.accept(1)
    rig.wait(0.4)
    rig.lose(2)
    rig.wait(0.1)  # the back-off is over at 1.5 s ...
    assert rig.last == 3
    rig.wait(0.25)
    assert not rig.open_up(3)
    rig.tick_at(ns(2.0) - 1)
    assert rig.last == 3
    rig.tick_at(ns(2.0))  # ... the leader overdue at 2.0 s, and not first at 2.5 s it is the next one's turn
    rig.let_in(4)
    assert rig.take() == LOGGED_IN


# ------------------------------------------------------------------------------------------------ one that is overtaken


def test_one_that_is_overdue_and_answered_after_all_goes_on_beside_the_other() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.wait(1)
    rig.accept(2)
    rig.wait(0.5)
    rig.admit(1)
    assert rig.take() == [CONNECTING]
    assert rig.open == {1, 2}
    rig.lose(1)  # the server has let the second one in by now, and retired the first
    rig.awake.add(2)
    rig.admit(2, session="session-2")
    assert rig.take() == LOGGED_IN[1:]


def test_the_later_one_that_is_confirmed_first_has_the_earlier_one_logged_out() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.wait(1)
    rig.accept(2)
    rig.admit(1)
    rig.admit(2, session="session-2")
    rig.awake.add(2)
    rig.wait(0)
    rig.core.received(rig.now, 2, b'{"type":"pong","n":1}')
    assert rig.take() == LOGGED_IN
    assert rig.open == {2}
    assert rig.frames(1) == [Logout()]
    assert rig.closed[1] is True


def test_a_slow_server_is_given_the_time_that_it_takes() -> None:
    # It opens connections at once, and answers after 2.5 s. An overtaken one that is answered shows that: from then on
    # nobody logs in for twice as long, or each login would be retired by the next before it is confirmed.
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.tick_at(ns(1.0))
    rig.accept(2)
    rig.tick_at(ns(2.0))
    rig.accept(3)
    rig.tick_at(ns(2.5))
    rig.admit(1)
    rig.tick_at(ns(3.5))
    assert not rig.open_up(4)
    rig.lose(1)  # the server lets the second one in, and then the third ...
    rig.admit(2)
    rig.tick_at(ns(4.5))
    rig.lose(2)
    rig.admit(3)
    rig.tick_at(ns(5.5))
    assert not rig.open_up(rig.last)  # ... and that is the last
    rig.tick_at(ns(6.0) - 1)
    rig.feed(3, b'{"type":"pong","n":1}')
    assert rig.take() == LOGGED_IN


def overdue_s(attempts: Attempts, conn: int, now: int) -> float:
    """How long an attempt without an answer holds up another one, on a fast link."""
    for tenth in range(1, 100):
        attempts.hasten(now + ns(tenth / 10))
        assert attempts.start_due(now + ns(tenth / 10), conn + tenth)
        if attempts.opened(now + ns(tenth / 10), conn + tenth, "token"):
            return tenth / 10
    raise AssertionError("it leads for ever")


@pytest.mark.parametrize(("is_overtaken", "is_proved", "lead_s"), [(0, 0, 1.0), (1, 0, 5.0), (1, 1, 1.0)])
def test_an_answer_is_a_measure_where_it_was_overtaken_until_a_link_proves_itself(
    is_overtaken: bool, is_proved: bool, lead_s: float
) -> None:
    attempts = Attempts(lambda: 1.0)
    for conn in (1, 2):
        attempts.hasten(START_NS)
        assert attempts.start_due(START_NS, conn)
    assert attempts.opened(START_NS, 1, "token")
    if is_overtaken:
        assert attempts.opened(START_NS + ns(1.0), 2, "token")
    now = START_NS + ns(2.5)
    first = attempts.get(1)
    assert first is not None
    attempts.accepted(now, first, LoggedIn("session", False, HEARTBEAT_S), Link(1, now, HEARTBEAT_S))
    if is_proved:
        attempts.proved()
    assert overdue_s(attempts, 2, now) == lead_s


# ---------------------------------------------------------------------------------------------------------- new tokens


def test_a_new_token_is_not_held_up_by_a_login_with_the_old_one() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.accept(2)
    rig.wait(0.1)
    assert rig.ask(rig.core.renew_token, "token-2") is RenewTokenError.OK
    rig.wait(0.1)
    rig.awake.add(3)
    assert rig.accept(3).token == "token-2"
    rig.admit(3, resumed=True)
    assert rig.open == {3}
    assert rig.take() == [("onRenewTokenResult", "token-2", RenewTokenError.OK)]


def test_a_new_token_waits_for_a_session_that_is_half_way_with_the_old_one() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.accept(2)
    rig.admit(2, session="new")
    rig.ask(rig.core.renew_token, "token-2")
    assert rig.opening == {3}
    assert not rig.open_up(3)
    rig.feed(2, b'{"type":"pong","n":1}')
    (renewal,) = rig.frames(2)
    rig.feed(2, b'{"type":"done","id":%d}' % renewal.id)  # type: ignore[attr-defined]
    assert rig.take() == [("onRenewTokenResult", "token-2", RenewTokenError.OK)]


def test_a_second_attempt_with_the_same_new_token_is_turned_away() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.ask(rig.core.renew_token, "token-2")
    assert rig.opening == {2, 3}
    rig.accept(3)
    assert not rig.open_up(2)
