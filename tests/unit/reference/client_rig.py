"""A client core on a rig: its server is the test, and time only moves when told to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.adapter.contract import CALLBACKS
from harness.reference.client_core import Callback, CallError, ClientCore, Close, Log, Open, Reply, Send
from harness.reference.wire import (
    Code,
    Done,
    EndReason,
    Failed,
    Frame,
    Join,
    Leave,
    LoggedIn,
    Login,
    Logout,
    Ping,
    Pong,
    encode,
)
from harness.spec.states import LoginError, Reason, State
from harness.spec.timing import ns
from harness.spec.transitions import allowed

APP = "app"
UID = "alice"
TOKEN = "token-1"
HEARTBEAT_S = 0.5
# Far from zero, so that a time that was measured from elsewhere shows at once.
START_NS = 7_654_321_000_000_000

CONNECTING = ("onConnectionStateChanged", State.CONNECTING, Reason.LOGIN)
CONNECTED = ("onConnectionStateChanged", State.CONNECTED, Reason.LOGIN_SUCCESS)
RECONNECTING = ("onConnectionStateChanged", State.RECONNECTING, Reason.INTERRUPTED)
LOGGED_OUT = (("onLogout", 0), ("onConnectionStateChanged", State.DISCONNECTED, Reason.LOGOUT))
KICKED = ("onConnectionStateChanged", State.ABORTED, Reason.REMOTE_LOGIN)
BANNED = ("onConnectionStateChanged", State.ABORTED, Reason.BANNED_BY_SERVER)
ENDED = {EndReason.REMOTE_LOGIN: KICKED, EndReason.BANNED: BANNED}


class Rig:
    """A core, and the far end of all its connections."""

    def __init__(self, jitter: Callable[[], float] = lambda: 1.0) -> None:
        self.now = START_NS
        self.core = ClientCore(APP, instance="instance", jitter=jitter)
        self.started: dict[int, int] = {}  # by connection: when it was asked for
        self.opening: set[int] = set()
        self.open: set[int] = set()
        self.closed: dict[int, bool] = {}  # by connection: whether what was sent leaves first
        self.sent: dict[int, list[Frame]] = {}
        self.awake: set[int] = set()  # connections on which every ping is answered at once
        self.state = State.DISCONNECTED
        self.logs: list[str] = []
        self.replies: dict[int, tuple[CallError, dict[str, Any]]] = {}
        self._callbacks: list[tuple[object, ...]] = []

    # ------------------------------------------------------------------------------------------------------- the app

    def take(self) -> list[tuple[object, ...]]:
        """Return the callbacks since the last call, each as its name and its arguments."""
        self.settle()
        callbacks, self._callbacks = self._callbacks, []
        return callbacks

    def login(self, token: str = TOKEN, uid: str = UID) -> LoginError:
        code = self.core.login(self.now, token, uid)
        self.settle()
        return code

    def logout(self) -> int:
        code = self.core.logout(self.now)
        self.settle()
        return code

    def ask(self, call: Callable[..., int], *args: object) -> int:
        """Make a call that is answered by a number, and return it: a code, or the number of the reply."""
        answer = call(self.now, *args)
        self.settle()
        return answer

    # ----------------------------------------------------------------------------------------------- the other side

    @property
    def last(self) -> int:
        """The connection that was asked for last."""
        return max(self.started)

    def open_up(self, conn: int) -> bool:
        """Let a connection open; return whether a login came on it, or else it was closed at once."""
        self.opening.remove(conn)
        self.open.add(conn)
        self.core.connection_opened(self.now, conn)
        self.settle()
        if conn in self.open:
            (login,) = self.sent[conn]
            assert isinstance(login, Login)
            assert login.attempt == conn
            return True
        assert conn not in self.sent
        assert self.closed[conn] is False
        return False

    def accept(self, conn: int) -> Login:
        """Let a connection open; return the login that came on it."""
        assert self.open_up(conn)
        (login,) = self.sent[conn]
        assert isinstance(login, Login)
        return login

    def feed(self, conn: int, frame: Frame | bytes) -> None:
        self.core.received(self.now, conn, frame if isinstance(frame, bytes) else encode(frame))
        self.settle()

    def admit(
        self, conn: int, *, resumed: bool = False, session: str = "session", expires_in_s: float | None = None
    ) -> None:
        """Answer the login on an open connection with yes."""
        self.feed(conn, LoggedIn(session, resumed, HEARTBEAT_S, expires_in_s))

    def let_in(self, conn: int, **how: Any) -> list[Frame]:
        """Let a connection open and log in, and answer its pings from now on; return what it sent after the login."""
        self.awake.add(conn)
        self.accept(conn)
        self.admit(conn, **how)
        return self.frames(conn)

    def online(self, **how: Any) -> int:
        """Log in, with a link that has proved itself; return the connection."""
        assert self.login() is LoginError.OK
        conn = self.last
        self.let_in(conn, **how)
        self.wait(HEARTBEAT_S)
        self.take()
        return conn

    def lose(self, conn: int) -> None:
        """Let a connection break, or fail to open."""
        self.opening.discard(conn)
        self.open.discard(conn)
        self.awake.discard(conn)
        self.core.connection_lost(self.now, conn)
        self.settle()

    def frames(self, conn: int) -> list[Frame]:
        """Return what was sent on a connection, but for its login and pings."""
        return [frame for frame in self.sent.get(conn, []) if not isinstance(frame, (Login, Ping))]

    # ----------------------------------------------------------------------------------------------------------- time

    def tick_at(self, at_ns: int) -> None:
        """Let time pass, with a tick at each deadline, until so many nanoseconds after the start."""
        self.wait_until(START_NS + at_ns)

    def wait(self, seconds: float) -> None:
        self.wait_until(self.now + ns(seconds))

    def wait_until(self, end: int) -> None:
        while True:
            deadline = self.core.next_deadline()
            self.now = end if deadline is None else max(self.now, min(end, deadline))
            self.core.tick(self.now)
            self.settle()
            after = self.core.next_deadline()
            assert after is None or after > self.now, "a deadline that was met must not stand"
            if self.now == end:
                return

    # ------------------------------------------------------------------------------------------------------- effects

    def settle(self) -> None:
        """Take what the core wants done, and hold it against what it may want."""
        while effects := self.core.drain():
            for effect in effects:
                match effect:
                    case Open(conn):
                        assert conn == len(self.started) + 1
                        self.started[conn] = self.now
                        self.opening.add(conn)
                    case Send(conn, frame):
                        self._send(conn, frame)
                    case Close(conn, flush):
                        assert conn in self.opening | self.open, "closed twice, or after it was lost"
                        said = self.sent.get(conn, [])
                        assert flush == (Logout() in said[-1:]), "what was sent last leaves first, if it is a logout"
                        self.opening.discard(conn)
                        self.open.discard(conn)
                        self.awake.discard(conn)
                        self.closed[conn] = flush
                    case Callback(name, args):
                        assert tuple(args) == tuple(CALLBACKS[name])
                        self._switched(name, *args.values())
                        self._callbacks.append((name, *args.values()))
                    case Reply(call_id, code, values):
                        assert call_id not in self.replies, "answered twice"
                        self.replies[call_id] = (code, values)
                    case Log(why):
                        self.logs.append(why)

    def _send(self, conn: int, frame: Frame) -> None:
        assert conn in self.open, "sent on a connection that is not open"
        self.sent.setdefault(conn, []).append(frame)
        if isinstance(frame, Ping) and conn in self.awake:
            self.core.received(self.now, conn, encode(Pong(frame.n)))

    def _switched(self, name: str, *args: object) -> None:
        if name == "onConnectionStateChanged":
            state, reason = args
            assert isinstance(state, State)
            assert isinstance(reason, Reason)
            assert allowed(self.state, state, reason), f"{state.name} / {reason.name} while {self.state.name}"
            self.state = state


def join(rig: Rig, channel: str) -> int:
    return rig.ask(rig.core.join, channel)


def leave(rig: Rig, channel: str) -> int:
    return rig.ask(rig.core.leave, channel)


def answer(rig: Rig, conn: int, code: Code | None = None) -> None:
    """Answer the last request on a connection."""
    request_id = rig.frames(conn)[-1].id  # type: ignore[attr-defined]
    rig.feed(conn, Done(request_id) if code is None else Failed(request_id, code))


def member(*channels: str) -> tuple[Rig, int]:
    """Somebody in some channels, and the connection."""
    rig = Rig()
    conn = rig.online()
    for channel in channels:
        join(rig, channel)
        answer(rig, conn)
    rig.take()
    rig.sent.clear()
    return rig, conn


def away(*channels: str, away_s: float = 5.0) -> Rig:
    """Somebody in some channels whose link has been gone for so long."""
    rig, conn = member(*channels)
    rig.lose(conn)
    rig.wait(away_s)
    rig.take()
    return rig


def asked(frames: list[Frame]) -> list[tuple[type[Frame], str]]:
    return [(type(frame), frame.channel) for frame in frames if isinstance(frame, (Join, Leave))]
