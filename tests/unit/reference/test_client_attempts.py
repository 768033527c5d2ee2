"""When the client connects: hedging while all is silent, back-off after a failure that is seen, and their bounds."""

from __future__ import annotations

import pytest

from harness.reference.client_attempts_core import BACKOFF_MAX_S, HEDGE_S, IN_FLIGHT_MAX, RETRY_S, Attempts
from harness.reference.wire import Code, Refused
from harness.spec.states import RenewTokenError, State
from harness.spec.timing import ns
from tests.unit.reference.client_rig import HEARTBEAT_S, RECONNECTING, Rig


def starts_s(rig: Rig, since: int, after: int = 0) -> list[float]:
    """When the attempts with a number beyond ``after`` were started, in seconds from ``since``."""
    return [(at - since) / ns(1) for conn, at in rig.started.items() if conn > after]


def test_while_all_is_silent_an_attempt_is_started_every_second() -> None:
    rig = Rig()
    rig.login()
    rig.wait(5.9)
    assert starts_s(rig, rig.started[1]) == [0, 1, 2, 3, 4, 5]
    assert rig.opening == {2, 3, 4, 5, 6}  # the first had its 5 s


def test_the_second_is_exact() -> None:
    rig = Rig()
    rig.login()
    rig.tick_at(ns(1.0) - 1)
    assert rig.last == 1
    rig.tick_at(ns(1.0))
    assert rig.last == 2


def test_no_more_than_five_are_under_way() -> None:
    rig = Rig()
    rig.login()
    for second in range(5):
        rig.tick_at(ns(second))
        rig.accept(rig.last)  # while CONNECTING an open connection has all of the 6 s ...
    rig.tick_at(ns(5.0) - 1)
    assert rig.open == {1, 2, 3, 4, 5}
    assert len(rig.open) == IN_FLIGHT_MAX
    rig.tick_at(ns(5.0))
    assert rig.opening == {6}
    assert rig.open == {2, 3, 4, 5}  # ... unless it is in the way of another


def test_room_is_made_by_the_oldest_that_is_not_open_yet() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.tick_at(ns(5.0))
    assert rig.open == {1}
    assert rig.opening == {3, 4, 5, 6}


def test_while_reconnecting_it_goes_on_for_ever_at_the_same_pace() -> None:
    rig = Rig()
    rig.lose(rig.online())
    lost = rig.now
    rig.wait(60.5)
    assert starts_s(rig, lost, after=1) == [float(second) for second in range(61)]
    assert len(rig.opening) == IN_FLIGHT_MAX
    assert rig.take() == [RECONNECTING]  # OPEN-6: no LOGIN_TIMEOUT


def test_an_attempt_that_is_open_has_5_s_too_while_reconnecting() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(10)
    conn, started = rig.last, rig.now
    rig.accept(conn)
    rig.wait_until(started + ns(5.0) - 1)
    assert conn in rig.open
    rig.wait_until(started + ns(5.0))
    assert rig.closed[conn] is False


@pytest.mark.parametrize(("jitter", "factor"), [(0.0, 0.5), (0.5, 0.75), (1.0, 1.0)])
def test_a_failure_that_is_seen_backs_off_with_jitter_up_to_a_second(jitter: float, factor: float) -> None:
    rig = Rig(lambda: jitter)
    rig.lose(rig.online())
    delays = []
    for _ in range(7):
        conn, failed = rig.last, rig.now
        rig.lose(conn)
        while rig.last == conn:
            deadline = rig.core.next_deadline()
            assert deadline is not None
            rig.wait_until(deadline)
        delays.append((rig.now - failed) / ns(factor))
    assert delays == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0])


def test_the_back_off_stays_a_second_after_any_number_of_failures() -> None:
    attempts = Attempts(lambda: 1.0)
    for _ in range(5000):
        attempts.count_failure()
    attempts.seek(0)
    assert attempts.next_deadline() == ns(RETRY_S)


def test_a_failure_beside_silent_attempts_does_not_put_the_next_one_off() -> None:
    rig = Rig()
    rig.login()
    rig.wait(1.0)
    rig.wait(0.95)
    rig.lose(2)  # the back-off would end at 2.05 s
    rig.wait(0.05)
    assert starts_s(rig, rig.started[1]) == [0, 1, 2]


def test_the_first_retry_after_a_proved_link_is_immediate() -> None:
    rig = Rig()
    rig.lose(rig.online())
    assert rig.opening == {2}


def test_a_link_that_broke_before_its_second_pong_has_proved_nothing() -> None:
    rig = Rig()
    rig.login()
    rig.let_in(1)  # its first ping is answered
    rig.wait(HEARTBEAT_S - 1e-9)
    rig.lose(1)
    assert rig.last == 1
    rig.wait(0.1)
    assert rig.last == 2


def test_accept_then_close_backs_off() -> None:
    # centrifugal/centrifuge-js#408: 189 attempts in half a second
    rig = Rig()
    conn = rig.online()
    lost = rig.now
    rig.lose(conn)
    for _ in range(6):
        conn = rig.last
        rig.let_in(conn, resumed=True)
        rig.lose(conn)
        rig.wait(1.0)
        assert rig.last == conn + 1
    assert starts_s(rig, lost, after=1) == pytest.approx([0, 0.1, 1.2, 2.4, 3.8, 5.0, 6.0])
    assert rig.take() == []  # OPEN-3: flapping under 4 s switches nothing


def test_the_back_off_is_reset_by_a_link_that_proved_itself() -> None:
    # pusher/pusher-websocket-dotnet#97: the second recovery is slow
    rig = Rig()
    rig.lose(rig.online())
    for _ in range(4):
        rig.lose(rig.last)
        rig.wait(RETRY_S)
    rig.let_in(rig.last, resumed=True)
    rig.wait(HEARTBEAT_S)
    conn = rig.last
    rig.lose(conn)
    assert rig.opening == {conn + 1}


def test_a_login_does_not_wait_for_an_earlier_back_off() -> None:
    rig = Rig()
    rig.login()
    for _ in range(3):
        rig.lose(rig.last)
        rig.wait(0.5)
    rig.wait(6)
    rig.login()
    assert rig.started[rig.last] == rig.now


def test_the_first_that_is_logged_in_wins_and_the_others_are_closed_at_once() -> None:
    # socketio/socket.io#430: two connections after a reconnect
    rig = Rig()
    rig.login()
    rig.wait(2)
    rig.let_in(2)
    assert rig.open == {2}
    assert rig.opening == set()
    assert rig.closed == {1: False, 3: False}
    rig.wait(60)
    assert rig.last == 3


def test_an_earlier_attempt_whose_login_is_out_is_closed_too() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.wait(1)
    rig.let_in(2)
    assert rig.open == {2}


def test_a_later_attempt_whose_login_is_out_may_have_the_session_and_is_waited_for() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.wait(1)
    rig.accept(2)
    rig.awake = {1, 2}
    rig.admit(1)
    assert rig.open == {1, 2}
    rig.take()
    rig.admit(2, session="session-2")
    assert rig.open == {2}
    assert rig.take() == []
    rig.lose(2)
    rig.wait(0.1)
    assert rig.accept(3).resume == "session-2"


def test_a_later_attempt_that_gives_no_answer_is_given_up_5_s_later() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.wait(1)
    rig.accept(2)
    rig.awake = {1}
    rig.admit(1)
    logged_in = rig.now
    rig.wait_until(logged_in + ns(5.0) - 1)
    assert rig.open == {1, 2}
    rig.wait_until(logged_in + ns(5.0))
    assert rig.open == {1}
    assert rig.last == 2  # nothing is looked for any more


@pytest.mark.parametrize("ending", ["lost", "stale", "nonsense"])
def test_a_later_attempt_that_fails_beside_a_link_is_not_followed_by_another(ending: str) -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.wait(1)
    rig.accept(2)
    rig.awake = {1}
    rig.admit(1)
    if ending == "lost":
        rig.lose(2)
    else:
        rig.feed(2, Refused(Code.STALE) if ending == "stale" else b"nonsense")
    rig.wait(60)
    assert rig.open == {1}
    assert rig.last == 2
    assert rig.core.state is State.CONNECTED


def test_the_winner_that_breaks_at_once_is_followed_by_the_one_that_was_waited_for() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.wait(1)
    rig.accept(2)
    rig.awake = {1, 2}
    rig.admit(1)
    rig.lose(1)
    rig.admit(2, resumed=True)
    rig.take()
    rig.wait(60)
    assert rig.take() == []
    assert rig.open == {2}


# ------------------------------------------------------------------------------------------------------- renewals


def test_a_new_token_leads_to_an_attempt_at_once() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(4.5)
    last = rig.last
    assert rig.ask(rig.core.renew_token, "token-2") is RenewTokenError.OK
    assert rig.last == last + 1
    assert rig.accept(rig.last).token == "token-2"


def test_a_new_token_makes_room_for_its_attempt() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(10.5)
    oldest = min(rig.opening)
    rig.ask(rig.core.renew_token, "token-2")
    assert rig.started[rig.last] == rig.now
    assert oldest in rig.closed
    assert len(rig.opening) == IN_FLIGHT_MAX


def test_many_new_tokens_are_no_storm() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(4.5)
    last = rig.last
    codes = []
    for number in range(100):
        codes.append(rig.ask(rig.core.renew_token, f"token-{number}"))
        rig.wait(0.01)
    assert codes == [RenewTokenError.OK] * 2 + [RenewTokenError.TOO_OFTEN] * 98
    assert rig.last - last <= 3


def test_a_new_token_in_the_grace_leads_to_an_attempt_at_once_too() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(0.5)
    rig.ask(rig.core.renew_token, "token-2")
    assert rig.last == 3
    rig.let_in(3, resumed=True)
    assert rig.take() == [("onRenewTokenResult", "token-2", RenewTokenError.OK)]


def test_retry_s_is_the_longest_wait_for_an_attempt() -> None:
    assert RETRY_S == HEDGE_S == BACKOFF_MAX_S == 1.0
