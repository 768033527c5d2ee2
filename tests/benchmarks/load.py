"""``python -m tests.benchmarks.load``: thousands of clients in one process, that log in and then only send heartbeats.

It is lean, so that the server is what is measured: no event loop of a library and no WebSocket library, one epoll, and
the frames of docs/wire-protocol.md written by hand. A line says how many are online; the last one is the outcome.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import sys
import time
from collections import Counter, deque
from enum import Enum, auto

import msgspec

from harness.reference import tokens
from tests.benchmarks.figures import Spread, spread_of

OPENING_MAX = 64  # at once: a server that is asked by ten thousand in one moment refuses some, and rightly
PORTS_PER_ADDRESS = 20_000  # of the 28,000 that Linux hands out on one address
OPEN_LIMIT_S = 180.0
APP_ID = "load"

_UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: load\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: bGlua3Byb29mLWxvYWQhIQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: rtm.v1\r\n\r\n"
)


class Told(msgspec.Struct):
    """What came of a load.

    Attributes:
        online: how many logged in.
        lost: how many of those were gone before the end, or had a heartbeat that was never answered, by the cause.
        opened_s: how long it took until all were online.
        pongs: heartbeats that were answered.
        pong_ms: from a heartbeat to its answer.
        late_ms: how late the heartbeats were sent, which is the load's own fault.
        cpu_s: what the load itself took of its processor, while all were online.
        held_s: how long they were.
    """

    online: int
    lost: dict[str, int]
    opened_s: float
    pongs: int
    pong_ms: Spread
    late_ms: Spread
    cpu_s: float
    held_s: float


class Stage(Enum):
    """How far a client has come."""

    CONNECTING = auto()
    UPGRADING = auto()
    LOGGING_IN = auto()
    ONLINE = auto()


class Client:
    """One connection."""

    __slots__ = ("buffer", "number", "pings", "sent_at", "socket", "stage")

    def __init__(self, number: int, server: tuple[str, int]) -> None:
        self.number = number
        self.stage = Stage.CONNECTING
        self.buffer = b""
        self.pings = 0
        self.sent_at = 0.0  # of the heartbeat that is not answered yet; 0 where there is none
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # One address has ports for so many connections to one server; 127.0.0.0/8 is all of this machine.
        self.socket.bind((f"127.0.0.{2 + number // PORTS_PER_ADDRESS}", 0))
        self.socket.connect_ex(server)

    def frames(self, data: bytes) -> list[bytes]:
        """Return the text of each frame that is complete; a server's are short and not masked."""
        self.buffer += data
        found = []
        while len(self.buffer) >= 2:
            length, begin = self.buffer[1], 2
            if length == 126:
                if len(self.buffer) < 4:
                    break
                length, begin = int.from_bytes(self.buffer[2:4], "big"), 4
            if len(self.buffer) < begin + length:
                break
            found.append(self.buffer[begin : begin + length])
            self.buffer = self.buffer[begin + length :]
        return found


def frame(text: bytes) -> bytes:
    """Return a text frame of a client; its mask is zero, which leaves the text as it is."""
    length = bytes((0x80 | len(text),)) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + text


class Load:
    """So many clients, on one epoll."""

    def __init__(self, server: tuple[str, int], count: int, heartbeat_s: float, secret: str) -> None:
        self._server = server
        self._count = count
        self._heartbeat_s = heartbeat_s
        self._secret = secret
        self._epoll = select.epoll()
        self._clients: dict[int, Client] = {}
        self._due: deque[tuple[float, Client]] = deque()  # all of one interval, so they stay in order
        self.online = 0
        self.lost: Counter[str] = Counter()
        self.pong_ms: list[float] = []
        self.late_ms: list[float] = []

    def open(self) -> None:
        """Have all log in, a few at a time, or as many as come through."""
        begun, deadline = 0, time.monotonic() + OPEN_LIMIT_S
        while self.online + self.lost.total() < self._count and time.monotonic() < deadline:
            while begun < self._count and begun - self.online - self.lost.total() < OPENING_MAX:
                self._begin(begun)
                begun += 1
            self._turn()

    def hold(self, seconds: float) -> None:
        """Go on with the heartbeats for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._turn()

    def unanswered(self) -> int:
        """Return how many are still there, and wait for an answer for longer than a heartbeat."""
        now = time.monotonic()
        return sum(0 < each.sent_at < now - self._heartbeat_s for each in self._clients.values())

    def _begin(self, number: int) -> None:
        client = Client(number, self._server)
        self._clients[client.socket.fileno()] = client
        self._epoll.register(client.socket.fileno(), select.EPOLLOUT)

    def _turn(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            due, client = self._due.popleft()
            if client.socket.fileno() >= 0:
                self._ping(client, due, now)
        wait_s = min(0.05, max(0.0, self._due[0][0] - now)) if self._due else 0.05
        for number, _ in self._epoll.poll(wait_s):
            self._ready(self._clients[number])

    def _ping(self, client: Client, due: float, now: float) -> None:
        self._due.append((due + self._heartbeat_s, client))
        if client.sent_at:
            return  # one is under way still: an honest client would send another, and not be answered sooner
        client.pings += 1
        client.sent_at = now
        self.late_ms.append(1e3 * (now - due))
        self._send(client, b'{"type":"ping","n":%d}' % client.pings)

    def _send(self, client: Client, text: bytes) -> None:
        try:
            client.socket.send(frame(text))
        except OSError as error:
            self._drop(client, error.strerror or "cannot send")

    def _ready(self, client: Client) -> None:
        if client.stage is Stage.CONNECTING:
            self._connected(client)
            return
        try:
            data = client.socket.recv(4096)
        except OSError as error:
            self._drop(client, error.strerror or "cannot receive")
            return
        if not data:
            self._drop(client, f"closed by the server while {client.stage.name}")
        elif client.stage is Stage.UPGRADING:
            self._upgraded(client, data)
        else:
            for text in client.frames(data):
                self._received(client, text)

    def _connected(self, client: Client) -> None:
        failure = client.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failure:
            self._drop(client, os.strerror(failure))
            return
        client.stage = Stage.UPGRADING
        self._epoll.modify(client.socket.fileno(), select.EPOLLIN)
        client.socket.send(_UPGRADE)

    def _upgraded(self, client: Client, data: bytes) -> None:
        client.buffer += data
        if not client.buffer.startswith(b"HTTP/1.1 101"[: len(client.buffer)]):
            self._drop(client, f"the upgrade was answered by {client.buffer[:80]!r}")
        elif b"\r\n\r\n" in client.buffer:
            client.buffer = b""
            client.stage = Stage.LOGGING_IN
            uid = f"user-{client.number}"
            token = tokens.issue(self._secret, APP_ID, uid)
            login = {"type": "login", "app_id": APP_ID, "uid": uid, "token": token, "instance": uid, "attempt": 1}
            self._send(client, msgspec.json.encode(login))

    def _received(self, client: Client, text: bytes) -> None:
        if client.stage is Stage.LOGGING_IN:
            if b'"logged_in"' not in text:
                self._drop(client, f"the login was answered by {text[:80]!r}")
                return
            client.stage = Stage.ONLINE
            self.online += 1
            now = time.monotonic()
            self._due.append((now, client))
            # The first one goes at once; from then on they lie as far apart as the logins did.
            self._due.rotate(1)
        elif b'"pong"' in text and client.sent_at:
            self.pong_ms.append(1e3 * (time.monotonic() - client.sent_at))
            client.sent_at = 0.0

    def _drop(self, client: Client, why: str) -> None:
        self.lost[why] += 1
        del self._clients[client.socket.fileno()]
        client.socket.close()


def main() -> int:
    """Read the command line, and put the load on; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.load", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--clients", type=int, required=True)
    parser.add_argument("--heartbeat-s", type=float, required=True)
    parser.add_argument("--hold-s", type=float, required=True)
    parser.add_argument("--secret", required=True)
    options = parser.parse_args()
    load = Load(("127.0.0.1", options.port), options.clients, options.heartbeat_s, options.secret)
    began = time.monotonic()
    load.open()
    opened_s = time.monotonic() - began
    online = load.online
    print(online, flush=True)
    load.pong_ms.clear()
    load.late_ms.clear()
    cpu_s, held = time.process_time(), time.monotonic()
    load.hold(options.hold_s)
    cpu_s, held_s = time.process_time() - cpu_s, time.monotonic() - held
    if unanswered := load.unanswered():
        load.lost["never answered"] += unanswered
    told = Told(
        online,
        dict(load.lost),
        opened_s,
        len(load.pong_ms),
        spread_of(load.pong_ms or [0.0]),
        spread_of(load.late_ms or [0.0]),
        cpu_s,
        held_s,
    )
    print(msgspec.json.encode(told).decode(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
