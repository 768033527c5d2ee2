"""Both cores together over links with a delay, in virtual time: a slow link, a thaw, a kick, a restart."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter

import pytest

from harness.reference import server_core
from harness.reference.client_core import Callback, ClientCore, Close, Open, Reply, Send
from harness.reference.wire import Code, Frame, encode
from harness.spec.states import State
from harness.spec.timing import ns
from tests.unit.reference.client_rig import CONNECTED, CONNECTING, KICKED, RECONNECTING, START_NS

APP = "app"


class Net:
    """A server, clients, and links whose delay can be changed; one that is frozen delivers when it thaws."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self.now = START_NS
        self.delay_ns = ns(delay_s)
        self.is_frozen = False
        self.people: list[Person] = []
        self.opened = 0
        self._order = itertools.count()
        self._queue: list[tuple[int, int, Person, int, str, bytes]] = []
        self._held: list[tuple[Person, int, str, bytes]] = []
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

    def person(self, uid: str) -> Person:
        person = Person(self, uid)
        self.people.append(person)
        return person

    def put(self, person: Person, conn: int, what: str, data: bytes = b"") -> None:
        if self.is_frozen:
            self._held.append((person, conn, what, data))
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

    def wait(self, seconds: float) -> None:
        end = self.now + ns(seconds)
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

    def __init__(self, net: Net, uid: str, instance: str = "") -> None:
        self.net = net
        self.uid = uid
        self.core = ClientCore(APP, instance=instance or f"{uid}-{len(net.people)}", jitter=lambda: 0.5)
        self.told: list[tuple[object, ...]] = []
        self.replies: dict[int, dict[str, object]] = {}
        self.opens = 0

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
                case Reply(call_id, _, values):
                    self.replies[call_id] = values

    def _send(self, conn: int, frame: Frame) -> None:
        self.net.put(self, conn, "send", encode(frame))


LOGGED_IN = [CONNECTING, ("onLoginSuccess",), CONNECTED]


@pytest.mark.parametrize("delay_s", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3])
def test_a_slow_link_settles_on_one_connection(delay_s: float) -> None:
    # Connect, upgrade and login take four times the delay. Beyond 0.25 s there is more than one attempt; beyond 0.5 s
    # the server hears of the second one before the client knows that the first is in.
    net = Net(delay_s)
    alice = net.person("alice").login()
    net.wait(20)
    assert alice.take() == LOGGED_IN
    opens = alice.opens
    net.wait(60)
    assert alice.take() == []
    assert alice.opens == opens
    assert net.server.stats().connections == 1
    assert net.server.online(APP) == ["alice"]


def test_a_link_that_is_too_slow_times_out_and_leaves_no_ghost() -> None:
    net = Net(1.6)
    alice = net.person("alice").login()
    net.wait(20)
    assert [name for name, *_ in alice.take()] == [
        "onConnectionStateChanged",
        "onLoginFailure",
        "onConnectionStateChanged",
    ]
    assert net.server.online(APP) == []
    assert net.server.stats().connections == 0


@pytest.mark.parametrize("frozen_s", [0.3, 1.0, 2.0, 3.0, 3.9])
def test_a_thaw_within_the_grace_switches_nothing_and_is_told_to_nobody(frozen_s: float) -> None:
    net = Net(0.01)
    alice, bob = net.person("alice").login(), net.person("bob").login()
    net.wait(1)
    for person in (bob, alice):
        assert person.core.join(net.now, "lobby") == 0
        net.wait(0.1)
    for person in (alice, bob):
        person.take()
    net.wait(0.39)  # a ping is about to go out, so that the silence is counted from here on
    net.freeze()
    net.wait(frozen_s)
    net.thaw()
    net.wait(30)
    assert alice.take() == []
    assert bob.take() == []
    assert net.server.stats().connections == 2
    call = alice.core.get_members(net.now, "lobby")
    net.wait(1)
    assert alice.replies[call] == {"members": ["alice", "bob"]}


def test_a_thaw_after_the_grace_is_a_return_to_the_same_session() -> None:
    net = Net(0.01)
    alice = net.person("alice").login()
    net.wait(1)
    alice.core.join(net.now, "lobby")
    net.wait(1)
    alice.take()
    net.freeze()
    net.wait(20)
    net.thaw()
    net.wait(30)
    assert alice.take() == [RECONNECTING, CONNECTED]
    assert net.server.stats().connections == 1


def test_a_restart_restores_channels_and_attributes() -> None:
    net = Net(0.01)
    alice = net.person("alice").login()
    net.wait(1)
    alice.core.join(net.now, "lobby")
    alice.core.set_attributes(net.now, {"mood": "good"})
    net.wait(1)
    assert alice.take() == [*LOGGED_IN, ("onJoinSuccess", "lobby")]
    net.restart()
    net.wait(3)
    members, attributes = alice.core.get_members(net.now, "lobby"), alice.core.get_attributes(net.now, "alice")
    net.wait(1)
    assert alice.take() == []
    assert alice.replies[members] == {"members": ["alice"]}
    assert alice.replies[attributes] == {"attributes": {"mood": "good"}}


def test_of_two_instances_exactly_one_survives() -> None:
    # mqttjs/MQTT.js#1585: two clients kick each other for ever
    net = Net(0.01)
    first = net.person("alice").login()
    net.wait(1)
    second = net.person("alice").login()
    net.wait(20)
    assert first.take() == [*LOGGED_IN, KICKED]
    assert second.take() == LOGGED_IN


@pytest.mark.parametrize("frozen_s", [2.0, 6.0])
def test_one_that_is_superseded_while_it_is_away_does_not_kick_the_newcomer(frozen_s: float) -> None:
    net = Net(0.01)
    first = net.person("alice").login()
    net.wait(1)
    first.take()
    for conn in range(1, first.opens + 1):
        first.core.connection_lost(net.now, conn)  # on its side alone
    net.settle()
    net.freeze()
    net.wait(frozen_s)
    # The newcomer's own link is not frozen: it logs in on the spot.
    net.server.connected(net.now, 1000)
    net.server.received(
        net.now, 1000, b'{"type":"login","app_id":"app","uid":"alice","token":"alice","instance":"other","attempt":1}'
    )
    net.thaw()
    net.wait(3)
    assert first.take() == ([KICKED] if frozen_s < 4 else [RECONNECTING, KICKED])
    assert first.core.state is State.ABORTED
    assert net.server.online(APP) == ["alice"]


def test_many_clients_do_not_come_back_in_step_or_more_often_than_they_must() -> None:
    net = Net(0.01)
    people = [net.person(f"user-{number}").login() for number in range(20)]
    net.wait(2)
    net.restart()
    net.wait(10)
    assert Counter(person.core.state for person in people) == {State.CONNECTED: 20}
    assert all(person.opens == 2 for person in people)
