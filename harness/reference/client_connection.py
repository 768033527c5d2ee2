"""One connection of the client to the server: TCP or TLS, and WebSocket over it, without a task of its own.

The protocol of ``websockets`` is used without its input and output: what arrives is handed on in the same turn of the
event loop, what is sent is written at once, and a connection can be aborted at any moment without waiting for the peer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from websockets.client import ClientProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import WebSocketURI

from harness.reference.wire import FRAME_BYTES_MAX, SUBPROTOCOL

# How long what was sent before a close may take to leave; on a link that is dead it never does.
CLOSE_FLUSH_S = 1.0


class Events(NamedTuple):
    """Whom to call when something happens on a connection; the number of it comes first."""

    opened: Callable[[int], None]  # the upgrade is through
    received: Callable[[int, bytes], None]  # a text message arrived
    lost: Callable[[int, str], None]  # it is of no use any more, and why; once, and not after a close from this end
    closed: Callable[[int], None]  # nothing is left of it, whoever closed it; once


class Connection(asyncio.Protocol):
    """The far end of one number of the core's, from the established transport on."""

    def __init__(self, conn: int, uri: WebSocketURI, events: Events) -> None:
        self._conn = conn
        self._events = events
        self._websocket = ClientProtocol(uri, subprotocols=[Subprotocol(SUBPROTOCOL)], max_size=FRAME_BYTES_MAX)
        self._transport: asyncio.Transport | None = None
        self._parts: list[bytes] = []
        self._is_over = False
        self._flush_timer: asyncio.TimerHandle | None = None

    # ----------------------------------------------------------------------------------------------- for the client

    @property
    def is_established(self) -> bool:
        """True from the moment on in which there is a transport to be closed."""
        return self._transport is not None

    def send(self, text: bytes) -> None:
        """Send a text message."""
        try:
            self._websocket.send_text(text)
        except InvalidState:
            return  # the server has begun to close it: that is reported as a loss in this same turn of the loop
        self._write()

    def close(self, *, flush: bool) -> None:
        """Be rid of it, without waiting for the peer; ``flush`` lets leave first what was sent."""
        if self._is_over:
            return
        self._is_over = True
        if self._transport is None:
            return
        if not flush:
            self._transport.abort()
            return
        if self._websocket.state is State.OPEN:
            self._websocket.send_close(1000)
            self._write()
        self._transport.close()
        self._flush_timer = asyncio.get_running_loop().call_later(CLOSE_FLUSH_S, self._transport.abort)

    # --------------------------------------------------------------------------------------------------- for asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._is_over:
            transport.abort()  # closed in the very moment in which it came about
            return
        self._websocket.send_request(self._websocket.connect())
        self._write()

    def data_received(self, data: bytes) -> None:
        """Hand on what is complete."""
        self._websocket.receive_data(data)
        self._write()
        for event in self._websocket.events_received():
            if self._is_over:
                return
            if isinstance(event, Response):
                self._upgraded()
            else:
                assert isinstance(event, Frame)
                self._frame(event)
        broken = self._websocket.handshake_exc or self._websocket.parser_exc
        if broken is not None:
            self._lost(str(broken))

    def connection_lost(self, exc: Exception | None) -> None:
        """Report the end, and the loss if it is one."""
        if self._flush_timer is not None:
            self._flush_timer.cancel()
        self._lost("closed by the server" if exc is None else str(exc))
        self._events.closed(self._conn)

    # ------------------------------------------------------------------------------------------------------- helpers

    def _upgraded(self) -> None:
        if self._websocket.handshake_exc is not None:
            return
        if self._websocket.subprotocol != SUBPROTOCOL:
            self._lost(f"the server does not speak {SUBPROTOCOL}")
        else:
            self._events.opened(self._conn)

    def _frame(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.CONT:
                self._parts.append(bytes(frame.data))
                if frame.fin:
                    data, self._parts = b"".join(self._parts), []
                    self._events.received(self._conn, data)
            case Opcode.BINARY:
                self._lost("a binary message")
            case Opcode.CLOSE:
                self._lost(
                    f"closed by the server: {self._websocket.close_code} {self._websocket.close_reason}".rstrip()
                )
            case _:
                pass  # ping and pong of WebSocket itself, which the library answers

    def _write(self) -> None:
        assert self._transport is not None
        # An empty item is the library's wish to half-close; here a connection is closed whole, by close() or _lost().
        self._transport.write(b"".join(self._websocket.data_to_send()))

    def _lost(self, why: str) -> None:
        if not self._is_over:
            self.close(flush=False)
            self._events.lost(self._conn, why)
