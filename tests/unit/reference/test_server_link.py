from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from harness.reference import server_link
from harness.reference.server_link import Link

BOUND = 1000


class FakeTransport:
    def __init__(self) -> None:
        self.waiting = 0  # bytes that the client has not taken
        self.aborts = 0

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def abort(self) -> None:
        self.aborts += 1


class FakeWebSocket:
    """Takes what is sent as the library's connections do, and keeps it waiting until told otherwise."""

    def __init__(self) -> None:
        self.transport = FakeTransport()
        self.protocol = self  # the library's part without sockets: its state, and what is sent by it
        self.state = State.OPEN
        self.send_in_progress = None
        self.did: list[object] = []
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.failure: Exception | None = None

    def send_text(self, data: bytes) -> None:
        self.did.append(data)
        self.transport.waiting += len(data)

    def send_data(self) -> None:
        assert self.did

    async def close(self, code: int, reason: str) -> None:
        self.did.append((code, reason))
        await self.may_close.wait()
        if self.failure is not None:
            raise self.failure


def run(test: Callable[[FakeWebSocket, Link], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        websocket = FakeWebSocket()
        await test(websocket, Link(cast(ServerConnection, websocket), outbound_bytes_max=BOUND))
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(whole())


def test_what_is_sent_goes_out_at_once_and_in_order_and_the_close_comes_last() -> None:
    async def test(websocket: FakeWebSocket, link: Link) -> None:
        assert link.send(b"1")
        assert link.send(b"2")
        assert websocket.did == [b"1", b"2"]
        link.close(1000, "over")
        assert link.send(b"too late"), "it is not dropped: it is closing already"
        link.close(1008, "too late")
        await link.finish()
        assert websocket.did == [b"1", b"2", (1000, "over")]
        assert websocket.transport.aborts == 0

    run(test)


def test_up_to_the_bound_may_wait_and_one_byte_more_drops_the_connection() -> None:
    async def test(websocket: FakeWebSocket, link: Link) -> None:
        assert link.send(b"x" * BOUND)
        assert link.waiting_bytes == BOUND
        assert websocket.transport.aborts == 0
        assert not link.send(b"y")
        assert websocket.transport.aborts == 1
        assert link.send(b"z"), "it was dropped once, and is not again"
        link.close(1000, "")
        await link.finish()
        assert websocket.transport.aborts == 1
        assert websocket.did == [b"x" * BOUND]

    run(test)


def test_what_was_taken_makes_room() -> None:
    async def test(websocket: FakeWebSocket, link: Link) -> None:
        for _ in range(5):
            assert link.send(b"x" * BOUND)
            websocket.transport.waiting = 0
        await link.finish()
        assert len(websocket.did) == 5
        assert websocket.transport.aborts == 0

    run(test)


def test_a_close_that_does_not_get_through_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(websocket: FakeWebSocket, link: Link) -> None:
        websocket.may_close.clear()
        link.close(1000, "")
        await asyncio.sleep(0.01)
        assert websocket.transport.aborts == 1
        websocket.may_close.set()
        await link.finish()

    monkeypatch.setattr(server_link, "CLOSE_TIMEOUT_S", 0)
    run(test)


def test_a_connection_that_broke_is_passed_over() -> None:
    async def test(websocket: FakeWebSocket, link: Link) -> None:
        websocket.state = State.CLOSED
        assert link.send(b"x")
        await link.finish()
        assert websocket.did == []

    run(test)


def test_a_close_that_fails_is_told() -> None:
    async def test(websocket: FakeWebSocket, link: Link) -> None:
        websocket.failure = ArithmeticError("planted")
        link.close(1000, "")
        with pytest.raises(ArithmeticError, match="planted"):
            await link.finish()

    run(test)
