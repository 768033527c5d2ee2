"""Bugs that real clients shipped, each by the public report that tells of it: this client does not have them.

Those that need a table of cases of their own stand beside what they are about, under the same name: heartbeats in
test_client_link, attempts in test_client_attempts, restoration in test_client_channels and test_client_requests.
"""

from __future__ import annotations

from harness.reference.wire import Code, Ended, EndReason, Refused
from harness.spec.states import LoginError, LogoutError, State
from harness.spec.timing import ns
from harness.spec.transitions import LEGAL_PAIRS
from tests.unit.reference.client_rig import (
    CONNECTED,
    CONNECTING,
    HEARTBEAT_S,
    KICKED,
    LOGGED_OUT,
    RECONNECTING,
    Rig,
)


def test_signalr_823_still_reconnecting_after_stop_and_start() -> None:
    rig = Rig()
    old = rig.online()
    rig.logout()
    rig.login()
    new = rig.last
    rig.let_in(new)
    rig.take()
    rig.core.connection_lost(rig.now, old)  # the old socket's close arrives late
    rig.settle()
    assert rig.last == new
    assert rig.open == {new}
    rig.wait(60)
    assert rig.take() == []


def test_signalr_1358_stop_has_no_effect_inside_a_callback() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(4)
    assert rig.take() == [RECONNECTING]  # and the app calls logout() right there
    assert rig.logout() is LogoutError.OK
    assert rig.core.next_deadline() is None
    assert not rig.open | rig.opening
    rig.wait(60)
    assert rig.take() == [*LOGGED_OUT]


def test_centrifuge_js_374_connecting_for_ever_when_no_close_ever_comes() -> None:
    rig = Rig()
    rig.login()
    rig.accept(1)
    rig.wait(6)
    assert rig.take()[-1][1] is State.DISCONNECTED
    assert rig.login() is LoginError.OK


def test_centrifuge_js_281_no_retry_after_a_reset_during_the_handshake() -> None:
    rig = Rig()
    rig.login()
    rig.lose(1)
    rig.wait(0.1)
    assert rig.opening == {2}


def test_centrifuge_js_391_login_and_logout_from_inside_each_callback() -> None:
    # A handler runs between two effects of one batch, when the state is further on already.
    rig = Rig()
    rig.login()
    rig.let_in(1)
    assert rig.logout() is LogoutError.OK
    assert rig.login() is LoginError.OK
    rig.let_in(rig.last)
    assert rig.take() == [
        CONNECTING,
        ("onLoginSuccess",),
        CONNECTED,
        *LOGGED_OUT,
        CONNECTING,
        ("onLoginSuccess",),
        CONNECTED,
    ]


def test_pusher_js_553_the_second_outage_ends_in_failure() -> None:
    rig = Rig()
    conn = rig.online()
    for _ in range(2):
        rig.lose(conn)
        for _ in range(20):
            rig.lose(rig.last)
            rig.wait(1)
        conn = rig.last
        rig.let_in(conn, resumed=True)
        rig.wait(HEARTBEAT_S)
    assert rig.take() == [RECONNECTING, CONNECTED] * 2


def test_pusher_websocket_swift_171_connected_after_5_minutes_offline() -> None:
    rig = Rig()
    rig.online()
    rig.awake.clear()
    rig.wait(300)
    assert rig.take() == [RECONNECTING]


def test_pusher_websocket_dotnet_97_the_second_recovery_is_slow() -> None:
    rig = Rig()
    recoveries = []
    conn = rig.online()
    for _ in range(2):
        rig.lose(conn)
        for _ in range(20):
            rig.lose(rig.last)
            rig.wait(1)
        rig.let_in(rig.last, resumed=True)
        rig.wait(HEARTBEAT_S)
        conn, lost = rig.last, rig.now
        rig.lose(conn)
        recoveries.append(rig.started[rig.last] - lost)
        conn = rig.last
        rig.let_in(conn, resumed=True)
        rig.wait(HEARTBEAT_S)
    assert recoveries == [0, 0]


def test_mqtt_js_1585_two_clients_kick_each_other_for_ever() -> None:
    rig = Rig()
    conn = rig.online()
    rig.feed(conn, Ended(EndReason.REMOTE_LOGIN))
    rig.wait(600)
    assert rig.last == conn
    assert rig.take() == [KICKED]


def test_agora_web_1_2_0_aborted_with_the_reason_interrupted() -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait_until(rig.now + ns(4.0) - 1)
    rig.accept(rig.last)
    rig.feed(rig.last, Refused(Code.SUPERSEDED))
    rig.wait(60)
    assert rig.take() == [KICKED]
    assert KICKED[1:] in LEGAL_PAIRS
