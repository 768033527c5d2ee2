"""A simulated network: connections through a proxy that does to them what a real Toxiproxy does.

One ``Circuit`` is a TCP connection of a client to the proxy, and the one that the proxy has made to the server for it.
Each of its two directions is a ``Pipe``: first in, first out, whatever is done to it. What flows are whole messages
with the size that they have on a real wire, and the end of the stream. ``docs/faults.md`` says what each fault does;
here is the same in virtual time, toxic by toxic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple, Protocol

from harness.spec.timing import NS_PER_S
from harness.world.virtual_loop import Due, VirtualLoop

# From one end of a link to the other, through the proxy, on one machine: about what it takes in the real world.
HOP_NS = 200_000


class Kind(Enum):
    """What flows through a connection."""

    UPGRADE = auto()  # the client's request to make a WebSocket of it, and the server's answer
    TEXT = auto()  # a WebSocket text message
    FAREWELL = auto()  # a WebSocket close frame
    FIN = auto()  # the end of the stream


class Item(NamedTuple):
    """A message whole, with its size on the wire in bytes."""

    kind: Kind
    size: int = 0
    data: bytes = b""


# What the libraries of the reference send: measured with the same subprotocol, host and headers.
UPGRADE_REQUEST = Item(Kind.UPGRADE, 186)
UPGRADE_ANSWER = Item(Kind.UPGRADE, 234)
CLIENT_FAREWELL = Item(Kind.FAREWELL, 8)
SERVER_FAREWELL = Item(Kind.FAREWELL, 4)
FIN = Item(Kind.FIN)

_SHORT_BYTES = 125  # RFC 6455, 5.2: a longer payload has its length in two more bytes (up to 64 KiB)
_MASK_BYTES = 4  # which every frame of a client carries


def text_to_server(data: bytes) -> Item:
    """Return a text message of a client."""
    return Item(Kind.TEXT, _framed(data) + _MASK_BYTES, data)


def text_to_client(data: bytes) -> Item:
    """Return a text message of the server."""
    return Item(Kind.TEXT, _framed(data), data)


def _framed(data: bytes) -> int:
    return len(data) + (2 if len(data) <= _SHORT_BYTES else 4)


class Toxics:
    """What is switched on in one direction of a link, for all of its connections. All off: everything passes."""

    __slots__ = ("bytes_max", "bytes_per_s", "delay_ns", "holds_fin", "is_dropping", "is_holding")

    def __init__(self) -> None:
        self.is_dropping = False  # `timeout` 0: bytes vanish, a FIN passes
        self.is_holding = False  # `bandwidth` 0: bytes wait, and so does what comes after them
        self.holds_fin = False  # `slow_close`: a FIN waits, and nothing else
        self.delay_ns = 0  # `latency`
        self.bytes_per_s = 0  # `bandwidth`; 0: as many as there are
        self.bytes_max: int | None = None  # `limit_data`: so many more of each connection, which is then closed


class Pipe:
    """One direction of one connection."""

    __slots__ = ("_bytes_max", "_deliver", "_free_ns", "_loop", "_next", "_overrun", "_passed", "_toxics", "_waiting")

    def __init__(
        self, loop: VirtualLoop, toxics: Toxics, deliver: Callable[[Item], None], overrun: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._toxics = toxics
        self._deliver: Callable[[Item], None] | None = deliver  # None: closed
        self._overrun = overrun
        self._waiting: deque[tuple[int, Item]] = deque()  # with the time at which each was sent
        self._free_ns = 0  # when a thin link had sent what it was busy with
        self._bytes_max = toxics.bytes_max
        self._passed = 0  # bytes since there is a maximum
        self._next: Due | None = None

    def put(self, item: Item) -> None:
        """Send something. On a closed one it is lost, as is what is sent to somebody who has gone."""
        if self._deliver is not None:
            self._waiting.append((self._loop.now_ns(), item))
            if self._next is None:
                self._set_next()

    def close(self) -> None:
        """Lose what is on its way, and take nothing more."""
        self._deliver = None
        self._waiting.clear()
        self._call_off()

    def changed(self) -> None:
        """Look again when the next is due: something was switched."""
        if self._bytes_max != self._toxics.bytes_max:
            self._bytes_max, self._passed = self._toxics.bytes_max, 0
        self._call_off()
        self._set_next()

    def _call_off(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _set_next(self) -> None:
        if not self._waiting:
            return
        sent_ns, item = self._waiting[0]
        toxics = self._toxics
        at_ns = sent_ns + HOP_NS
        if item.kind is Kind.FIN:
            if toxics.holds_fin:
                return
        elif toxics.is_holding:
            return
        else:
            at_ns += toxics.delay_ns
            if toxics.bytes_per_s:
                at_ns = max(at_ns, self._free_ns) + item.size * NS_PER_S // toxics.bytes_per_s
        self._next = self._loop.call_at_ns(at_ns, self._pass)

    def _pass(self) -> None:
        self._next = None
        _, item = self._waiting.popleft()
        deliver = self._deliver
        assert deliver is not None
        if item.kind is Kind.FIN:
            self.close()
            deliver(item)
            return
        self._free_ns = self._loop.now_ns()
        if not self._toxics.is_dropping:
            if self._bytes_max is not None:
                self._passed += item.size
                if self._passed >= self._bytes_max:
                    self._overrun_by(item, deliver)
                    return
            deliver(item)
        self._set_next()

    def _overrun_by(self, item: Item, deliver: Callable[[Item], None]) -> None:
        """Close the connection in the middle of a message, or right after it."""
        if self._passed == self._bytes_max:
            deliver(item)
        self._overrun()


class End(Protocol):
    """Who sits at one end of a connection."""

    def received(self, circuit: Circuit, item: Item, /) -> None:
        """Take something that arrived, the end of the stream included, which is the last."""


class Circuit:
    """A connection from a client to the server, through the proxy."""

    def __init__(self, loop: VirtualLoop, client: End, server: End, *, to_server: Toxics, to_client: Toxics) -> None:
        self._loop = loop
        self._client = client
        self._server = server
        self._is_client_there = True
        self._is_server_there = True
        self.to_server = Pipe(loop, to_server, self._at_server, self.sever)
        self.to_client = Pipe(loop, to_client, self._at_client, self.sever)

    @property
    def is_over(self) -> bool:
        """Whether both ends have gone, or were told that it is broken."""
        return not self._is_client_there and not self._is_server_there

    def client_closes(self) -> None:
        """The client closes its socket: it hears nothing more, and the server is told after what was sent."""
        if self._is_client_there:
            self._is_client_there = False
            self.to_client.close()
            self.to_server.put(FIN)

    def server_closes(self) -> None:
        """The same from the other side."""
        if self._is_server_there:
            self._is_server_there = False
            self.to_server.close()
            self.to_client.put(FIN)

    def sever(self) -> None:
        """The proxy closes it: what is on its way is lost, and both ends see it at once, whatever the toxics hold."""
        self.to_server.close()
        self.to_client.close()
        at_ns = self._loop.now_ns() + HOP_NS
        self._loop.call_at_ns(at_ns, lambda: self._at_client(FIN))
        self._loop.call_at_ns(at_ns, lambda: self._at_server(FIN))

    def _at_client(self, item: Item) -> None:
        if self._is_client_there:
            self._client.received(self, item)

    def _at_server(self, item: Item) -> None:
        if self._is_server_there:
            self._server.received(self, item)
