"""ABORTED: sessions that the system ends for good, and the way back."""

from __future__ import annotations

import pytest

from harness.reference.wire import Code, Ended, EndReason, Refused
from harness.spec.states import LogoutError, State
from tests.unit.reference.client_rig import (
    BANNED,
    ENDED,
    KICKED,
    LOGGED_OUT,
    Rig,
)


@pytest.mark.parametrize("reason", list(EndReason))
def test_an_end_while_connected_aborts_at_once(reason: EndReason) -> None:
    rig = Rig()
    conn = rig.online()
    rig.feed(conn, Ended(reason))
    assert rig.take() == [ENDED[reason]]
    assert rig.closed == {conn: False}
    assert rig.core.next_deadline() is None  # ABORTED-1
    rig.core.connection_lost(rig.now, conn)
    rig.wait(60)
    assert rig.take() == []


@pytest.mark.parametrize(("code", "switch"), [(Code.SUPERSEDED, KICKED), (Code.BANNED, BANNED)])
@pytest.mark.parametrize("away_s", [1.0, 3.99, 4.5, 40.0])
def test_a_refusal_for_good_aborts_directly(code: Code, switch: tuple[object, ...], away_s: float) -> None:
    rig = Rig()
    rig.lose(rig.online())
    rig.wait(away_s)
    rig.take()
    rig.accept(rig.last)
    rig.feed(rig.last, Refused(code))
    assert rig.take() == [switch]
    assert not rig.open | rig.opening
    assert rig.core.next_deadline() is None


def test_a_refusal_for_good_while_the_old_link_seems_to_live_aborts_too() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    rig.wait(2)
    rig.accept(rig.last)
    rig.feed(rig.last, Refused(Code.SUPERSEDED))
    assert rig.take() == [KICKED]
    assert rig.closed[conn] is False


def test_a_login_that_is_taken_back_is_a_loss() -> None:
    rig = Rig()
    conn = rig.online()
    rig.feed(conn, Refused(Code.STALE))
    assert rig.closed == {conn: False}
    rig.let_in(rig.last, resumed=True)
    rig.wait(60)
    assert rig.take() == []


def test_logout_while_aborted_leaves_the_new_owner_alone_and_a_login_brings_it_back() -> None:
    rig = Rig()
    conn = rig.online()
    rig.feed(conn, Ended(EndReason.REMOTE_LOGIN))
    rig.take()
    assert rig.logout() is LogoutError.OK
    assert rig.take() == [*LOGGED_OUT]
    assert rig.frames(conn) == []  # OPEN-17
    rig.login()
    rig.awake.add(rig.last)
    assert rig.accept(rig.last).resume is None
    rig.admit(rig.last)
    assert rig.core.state is State.CONNECTED
