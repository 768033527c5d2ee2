"""The asyncio shell of the reference server, held against a real WebSocket client."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from harness.errors import HostError, UsageError
from harness.reference.server import Server, ServerConfig
from harness.reference.server_core import ServerCore, ServerLimits
from harness.reference.server_link import CLOSE_TIMEOUT_S
from harness.reference.tokens import issue
from harness.reference.wire import (
    Code,
    Done,
    Ended,
    EndReason,
    Failed,
    Join,
    Login,
    MemberJoined,
    MemberLeft,
    PeerMessage,
    Ping,
    Pong,
    Refused,
    SendToPeer,
)
from harness.spec.timing import Timing
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

OUTBOUND_BYTES_MAX = ServerLimits().outbound_bytes_max


def test_users_log_in_meet_and_leave() -> None:
    async def test() -> None:
        async with serving() as server, client(server) as alice, client(server) as bob:
            answer = await log_in(alice, "alice")
            assert answer.heartbeat_s == server.heartbeat_s == 0.5
            assert answer.token_expires_in_s is not None
            assert 59 < answer.token_expires_in_s <= 60
            await log_in(bob, "bob")
            assert await ask(alice, Join(1, "lobby")) == Done(1)
            assert await ask(bob, Join(1, "lobby")) == Done(1)
            assert await heard(alice) == MemberJoined("lobby", "bob")
            async with client(server) as carol:
                await log_in(carol, "carol")
                assert await ask(carol, Join(1, "lobby")) == Done(1)
            assert await heard(alice) == await heard(bob) == MemberJoined("lobby", "carol")
            await until(lambda: server.connections_of(APP, "carol") == 0)
            assert server.online(APP) == ["alice", "bob", "carol"]
            assert server.stats() == (2, 3, 1)
            assert (server.connections_of(APP, "bob"), server.attempts_of(APP, "bob")) == (1, 1)
            await bob.send('{"type":"logout"}')
            assert await closed(bob) == (1000, "logged out")
            assert await heard(alice) == MemberLeft("lobby", "bob")

    run(test)


def test_a_frame_that_cannot_be_read_closes_its_connection_alone_and_says_why() -> None:
    async def test() -> None:
        async with serving() as server, client(server) as alice, client(server) as bob, client(server) as carol:
            await log_in(alice, "alice")
            await log_in(bob, "bob")
            await bob.send("?")
            assert await closed(bob) == (1007, "not a frame of rtm.v1: JSON is malformed: invalid character (byte 0)")
            await carol.send("x" * 100_000)
            assert (await closed(carol))[0] == 1009
            assert await ask(alice, Ping(2)) == Pong(2)
            assert server.online(APP) == ["alice", "bob"]

    run(test)


@pytest.mark.parametrize("offered", [None, [Subprotocol("rtm.v2")]])
def test_a_client_that_does_not_speak_the_subprotocol_is_refused(offered: list[Subprotocol] | None) -> None:
    async def test() -> None:
        async with serving() as server:
            with pytest.raises(InvalidStatus) as caught:
                await connect(server.url, subprotocols=offered)
            assert caught.value.response.status_code == 400

    run(test)


def test_a_refusal_and_an_ended_reach_the_client_before_the_close() -> None:
    async def test() -> None:
        async with serving() as server, client(server) as alice, client(server) as other, client(server) as stranger:
            session = (await log_in(alice, "alice", "phone")).session
            await log_in(other, "alice", "laptop")
            assert await heard(alice) == Ended(EndReason.REMOTE_LOGIN)
            assert await closed(alice) == (1000, "session ended: remote_login")
            answer = await ask(stranger, Login(APP, "alice", issue(SECRET, APP, "alice"), "phone", 2, session))
            assert isinstance(answer, Refused)
            assert answer.code is Code.SUPERSEDED
            assert await closed(stranger) == (1008, "login refused: superseded")
            server.ban(APP, "alice")
            assert await heard(other) == Ended(EndReason.BANNED)
            server.unban(APP, "alice")
        async with serving() as server, client(server) as alice:
            await log_in(alice, "alice")

    run(test)


def test_presence_runs_out_by_the_clock() -> None:
    async def test() -> None:
        async with (
            serving(Timing(presence_s=0.6, interruption_s=1.0)) as server,
            client(server) as alice,
            client(server) as bob,
        ):
            await log_in(bob, "bob")
            await ask(bob, Join(1, "lobby"))
            async with client(server) as second:
                session = (await log_in(alice, "alice")).session
                await ask(alice, Join(1, "lobby"))
                assert await heard(bob) == MemberJoined("lobby", "alice")
                assert (await log_in(second, "alice", resume=session)).resumed
                last_packet_s = time.monotonic()
            await until(lambda: server.connections_of(APP, "alice") == 0)
            while time.monotonic() < last_packet_s + 0.3:
                assert await ask(bob, Ping(1)) == Pong(1), "nothing has been said of alice"
                await asyncio.sleep(0.02)
            assert await heard(bob) == MemberLeft("lobby", "alice")
            # Both ends read the clock of this machine; the rest of a second is for a host that is busy.
            assert 0.58 < time.monotonic() - last_packet_s < 1.6
            assert (await closed(bob))[0] == 1008, "bob has said nothing for as long"

    run(test)


def test_a_client_that_does_not_read_is_dropped_and_nobody_else_waits() -> None:
    async def test() -> None:
        async with serving() as server, client(server) as alice, client(server) as bob:
            await log_in(alice, "alice")
            await log_in(bob, "bob")
            bob.transport.pause_reading()
            text = "x" * 32_000
            sent = 0
            while server.connections_of(APP, "bob"):
                # Slower than the limit of requests, or it would be that one that protects bob.
                assert await ask(alice, SendToPeer(1, "bob", text)) == Done(1)
                sent += len(text)
                await asyncio.sleep(0.006)
                assert sent < 64 * OUTBOUND_BYTES_MAX, "the server holds everything"
            assert sent > OUTBOUND_BYTES_MAX
            bob.transport.resume_reading()
            assert await heard(bob) == PeerMessage("alice", text)
            assert await closed(bob) == (1006, "")
            assert server.online(APP) == ["alice", "bob"], "an interruption, like any other loss"

    run(test)


def test_a_client_that_does_not_read_cannot_put_off_its_close() -> None:
    async def test() -> None:
        async with serving() as server, client(server) as alice, client(server) as bob:
            await log_in(alice, "alice")
            await log_in(bob, "bob")
            bob.transport.pause_reading()
            link = server._links[2]
            while link.waiting_bytes < OUTBOUND_BYTES_MAX // 2:  # so that whatever comes next waits behind that
                assert await ask(alice, SendToPeer(1, "bob", "x" * 32_000)) == Done(1)
                await asyncio.sleep(0.006)
            started_s = time.monotonic()
            server.ban(APP, "bob")
            assert await ask(alice, SendToPeer(2, "bob", "")) == Failed(2, Code.REJECTED, "bob is not online")
            await until(lambda: 2 not in server._links)
            assert CLOSE_TIMEOUT_S <= time.monotonic() - started_s < CLOSE_TIMEOUT_S + 1

    run(test)


def test_a_stop_closes_every_connection_as_going_away_and_waits_for_nobody() -> None:
    async def test() -> None:
        async with serving() as server:
            async with client(server) as alice, client(server) as frozen:
                await log_in(alice, "alice")
                frozen.transport.pause_reading()
                _, in_handshake = await asyncio.open_connection("127.0.0.1", server.port)
                await until(lambda: server.stats().connections == 2)
                started_s = time.monotonic()
                stop = asyncio.create_task(server.stop())
                assert (await closed(alice))[0] == 1001
                await stop
                assert time.monotonic() - started_s < 2, "who does not answer is cut off"
                frozen.transport.resume_reading()
                in_handshake.close()
                await asyncio.wait([asyncio.create_task(in_handshake.wait_closed())])
            assert server.stats().connections == 0

    run(test)


def test_frames_are_not_held_back_to_be_sent_together() -> None:
    async def test() -> None:
        async with serving() as server, client(server):
            (accepted,) = server._sockets
            raw = accepted.transport.get_extra_info("socket")
            assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0

    run(test)


def test_a_server_can_be_started_again_on_the_same_port() -> None:
    async def test() -> None:
        async with serving() as first, client(first) as alice:
            await log_in(alice, "alice")
            port = first.port
        async with Server(ServerConfig(secret=SECRET, port=port)) as second, client(second) as alice:
            assert not (await log_in(alice, "alice", resume="of the first")).resumed
            assert second.url == f"ws://127.0.0.1:{port}"

    run(test)


def test_a_port_that_is_taken_is_told_with_a_way_out() -> None:
    async def test() -> None:
        async with serving() as server:
            with pytest.raises(HostError, match=f"cannot listen on 127.0.0.1, port {server.port}") as caught:
                await Server(ServerConfig(secret=SECRET, port=server.port)).__aenter__()
            assert "--port" in caught.value.mend

    run(test)


def test_an_address_of_ipv6_is_written_in_brackets() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET, host="::1")) as server, client(server) as alice:
            await log_in(alice, "alice")
            assert server.url == f"ws://[::1]:{server.port}"

    run(test)


@pytest.mark.parametrize("wrong", [{"secret": "short"}, {"port": 65536}, {"port": -1}, {"heartbeat_s": 0}])
def test_a_wrong_number_is_told_before_anything_starts(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        ServerConfig(**{"secret": SECRET, **wrong})


def test_the_secret_is_not_shown() -> None:
    assert SECRET not in repr(ServerConfig(secret=SECRET))


def test_a_fault_of_the_server_itself_is_logged_and_closes_that_connection_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    received = ServerCore.received

    def faulty(core: ServerCore, now: int, conn: int, data: bytes | str) -> None:
        if b"boom" in (data if isinstance(data, bytes) else data.encode()):
            raise ArithmeticError("planted")
        received(core, now, conn, data)

    async def test() -> None:
        async with serving() as server, client(server) as alice, client(server) as bob:
            await log_in(alice, "alice")
            await bob.send("boom")
            assert (await closed(bob))[0] == 1011
            assert await ask(alice, Ping(2)) == Pong(2)

    monkeypatch.setattr(ServerCore, "received", faulty)
    with caplog.at_level(logging.ERROR, logger="harness.reference.server"):
        run(test)
    (record,) = [record for record in caplog.records if record.name == "harness.reference.server"]
    assert record.exc_info is not None
    assert "planted" in str(record.exc_info[1])
