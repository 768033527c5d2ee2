"""Each rule is noticed to be broken, and is not where it is kept."""

from __future__ import annotations

import pytest

from harness.explore.monitor import Monitor
from harness.reference.wire import LoggedIn, Ping, Pong
from harness.spec.states import LoginError, LogoutError, Reason, State
from harness.spec.timing import Timing, ns

NOW = 7_000_000_000_000
LOBBY_BOB = {"channel": "lobby", "member": "bob"}


class Case:
    """A monitor, and what it found broken."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.monitor = Monitor(Timing(), self.broken.append)

    def told(self, state: State, reason: Reason, at_s: float = 0.0) -> None:
        self.monitor.told(NOW + ns(at_s), "onConnectionStateChanged", {"state": state, "reason": reason})

    def connecting(self) -> Case:
        self.monitor.accepted("login")
        self.told(State.CONNECTING, Reason.LOGIN)
        return self

    def connected(self) -> Case:
        """CONNECTED at NOW on connection 1, whose first ping was answered."""
        self.connecting()
        self.monitor.arrived(1, LoggedIn("session", False, 0.5))
        self.monitor.sent(NOW, 1, Ping(1))
        self.monitor.arrived(1, Pong(1))
        self.monitor.told(NOW, "onLoginSuccess", {})
        self.told(State.CONNECTED, Reason.LOGIN_SUCCESS)
        return self

    def check(
        self, state: State, at_s: float = 0.0, deadline_s: float | None = 60.0, connections: int = 0
    ) -> list[str]:
        deadline_ns = None if deadline_s is None else NOW + ns(deadline_s)
        self.monitor.check(NOW + ns(at_s), state, deadline_ns, connections)
        return self.broken


def test_a_login_that_succeeds_breaks_nothing() -> None:
    case = Case().connected()
    assert case.check(State.CONNECTED, connections=1) == []
    assert [row.target for row in case.monitor.taken] == [State.CONNECTING, State.CONNECTED]


def test_a_switch_that_is_no_row_of_the_table() -> None:
    case = Case().connected()
    case.told(State.CONNECTED, Reason.LOGIN_SUCCESS)
    assert case.broken == ["GENERAL-1: CONNECTED / LOGIN_SUCCESS in CONNECTED"]


def test_a_switch_that_was_not_told() -> None:
    assert Case().connected().check(State.RECONNECTING) == [
        "GENERAL-1: RECONNECTING was entered, and CONNECTED is the last that was told"
    ]


def test_a_second_result_of_a_login() -> None:
    case = Case().connected()
    case.monitor.told(NOW, "onLoginFailure", {"code": LoginError.TIMEOUT})
    assert case.broken == ["GENERAL-3: onLoginFailure without a login() that waits for it"]


def test_no_result_of_a_login() -> None:
    case = Case().connecting()
    case.told(State.DISCONNECTED, Reason.LOGIN_TIMEOUT)
    assert case.check(State.DISCONNECTED, deadline_s=None) == ["GENERAL-3: DISCONNECTED, and the login() has no result"]


def test_a_result_while_it_goes_on_connecting() -> None:
    case = Case().connecting()
    case.monitor.told(NOW, "onLoginSuccess", {})
    assert case.check(State.CONNECTING) == ["GENERAL-3: CONNECTING, and no login() waits for its result"]


@pytest.mark.parametrize(("at_s", "broken"), [(5.999999999, []), (6.0, ["CONNECTING-5: still CONNECTING after 6 s"])])
def test_connecting_lasts_for_less_than_6_s(at_s: float, broken: list[str]) -> None:
    assert Case().connecting().check(State.CONNECTING, at_s) == broken


def test_connecting_without_a_deadline() -> None:
    assert Case().connecting().check(State.CONNECTING, deadline_s=None) == [
        "CONNECTING-5: CONNECTING without a deadline"
    ]


@pytest.mark.parametrize(
    ("at_s", "broken"), [(5.0, []), (4.999999999, ["CONNECTED-3: RECONNECTING after 3.999999999 s"])]
)
def test_reconnecting_4_s_after_a_loss(at_s: float, broken: list[str]) -> None:
    case = Case().connected()
    case.monitor.ended(NOW + ns(1.0), 1)
    case.told(State.RECONNECTING, Reason.INTERRUPTED, at_s)
    assert case.broken == broken


@pytest.mark.parametrize(("at_s", "is_broken"), [(4.5, False), (4.4, True)])
@pytest.mark.parametrize("is_closed_first", [False, True])
def test_reconnecting_4_s_after_the_oldest_heartbeat_without_an_answer(
    at_s: float, is_broken: bool, is_closed_first: bool
) -> None:
    case = Case().connected()
    for number in (2, 3):
        case.monitor.sent(NOW + ns(0.5 * (number - 1)), 1, Ping(number))
    if is_closed_first:
        case.monitor.ended(NOW + ns(at_s), 1)
    case.told(State.RECONNECTING, Reason.INTERRUPTED, at_s)
    assert bool(case.broken) is is_broken


def test_reconnecting_while_each_heartbeat_is_answered() -> None:
    case = Case().connected()
    case.told(State.RECONNECTING, Reason.INTERRUPTED, 9.0)
    assert case.broken == ["CONNECTED-3: RECONNECTING after 0 s"]


def test_a_logout_is_answered_exactly_once() -> None:
    case = Case().connected()
    case.monitor.accepted("logout")
    assert case.check(State.CONNECTED, connections=1) == ["OPEN-15: the logout() has no onLogout"]
    case.broken.clear()
    case.monitor.told(NOW, "onLogout", {"code": LogoutError.OK})
    assert case.broken == []
    case.monitor.told(NOW, "onLogout", {"code": LogoutError.OK})
    assert case.broken == ["OPEN-15: onLogout without a logout() that waits for it"]


def test_a_token_expires_once() -> None:
    case = Case().connected()
    case.monitor.told(NOW, "onTokenExpired", {})
    case.monitor.accepted("renew_token")
    case.monitor.told(NOW, "onTokenExpired", {})
    assert case.broken == []
    case.monitor.told(NOW, "onTokenExpired", {})
    assert case.broken == ["OPEN-22: onTokenExpired a second time for one token"]


@pytest.mark.parametrize("connections", [0, 1])
@pytest.mark.parametrize("deadline_s", [None, 1.0])
def test_nothing_goes_on_while_disconnected(connections: int, deadline_s: float | None) -> None:
    broken = Case().check(State.DISCONNECTED, connections=connections, deadline_s=deadline_s)
    assert len(broken) == connections + (deadline_s is not None)
    assert all(each.startswith("OPEN-16: ") for each in broken)


def test_left_and_joined_of_a_member_come_in_turn() -> None:
    case = Case().connected()
    for name in ("onMemberJoined", "onMemberLeft", "onMemberJoined"):
        case.monitor.told(NOW, name, LOBBY_BOB)
    assert case.broken == []
    case.monitor.told(NOW, "onMemberJoined", LOBBY_BOB)
    assert case.broken == ["OPEN-24: a second onMemberJoined of bob in lobby"]


def test_who_was_away_himself_counts_anew() -> None:
    case = Case().connected()
    case.monitor.told(NOW, "onMemberJoined", LOBBY_BOB)
    case.monitor.ended(NOW, 1)
    case.monitor.told(NOW, "onMemberJoined", LOBBY_BOB)
    case.monitor.told(NOW, "onLeave", {"channel": "lobby", "code": 0})
    case.monitor.told(NOW, "onMemberJoined", LOBBY_BOB)
    assert case.broken == []
