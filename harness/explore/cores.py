"""A closed system of one server core and some client cores, where all that can happen is an action.

Messages take no time and wait until they are delivered: each connection is a queue both ways. A link on which nothing
is delivered is a silent one. Time stands still but for ``Fire``. Chance is a constant. So the same actions always lead
to the same state.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import assert_never

from harness.explore.actions import Accept, Action, Ban, Call, Deliver, Fire, Lose, Refuse, RestartServer, Seen
from harness.explore.credentials import APP, LASTING, Credentials
from harness.explore.fingerprint import CONN_FROM, TIME_FROM_NS, fingerprint, next_due_ns
from harness.explore.monitor import Monitor
from harness.reference import client_core, server_core
from harness.reference.client_core import ClientCore
from harness.reference.server_core import ServerCore
from harness.reference.wire import Frame, LoggedIn, encode
from harness.spec.states import LoginError, State
from harness.spec.timing import Timing
from harness.spec.transitions import Transition

_JITTER = 0.5

Effect = client_core.Effect | server_core.Effect


@dataclass(frozen=True)
class Config:
    """What there is, and what may happen to it.

    Attributes:
        uids: the user of each client; the same one twice is two instances of one user.
        calls: which calls the apps make: login, logout, join, leave, renew_token.
        tokens: of which kinds the tokens of login and renew_token are.
        channels: which are joined and left.
        losses: how a connection may break.
        bans: whether the system may ban a user, once each.
        restarts: whether the server may be killed and started again.
        heartbeat_s: what the server asks for. The longer it is, the fewer actions the 4 s of an interruption take.
        timing: of the profile, for both ends.
        core: makes a client; a wrong one can be put in its place.
    """

    uids: tuple[str, ...] = ("alice",)
    calls: tuple[str, ...] = ("login", "logout", "join", "leave", "renew_token")
    tokens: tuple[str, ...] = (LASTING,)
    channels: tuple[str, ...] = ("lobby",)
    losses: tuple[Seen, ...] = (Seen.BY_BOTH, Seen.BY_CLIENT)
    bans: bool = True
    restarts: bool = False
    heartbeat_s: float = 1.0
    timing: Timing = field(default_factory=Timing)
    core: Callable[..., ClientCore] = ClientCore


@dataclass(slots=True, eq=False)
class Pipe:
    """One connection: who is still at it, and what is on its way; None is its end, and the last."""

    is_opening: bool = True
    at_client: bool = True
    at_server: bool = False
    is_logged_in: bool = False  # the server has let a user in on it
    to_client: deque[Frame | None] = field(default_factory=deque)
    to_server: deque[Frame | None] = field(default_factory=deque)


@dataclass(slots=True, eq=False)
class Person:
    """A client, its connections, and what it was seen to do."""

    name: str
    uid: str
    conn_from: int  # its connections are numbered from here on
    core: ClientCore
    monitor: Monitor
    pipes: dict[int, Pipe] = field(default_factory=dict)


class Cores:
    """The cores, everything between them, and the time.

    Each action of ``enabled()`` can be applied. ``broken`` is what breaks a rule, its clause first; nothing is to be
    done after that.
    """

    def __init__(self, config: Config, start_ns: int = TIME_FROM_NS) -> None:
        self.config = config
        self.now = start_ns
        self.broken: list[str] = []
        self.effects: list[tuple[str, Effect]] = []  # of the last action: whose, and what
        self.people: dict[str, Person] = {}
        for uid in config.uids:
            self._add_person(uid)
        self._banned: dict[str, None] = {}
        self._credentials = Credentials()
        self._just_lost: int | None = None  # the connection whose loss the last action reported
        self.server = self._start_server()

    def fingerprint(self) -> bytes:
        """Return what this state has in common with all those that behave the same from here on, and no other."""
        return fingerprint(self.now, self)

    def taken(self) -> list[Transition]:
        """Return the rows of the table that the last action led to."""
        return [row for person in self.people.values() for row in person.monitor.taken]

    # -------------------------------------------------------------------------------------------------- what can happen

    def enabled(self) -> list[Action]:
        """Return all that can happen now, in an order that two states of one fingerprint have in common."""
        actions: list[Action] = []
        for person in self.people.values():
            actions += self._calls(person)
            for conn, pipe in person.pipes.items():
                actions += self._happenings(person.name, conn - person.conn_from, pipe)
        if any(self._dues()):
            actions.append(Fire())
        if self.config.bans:
            actions += [Ban(uid) for uid in dict.fromkeys(self.config.uids) if uid not in self._banned]
        if self.config.restarts and self.server.stats().connections + self.server.stats().sessions:
            actions.append(RestartServer())
        return actions

    def _calls(self, person: Person) -> Iterator[Action]:
        """The calls that are not refused for certain by the state; logout while CONNECTING is, and changes nothing."""
        state, calls, config = person.core.state, self.config.calls, self.config
        if state is State.DISCONNECTED and "login" in calls:
            yield from (Call(person.name, "login", (kind,)) for kind in config.tokens)
        if state is not State.DISCONNECTED and "logout" in calls:
            yield Call(person.name, "logout")
        if state in (State.CONNECTED, State.RECONNECTING):
            for channel in config.channels:
                name = "leave" if channel in person.monitor.channels else "join"
                if name in calls:
                    yield Call(person.name, name, (channel,))
            if "renew_token" in calls:
                yield from (Call(person.name, "renew_token", (kind,)) for kind in config.tokens)

    def _happenings(self, person: str, conn: int, pipe: Pipe) -> Iterator[Action]:
        if pipe.is_opening:
            yield Accept(person, conn)
            yield Refuse(person, conn)
            return
        if pipe.to_client:
            yield Deliver(person, conn, to_server=False)
        if pipe.to_server:
            yield Deliver(person, conn, to_server=True)
        if pipe.at_client and pipe.at_server:
            yield from (Lose(person, conn, seen) for seen in self.config.losses)
        elif len(pipe.to_client) + len(pipe.to_server) > 1:  # else it is the same as the arrival of the end
            yield Lose(person, conn, Seen.BY_BOTH)

    def _dues(self) -> Iterator[int]:
        dues = [person.core.next_deadline() for person in self.people.values()]
        return (due for due in (*dues, next_due_ns(self.server._deadlines)) if due is not None)

    # ---------------------------------------------------------------------------------------------------- what happens

    def apply(self, action: Action) -> None:
        """Let something happen that is enabled, and have everything done that the cores want done then."""
        self.effects, self._just_lost = [], None
        for person in self.people.values():
            person.monitor.taken.clear()
        try:
            self._perform(action)
            self._settle()
        except Exception as error:  # whatever it is: a core raises nothing
            self.broken.append(f"a core raised {type(error).__name__}: {error}")

    def check(self) -> list[str]:
        """Return what is broken, now that the last action is over."""
        if not self.broken:
            for person in self.people.values():
                held = sum(pipe.at_client for pipe in person.pipes.values())
                person.monitor.check(self.now, person.core.state, person.core.next_deadline(), held)
            for uid in dict.fromkeys(self.config.uids):
                pipes = [pipe for each in self.people.values() if each.uid == uid for pipe in each.pipes.values()]
                if sum(pipe.is_logged_in for pipe in pipes) > 1:
                    self.broken.append(f"OPEN-20: {uid} is logged in on two connections")
        return self.broken

    def _perform(self, action: Action) -> None:
        match action:
            case Call(name, call, args):
                self._call(self.people[name], call, args)
            case Accept(name, number):
                self._accept(self.people[name], number)
            case Refuse(name, number):
                person = self.people[name]
                self._client_loses(person, person.conn_from + number)
            case Deliver(name, number, to_server):
                person = self.people[name]
                deliver = self._deliver_to_server if to_server else self._deliver_to_client
                deliver(person, person.conn_from + number)
            case Lose(name, number, seen):
                person = self.people[name]
                self._lose(person, person.conn_from + number, seen)
            case Fire():
                self._fire()
            case Ban(uid):
                self._banned[uid] = None
                self.server.ban(self.now, APP, uid)
            case RestartServer():
                self._restart_server()
            case _:
                assert_never(action)

    def _call(self, person: Person, call: str, args: tuple[str, ...]) -> None:
        core, now = person.core, self.now
        match call:
            case "login":
                code = int(core.login(now, self._credentials.token(now, person.uid, args[0]), person.uid))
            case "logout":
                code = int(core.logout(now))
            case "join":
                code = int(core.join(now, args[0]))
            case "leave":
                code = int(core.leave(now, args[0]))
            case "renew_token":
                code = int(core.renew_token(now, self._credentials.token(now, person.uid, args[0])))
            case _:
                raise ValueError(call)
        if code == LoginError.OK:  # 0 in each of the enums
            person.monitor.accepted(call)

    def _accept(self, person: Person, number: int) -> None:
        conn = person.conn_from + number
        pipe = person.pipes[conn]
        pipe.is_opening, pipe.at_server = False, True
        self.server.connected(self.now, conn)
        person.core.connection_opened(self.now, conn)

    def _deliver_to_client(self, person: Person, conn: int) -> None:
        frame = person.pipes[conn].to_client.popleft()
        if frame is None:
            self._client_loses(person, conn)
        else:
            person.monitor.arrived(conn, frame)
            person.core.received(self.now, conn, encode(frame))

    def _deliver_to_server(self, person: Person, conn: int) -> None:
        frame = person.pipes[conn].to_server.popleft()
        if frame is None:
            self._server_loses(person, conn)
        else:
            self.server.received(self.now, conn, encode(frame))

    def _lose(self, person: Person, conn: int, seen: Seen) -> None:
        pipe = person.pipes[conn]
        pipe.to_client.clear()
        pipe.to_server.clear()
        if seen is Seen.BY_SERVER:
            pipe.to_client.append(None)
        elif pipe.at_client:
            self._client_loses(person, conn)
        if seen is Seen.BY_CLIENT:
            pipe.to_server.append(None)
        elif pipe.at_server:
            self._server_loses(person, conn)

    def _client_loses(self, person: Person, conn: int) -> None:
        person.pipes[conn].at_client = False
        self._just_lost = conn
        self._tidy(person, conn)
        person.monitor.ended(self.now, conn)
        person.core.connection_lost(self.now, conn)

    def _server_loses(self, person: Person, conn: int) -> None:
        pipe = person.pipes[conn]
        pipe.at_server = pipe.is_logged_in = False
        self._tidy(person, conn)
        self.server.disconnected(self.now, conn)

    def _fire(self) -> None:
        self.now = max(self.now, min(self._dues()))
        self._credentials.forget_expired(self.now)
        for person in self.people.values():
            person.core.tick(self.now)
            deadline_ns = person.core.next_deadline()
            if deadline_ns is not None and deadline_ns <= self.now:
                self.broken.append(f"ClientCore.tick: a deadline of {person.name} that was met still stands")
        self.server.tick(self.now)

    def _restart_server(self) -> None:
        self.server = self._start_server()
        for uid in self._banned:
            self.server.ban(self.now, APP, uid)
        for person in self.people.values():
            for conn, pipe in list(person.pipes.items()):
                if pipe.at_server:
                    self._server_ends(person, conn)

    # --------------------------------------------------------------------------------------------- what the cores want

    def _settle(self) -> None:
        for person in self.people.values():
            for effect in person.core.drain():
                self.effects.append((person.name, effect))
                self._client_wants(person, effect)
        for wanted in self.server.drain():
            self.effects.append(("server", wanted))
            person = self._owner(wanted.conn)
            pipe = person.pipes[wanted.conn]
            if isinstance(wanted, server_core.Close):
                self._server_ends(person, wanted.conn)
            elif pipe.at_client:
                pipe.to_client.append(wanted.frame)
                pipe.is_logged_in |= isinstance(wanted.frame, LoggedIn)

    def _client_wants(self, person: Person, effect: client_core.Effect) -> None:
        match effect:
            case client_core.Open(conn):
                person.pipes[conn] = Pipe()
            case client_core.Send(conn, frame):
                pipe = self._pipe(person, effect)
                if pipe is not None:
                    person.monitor.sent(self.now, conn, frame)
                    if pipe.at_server:
                        pipe.to_server.append(frame)
            case client_core.Close(conn, _):
                pipe = self._pipe(person, effect)
                if pipe is not None:
                    person.monitor.ended(self.now, conn)
                    self._client_ends(person, conn, pipe)
            case client_core.Callback(name, args):
                person.monitor.told(self.now, name, args)
            case client_core.Reply() | client_core.Log():
                pass  # no app here asks for anything that is replied to

    def _pipe(self, person: Person, effect: client_core.Send | client_core.Close) -> Pipe | None:
        """Return the connection that a client sends on or closes; None where it is just being told that it is gone.

        What was due at the moment of the loss is done before the loss is taken note of, also a ping.
        """
        pipe = person.pipes.get(effect.conn)
        if pipe is not None and pipe.at_client and not (pipe.is_opening and isinstance(effect, client_core.Send)):
            return pipe
        if effect.conn != self._just_lost:
            self.broken.append(f"ClientCore.drain: {effect} on a connection that is not there")
        return None

    def _client_ends(self, person: Person, conn: int, pipe: Pipe) -> None:
        pipe.at_client = False
        pipe.to_client.clear()
        if pipe.at_server:
            pipe.to_server.append(None)
        self._tidy(person, conn)

    def _server_ends(self, person: Person, conn: int) -> None:
        pipe = person.pipes[conn]
        pipe.at_server = pipe.is_logged_in = False
        pipe.to_server.clear()
        if pipe.at_client:
            pipe.to_client.append(None)
        self._tidy(person, conn)

    # --------------------------------------------------------------------------------------------------------- helpers

    def _add_person(self, uid: str) -> None:
        index = len(self.people) + 1
        name = f"{uid}-{index}"
        core = self.config.core(APP, instance=name, jitter=lambda: _JITTER, timing=self.config.timing)
        # Far from all other numbers and from those of other clients: so a fingerprint knows what it is.
        core._last_conn = index * CONN_FROM
        monitor = Monitor(self.config.timing, self._is_broken)
        self.people[name] = Person(name, uid, index * CONN_FROM, core, monitor)

    def _is_broken(self, what: str) -> None:
        self.broken.append(what)

    def _start_server(self) -> ServerCore:
        return ServerCore(
            authenticate=self._credentials.authenticate,
            new_session_id=self._credentials.session_id,
            heartbeat_s=self.config.heartbeat_s,
            timing=self.config.timing,
        )

    def _owner(self, conn: int) -> Person:
        return next(person for person in self.people.values() if conn // CONN_FROM == person.conn_from // CONN_FROM)

    def _tidy(self, person: Person, conn: int) -> None:
        pipe = person.pipes[conn]
        if not pipe.at_client and not pipe.at_server:
            del person.pipes[conn]
