"""The outbound half of one connection of the server: frames go straight to the socket, and what waits there is bounded.

A frame is handed to the transport at once, by the call that made it. A queue with a task to empty it would cost each
heartbeat two turns of the event loop.
"""

from __future__ import annotations

import asyncio

from websockets.asyncio.server import ServerConnection, broadcast

from harness.addresses import written

# For the last frames and the closing handshake; on a link that is dead they never get through.
CLOSE_TIMEOUT_S = 2.0


class Link:
    """Sends frames in order, without ever making the sender wait."""

    def __init__(self, websocket: ServerConnection, *, outbound_bytes_max: int) -> None:
        self._websocket = websocket
        self._outbound_bytes_max = outbound_bytes_max
        self._is_closing = False
        self._abort: asyncio.TimerHandle | None = None
        self._farewell: asyncio.Task[None] | None = None

    @property
    def peer(self) -> str:
        """The address of the other end, for a log; '' where it was gone before it was asked for."""
        address = self._websocket.remote_address
        return written(address[:2]) if address else ""

    @property
    def waiting_bytes(self) -> int:
        """How much the client has not taken yet, of what the kernel had no room for."""
        return self._websocket.transport.get_write_buffer_size()

    def send(self, text: bytes) -> bool:
        """Send a text frame; False where so much is waiting for the client that it is dropped instead."""
        if self._is_closing:
            return True
        if self.waiting_bytes + len(text) > self._outbound_bytes_max:
            self._is_closing = True
            self._websocket.transport.abort()
            return False
        # To one connection: it is what the library has for sending without waiting. A connection that broke meanwhile
        # is passed over; its reading half has noticed too, and reports it.
        broadcast((self._websocket,), text, text=True)
        return True

    def close(self, code: int, reason: str) -> None:
        """Close the connection after what was sent, or without it where it does not drain in time."""
        if self._is_closing:
            return
        self._is_closing = True
        self._abort = asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self._websocket.transport.abort)
        self._farewell = asyncio.create_task(self._websocket.close(code, reason))

    async def finish(self) -> None:
        """End what is under way. To be called when the connection is gone; raises what its close failed of."""
        if self._abort is not None:
            self._abort.cancel()
        if self._farewell is not None:
            await self._farewell
