from __future__ import annotations

import pytest

from harness.reference.server_core import CloseCode, ServerLimits
from harness.reference.wire import (
    Code,
    Ended,
    EndReason,
    Join,
    LoggedIn,
    Login,
    Logout,
    MemberLeft,
    Ping,
    Refused,
    encode,
)
from harness.spec.timing import ns
from tests.unit.reference.server_bench import APP, HEARTBEAT_S, START_NS, Bench, Wire, token


def refusal(wire: Wire, answer: object) -> Code:
    """The code that a login was refused with, on a connection that was closed after it."""
    assert isinstance(answer, Refused), answer
    assert wire.closed == (wire.conn, CloseCode.POLICY, f"login refused: {answer.code}")
    return answer.code


def test_a_login_gives_a_session_and_tells_the_heartbeat_and_the_life_of_the_token() -> None:
    bench = Bench()
    answer = bench.connect().log_in("alice", with_token=token("alice", expires_in_s=2.5))
    assert answer == LoggedIn("session-1", resumed=False, heartbeat_s=HEARTBEAT_S, token_expires_in_s=2.5)
    assert bench.core.online(APP) == ["alice"]
    assert bench.connect().log_in("bob") == LoggedIn("session-2", resumed=False, heartbeat_s=HEARTBEAT_S)
    assert bench.core.stats() == (2, 2, 1)


@pytest.mark.parametrize(
    ("app_id", "with_token", "code"),
    [
        ("no spaces", token("alice"), Code.INVALID_APP_ID),
        ("app\n", token("alice"), Code.INVALID_APP_ID),
        (APP, "invalid_token", Code.INVALID_TOKEN),
        (APP, "token_expired", Code.TOKEN_EXPIRED),
        (APP, token("bob"), Code.NOT_AUTHORIZED),
        (APP, token("alice", "other"), Code.NOT_AUTHORIZED),
    ],
)
def test_a_login_without_a_right_is_refused(app_id: str, with_token: str, code: Code) -> None:
    bench = Bench()
    wire = bench.connect()
    assert refusal(wire, wire.log_in("alice", app_id=app_id, with_token=with_token)) is code
    assert bench.core.stats() == (0, 0, 0)
    assert bench.core.attempts_of(app_id, "alice") == 1
    assert bench.core.online(app_id) == []


def test_the_first_frame_must_be_a_login_and_there_is_only_one() -> None:
    bench = Bench()
    early = bench.connect()
    early.send(Ping(1))
    assert early.closed == (early.conn, CloseCode.POLICY, "the first frame must be a login")
    alice, session = bench.online("alice")
    alice.send(Login(APP, "alice", token("alice"), "alice's", 2))
    assert alice.closed == (alice.conn, CloseCode.POLICY, "a connection logs in once")
    assert bench.core.online(APP) == ["alice"], "to the session that is an interruption"
    assert bench.online("alice", resume=session, attempt=3)[1] == session


def test_a_frame_that_cannot_be_read_closes_its_connection_and_no_other() -> None:
    bench = Bench()
    alice, bob, stranger = bench.user("alice"), bench.user("bob"), bench.connect()
    alice.raw(b"{")
    stranger.raw("x" * (64 * 1024 + 1))
    assert alice.closed is not None
    assert (alice.closed.code, alice.closed.reason) == (1007, "not a frame of rtm.v1: Input data was truncated")
    assert stranger.closed == (stranger.conn, 1009, "frame of 65537 bytes, at most 65536")
    bob.ping()
    assert bench.core.online(APP) == ["alice", "bob"]
    alice.raw(encode(Logout()))
    assert bench.core.online(APP) == ["alice", "bob"], "what was still under way on a closed connection is not heard"


def test_a_close_reason_is_cut_to_what_a_close_frame_holds() -> None:
    bench = Bench()
    wire = bench.connect()
    wire.raw('{"type":"logout","' + "é" * 90 + '":1}')
    assert wire.closed is not None
    assert wire.closed.reason.startswith("not a frame of rtm.v1: Object contains unknown field `é")
    assert len(wire.closed.reason.encode()) in {122, 123}, "no half of a letter at its end"


def test_a_connection_that_never_logs_in_is_closed_after_10_s() -> None:
    bench = Bench()
    silent, alice = bench.connect(), bench.user("alice")
    assert bench.core.next_deadline() is not None
    bench.wait(9.999, awake=(alice,))
    assert silent.is_open()
    bench.wait(0.001, awake=(alice,))
    assert silent.closed == (silent.conn, CloseCode.POLICY, "no login within 10 s")
    gone = bench.connect()
    gone.drop()
    bench.wait(11, awake=(alice,))
    assert bench.core.stats().connections == 1


def test_a_core_with_nothing_to_wait_for_has_no_deadline() -> None:
    assert Bench().core.next_deadline() is None


# ------------------------------------------------------------------------------------- resume (OPEN-9, OPEN-20)


def test_a_resumed_session_goes_on_on_the_new_connection_and_nobody_is_told() -> None:
    bench = Bench()
    bob = bench.user("bob")
    old, session = bench.online("alice")
    bob.ask(Join(1, "lobby"))
    old.ask(Join(1, "lobby"))
    bob.take()
    new = bench.connect()
    answer = new.log_in("alice", resume=session, attempt=2)
    assert answer == LoggedIn(session, resumed=True, heartbeat_s=HEARTBEAT_S)
    assert old.closed == (old.conn, CloseCode.NORMAL, "the session goes on on another connection")
    assert old.take() == [], "no 'ended': it is the client's own old link"
    old.drop()
    assert bench.core.connections_of(APP, "alice") == 1
    assert bob.take() == []


def test_an_interrupted_session_is_resumed_again_and_again() -> None:
    bench = Bench()
    wire, session = bench.online("alice")
    for attempt in (2, 3, 4):
        wire.drop()
        bench.wait(20)
        wire = bench.connect()
        answer = wire.log_in("alice", resume=session, attempt=attempt)
        assert answer == LoggedIn(session, resumed=True, heartbeat_s=HEARTBEAT_S)


def test_a_resume_needs_no_confirmation() -> None:
    bench = Bench()
    old, session = bench.online("alice")
    old.drop()
    new, _ = bench.online("alice", resume=session, attempt=2, confirm=False)
    new.drop()
    bench.wait(29)
    assert bench.core.online(APP) == ["alice"]


def test_a_session_that_nobody_knows_is_resumed_as_a_new_one() -> None:
    bench = Bench()
    answer = bench.connect().log_in("alice", resume="of a server that was killed")
    assert answer == LoggedIn("session-1", resumed=False, heartbeat_s=HEARTBEAT_S)


def test_the_earlier_of_two_attempts_never_displaces_the_later() -> None:
    bench = Bench()
    lost, session = bench.online("alice")
    lost.drop()
    later, _ = bench.online("alice", resume=session, attempt=3)
    for resume in (session, None, "unknown"):
        wire = bench.connect()
        assert refusal(wire, wire.log_in("alice", resume=resume, attempt=2)) is Code.STALE
    later.ping()
    assert bench.core.attempts_of(APP, "alice") == 5


def test_an_attempt_that_is_told_twice_is_not_stale() -> None:
    bench = Bench()
    _, session = bench.online("alice", attempt=2)
    assert bench.online("alice", attempt=2, resume=session)[1] == session


def test_a_client_that_missed_its_new_session_gets_another_and_is_not_taken_for_somebody_else() -> None:
    bench = Bench()
    # Its session has expired; the answer with the new one is lost; it asks for the old one again.
    missed, _ = bench.online("alice", resume="expired", attempt=2, confirm=False)
    answer = bench.connect().log_in("alice", resume="expired", attempt=3)
    assert answer == LoggedIn("session-2", resumed=False, heartbeat_s=HEARTBEAT_S)
    assert missed.closed is not None
    assert missed.take() == []


# ---------------------------------------------------------------------------------- take-over (OPEN-16, 19, 20)


def test_another_instance_takes_over_at_once_and_inherits_nothing() -> None:
    bench = Bench()
    bob = bench.user("bob")
    old = bench.user("alice", instance="phone")
    for request, channel in enumerate(("lobby", "hall"), 1):
        bob.ask(Join(request, channel))
        old.ask(Join(request, channel))
    bob.take()
    new = bench.user("alice", instance="laptop")
    assert old.take() == [Ended(EndReason.REMOTE_LOGIN)]
    assert old.closed == (old.conn, CloseCode.NORMAL, "session ended: remote_login")
    assert bob.take() == [MemberLeft("lobby", "alice"), MemberLeft("hall", "alice")]
    new.ping()
    assert bench.core.online(APP) == ["alice", "bob"]


@pytest.mark.parametrize("newcomer_stays", [True, False])
def test_a_superseded_session_stays_refused_and_the_newcomer_untouched(newcomer_stays: bool) -> None:
    bench = Bench()
    old, session = bench.online("alice", instance="phone")
    old.drop()
    new = bench.user("alice", instance="laptop")
    if not newcomer_stays:
        new.send(Logout())
    for attempt in (2, 3):
        back = bench.connect()
        answer = back.log_in("alice", instance="phone", resume=session, attempt=attempt)
        assert refusal(back, answer) is Code.SUPERSEDED
    assert bench.core.online(APP) == (["alice"] if newcomer_stays else [])
    assert new.is_open() is newcomer_stays


@pytest.mark.parametrize("newcomer_stays", [True, False])
def test_so_does_one_that_had_expired_before_the_newcomer_came(newcomer_stays: bool) -> None:
    bench = Bench()
    old, session = bench.online("alice", instance="phone")
    old.drop()
    bench.wait(31)
    new = bench.user("alice", instance="laptop")
    if not newcomer_stays:
        new.send(Logout())
    back = bench.connect()
    answer = back.log_in("alice", instance="phone", resume=session, attempt=2)
    assert refusal(back, answer) is Code.SUPERSEDED


def test_one_that_had_expired_comes_back_as_a_new_one_when_nobody_else_came() -> None:
    bench = Bench()
    old, session = bench.online("alice")
    old.drop()
    bench.wait(31)
    for attempt in (2, 3):
        wire = bench.connect()
        answer = wire.log_in("alice", resume=session, attempt=attempt)
        assert answer == LoggedIn(f"session-{attempt}", resumed=False, heartbeat_s=HEARTBEAT_S)
        wire.drop()


def test_a_user_who_superseded_may_log_in_afresh_with_the_app_that_was_superseded() -> None:
    bench = Bench()
    bench.user("alice", instance="phone")
    laptop = bench.user("alice", instance="laptop")
    bench.online("alice", instance="phone", attempt=2)
    assert laptop.take() == [Ended(EndReason.REMOTE_LOGIN)]


def test_a_new_login_of_the_same_instance_retires_its_ghost_and_is_no_remote_login() -> None:
    bench = Bench()
    bob = bench.user("bob")
    ghost, _ = bench.online("alice")
    bob.ask(Join(1, "lobby"))
    ghost.ask(Join(1, "lobby"))
    bob.take()
    new, session = bench.online("alice", attempt=2)
    assert session == "session-3"
    assert ghost.take() == []
    assert ghost.closed == (ghost.conn, CloseCode.NORMAL, "the same client has logged in anew")
    assert bob.take() == [MemberLeft("lobby", "alice")]
    assert new.ask(Join(1, "lobby")) is not None, "it is not in the channel yet"
    ghost.drop()
    assert bench.core.connections_of(APP, "alice") == 1


def test_an_interrupted_ghost_is_retired_just_so() -> None:
    bench = Bench()
    ghost, _ = bench.online("alice")
    ghost.drop()
    bench.online("alice", attempt=2)
    assert bench.core.online(APP) == ["alice"]


def test_only_so_many_ended_sessions_are_remembered() -> None:
    bench = Bench(ServerLimits(ended_noted_max=2))
    sessions = [bench.online("alice", instance=f"phone {number}")[1] for number in range(4)]
    kept = [bench.connect().log_in("alice", instance="phone 0", resume=session) for session in sessions[:3]]
    assert [isinstance(answer, Refused) for answer in kept] == [True, True, True], "there is a newer session"
    bench.wires[4].send(Logout())
    forgotten = bench.connect().log_in("alice", instance="phone 0", resume=sessions[0])
    assert isinstance(forgotten, LoggedIn), "the oldest is not worth more memory"
    remembered = bench.connect()
    answer = remembered.log_in("alice", instance="phone 1", resume=sessions[1])
    assert refusal(remembered, answer) is Code.SUPERSEDED


# ---------------------------------------------------------------------------------------- confirmation (OPEN-7)


def test_a_login_whose_connection_breaks_before_it_was_confirmed_leaves_no_ghost() -> None:
    bench = Bench()
    wire, _ = bench.online("alice", confirm=False)
    assert bench.core.online(APP) == ["alice"]
    wire.drop()
    assert bench.core.online(APP) == []


def test_nor_does_one_that_is_not_confirmed_within_6_s() -> None:
    bench = Bench()
    wire, _ = bench.online("alice", confirm=False)
    bench.wait(5.999)
    assert bench.core.online(APP) == ["alice"]
    bench.wait(0.001)
    assert bench.core.online(APP) == []
    assert wire.closed == (wire.conn, CloseCode.POLICY, "login not confirmed within 6 s")


def test_naming_the_session_on_another_connection_confirms() -> None:
    bench = Bench()
    _, session = bench.online("alice", confirm=False)
    wire, _ = bench.online("alice", resume=session, attempt=2, confirm=False)
    bench.wait(7)
    assert wire.is_open()
    wire.drop()
    assert bench.core.online(APP) == ["alice"]


def test_any_frame_confirms() -> None:
    bench = Bench()
    wire, _ = bench.online("alice", confirm=False)
    wire.ask(Join(1, "lobby"))
    wire.drop()
    bench.wait(29)
    assert bench.core.online(APP) == ["alice"]


def test_a_frame_that_cannot_be_read_does_not() -> None:
    bench = Bench()
    wire, _ = bench.online("alice", confirm=False)
    wire.raw(b"?")
    assert bench.core.online(APP) == []


def test_time_is_counted_from_what_was_passed_in() -> None:
    bench = Bench()
    bench.online("alice", confirm=False)
    assert bench.core.next_deadline() == START_NS + ns(6), "its connection's own 10 s are over with the login"
