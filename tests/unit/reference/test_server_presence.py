from __future__ import annotations

import pytest

from harness.reference.server_core import CloseCode, ServerLimits
from harness.reference.wire import (
    Code,
    Ended,
    EndReason,
    GetMembers,
    Join,
    LoggedIn,
    Logout,
    MemberJoined,
    MemberLeft,
    Members,
    Refused,
)
from harness.spec.timing import ns
from tests.unit.reference.server_bench import APP, Bench, Wire


def together(bench: Bench, *uids: str) -> list[Wire]:
    """Users in the lobby."""
    wires = [bench.user(uid) for uid in uids]
    for wire in wires:
        wire.ask(Join(1, "lobby"))
    for wire in wires:
        wire.take()
    return wires


# ---------------------------------------------------------------------------------------- the 30 s (OPEN-8, 11)


def test_a_broken_connection_is_an_interruption_and_the_user_presumed_online_for_30_s() -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    alice.drop()
    bench.wait(29.999, awake=(bob,))
    assert bench.core.online(APP) == ["alice", "bob"]
    assert bob.ask(GetMembers(2, "lobby")) == Members(2, ["alice", "bob"])
    bench.wait(0.001, awake=(bob,))
    assert bob.take() == [MemberLeft("lobby", "alice")]
    assert bench.core.online(APP) == ["bob"]
    bench.wait(60, awake=(bob,))
    assert bob.take() == []


def test_a_silent_connection_has_30_s_too_and_is_then_closed() -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    bench.wait(29.999, awake=(bob,))
    assert alice.is_open()
    assert bob.take() == []
    bench.wait(0.001, awake=(bob,))
    assert alice.closed == (alice.conn, CloseCode.POLICY, "nothing heard for 30 s")
    assert alice.take() == [], "its own leaving is told to the others"
    assert bob.take() == [MemberLeft("lobby", "alice")]


def test_the_30_s_count_from_the_last_packet_and_not_from_the_break() -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    bench.wait(10, awake=(bob,))
    alice.drop()
    bench.wait(19.999, awake=(bob,))
    assert bob.take() == []
    bench.wait(0.001, awake=(bob,))
    assert bob.take() == [MemberLeft("lobby", "alice")]


def test_any_frame_counts_as_a_packet() -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    bench.wait(29, awake=(bob,))
    alice.ask(GetMembers(2, "lobby"))
    bench.wait(29.999, awake=(bob,))
    assert bench.core.online(APP) == ["alice", "bob"]
    bench.wait(0.001, awake=(bob,))
    assert bench.core.online(APP) == ["bob"]


def test_each_recovery_gives_a_fresh_30_s() -> None:
    bench = Bench()
    (bob,) = together(bench, "bob")
    wire, session = bench.online("alice")
    wire.ask(Join(1, "lobby"))
    bob.take()
    for attempt in range(2, 6):
        wire.drop()
        bench.wait(29, awake=(bob,))
        wire, _ = bench.online("alice", resume=session, attempt=attempt)
    assert bob.take() == []
    wire.drop()
    bench.wait(30, awake=(bob,))
    assert bob.take() == [MemberLeft("lobby", "alice")]


def test_back_after_30_s_is_a_new_session_with_one_left_and_one_joined() -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    alice.drop()
    bench.wait(31, awake=(bob,))
    back = bench.connect()
    answer = back.log_in("alice", resume="session-1", attempt=2)
    assert isinstance(answer, LoggedIn)
    assert not answer.resumed
    back.ask(Join(1, "lobby"))
    assert bob.take() == [MemberLeft("lobby", "alice"), MemberJoined("lobby", "alice")]


def test_a_deadline_that_has_passed_counts_before_the_frame_that_came_after_it() -> None:
    bench = Bench()
    alice, session = bench.online("alice")
    alice.drop()
    bench.wait(29)
    back = bench.connect()
    bench.now += ns(1)
    answer = back.log_in("alice", resume=session, attempt=2)
    assert isinstance(answer, LoggedIn)
    assert not answer.resumed, "whether the timer or the packet was quicker makes no difference"


@pytest.mark.parametrize("what", ["connected", "received", "disconnected", "ban"])
def test_whatever_is_reported_what_was_due_is_done_first(what: str) -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    bench.wait(29, awake=(bob,))
    bench.now += ns(1)
    match what:
        case "connected":
            bench.connect()
        case "received":
            alice.send(Logout())
        case "disconnected":
            bench.core.disconnected(bench.now, alice.conn)
        case _:
            bench.core.ban(bench.now, APP, "alice")
    bench.settle()
    assert alice.closed == (alice.conn, CloseCode.POLICY, "nothing heard for 30 s")
    assert bob.take() == [MemberLeft("lobby", "alice")]


def test_heartbeats_keep_a_user_online_for_ever_and_cost_no_deadline_each() -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    bench.wait(300, awake=(alice, bob))
    assert bench.core.online(APP) == ["alice", "bob"]
    assert bench.core.next_deadline() is not None
    assert bob.take() == []


def test_all_of_10_000_sessions_expire_in_their_turn() -> None:
    bench = Bench()
    for number in range(10_000):
        bench.now += 1000
        bench.user(f"user-{number}")
    last_ns = bench.now
    bench.now = last_ns + ns(30) - 5_000_000
    bench.core.tick(bench.now)
    bench.settle()
    assert len(bench.core.online(APP)) == 5_000
    bench.wait(1)
    assert bench.core.stats() == (0, 0, 1)


def test_what_ends_before_its_time_leaves_no_deadline_behind() -> None:
    bench = Bench()
    for _ in range(3_000):
        bench.user("alice").send(Logout())
    bench.wait(30)
    assert bench.core.next_deadline() is None


# --------------------------------------------------------------------------------------------- logout (OPEN-15)


def test_after_a_logout_the_others_know_at_once() -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    alice.send(Logout())
    assert alice.closed == (alice.conn, CloseCode.NORMAL, "logged out")
    assert bob.take() == [MemberLeft("lobby", "alice")]
    assert bench.core.online(APP) == ["bob"]
    alice.drop()
    bench.wait(31, awake=(bob,))
    assert bob.take() == []


def test_a_user_who_logged_out_comes_back_with_nothing() -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    alice.send(Logout())
    back = bench.user("alice")
    assert bob.ask(GetMembers(2, "lobby")) == Members(2, ["bob"])
    assert back.is_open()


# ------------------------------------------------------------------------------------------ observers (OPEN-26)


def test_an_observer_who_was_away_gets_no_replay_and_can_ask() -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    bob.drop()
    alice.send(Logout())
    bob, _ = bench.online("bob", resume="session-2", attempt=2)
    assert bob.ask(GetMembers(2, "lobby")) == Members(2, ["bob"])


def test_two_who_expire_together_do_not_hear_of_each_other_after_their_end() -> None:
    bench = Bench()
    alice, bob, carol = together(bench, "alice", "bob", "carol")
    bench.wait(31, awake=(carol,))
    assert carol.take() == [MemberLeft("lobby", "alice"), MemberLeft("lobby", "bob")]
    assert alice.take() == []
    assert bob.take() == [MemberLeft("lobby", "alice")], "it was not yet over when alice was"


# ------------------------------------------------------------------------------------------------ ban (OPEN-21)


def test_a_ban_ends_the_session_for_good() -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    bench.core.ban(bench.now, APP, "alice")
    bench.settle()
    assert alice.take() == [Ended(EndReason.BANNED)]
    assert alice.closed == (alice.conn, CloseCode.NORMAL, "session ended: banned")
    assert bob.take() == [MemberLeft("lobby", "alice")]
    for resume in ("session-1", None):
        wire = bench.connect()
        answer = wire.log_in("alice", resume=resume, attempt=2)
        assert isinstance(answer, Refused)
        assert answer.code is Code.BANNED


def test_a_ban_while_interrupted_is_learnt_at_the_next_attempt() -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    alice.drop()
    bench.core.ban(bench.now, APP, "alice")
    bench.settle()
    assert bob.take() == [MemberLeft("lobby", "alice")]
    answer = bench.connect().log_in("alice", resume="session-1", attempt=2)
    assert isinstance(answer, Refused)
    assert answer.code is Code.BANNED


def test_after_an_unban_the_user_may_log_in_and_the_old_session_stays_ended() -> None:
    bench = Bench()
    bench.user("alice")
    bench.core.ban(bench.now, APP, "alice")
    bench.settle()
    bench.core.unban(APP, "alice")
    refused = bench.connect().log_in("alice", resume="session-1", attempt=2)
    assert isinstance(refused, Refused)
    assert refused.code is Code.BANNED
    assert bench.user("alice").is_open()


@pytest.mark.parametrize("app_id", [APP, "other"])
def test_a_ban_of_somebody_who_is_not_there_counts_for_later(app_id: str) -> None:
    bench = Bench()
    bench.user("alice")
    bench.core.ban(bench.now, app_id, "bob")
    answer = bench.connect().log_in("bob", app_id=app_id)
    assert isinstance(answer, Refused)
    assert answer.code is Code.BANNED
    assert bench.core.online(APP) == ["alice"]


# ---------------------------------------------------------------------------------------------- tenants, limits


def test_tenants_never_meet() -> None:
    bench = Bench()
    here, there = bench.user("alice"), bench.user("alice", app_id="other")
    here.ask(Join(1, "lobby"))
    assert there.ask(GetMembers(1, "lobby")) == Members(1, [])
    there.ask(Join(2, "lobby"))
    assert here.take() == []
    bench.core.ban(bench.now, "other", "alice")
    bench.settle()
    assert here.is_open()
    assert bench.core.online(APP) == ["alice"]
    assert bench.core.online("other") == []


def test_introspection_counts_connections_and_logins_of_a_user() -> None:
    bench = Bench()
    counts = [(bench.core.connections_of(APP, "alice"), bench.core.attempts_of(APP, "alice"))]
    alice = bench.user("alice")
    counts.append((bench.core.connections_of(APP, "alice"), bench.core.attempts_of(APP, "alice")))
    alice.drop()
    counts.append((bench.core.connections_of(APP, "alice"), bench.core.attempts_of(APP, "alice")))
    assert counts == [(0, 0), (1, 1), (0, 1)]


def test_a_server_that_is_full_says_so() -> None:
    bench = Bench(ServerLimits(connections_max=1))
    alice = bench.user("alice")
    second = bench.connect()
    assert second.closed == (second.conn, CloseCode.TRY_AGAIN_LATER, "too many connections")
    assert bench.core.stats().connections == 1
    second.drop()
    alice.drop()
    assert bench.connect().is_open()


def test_a_tenant_that_is_full_says_so_and_still_lets_its_own_come_back() -> None:
    bench = Bench(ServerLimits(sessions_max=1))
    _, session = bench.online("alice")
    answer = bench.connect().log_in("bob")
    assert answer == Refused(Code.REJECTED, "too many sessions")
    assert bench.online("alice", resume=session, attempt=2)[1] == session
    bench.online("alice", instance="laptop")
    assert bench.core.online(APP) == ["alice"]


def test_beyond_the_limit_of_tenants_only_an_idle_one_makes_room() -> None:
    bench = Bench(ServerLimits(tenants_max=2))
    bench.user("alice", app_id="busy")
    bob = bench.user("bob", app_id="soon-idle")
    assert bench.connect().log_in("carol", app_id="third") == Refused(Code.REJECTED, "too many tenants")
    bob.send(Logout())
    bench.user("carol", app_id="third")
    assert bench.core.online("busy") == ["alice"]
    assert bench.core.stats().tenants == 2


def test_a_channel_that_nobody_is_in_is_forgotten() -> None:
    bench = Bench()
    alice, bob = together(bench, "alice", "bob")
    alice.send(Logout())
    assert list(bench.core._tenants[APP]._channels) == ["lobby"]
    bob.send(Logout())
    assert list(bench.core._tenants[APP]._channels) == []
