"""The server core under clients that send whatever the bytes say, in two tenants.

The bench holds each effect against what is open. Whatever came before, at the end all sessions run out, and a newcomer
is let in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.reference.server_core import CloseCode, ServerLimits
from harness.reference.server_effects import CLOSE_REASON_BYTES_MAX
from harness.reference.wire import (
    ClientFrame,
    Frame,
    LoggedIn,
    Login,
    Logout,
    Ping,
    Pong,
    WireError,
    decode_from_client,
    decode_from_server,
    encode,
)
from tests.fuzz.choices import Choices
from tests.fuzz.frames import UIDS, client_frame
from tests.unit.reference.server_bench import BROKEN, Bench, Wire, token

STEPS_MAX = 150
WAITS_S = (0.0, 0.001, 0.5, 5.9, 6.0, 10.0, 29.9, 31.0)
_APPS = ("one", "two", "three")
_INSTANCES = ("phone", "laptop")
# Small, so that each of them is met; the newcomer at the end finds room, for the others are gone by then.
_LIMITS = ServerLimits(
    connections_max=8,
    tenants_max=2,
    sessions_max=3,
    members_max=2,
    attributes_max=3,
    requests_per_s=10,
    requests_burst=20,
    ended_noted_max=3,
    logins_noted_max=4,
    bans_max=2,
)
_CLOSES = {*CloseCode, WireError.INVALID, WireError.TOO_BIG, BROKEN}


def run(data: bytes) -> str:
    """Do what the bytes say, and look at the server after each step."""
    crowd = Crowd(Choices(data))
    for _ in range(STEPS_MAX):
        if not crowd.choices:
            break
        crowd.choices.pick(STEPS)(crowd)
        crowd.check()
    outcome = " ".join(map(str, crowd.bench.core.stats()))
    crowd.end()
    return outcome


@dataclass(slots=True, eq=False)
class Client:
    """What is known of the far end of a connection: as whom it is logged in, if it is."""

    wire: Wire
    app_id: str = ""
    uid: str = ""


class Crowd:
    """A server, and all that is connected to it."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.bench = Bench(_LIMITS)
        self.clients: list[Client] = []
        self.sessions = ["never was"]

    def open_ones(self) -> list[Client]:
        """Return those whose connection is open."""
        return [client for client in self.clients if client.wire.is_open()]

    # ------------------------------------------------------------------------------------------------ what can happen

    def connect(self) -> None:
        """Somebody connects."""
        self.clients.append(Client(self.bench.connect()))

    def log_in(self) -> None:
        """Somebody sends a login with a good token."""
        pick = self.choices.pick
        app_id, uid = pick(_APPS), pick(UIDS)
        resume = pick((None, *self.sessions[-7:]))
        frame = Login(app_id, uid, token(uid, app_id), pick(_INSTANCES), self.choices.byte() % 8, resume)
        self._say(encode(frame))

    def online(self) -> None:
        """Somebody connects, logs in and confirms it."""
        self.connect()
        self.log_in()

    def ping(self) -> None:
        """Somebody sends a heartbeat."""
        self._say(encode(Ping(self.choices.byte())))

    def say(self) -> None:
        """Somebody sends some frame."""
        self._say(client_frame(self.choices))

    def rubbish(self) -> None:
        """Somebody sends what is hardly a frame."""
        self._say(self.choices.take(self.choices.byte() % 64))

    def drop(self) -> None:
        """A connection breaks."""
        if self.open_ones():
            self.choices.pick(self.open_ones()).wire.drop()

    def wait(self) -> None:
        """Time passes, with a tick at each deadline."""
        self.bench.wait(self.choices.pick(WAITS_S))

    def stall(self) -> None:
        """The process gets no time, and then hears at once what came meanwhile."""
        self.bench.now += round(self.choices.pick(WAITS_S) * 1e9)
        self.say()

    def ban(self) -> None:
        """The system ends somebody's session for good, or lets them in again."""
        app_id, uid = self.choices.pick(_APPS), self.choices.pick(UIDS)
        if self.choices.byte() % 2:
            self.bench.core.unban(app_id, uid)
        else:
            self.bench.core.ban(self.bench.now, app_id, uid)
            assert uid not in self.bench.core.online(app_id)
        self.bench.settle()

    def _say(self, data: bytes) -> None:
        if not self.open_ones():
            return
        client = self.choices.pick(self.open_ones())
        self.bench.core.tick(self.bench.now)  # what is due anyway is nobody's doing
        self.bench.settle()
        if not client.wire.is_open():
            return
        self.take_all()
        client.wire.raw(data)
        self._look_at_reaction(client, _read(data), client.wire.take())

    # ------------------------------------------------------------------------------------------------- what must hold

    def _look_at_reaction(self, client: Client, frame: ClientFrame | None, came: list[Frame]) -> None:
        for each in came:
            assert decode_from_server(encode(each)) == each, "a client must be able to read it"
        if isinstance(frame, Login) and not client.app_id and client.wire.is_open():
            (answer,) = came
            assert isinstance(answer, LoggedIn)
            client.app_id, client.uid = frame.app_id, frame.uid
            self.sessions.append(answer.session)
        elif frame is None or isinstance(frame, Login | Logout) or not client.app_id:
            assert not client.wire.is_open(), "what is no frame, or not in its place, closes the connection"
        elif isinstance(frame, Ping):
            assert came == [Pong(frame.n)]
        else:
            answers = [each for each in came if hasattr(each, "id")]
            assert [each.id for each in answers] == [frame.id], "each request has one answer"
        for other in self.clients:
            if other.app_id != client.app_id:
                assert not other.wire.frames, "what happens in one tenant is not seen in another"
        self.take_all()

    def take_all(self) -> None:
        """Look at what has come to everybody."""
        for client in self.clients:
            for each in client.wire.take():
                assert decode_from_server(encode(each)) == each, "a client must be able to read it"

    def check(self) -> None:
        """Hold the server against what is true at all times."""
        self.take_all()
        users = [(client.app_id, client.uid) for client in self.open_ones() if client.app_id]
        assert len(users) == len(set(users)), "each user has one connection at most"
        for app_id, uid in users:
            assert uid in self.bench.core.online(app_id)
            assert self.bench.core.connections_of(app_id, uid) == 1
        stats = self.bench.core.stats()
        assert stats.connections == len(self.open_ones()) <= _LIMITS.connections_max
        assert stats.tenants <= _LIMITS.tenants_max
        for client in self.clients:
            closed = client.wire.closed
            if closed is not None:
                assert closed.code in _CLOSES
                assert len(closed.reason.encode()) <= CLOSE_REASON_BYTES_MAX

    def end(self) -> None:
        """Nothing that came before keeps a newcomer out, once the others are gone."""
        self.bench.wait(31.0)
        assert self.bench.core.stats()[:2] == (0, 0)
        self.bench.online("newcomer", app_id="newcomers")


def _read(data: bytes) -> ClientFrame | None:
    try:
        return decode_from_client(data)
    except WireError:
        return None


# One of these a byte; what takes a server somewhere is in it more than once.
STEPS: tuple[Callable[[Crowd], None], ...] = (
    Crowd.online,
    Crowd.say,
    Crowd.ping,
    Crowd.say,
    Crowd.log_in,
    Crowd.wait,
    Crowd.drop,
    Crowd.connect,
    Crowd.ban,
    Crowd.stall,
    Crowd.rubbish,
    Crowd.say,
)
