"""A server core on a bench: connections as objects, time that only moves when told to, tokens that are plain text."""

from __future__ import annotations

import itertools
import re

from harness.reference.notes_core import Note
from harness.reference.server_core import Claims, Close, Send, ServerCore, ServerLimits
from harness.reference.wire import Code, Frame, LoggedIn, Login, Ping, Pong, encode
from harness.spec.timing import ns

APP = "app"
HEARTBEAT_S = 0.5
BROKEN = 1006  # RFC 6455: closed without a close frame
# Far from zero, so that a time that was measured from elsewhere shows at once.
START_NS = 7_654_321_000_000_000


def token(uid: str, app_id: str = APP, expires_in_s: float | None = None) -> str:
    return f"{app_id} {uid} {expires_in_s}"


def authenticate(text: str, now: int) -> Claims | Code:
    assert now >= START_NS
    if text == Code.TOKEN_EXPIRED:
        return Code.TOKEN_EXPIRED
    known = re.fullmatch(r"(\S+) (\S+) (None|[0-9.]+)", text)
    if known is None:
        return Code.INVALID_TOKEN
    return Claims(known[1], known[2], None if known[3] == "None" else float(known[3]))


class Wire:
    """One connection as its client sees it."""

    def __init__(self, bench: Bench, conn: int) -> None:
        self.bench = bench
        self.conn = conn
        self.frames: list[Frame] = []
        self.closed: Close | None = None

    def is_open(self) -> bool:
        return self.closed is None

    def raw(self, data: bytes | str) -> None:
        self.bench.core.received(self.bench.now, self.conn, data)
        self.bench.settle()

    def send(self, frame: Frame) -> None:
        self.raw(encode(frame))

    def ask(self, frame: Frame) -> Frame:
        """Send a request and return what came, which must be its answer alone."""
        self.take()
        self.send(frame)
        (answer,) = self.take()
        return answer

    def take(self) -> list[Frame]:
        frames, self.frames = self.frames, []
        return frames

    def log_in(
        self,
        uid: str,
        *,
        app_id: str = APP,
        instance: str | None = None,
        attempt: int = 1,
        resume: str | None = None,
        with_token: str | None = None,
    ) -> Frame:
        """Log in, from an instance named like the user unless told otherwise, and return the answer."""
        text = token(uid, app_id) if with_token is None else with_token
        return self.ask(Login(app_id, uid, text, instance or f"{uid}'s", attempt, resume))

    def ping(self) -> None:
        assert self.ask(Ping(1)) == Pong(1)

    def drop(self) -> None:
        """Let the connection break; nothing may be sent on it any more."""
        if self.closed is None:
            self.closed = Close(self.conn, BROKEN, "")
        self.bench.core.disconnected(self.bench.now, self.conn)
        self.bench.settle()


class Bench:
    """A core and all that is connected to it."""

    def __init__(self, limits: ServerLimits | None = None) -> None:
        self.now = START_NS
        self.wires: dict[int, Wire] = {}
        self.notes: list[Note] = []
        sessions = (f"session-{number}" for number in itertools.count(1))
        self.core = ServerCore(
            authenticate=authenticate,
            new_session_id=lambda: next(sessions),
            heartbeat_s=HEARTBEAT_S,
            limits=limits,
            note=self.notes.append,
        )

    def connect(self) -> Wire:
        wire = Wire(self, len(self.wires) + 1)
        self.wires[wire.conn] = wire
        self.core.connected(self.now, wire.conn)
        self.settle()
        return wire

    def online(
        self,
        uid: str,
        *,
        app_id: str = APP,
        instance: str | None = None,
        attempt: int = 1,
        resume: str | None = None,
        confirm: bool = True,
    ) -> tuple[Wire, str]:
        """Log a user in on a connection of its own; returns it and the session id."""
        wire = self.connect()
        answer = wire.log_in(uid, app_id=app_id, instance=instance, attempt=attempt, resume=resume)
        assert isinstance(answer, LoggedIn), answer
        if confirm:
            wire.ping()
        return wire, answer.session

    def user(self, uid: str, **how: str) -> Wire:
        """Log a user in; returns the connection."""
        return self.online(uid, app_id=how.get("app_id", APP), instance=how.get("instance"))[0]

    def wait(self, seconds: float, *, awake: tuple[Wire, ...] = ()) -> None:
        """Let time pass as a shell does: a tick at each deadline, and a heartbeat of those who are awake."""
        end = self.now + ns(seconds)
        beat = self.now + ns(HEARTBEAT_S)
        while True:
            deadline = self.core.next_deadline()
            due = min(end, beat if awake else end, end if deadline is None else deadline)
            self.now = max(self.now, due)
            self.core.tick(self.now)
            self.settle()
            after = self.core.next_deadline()
            assert after is None or after > self.now, "a deadline that was met must not stand"
            if self.now == beat and awake:
                beat += ns(HEARTBEAT_S)
                for wire in awake:
                    wire.send(Ping(0))
                    wire.frames.remove(Pong(0))
            if self.now == end:
                return

    def settle(self) -> None:
        """Hand out what the core wants done; nothing may be wanted on a connection that it has closed."""
        for effect in self.core.drain():
            wire = self.wires[effect.conn]
            assert wire.closed is None
            if isinstance(effect, Send):
                wire.frames.append(effect.frame)
            else:
                wire.closed = effect
