"""A connection of the client over a transport that is the test's: moments that a real one seldom has."""

from __future__ import annotations

import asyncio

from websockets.server import ServerProtocol
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from harness.reference.client_connection import Connection, Events
from harness.reference.wire import SUBPROTOCOL


class Transport(asyncio.Transport):
    """Takes what is written, and delivers nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended: list[str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def abort(self) -> None:
        self.ended.append("aborted")

    def close(self) -> None:
        self.ended.append("closed")


class Told:
    """What the connection told the client; ``then`` is what the client does when a message comes."""

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []
        self.connection = Connection(
            7, parse_uri("ws://127.0.0.1:9"), Events(self.opened, self.received, self.lost, self.closed)
        )
        self.is_logging_out = False

    def opened(self, conn: int) -> None:
        self.events.append(("opened", conn))

    def received(self, conn: int, data: bytes) -> None:
        self.events.append(("received", conn, data))
        if self.is_logging_out:
            self.connection.send(b"too late")
            self.connection.close(flush=True)

    def lost(self, conn: int, why: str) -> None:
        self.events.append(("lost", conn, why))

    def closed(self, conn: int) -> None:
        self.events.append(("closed", conn))


def upgraded(told: Told) -> tuple[Transport, ServerProtocol]:
    transport, server = Transport(), ServerProtocol(subprotocols=[Subprotocol(SUBPROTOCOL)])
    told.connection.connection_made(transport)
    server.receive_data(transport.written)
    (request,) = server.events_received()
    server.send_response(server.accept(request))  # type: ignore[arg-type]
    told.connection.data_received(b"".join(server.data_to_send()))
    transport.written = b""
    return transport, server


def test_one_that_is_closed_in_the_moment_in_which_it_comes_about_is_aborted() -> None:
    told, transport = Told(), Transport()
    told.connection.close(flush=False)
    assert not told.connection.is_established
    told.connection.connection_made(transport)
    assert (transport.written, transport.ended) == (b"", ["aborted"])
    told.connection.connection_lost(None)
    assert told.events == [("closed", 7)]  # and no loss: it was closed from this end


def test_a_loss_is_told_once_and_the_end_after_it() -> None:
    told = Told()
    upgraded(told)
    told.connection.connection_lost(OSError("reset"))
    told.connection.connection_lost(None)
    assert told.events == [("opened", 7), ("lost", 7, "reset"), ("closed", 7), ("closed", 7)]


def test_a_logout_from_a_message_that_came_with_the_close_writes_nothing_more() -> None:
    async def test() -> None:
        told = Told()
        transport, server = upgraded(told)
        told.is_logging_out = True
        server.send_text(b"last words")
        server.send_close(1001)
        told.connection.data_received(b"".join(server.data_to_send()))
        assert told.events == [("opened", 7), ("received", 7, b"last words")]
        assert transport.ended == ["closed"]
        server.receive_data(transport.written)
        assert server.close_rcvd is not None
        assert server.close_rcvd.code == 1001  # the library answered the close; nothing else was written
        told.connection.connection_lost(None)

    asyncio.run(test())
