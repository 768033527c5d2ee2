"""A server in this process and real WebSocket clients of it, for tests of the server's shell."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from harness.reference.server import Server, ServerConfig
from harness.reference.server_core import ServerLimits
from harness.reference.tokens import issue
from harness.reference.wire import SUBPROTOCOL, Frame, LoggedIn, Login, Ping, Pong, decode_from_server, encode
from harness.spec.timing import Timing

SECRET = "0123456789abcdef0123456789abcdef"
APP = "app"


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test to its end, and hold that it has left no task and no timer behind."""

    async def whole() -> None:
        await asyncio.wait_for(test(), 20)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(whole())


@asynccontextmanager
async def serving(timing: Timing | None = None, limits: ServerLimits | None = None) -> AsyncIterator[Server]:
    config = ServerConfig(secret=SECRET, timing=timing or Timing(), limits=limits or ServerLimits())
    async with Server(config) as server:
        yield server


@asynccontextmanager
async def client(server: Server, trusted: ssl.SSLContext | None = None) -> AsyncIterator[ClientConnection]:
    connection = await connect(
        server.url,
        ssl=trusted,
        subprotocols=[Subprotocol(SUBPROTOCOL)],
        compression=None,
        ping_interval=None,
        close_timeout=1,
    )
    async with connection:
        yield connection


async def heard(connection: ClientConnection) -> Frame:
    data = await connection.recv()
    assert isinstance(data, str), "frames are text"
    return decode_from_server(data)


async def ask(connection: ClientConnection, frame: Frame) -> Frame:
    await connection.send(encode(frame), text=True)
    return await heard(connection)


async def log_in(connection: ClientConnection, uid: str, instance: str = "", resume: str | None = None) -> LoggedIn:
    login = Login(APP, uid, issue(SECRET, APP, uid, 60), instance or f"{uid}'s", 1, resume)
    answer = await ask(connection, login)
    assert isinstance(answer, LoggedIn), answer
    assert await ask(connection, Ping(1)) == Pong(1)
    return answer


async def hear_all(connection: ClientConnection) -> None:
    while True:
        await connection.recv()


async def closed(connection: ClientConnection) -> tuple[int, str]:
    """Wait for the close, and return its code and reason."""
    with pytest.raises(ConnectionClosed) as caught:
        await hear_all(connection)
    received = caught.value.rcvd
    return (received.code, received.reason) if received else (1006, "")


async def until(is_so: Callable[[], bool]) -> None:
    """Give the server its turn until something is so; the test's own time-out is the limit."""
    while not is_so():  # noqa: ASYNC110 - there is nothing to wait for: the server does not report to a test
        await asyncio.sleep(0.005)
