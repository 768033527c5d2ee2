"""What a return restores: all channels that the user was in, no others, and nothing twice."""

from __future__ import annotations

import pytest

from harness.reference.wire import (
    ChannelMessage,
    Code,
    Done,
    Join,
)
from harness.spec.states import JoinChannelError, LeaveChannelError
from tests.unit.reference.client_rig import (
    CONNECTED,
    RECONNECTING,
    answer,
    asked,
    away,
    join,
    leave,
    member,
)


def test_a_return_to_the_same_session_sends_nothing() -> None:
    rig = away("lobby", "arena", away_s=25.0)
    assert rig.let_in(rig.last, resumed=True) == []
    assert rig.take() == [CONNECTED]


@pytest.mark.parametrize("away_s", [1.0, 5.0, 40.0])
def test_a_return_to_a_new_session_joins_all_channels_again_and_tells_nobody_here(away_s: float) -> None:
    # ably/ably-js#105 and hivemq/hivemq-mqtt-client-dotnet#381: connected but deaf
    rig = away("lobby", "arena", away_s=away_s)
    conn = rig.last
    frames = rig.let_in(conn)
    assert asked(frames) == [(Join, "lobby"), (Join, "arena")]
    for frame in frames:
        rig.feed(conn, Done(frame.id))  # type: ignore[attr-defined]
    assert rig.take() == ([] if away_s < 4 else [CONNECTED])
    rig.feed(conn, ChannelMessage("lobby", "bob", "hi"))
    assert rig.take() == [("onMessageReceived", "lobby", "bob", "hi")]


def test_it_works_again_and_again() -> None:
    # socketio/socket.io#4880: recovery works once
    rig, conn = member("lobby")
    for number in range(3):
        rig.lose(conn)
        rig.wait(40)
        conn = rig.last
        (frame,) = rig.let_in(conn, session=f"session-{number}")
        assert asked([frame]) == [(Join, "lobby")]
        rig.feed(conn, Done(frame.id))  # type: ignore[attr-defined]
        rig.wait(1)
        assert rig.take() == [RECONNECTING, CONNECTED]


def test_a_restoration_that_was_cut_off_goes_on_where_the_server_has_the_session() -> None:
    rig = away("lobby", "arena")
    conn = rig.last
    lobby, arena = rig.let_in(conn)
    rig.feed(conn, Done(lobby.id))  # type: ignore[attr-defined]
    assert isinstance(arena, Join)
    rig.lose(conn)
    rig.wait(1)
    assert asked(rig.let_in(rig.last, resumed=True)) == [(Join, "arena")]


def test_a_restoration_that_was_cut_off_begins_again_where_the_server_has_not() -> None:
    rig = away("lobby", "arena")
    conn = rig.last
    lobby, _ = rig.let_in(conn)
    rig.feed(conn, Done(lobby.id))  # type: ignore[attr-defined]
    rig.lose(conn)
    rig.wait(1)
    assert asked(rig.let_in(rig.last)) == [(Join, "lobby"), (Join, "arena")]


def test_a_channel_that_cannot_be_restored_is_told_as_a_failed_join() -> None:
    rig = away("lobby")
    rig.let_in(rig.last)
    answer(rig, rig.last, Code.REJECTED)
    assert rig.take() == [CONNECTED, ("onJoinFailure", "lobby", JoinChannelError.REJECTED)]
    assert leave(rig, "lobby") == LeaveChannelError.NOT_IN_CHANNEL


def test_a_channel_that_is_left_while_it_is_restored_stays_left() -> None:
    rig = away("lobby")
    conn = rig.last
    (restored,) = rig.let_in(conn)
    leave(rig, "lobby")
    rig.feed(conn, Done(restored.id))  # type: ignore[attr-defined]
    answer(rig, conn)
    assert rig.take() == [CONNECTED, ("onLeave", "lobby", LeaveChannelError.OK)]
    assert join(rig, "lobby") == JoinChannelError.OK


def test_a_restored_join_without_an_answer_is_made_again_on_the_next_link() -> None:
    rig = away("lobby")
    conn = rig.last
    rig.let_in(conn)
    rig.wait(6)
    assert rig.take() == [CONNECTED]
    rig.lose(conn)
    assert asked(rig.let_in(rig.last, resumed=True)) == [(Join, "lobby")]
