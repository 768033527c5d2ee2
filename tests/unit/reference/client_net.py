"""Both cores together over links with a delay, in virtual time."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable

from harness.reference import server_core
from harness.reference.client_core import Callback, ClientCore, Close, Open, Reply, Send
from harness.reference.wire import Code, Frame, encode
from harness.spec.timing import ns
from tests.unit.reference.client_rig import CONNECTED, CONNECTING, START_NS

APP = "app"
LOGGED_IN = [CONNECTING, ("onLoginSuccess",), CONNECTED]


class Net:
    """A server, clients, and links whose delay can be changed.

    Links that are frozen deliver when they thaw. Links that are cut lose whatever is on its way; when they are healed,
    a client hears of the connections that the server has closed meanwhile.
    """

    def __init__(self, delay_s: float = 0.0) -> None:
        self.now = START_NS
        self.delay_ns = ns(delay_s)
        self.is_frozen = False
        self.is_deaf = False  # what the server sends is lost
        self.people: list[Person] = []
        self.opened = 0
        self._order = itertools.count()
        self._queue: list[tuple[int, int, Person, int, str, bytes]] = []
        self._held: list[tuple[Person, int, str, bytes]] = []
        self._missed: list[tuple[Person, int]] = []  # connections that the server closed while the links were cut
        self._owners: dict[int, tuple[Person, int]] = {}  # by connection of the server
        self._sessions = itertools.count(1)
        self.server = self.start_server()

    def start_server(self) -> server_core.ServerCore:
        return server_core.ServerCore(
            authenticate=lambda token, _now: server_core.Claims(APP, token, None) if token else Code.INVALID_TOKEN,
            new_session_id=lambda: f"session-{next(self._sessions)}",
            heartbeat_s=0.5,
        )

    def restart(self) -> None:
        """Kill the server and start it again: all connections break, all sessions are gone."""
        self.server = self.start_server()
        owners, self._owners = self._owners, {}
        for person, conn in owners.values():
            self.put(person, conn, "lost")

    def person(self, uid: str, *, jitter: float = 0.5) -> Person:
        person = Person(self, uid, jitter)
        self.people.append(person)
        return person

    def put(self, person: Person, conn: int, what: str, data: bytes = b"") -> None:
        if self.is_frozen:
            self._held.append((person, conn, what, data))
        elif person.is_cut or (self.is_deaf and what in ("opened", "frame")):
            self._missed += [(person, conn)] if what == "lost" else []
        else:
            heapq.heappush(self._queue, (self.now + self.delay_ns, next(self._order), person, conn, what, data))

    def thaw(self) -> None:
        self.is_frozen = False
        held, self._held = self._held, []
        for entry in held:
            self.put(*entry)

    def freeze(self) -> None:
        self.is_frozen = True
        while self._queue:
            self._held.append(heapq.heappop(self._queue)[2:])

    def cut(self, *people: Person, server_sees: bool = False, clients_see: bool = False) -> None:
        """Lose everything of these people from now on; those who see it find the open connections broken."""
        for person in people:
            person.is_cut = True
        self._queue = [entry for entry in self._queue if entry[2] not in people]
        heapq.heapify(self._queue)
        for there, (person, conn) in list(self._owners.items()):
            if person in people and clients_see:
                heapq.heappush(self._queue, (self.now, next(self._order), person, conn, "lost", b""))
            if person in people and server_sees:
                del self._owners[there]
                self._missed.append((person, conn))
                self.server.disconnected(self.now, there)

    def heal(self, *people: Person) -> None:
        for person in people:
            person.is_cut = False
        missed, self._missed = self._missed, []
        for person, conn in missed:
            self.put(person, conn, "lost")

    def wait(self, seconds: float) -> None:
        self.wait_until(self.now + ns(seconds))

    def wait_until(self, end: int) -> None:
        while True:
            self.settle()
            deadlines = [person.core.next_deadline() for person in self.people] + [self.server.next_deadline()]
            due = [at for at in deadlines if at is not None] + [entry[0] for entry in self._queue[:1]] + [end]
            self.now = max(self.now, min(due))
            while self._queue and self._queue[0][0] <= self.now:
                self._deliver(*heapq.heappop(self._queue)[2:])
                self.settle()
            for person in self.people:
                person.core.tick(self.now)
            self.server.tick(self.now)
            self.settle()
            if self.now == end:
                return

    def settle(self) -> None:
        for person in self.people:
            person.settle()
        for effect in self.server.drain():
            if effect.conn not in self._owners:
                continue
            person, conn = self._owners[effect.conn]
            if isinstance(effect, server_core.Send):
                self.put(person, conn, "frame", encode(effect.frame))
            else:
                del self._owners[effect.conn]
                self.put(person, conn, "lost")

    def _deliver(self, person: Person, conn: int, what: str, data: bytes) -> None:
        there = next((key for key, owner in self._owners.items() if owner == (person, conn)), None)
        match what:
            case "connect":
                self.opened += 1
                self._owners[self.opened] = (person, conn)
                self.server.connected(self.now, self.opened)
                self.put(person, conn, "opened")
            case "send" if there is not None:
                self.server.received(self.now, there, data)
            case "close" if there is not None:
                del self._owners[there]
                self.server.disconnected(self.now, there)
            case "opened":
                person.core.connection_opened(self.now, conn)
            case "frame":
                person.core.received(self.now, conn, data)
            case "lost":
                person.core.connection_lost(self.now, conn)


class Person:
    """A client core and what it told."""

    def __init__(self, net: Net, uid: str, jitter: float) -> None:
        self.net = net
        self.uid = uid
        self.core = ClientCore(APP, instance=f"{uid}-{len(net.people)}", jitter=lambda: jitter)
        self.told: list[tuple[object, ...]] = []
        self.replies: dict[int, dict[str, object]] = {}
        self.opens = 0
        self.is_cut = False
        self.when_told: dict[tuple[object, ...], Callable[[], None]] = {}  # what happens in the moment of a callback

    def __lt__(self, other: object) -> bool:
        return False  # the heap never gets so far: its second key is unique

    def login(self) -> Person:
        assert self.core.login(self.net.now, self.uid, self.uid) == 0
        return self

    def take(self) -> list[tuple[object, ...]]:
        told, self.told = self.told, []
        return told

    def settle(self) -> None:
        for effect in self.core.drain():
            match effect:
                case Open(conn):
                    self.opens += 1
                    self.net.put(self, conn, "connect")
                case Send(conn, frame):
                    self._send(conn, frame)
                case Close(conn, _):
                    self.net.put(self, conn, "close")
                case Callback(name, args):
                    self.told.append((name, *args.values()))
                    self.when_told.pop(self.told[-1], lambda: None)()
                case Reply(call_id, _, values):
                    self.replies[call_id] = values

    def _send(self, conn: int, frame: Frame) -> None:
        self.net.put(self, conn, "send", encode(frame))
