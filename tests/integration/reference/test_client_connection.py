"""One connection of the reference client, against servers that do what a server may or must not do."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from harness.reference.client import RtmClient
from harness.reference.wire import FRAME_BYTES_MAX, SUBPROTOCOL, LoggedIn, PeerMessage, Pong, encode
from harness.spec.states import LoginError, State
from harness.spec.timing import Timing

APP = "app"
SHORT = Timing(login_s=0.6)
LOGGED_IN = encode(LoggedIn("session", False, 0.5)).decode()
Handler = Callable[[ServerConnection], Awaitable[None]]
RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        await asyncio.wait_for(test(), 20)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(whole())


async def outcome(client: RtmClient) -> LoginError:
    """Log in and return what came of it."""
    done: asyncio.Future[LoginError] = asyncio.get_running_loop().create_future()
    client.on("onLoginSuccess")(lambda: done.set_result(LoginError.OK))
    client.on("onLoginFailure")(done.set_result)
    assert client.login("token", "alice") is LoginError.OK
    return await done


async def attempts(handler: Handler, *, subprotocol: str | None = SUBPROTOCOL) -> int:
    """How many attempts a login makes at a server that does this to each, and none of which gets through."""
    count = 0

    async def counted(websocket: ServerConnection) -> None:
        nonlocal count
        count += 1
        await handler(websocket)

    spoken = None if subprotocol is None else [Subprotocol(subprotocol)]
    async with serve(counted, "127.0.0.1", 0, subprotocols=spoken, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with RtmClient(f"ws://127.0.0.1:{port}", APP, timing=SHORT) as alice:
            assert await outcome(alice) is LoginError.TIMEOUT
            assert alice.state is State.DISCONNECTED
    return count


async def raw_attempts(handler: RawHandler) -> int:
    """The same of a server that speaks TCP alone."""
    count = 0

    async def counted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        try:
            await handler(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(counted, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with RtmClient(f"ws://127.0.0.1:{port}", APP, timing=SHORT) as alice:
            assert await outcome(alice) is LoginError.TIMEOUT
    return count


async def log_in(websocket: ServerConnection) -> None:
    await websocket.recv()
    await websocket.send(LOGGED_IN)


async def answer_pings(websocket: ServerConnection) -> None:
    number = 0
    async for _ in websocket:
        number += 1
        await websocket.send(encode(Pong(number)).decode())


# --------------------------------------------------------------------------------------- attempts that cannot succeed


def test_a_server_that_closes_is_tried_again() -> None:
    async def test() -> None:
        async def close(websocket: ServerConnection) -> None:
            await websocket.recv()
            await websocket.close(1001, "going away")

        assert 2 <= await attempts(close) <= 5

    run(test)


def test_a_server_that_sends_binary_is_tried_again() -> None:
    async def test() -> None:
        async def send_binary(websocket: ServerConnection) -> None:
            await websocket.recv()
            await websocket.send(LOGGED_IN.encode())
            await websocket.wait_closed()

        assert 2 <= await attempts(send_binary) <= 5

    run(test)


def test_a_server_that_sends_too_much_is_tried_again() -> None:
    async def test() -> None:
        async def send_too_much(websocket: ServerConnection) -> None:
            await websocket.recv()
            await websocket.send("x" * (FRAME_BYTES_MAX + 1))
            await websocket.wait_closed()

        assert 2 <= await attempts(send_too_much) <= 5

    run(test)


def test_a_server_of_another_protocol_is_tried_again() -> None:
    async def test() -> None:
        async def never(websocket: ServerConnection) -> None:
            await websocket.wait_closed()

        assert 2 <= await attempts(never, subprotocol=None) <= 5

    run(test)


@pytest.mark.parametrize("answer", [b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", b"SSH-2.0-x\r\n\r\n", b""])
def test_what_is_no_websocket_server_is_tried_again(answer: bytes) -> None:
    async def test() -> None:
        async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()

        assert 2 <= await raw_attempts(speak) <= 5

    run(test)


def test_a_reset_in_the_handshake_is_tried_again() -> None:
    # centrifugal/centrifuge-js#281: no retry
    async def test() -> None:
        async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.abort()

        assert 2 <= await raw_attempts(reset) <= 5

    run(test)


def test_a_server_that_never_answers_is_given_up_with_the_login() -> None:
    # centrifugal/centrifuge-js#374: connecting for ever
    async def test() -> None:
        async def keep_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
            await reader.read()

        assert await raw_attempts(keep_silent) == 1
        await asyncio.sleep(0.01)

    run(test)


def test_a_connect_that_hangs_is_given_up_with_the_login() -> None:
    async def test() -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            address = listener.getsockname()
            fillers = [socket.socket() for _ in range(4)]  # the queue of those who wait to be accepted is full then
            try:
                for filler in fillers:
                    filler.setblocking(False)
                    filler.connect_ex(address)
                await asyncio.sleep(0.05)
                async with RtmClient(f"ws://127.0.0.1:{address[1]}", APP, timing=SHORT) as alice:
                    assert await outcome(alice) is LoginError.TIMEOUT
            finally:
                for filler in fillers:
                    filler.close()

    run(test)


# ------------------------------------------------------------------------------------------ what a server may well do


def test_a_message_in_fragments_and_websocket_pings_are_understood() -> None:
    async def test() -> None:
        heard: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()

        async def talk(websocket: ServerConnection) -> None:
            await log_in(websocket)
            await (await websocket.ping())
            text = encode(PeerMessage("bob", "in three parts")).decode()
            await websocket.send(iter([text[:5], text[5:20], text[20:]]))
            await answer_pings(websocket)

        async with serve(talk, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)]) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with RtmClient(f"ws://127.0.0.1:{port}", APP) as alice:
                alice.on("onMessageReceivedFromPeer")(lambda peer, text: heard.set_result((peer, text)))
                assert await outcome(alice) is LoginError.OK
                assert await heard == ("bob", "in three parts")

    run(test)


def test_what_comes_with_the_close_in_one_segment_is_taken_first() -> None:
    async def test() -> None:
        told: list[str] = []
        logins = 0

        async def talk(websocket: ServerConnection) -> None:
            nonlocal logins
            logins += 1
            await log_in(websocket)
            if logins == 1:
                await websocket.recv()
                # All in one write: the client is to take the first two when the close is there already.
                websocket.protocol.send_text(encode(Pong(1)))
                websocket.protocol.send_text(encode(PeerMessage("bob", "hi")))
                websocket.protocol.send_close(1001)
                websocket.transport.write(b"".join(websocket.protocol.data_to_send()))
                await websocket.wait_closed()
            else:
                await answer_pings(websocket)

        async with serve(talk, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)]) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with RtmClient(f"ws://127.0.0.1:{port}", APP) as alice:
                alice.on("onMessageReceivedFromPeer")(lambda _, text: told.append(text))
                assert await outcome(alice) is LoginError.OK
                while logins < 2:  # noqa: ASYNC110 - the test's own server does not report to it
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.05)
                assert told == ["hi"]
                assert alice.state is State.CONNECTED

    run(test)


def test_a_logout_on_a_link_that_does_not_drain_is_aborted_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.reference.client_connection.CLOSE_FLUSH_S", 0.1)

    async def test() -> None:
        stalled, read_on = asyncio.Event(), asyncio.Event()

        async def stall(websocket: ServerConnection) -> None:
            await log_in(websocket)
            await websocket.recv()
            await websocket.send(encode(Pong(1)).decode())
            websocket.transport.pause_reading()
            stalled.set()
            await read_on.wait()

        async with serve(stall, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)], close_timeout=0.1) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            async with RtmClient(f"ws://127.0.0.1:{port}", APP) as alice:
                assert await outcome(alice) is LoginError.OK
                await stalled.wait()
                text = "x" * 30_000
                sending = [alice.send_to_peer("bob", text) for _ in range(64)]
                connection = next(iter(alice._connections.values()))
                # More than the kernel takes of a peer that does not read.
                connection._transport.write(b"x" * 8_000_000)  # type: ignore[union-attr]
                alice.logout()
                await asyncio.gather(*sending)
                began = asyncio.get_running_loop().time()
                await alice.close()
                assert asyncio.get_running_loop().time() - began < 0.5
            read_on.set()

    run(test)


# ---------------------------------------------------------------------------------------------------------------- TLS


def test_it_speaks_tls_and_checks_whom_it_speaks_to(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(certificate), "-days", "1", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    except FileNotFoundError:
        pytest.skip("a certificate cannot be made without openssl")
    of_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    of_server.load_cert_chain(certificate, key)

    async def test() -> None:
        async def talk(websocket: ServerConnection) -> None:
            await log_in(websocket)
            await answer_pings(websocket)

        async with serve(
            talk, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)], ssl=of_server, close_timeout=0.1
        ) as server:
            port = next(iter(server.sockets)).getsockname()[1]
            trusting = ssl.create_default_context(cafile=str(certificate))
            async with RtmClient(f"wss://127.0.0.1:{port}", APP, ssl=trusting) as alice:
                assert await outcome(alice) is LoginError.OK
            async with RtmClient(f"wss://127.0.0.1:{port}", APP, timing=SHORT) as bob:
                assert await outcome(bob) is LoginError.TIMEOUT
            async with RtmClient(f"ws://127.0.0.1:{port}", APP, timing=SHORT) as carol:
                assert await outcome(carol) is LoginError.TIMEOUT

    run(test)
