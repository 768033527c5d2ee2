"""The client core between an app, a network and a server that do whatever the bytes say.

The rig holds each effect and each switch against the rules. Whatever came before, at the end the app logs out, and a
server that behaves lets it in again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from harness.reference.client_attempts_core import IN_FLIGHT_MAX
from harness.reference.client_core import CallError
from harness.reference.wire import decode_from_client, encode
from harness.spec.states import LoginError, State
from harness.spec.timing import ns
from tests.fuzz.choices import Choices
from tests.fuzz.frames import CHANNELS, TEXTS, UIDS, server_frame
from tests.unit.reference.client_rig import Rig

STEPS_MAX = 150
WAITS_S = (0.001, 0.1, 0.5, 1.0, 3.9, 5.0, 6.0, 31.0)
_TOKENS = ("token-1", "token-2", "", "\ud800", "x" * 4097)
_NAMES = (*CHANNELS, "", "\ud800")
_TEXTS = (*TEXTS, "\ud800")
_MANY = {str(n): "" for n in range(33)}
_ATTRIBUTES: tuple[dict[str, str], ...] = (
    {},
    {"a": "1"},
    {"a": "2", "b": "\x00"},
    {"": "1"},
    {"a": "\ud800"},
    _MANY,
)
_AT_REST = (State.DISCONNECTED, State.ABORTED)


def run(data: bytes) -> str:
    """Do what the bytes say, and look at the client after each step."""
    life = Life(Choices(data))
    for _ in range(STEPS_MAX):
        if not life.choices:
            break
        life.choices.pick(STEPS)(life)
        life.check()
    outcome = life.rig.state.name
    life.end()
    return outcome


class Life:
    """A client, and all that it has to do with."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.jitter = 0.5
        self.rig = Rig(lambda: self.jitter)
        self.asked: set[int] = set()
        self.logins = 0
        self.told: Counter[object] = Counter()
        self.looked_at: Counter[int] = Counter()  # by connection: so many of the frames sent on it

    # --------------------------------------------------------------------------------------------------------- the app

    def login(self) -> None:
        """The app logs in."""
        self.logins += self.rig.login(self.choices.pick(_TOKENS), self.choices.pick(("alice", "", "\ud800"))) == 0

    def logout(self) -> None:
        """The app logs out."""
        if self.rig.logout() == 0:
            assert self.rig.core.next_deadline() is None

    def call(self) -> None:
        """The app makes a call that is answered by a code."""
        core = self.rig.core
        call, among = self.choices.pick(
            ((core.join, _NAMES), (core.leave, _NAMES), (core.renew_token, _TOKENS)),
        )
        self.rig.ask(call, self.choices.pick(among))

    def ask(self) -> None:
        """The app makes a call that is replied to."""
        core, pick = self.rig.core, self.choices.pick
        asks: tuple[Callable[[], int], ...] = (
            lambda: self.rig.ask(core.get_members, pick(_NAMES)),
            lambda: self.rig.ask(core.send_to_peer, pick(_NAMES), pick(_TEXTS)),
            lambda: self.rig.ask(core.send_to_channel, pick(_NAMES), pick(_TEXTS)),
            lambda: self.rig.ask(core.set_attributes, pick(_ATTRIBUTES)),
            lambda: self.rig.ask(core.add_attributes, pick(_ATTRIBUTES)),
            lambda: self.rig.ask(core.delete_attributes, [pick(_NAMES), pick(_NAMES)]),
            lambda: self.rig.ask(core.get_attributes, pick(_NAMES)),
            lambda: self.rig.ask(core.query_online, [*UIDS, pick(_NAMES)]),
        )
        self.asked.add(pick(asks)())

    # ----------------------------------------------------------------------------------------- the network, the server

    def accept(self) -> None:
        """A connection opens."""
        if self.rig.opening:
            self.rig.open_up(self.choices.pick(sorted(self.rig.opening)))

    def let_in(self) -> None:
        """A connection opens, and a server that behaves answers the login and each ping on it from now on."""
        if self.rig.opening:
            conn = self.choices.pick(sorted(self.rig.opening))
            self.rig.awake.add(conn)
            if self.rig.open_up(conn):
                self.rig.admit(conn, resumed=bool(self.choices.byte() % 2))

    def feed(self) -> None:
        """A server says something, which fits or does not."""
        if self.rig.open:
            self.rig.feed(self.choices.pick(sorted(self.rig.open)), server_frame(self.choices))

    def rubbish(self) -> None:
        """A server says what is hardly a frame."""
        if self.rig.open:
            self.rig.feed(self.choices.pick(sorted(self.rig.open)), self.choices.take(self.choices.byte() % 64))

    def late(self) -> None:
        """The shell reports what concerns a connection that the client is rid of; a due timer may fire before."""
        if self.rig.closed:
            self.rig.wait(0)
            conn = self.choices.pick(sorted(self.rig.closed))
            before = self.rig.core.state, len(self.rig.logs), self.rig.core.next_deadline()
            self.rig.feed(conn, server_frame(self.choices))
            self.rig.core.connection_opened(self.rig.now, conn)
            self.rig.core.connection_lost(self.rig.now, conn)
            assert self.rig.core.drain() == []
            assert (self.rig.core.state, len(self.rig.logs), self.rig.core.next_deadline()) == before

    def lose(self) -> None:
        """A connection breaks, or cannot be opened."""
        if self.rig.open | self.rig.opening:
            self.rig.lose(self.choices.pick(sorted(self.rig.open | self.rig.opening)))

    def fall_silent_or_wake(self) -> None:
        """From now on pings are answered on some connections only."""
        which = self.choices.byte()
        self.rig.awake = {conn for conn in self.rig.open if which >> conn % 8 & 1}

    # -------------------------------------------------------------------------------------------------------- the time

    def wait(self) -> None:
        """Time passes, with a tick at each deadline."""
        self.jitter = self.choices.byte() / 256
        self.rig.wait(self.choices.pick(WAITS_S))

    def stall(self) -> None:
        """The process gets no time, and has a single late tick."""
        self.rig.now += ns(self.choices.pick(WAITS_S))
        self.rig.core.tick(self.rig.now)
        self.rig.settle()
        deadline = self.rig.core.next_deadline()
        assert deadline is None or deadline > self.rig.now

    # ------------------------------------------------------------------------------------------------- what must hold

    def check(self) -> None:
        """Hold the client against what is true in every state."""
        rig = self.rig
        for name, *args in rig.take():
            self.told[name] += 1
            if name == "onConnectionStateChanged":
                self.told[args[0]] += 1
        assert rig.core.state is rig.state, "the state is what was told last"
        results = self.told["onLoginSuccess"] + self.told["onLoginFailure"]
        assert results == self.logins - (rig.state is State.CONNECTING), "each login has one result"
        assert self.told["onLogout"] <= self.told[State.DISCONNECTED]
        assert all(isinstance(code, CallError) for code, _ in rig.replies.values())
        if rig.state in (*_AT_REST, State.CONNECTING):
            assert rig.replies.keys() == self.asked, "without a session nothing waits for its answer"
        assert len(rig.open | rig.opening) <= IN_FLIGHT_MAX + 1
        if rig.state in _AT_REST:
            assert not rig.open | rig.opening
            assert rig.core.next_deadline() is None
        for conn, frames in rig.sent.items():
            for frame in frames[self.looked_at[conn] :]:
                assert decode_from_client(encode(frame)) == frame, "a server must be able to read it"
            self.looked_at[conn] = len(frames)

    def end(self) -> None:
        """Nothing that came before keeps the client from logging in anew."""
        if self.rig.state is State.CONNECTING:
            self.rig.wait(7.0)  # it comes to its end (CONNECTING-5)
        self.rig.logout()
        self.check()
        assert self.rig.state is State.DISCONNECTED
        self.rig.wait(1.1)  # OPEN-13: two calls a second
        assert self.rig.login() is LoginError.OK
        self.rig.let_in(self.rig.last)
        self.rig.wait(1.0)
        assert self.rig.core.state is State.CONNECTED


# One of these a byte; what takes a client somewhere is in it more than once.
STEPS: tuple[Callable[[Life], None], ...] = (
    Life.login,
    Life.let_in,
    Life.wait,
    Life.feed,
    Life.ask,
    Life.call,
    Life.lose,
    Life.accept,
    Life.feed,
    Life.stall,
    Life.fall_silent_or_wake,
    Life.late,
    Life.logout,
    Life.rubbish,
    Life.let_in,
    Life.wait,
)
