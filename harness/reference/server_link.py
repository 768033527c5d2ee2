"""The outbound half of one connection of the server: a bounded queue, and the task that empties it."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import NamedTuple

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

# What may wait for a client that does not read; one frame is at most a sixteenth of it. A client that lets more pile up
# is dropped, so that it cannot make the server hold everything that the others send it.
OUTBOUND_BYTES_MAX = 1024 * 1024

# For the last frames and the closing handshake; on a link that is dead they never get through.
CLOSE_TIMEOUT_S = 2.0


class _Close(NamedTuple):
    """The last entry of a queue."""

    code: int
    reason: str


class Link:
    """Sends what is queued, in order, without ever making the sender wait."""

    def __init__(self, websocket: ServerConnection) -> None:
        self._websocket = websocket
        self._queue: deque[bytes | _Close] = deque()
        self._queued_bytes = 0
        self._is_filled = asyncio.Event()
        self._is_closing = False
        self._abort: asyncio.TimerHandle | None = None
        self._writer = asyncio.create_task(self._write())

    def send(self, text: bytes) -> None:
        """Queue a text frame; a connection with too much in its queue is dropped."""
        if self._is_closing:
            return
        if self._queued_bytes + len(text) > OUTBOUND_BYTES_MAX:
            self._is_closing = True
            self._websocket.transport.abort()
            return
        self._queued_bytes += len(text)
        self._put(text)

    def close(self, code: int, reason: str) -> None:
        """Close the connection after what is queued, or without it where it does not drain in time."""
        if self._is_closing:
            return
        self._is_closing = True
        self._abort = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self._websocket.transport.abort)
        self._put(_Close(code, reason))

    async def finish(self) -> None:
        """End the task. To be called when the connection is gone; raises what the task failed of, if it did."""
        if self._abort is not None:
            self._abort.cancel()
        self._writer.cancel()
        await asyncio.wait([self._writer])
        if not self._writer.cancelled():
            self._writer.result()

    def _put(self, entry: bytes | _Close) -> None:
        self._queue.append(entry)
        self._is_filled.set()

    async def _write(self) -> None:
        try:
            while True:
                await self._is_filled.wait()
                self._is_filled.clear()
                while self._queue:
                    entry = self._queue.popleft()
                    if isinstance(entry, _Close):
                        await self._websocket.close(entry.code, entry.reason)
                        return
                    self._queued_bytes -= len(entry)
                    await self._websocket.send(entry, text=True)
        except ConnectionClosed:
            return  # the reading half has noticed too, and reports it
