from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosedError

from harness.reference import server_link
from harness.reference.server_link import OUTBOUND_BYTES_MAX, Link


class FakeTransport:
    def __init__(self) -> None:
        self.aborts = 0

    def abort(self) -> None:
        self.aborts += 1


class FakeWebSocket:
    """Takes frames while it is open, and fails with what it is told to."""

    def __init__(self) -> None:
        self.transport = FakeTransport()
        self.did: list[object] = []
        self.is_flowing = asyncio.Event()
        self.is_flowing.set()
        self.failure: Exception | None = None

    async def send(self, data: bytes, *, text: bool) -> None:
        assert text
        await self.is_flowing.wait()
        if self.failure is not None:
            raise self.failure
        self.did.append(data)

    async def close(self, code: int, reason: str) -> None:
        self.did.append((code, reason))


def run(test: Callable[[FakeWebSocket, Link], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        websocket = FakeWebSocket()
        await test(websocket, Link(cast(ServerConnection, websocket)))
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(whole())


async def turn() -> None:
    """Let the other tasks do all that they can."""
    for _ in range(10):
        await asyncio.sleep(0)


def test_what_is_queued_is_sent_in_order_and_the_close_comes_last() -> None:
    async def test(websocket: FakeWebSocket, link: Link) -> None:
        link.send(b"1")
        link.send(b"2")
        await turn()
        link.send(b"3")
        link.close(1000, "over")
        link.send(b"too late")
        link.close(1008, "too late")
        await turn()
        await link.finish()
        assert websocket.did == [b"1", b"2", b"3", (1000, "over")]
        assert websocket.transport.aborts == 0

    run(test)


def test_too_much_in_the_queue_drops_the_connection() -> None:
    async def test(websocket: FakeWebSocket, link: Link) -> None:
        websocket.is_flowing.clear()
        link.send(b"x" * OUTBOUND_BYTES_MAX)
        assert websocket.transport.aborts == 0
        link.send(b"y")
        assert websocket.transport.aborts == 1
        link.send(b"z")
        link.close(1000, "")
        assert websocket.transport.aborts == 1
        await link.finish()
        assert websocket.did == []

    run(test)


def test_what_was_sent_makes_room() -> None:
    async def test(websocket: FakeWebSocket, link: Link) -> None:
        for _ in range(5):
            link.send(b"x" * OUTBOUND_BYTES_MAX)
            await turn()
        await link.finish()
        assert len(websocket.did) == 5
        assert websocket.transport.aborts == 0

    run(test)


def test_a_close_that_does_not_get_through_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(websocket: FakeWebSocket, link: Link) -> None:
        websocket.is_flowing.clear()
        link.send(b"stuck")
        link.close(1000, "")
        await asyncio.sleep(0.01)
        assert websocket.transport.aborts == 1
        await link.finish()

    monkeypatch.setattr(server_link, "CLOSE_TIMEOUT_S", 0)
    run(test)


def test_a_connection_that_is_gone_ends_the_task_quietly_and_any_other_failure_is_raised() -> None:
    async def gone(websocket: FakeWebSocket, link: Link) -> None:
        websocket.failure = ConnectionClosedError(None, None)
        link.send(b"x")
        await turn()
        await link.finish()
        assert websocket.did == []

    async def failed(websocket: FakeWebSocket, link: Link) -> None:
        websocket.failure = ArithmeticError("planted")
        link.send(b"x")
        await turn()
        with pytest.raises(ArithmeticError, match="planted"):
            await link.finish()

    run(gone)
    run(failed)
