"""What a server does under load and at its end, on real sockets: with who does not read, and with who floods."""

from __future__ import annotations

import asyncio
import ssl
import time

from harness.guard import Guard
from harness.reference.server import Server, ServerConfig
from harness.reference.server_control import tls_with
from harness.reference.server_core import ServerLimits
from harness.reference.wire import (
    FRAME_BYTES_MAX,
    ChannelMessage,
    Code,
    Done,
    Failed,
    GetMembers,
    Join,
    MemberJoined,
    Members,
    PeerMessage,
    Ping,
    Pong,
    SendToChannel,
    SendToPeer,
    encode,
)
from harness.world.keys import Keys, new_keys
from tests.integration.reference.server_shell_rig import (
    APP,
    SECRET,
    ask,
    client,
    closed,
    heard,
    log_in,
    run,
    serving,
    until,
)

TEXT = "x" * 30_000


def test_the_others_of_a_channel_hear_everything_while_one_does_not_read() -> None:
    async def test() -> None:
        limits = ServerLimits(outbound_bytes_max=4 * FRAME_BYTES_MAX)
        async with (
            serving(limits=limits) as server,
            client(server) as alice,
            client(server) as bob,
            client(server) as carol,
        ):
            for wire, uid in ((carol, "carol"), (bob, "bob"), (alice, "alice")):
                await log_in(wire, uid)
                assert await ask(wire, Join(1, "lobby")) == Done(1)
            assert await heard(bob) == MemberJoined("lobby", "alice")
            carol.transport.pause_reading()
            said, longest_s = 0, 0.0
            while server.connections_of(APP, "carol"):
                started_s = time.monotonic()
                assert await ask(alice, SendToChannel(1, "lobby", TEXT)) == Done(1)
                assert await heard(bob) == ChannelMessage("lobby", "alice", TEXT)
                longest_s = max(longest_s, time.monotonic() - started_s)
                said += 1
                await asyncio.sleep(0.006)  # slower than the limit of requests, or it would be that one that ends this
                assert said < 2_000, "the server holds everything"
            assert longest_s < 1, "carol's connection makes nobody wait"
            assert "linkproof_connections_dropped_total 1\n" in server.metrics()
            carol.transport.resume_reading()
            assert await closed(carol) == (1006, "")
            assert server.online(APP) == ["alice", "bob", "carol"], "an interruption, like any other loss"

    run(test)


def test_a_flood_of_frames_closes_its_own_connection_and_nobody_else_waits() -> None:
    async def test() -> None:
        limits = ServerLimits(frames_per_s=100, frames_burst=200)
        async with serving(limits=limits) as server, client(server) as alice, client(server) as wild:
            await log_in(alice, "alice")
            await log_in(wild, "wild")
            for _ in range(198):  # with its login and its first ping as many as may come at once
                await wild.send(encode(Ping(1)), text=True)
            for _ in range(198):
                assert await heard(wild) == Pong(1)
            for _ in range(2_000):  # more than a second's worth, however slow this host is
                if server.connections_of(APP, "wild"):
                    await wild.send(encode(Ping(1)), text=True)
            assert await ask(alice, Ping(2)) == Pong(2)
            assert await closed(wild) == (1008, "more than 100 frames a second")
            assert await ask(alice, Ping(3)) == Pong(3)

    run(test)


def test_too_many_requests_are_refused_one_by_one_and_the_connection_stays() -> None:
    async def test() -> None:
        limits = ServerLimits(requests_per_s=1, requests_burst=3)
        async with serving(limits=limits) as server, client(server) as alice:
            await log_in(alice, "alice")
            for number in (1, 2, 3):
                await alice.send(encode(GetMembers(number, "lobby")), text=True)
            # In one go with the three before it, so that no second passes between.
            assert [await ask(alice, GetMembers(4, "lobby")), *[await heard(alice) for _ in range(3)]] == [
                *(Members(number, []) for number in (1, 2, 3)),
                Failed(4, Code.TOO_OFTEN, "more than 1 requests a second"),
            ]
            assert await ask(alice, Ping(2)) == Pong(2)
            assert 'linkproof_requests_failed_total{code="too_often"} 1\n' in server.metrics()

    run(test)


def test_what_was_sent_before_a_stop_arrives_before_its_close() -> None:
    async def test() -> None:
        async with serving() as server, client(server) as alice, client(server) as bob:
            await log_in(alice, "alice")
            await log_in(bob, "bob")
            bob.transport.pause_reading()
            for number in range(1, 21):
                assert await ask(alice, SendToPeer(number, "bob", TEXT)) == Done(number)
            stop = asyncio.create_task(server.stop())
            await until(lambda: server.stats().connections < 2)
            bob.transport.resume_reading()
            for _ in range(20):
                assert await heard(bob) == PeerMessage("alice", TEXT)
            assert await closed(bob) == (1001, "")
            await stop

    run(test)


def test_over_tls_a_client_that_does_not_read_is_dropped_too() -> None:
    async def test(keys: Keys) -> None:
        limits = ServerLimits(outbound_bytes_max=4 * FRAME_BYTES_MAX)
        config = ServerConfig(secret=SECRET, limits=limits, tls=tls_with(keys.certificate_file, keys.key_file))
        trusted = ssl.create_default_context(cafile=keys.ca_file)
        async with (
            Server(config) as server,
            client(server, trusted) as alice,
            client(server, trusted) as bob,
        ):
            await log_in(alice, "alice")
            await log_in(bob, "bob")
            bob.transport.pause_reading()
            said = 0
            while server.connections_of(APP, "bob"):
                assert await ask(alice, SendToPeer(1, "bob", TEXT)) == Done(1)
                said += 1
                await asyncio.sleep(0.006)  # slower than the limit of requests
                assert said < 2_000, "the server holds everything"
            assert "linkproof_connections_dropped_total 1\n" in server.metrics()

    with Guard() as guard, new_keys(guard, tls=True) as keys:
        run(lambda: test(keys))
