"""CONNECTED: the heartbeat, silent and visible loss, and the 4 s."""

from __future__ import annotations

import itertools

import pytest

from harness.reference.wire import Join, LoggedIn, PeerMessage, Ping, Pong
from harness.spec.timing import ns
from tests.unit.reference.client_rig import (
    CONNECTED,
    HEARTBEAT_S,
    RECONNECTING,
    Rig,
)


def pings(rig: Rig, conn: int) -> list[int]:
    return [frame.n for frame in rig.sent[conn] if isinstance(frame, Ping)]


# ---------------------------------------------------------------------------------------------------- the heartbeat


def test_a_ping_goes_out_every_interval_after_the_last_was_sent() -> None:
    rig = Rig()
    rig.login()
    rig.let_in(1)
    assert pings(rig, 1) == [1]
    rig.tick_at(ns(HEARTBEAT_S) - 1)
    assert pings(rig, 1) == [1]
    rig.tick_at(ns(HEARTBEAT_S))
    assert pings(rig, 1) == [1, 2]
    rig.tick_at(ns(10 * HEARTBEAT_S))
    assert pings(rig, 1) == list(range(1, 12))


def test_inbound_traffic_does_not_put_the_heartbeat_off() -> None:
    # supabase/realtime-js#94: a busy client is dropped
    rig = Rig()
    rig.login()
    rig.let_in(1)
    for _ in range(500):
        rig.wait(0.01)
        rig.feed(1, PeerMessage("bob", "hi"))
    assert pings(rig, 1) == list(range(1, 12))


def test_inbound_traffic_is_no_answer_to_a_ping() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    for _ in range(500):
        rig.wait(0.01)
        if conn in rig.open:
            rig.feed(conn, PeerMessage("bob", "hi"))
    assert rig.take()[-1] == RECONNECTING


def test_a_pong_to_no_ping_is_nonsense() -> None:
    rig = Rig()
    conn = rig.online()
    rig.feed(conn, Pong(3))
    assert rig.closed == {conn: False}
    assert rig.logs == [f"connection {conn} given up: pong 3 answers no ping, 2 were sent"]


def test_a_pong_that_comes_twice_is_harmless() -> None:
    rig = Rig()
    conn = rig.online()
    rig.feed(conn, Pong(1))
    rig.feed(conn, Pong(0))
    assert rig.open == {conn}


# ---------------------------------------------------------------------------------------------------------- the loss


def test_a_visible_loss_interrupts_4_s_later_to_the_nanosecond() -> None:
    rig = Rig()
    conn = rig.online()
    rig.now += 123_456_789
    lost = rig.now
    rig.lose(conn)
    rig.wait_until(lost + ns(4.0) - 1)
    assert rig.take() == []
    rig.wait_until(lost + ns(4.0))
    assert rig.take() == [RECONNECTING]
    rig.wait(60)
    assert rig.take() == []


def test_a_silent_loss_counts_from_the_oldest_ping_without_an_answer() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    first_unanswered = rig.now + ns(HEARTBEAT_S)
    rig.wait_until(first_unanswered + ns(4.0) - 1)
    assert rig.take() == []
    assert conn in rig.open
    rig.wait_until(first_unanswered + ns(4.0))
    assert rig.take() == [RECONNECTING]
    assert rig.closed[conn] is False


def test_silence_that_ends_in_a_visible_loss_counts_from_the_silence() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    first_unanswered = rig.now + ns(HEARTBEAT_S)
    rig.wait(3)
    rig.lose(conn)
    rig.wait_until(first_unanswered + ns(4.0) - 1)
    assert rig.take() == []
    rig.wait_until(first_unanswered + ns(4.0))
    assert rig.take() == [RECONNECTING]


def test_a_ping_that_was_just_on_its_way_does_not_make_a_visible_loss_older() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    rig.wait(HEARTBEAT_S)  # a ping goes out ...
    rig.wait(0.2)  # ... on a link that takes its time
    lost = rig.now
    rig.lose(conn)
    rig.wait_until(lost + ns(4.0) - 1)
    assert rig.take() == []
    rig.wait_until(lost + ns(4.0))
    assert rig.take() == [RECONNECTING]


def test_a_loss_that_is_reported_after_the_grace_was_over_comes_after_the_switch() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    rig.wait(HEARTBEAT_S)
    rig.now += ns(4.0)
    rig.core.connection_lost(rig.now, conn)
    assert rig.take() == [RECONNECTING]
    assert rig.closed == {conn: False}


def test_a_late_tick_loses_nothing() -> None:
    rig = Rig()
    rig.online()
    rig.now += ns(60)
    rig.core.tick(rig.now)
    deadline = rig.core.next_deadline()
    assert deadline is not None
    assert deadline > rig.now


def test_a_process_that_got_no_time_for_the_whole_grace_looks_for_a_link_at_once() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    rig.wait(HEARTBEAT_S)  # a ping is out
    rig.now += ns(60)
    rig.core.tick(rig.now)
    assert rig.take() == [RECONNECTING]
    assert rig.closed == {conn: False}
    assert rig.started[conn + 1] == rig.now


# ------------------------------------------------------------------------------------------------------ the suspicion


def test_a_ping_unanswered_for_an_interval_starts_attempts_beside_the_link() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    due = rig.now + ns(2 * HEARTBEAT_S)
    rig.wait_until(due - 1)
    assert rig.last == conn
    rig.wait_until(due)
    assert rig.last == conn + 1
    assert conn in rig.open
    rig.wait(2.5)
    assert [at - due for number, at in rig.started.items() if number > conn] == [0, ns(1), ns(2)]


def test_no_answer_to_any_ping_for_two_intervals_is_suspect_to_the_nanosecond() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    rig.wait(HEARTBEAT_S)
    rig.wait(0.123)  # the link takes its time
    rig.feed(conn, Pong(3))
    due = rig.now + ns(2 * HEARTBEAT_S)
    rig.wait_until(due - 1)
    assert rig.last == conn
    rig.wait_until(due)
    assert rig.last == conn + 1


def test_an_answer_on_the_old_link_ends_the_suspicion() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    rig.wait(3)
    assert len(rig.opening) == 3
    rig.awake.add(conn)
    rig.feed(conn, Pong(max(pings(rig, conn))))
    assert rig.opening == set()
    last = rig.last
    rig.wait(60)
    assert rig.last == last
    assert rig.take() == []  # CONNECTED-4


def test_an_answer_that_comes_twice_does_not_end_it() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    rig.wait(3)
    rig.feed(conn, Pong(2))
    assert len(rig.opening) == 3


def test_a_late_answer_to_an_old_ping_does_not_make_the_interruption_younger_than_the_next() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    oldest = rig.now + ns(HEARTBEAT_S)
    rig.wait(3)
    rig.feed(conn, Pong(3))  # sent 2.5 s ago
    rig.wait_until(oldest + ns(HEARTBEAT_S) + ns(4.0) - 1)
    assert rig.take() == []
    rig.wait_until(oldest + ns(HEARTBEAT_S) + ns(4.0))  # the next one is the oldest now
    assert rig.take() == [RECONNECTING]


def test_a_new_login_takes_the_place_of_a_silent_link_within_the_grace() -> None:
    rig = Rig()
    conn = rig.online(session="here")
    rig.awake.clear()
    rig.wait(3)
    rig.awake.add(rig.last)
    assert rig.accept(rig.last).resume == "here"
    rig.admit(rig.last, resumed=True)
    assert rig.open == {rig.last}
    assert rig.closed[conn] is False
    assert rig.frames(rig.last) == []
    rig.wait(60)
    assert rig.take() == []


def test_what_waits_for_an_answer_on_a_silent_link_is_sent_again_on_the_one_that_takes_its_place() -> None:
    rig = Rig()
    rig.online()
    rig.awake.clear()
    rig.core.join(rig.now, "lobby")
    rig.wait(3)
    assert rig.let_in(rig.last, resumed=True) == [Join(1, "lobby")]


def test_what_waited_on_a_link_that_was_given_up_is_sent_on_the_next_one() -> None:
    rig = Rig()
    rig.online()
    rig.awake.clear()
    rig.wait(3)
    rig.core.join(rig.now, "lobby")
    rig.wait(2)
    assert rig.take() == [RECONNECTING]
    rig.core.join(rig.now, "arena")
    assert rig.let_in(rig.last, resumed=True) == [Join(1, "lobby"), Join(2, "arena")]


def test_an_attempt_whose_login_is_out_is_waited_for_when_the_old_link_recovers() -> None:
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    rig.wait(2.5)
    other = rig.last
    rig.accept(other)
    rig.awake.add(conn)
    rig.feed(conn, Pong(max(pings(rig, conn))))
    assert rig.open == {conn, other}
    rig.lose(conn)  # the server moved the session, and closes the old connection first
    rig.awake.add(other)
    rig.admit(other, resumed=True)
    rig.wait(60)
    assert rig.open == {other}
    assert rig.take() == []


def test_a_slow_link_is_not_suspected() -> None:
    # Round trip of 1.2 s: some ping is always unanswered for longer than an interval, but answers keep coming.
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    started = rig.now
    answered = 2
    while rig.now < started + ns(30):
        rig.wait(0.01)
        while answered < len(pings(rig, conn)) and started + (answered - 1) * ns(HEARTBEAT_S) + ns(1.2) <= rig.now:
            answered += 1
            rig.feed(conn, Pong(answered))
    assert rig.last - conn <= 1  # one at most, at the moment in which it became slow
    assert rig.take() == []


def test_attempts_beside_a_link_that_comes_and_goes_keep_their_distance() -> None:
    rig = Rig()
    rig.login()
    conn = rig.last
    rig.awake.add(conn)
    rig.accept(conn)
    rig.feed(conn, LoggedIn("session", False, 0.1))  # silence is suspect after 0.2 s
    rig.wait(1)
    for _ in range(20):
        rig.awake.clear()
        rig.wait(0.4)
        rig.awake.add(conn)
        rig.feed(conn, Pong(max(pings(rig, conn))))
    times = [at for number, at in rig.started.items() if number > conn]
    assert len(times) > 3
    assert min(later - earlier for earlier, later in itertools.pairwise(times)) >= ns(1.0)


def test_a_new_link_inherits_no_pending_heartbeat() -> None:
    # phoenixframework/phoenix#3083: a healthy link dropped 30 s after a reconnect
    rig = Rig()
    conn = rig.online()
    rig.awake.clear()
    rig.wait(HEARTBEAT_S)
    rig.lose(conn)
    rig.let_in(rig.last, resumed=True)
    last = rig.last
    rig.wait(60)
    assert rig.last == last
    assert rig.take() == []


# ---------------------------------------------------------------------------------------------------------- flapping


def test_flapping_under_4_s_switches_nothing() -> None:
    rig = Rig()
    conn = rig.online()
    for _ in range(10):
        rig.lose(conn)
        rig.wait(3.9)
        conn = rig.last
        rig.let_in(conn, resumed=True)
        rig.wait(HEARTBEAT_S)
    assert rig.take() == []


def test_a_second_interruption_gets_a_fresh_4_s() -> None:
    # pusher/pusher-js#553: the second outage ends in failure
    rig = Rig()
    conn = rig.online()
    for _ in range(3):
        rig.lose(conn)
        rig.wait(4)
        assert rig.take() == [RECONNECTING]
        conn = rig.last
        rig.let_in(conn, resumed=True)
        assert rig.take() == [CONNECTED]
        rig.wait(10)
        lost = rig.now
        rig.lose(conn)
        rig.wait_until(lost + ns(4.0) - 1)
        assert rig.take() == []
        conn = rig.last
        rig.let_in(conn, resumed=True)
        rig.wait(1)
        assert rig.take() == []


@pytest.mark.parametrize("nonsense", [b"no json", LoggedIn("session", False, HEARTBEAT_S)])
def test_a_link_that_brings_nonsense_is_lost_in_sight(nonsense: LoggedIn | bytes) -> None:
    rig = Rig()
    conn = rig.online()
    rig.feed(conn, nonsense)
    assert rig.closed == {conn: False}
    assert rig.logs[0].startswith(f"connection {conn} given up: ")
    assert rig.last == conn + 1
    lost = rig.now
    rig.wait_until(lost + ns(4.0) - 1)
    assert rig.take() == []
    rig.wait_until(lost + ns(4.0))
    assert rig.take() == [RECONNECTING]
