"""The limit of frames, and the limits as a whole; those of requests, channels and tenants are tested with these."""

from __future__ import annotations

from dataclasses import fields

import pytest

from harness.errors import UsageError
from harness.reference.server_core import CloseCode, ServerLimits
from harness.reference.wire import Code, Failed, GetMembers, Ping, Pong
from harness.spec.timing import NS_PER_S
from tests.unit.reference.server_bench import Bench

ASK = GetMembers(1, "lobby")


def test_as_many_frames_as_allowed_are_taken_and_one_more_closes_its_connection_alone() -> None:
    bench = Bench(ServerLimits(frames_per_s=10, frames_burst=5))
    alice, bob = bench.user("alice"), bench.user("bob")  # a login and a ping of each
    for _ in range(3):
        alice.ping()
    alice.send(Ping(1))
    assert alice.closed == (alice.conn, CloseCode.POLICY, "more than 10 frames a second")
    assert alice.take() == []
    bob.ping()
    assert bench.core.online("app") == ["alice", "bob"], "an interruption, like any other loss"


def test_frames_may_come_again_as_time_passes() -> None:
    bench = Bench(ServerLimits(frames_per_s=10, frames_burst=2))
    alice = bench.user("alice")
    for _ in range(20):
        bench.now += NS_PER_S // 10
        alice.ping()
    assert alice.is_open()


def test_beyond_the_limit_a_frame_is_not_even_read() -> None:
    bench = Bench(ServerLimits(frames_per_s=1, frames_burst=1))
    alice = bench.connect()
    alice.log_in("alice")
    alice.raw("this would be 1007")
    assert alice.closed == (alice.conn, CloseCode.POLICY, "more than 1 frames a second")


def test_a_heartbeat_never_meets_the_limit_of_requests() -> None:
    bench = Bench(ServerLimits(requests_per_s=1, requests_burst=1))
    alice = bench.user("alice")
    alice.ask(ASK)
    refused = alice.ask(ASK)
    assert isinstance(refused, Failed)
    assert refused.code is Code.TOO_OFTEN
    assert alice.ask(Ping(9)) == Pong(9)


def test_the_limit_of_frames_leaves_room_for_the_fastest_heartbeat_and_all_requests() -> None:
    limits = ServerLimits()
    assert limits.frames_per_s >= 100 + limits.requests_per_s
    assert limits.frames_burst >= 30 * 100 + limits.requests_burst, "30 s of heartbeats that waited on a frozen link"


@pytest.mark.parametrize("name", [limit.name for limit in fields(ServerLimits)])
def test_a_limit_of_nothing_is_refused(name: str) -> None:
    assert getattr(ServerLimits(**{name: 1}), name) == 1
    with pytest.raises(UsageError, match=f"a limit {name} of 0"):
        ServerLimits(**{name: 0})
