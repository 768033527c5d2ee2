"""Any interleaving of calls, answers, losses and time: what must hold in all of them."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from harness.reference.client_attempts_core import IN_FLIGHT_MAX
from harness.reference.client_core import CallError
from harness.reference.wire import (
    AttributesOf,
    ChannelMessage,
    Code,
    Done,
    Ended,
    EndReason,
    Failed,
    LoggedIn,
    MemberJoined,
    Members,
    PeerMessage,
    Ping,
    Pong,
    Refused,
)
from harness.spec.states import LoginError, State
from harness.spec.timing import ns
from tests.unit.reference.client_rig import Rig

# In any second: after a back-off that was just reset the attempts come at 0, 0.05, 0.15, 0.35 and 0.75 s at the
# soonest. It is reset by a login() (two a second) and by a link that has proved itself (two a second, for the heartbeat
# is 0.5 s); and there may be two new tokens a second, each with an attempt.
ATTEMPTS_PER_S_MAX = 5 * (2 + 2) + 2

channels = st.sampled_from(["lobby", "arena", "", "c" * 65])
tokens = st.sampled_from(["token-1", "token-2", ""])
attributes = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), max_size=3)
request_ids = st.integers(1, 12)
server_frames = st.one_of(
    st.builds(
        LoggedIn,
        st.sampled_from(["s1", "s2"]),
        st.booleans(),
        st.sampled_from([0.5, 0.5, 0.5, 0.0, 9.0]),
        st.none() | st.floats(-1, 20),
    ),
    st.builds(Refused, st.sampled_from(list(Code))),
    st.builds(Pong, st.integers(0, 20)),
    st.builds(Ended, st.sampled_from(list(EndReason))),
    st.builds(Done, request_ids, st.none() | st.floats(-1, 20)),
    st.builds(Failed, request_ids, st.sampled_from(list(Code))),
    st.builds(Members, request_ids, st.just(["bob"])),
    st.builds(AttributesOf, request_ids, st.just({"k": "v"})),
    st.builds(MemberJoined, channels, st.just("bob")),
    st.builds(ChannelMessage, channels, st.just("bob"), st.just("hi")),
    st.builds(PeerMessage, st.just("bob"), st.just("hi")),
    st.binary(max_size=20),
)


class AnyLife(RuleBasedStateMachine):
    """A client, an app and a server that do whatever comes to their minds; the rig checks each effect and switch."""

    def __init__(self) -> None:
        super().__init__()
        self.jitter = 0.0
        self.rig = Rig(lambda: self.jitter)
        self.calls: set[int] = set()
        self.logins = 0
        self.told: Counter[object] = Counter()

    # ------------------------------------------------------------------------------------------------------- the app

    @rule(token=tokens, uid=st.sampled_from(["alice", "bob", ""]))
    def login(self, token: str, uid: str) -> None:
        self.logins += self.rig.login(token, uid) is LoginError.OK

    @rule()
    def logout(self) -> None:
        if self.rig.logout() == 0:
            assert self.rig.core.next_deadline() is None

    @rule(token=tokens)
    def renew_token(self, token: str) -> None:
        self.rig.ask(self.rig.core.renew_token, token)

    @rule(channel=channels)
    def join(self, channel: str) -> None:
        self.rig.ask(self.rig.core.join, channel)

    @rule(channel=channels)
    def leave(self, channel: str) -> None:
        self.rig.ask(self.rig.core.leave, channel)

    @rule(channel=channels)
    def get_members(self, channel: str) -> None:
        self.calls.add(self.rig.ask(self.rig.core.get_members, channel))

    @rule(text=st.sampled_from(["hi", "\ud800"]))
    def send(self, text: str) -> None:
        self.calls.add(self.rig.ask(self.rig.core.send_to_peer, "bob", text))

    @rule(values=attributes, how=st.sampled_from(["set_attributes", "add_attributes"]))
    def change(self, values: dict[str, str], how: str) -> None:
        self.calls.add(self.rig.ask(getattr(self.rig.core, how), values))

    # -------------------------------------------------------------------------------------------- network and server

    @precondition(lambda self: self.rig.opening)
    @rule(data=st.data())
    def accept(self, data: st.DataObject) -> None:
        self.rig.open_up(data.draw(st.sampled_from(sorted(self.rig.opening))))

    @precondition(lambda self: self.rig.opening)
    @rule(data=st.data(), resumed=st.booleans())
    def let_in(self, data: st.DataObject, resumed: bool) -> None:
        conn = data.draw(st.sampled_from(sorted(self.rig.opening)))
        self.rig.awake.add(conn)
        if self.rig.open_up(conn):
            self.rig.admit(conn, resumed=resumed)

    @precondition(lambda self: self.rig.open)
    @rule(data=st.data())
    def accept_anew(self, data: st.DataObject) -> None:
        """Answer a login with a new session: nothing is told before the ping that confirms it is answered."""
        conn = data.draw(st.sampled_from(sorted(self.rig.open)))
        if self.rig.frames(conn) == [] and Ping(1) not in self.rig.sent[conn]:
            self.rig.awake.discard(conn)
            self.each_login_has_one_result()
            self.rig.admit(conn)
            assert self.rig.take() == []
            assert self.rig.sent[conn][-1] == Ping(1)

    @precondition(lambda self: self.rig.open)
    @rule(data=st.data(), frame=server_frames)
    def feed(self, data: st.DataObject, frame: bytes) -> None:
        self.rig.feed(data.draw(st.sampled_from(sorted(self.rig.open))), frame)

    @precondition(lambda self: self.rig.open | self.rig.opening)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.rig.lose(data.draw(st.sampled_from(sorted(self.rig.open | self.rig.opening))))

    @precondition(lambda self: self.rig.closed)
    @rule(data=st.data(), frame=server_frames)
    def late(self, data: st.DataObject, frame: bytes) -> None:
        conn = data.draw(st.sampled_from(sorted(self.rig.closed)))
        before = (self.rig.core.state, len(self.rig.logs))
        self.rig.feed(conn, frame)
        self.rig.core.connection_opened(self.rig.now, conn)
        self.rig.core.connection_lost(self.rig.now, conn)
        self.rig.settle()
        assert (self.rig.core.state, len(self.rig.logs)) == before

    @precondition(lambda self: self.rig.open)
    @rule(data=st.data())
    def fall_silent_or_wake(self, data: st.DataObject) -> None:
        self.rig.awake = data.draw(st.sets(st.sampled_from(sorted(self.rig.open))))

    # -------------------------------------------------------------------------------------------------------- the time

    @rule(seconds=st.sampled_from([0.001, 0.1, 0.5, 1.0, 3.9, 5.0, 31.0]), jitter=st.floats(0, 1, exclude_max=True))
    def wait(self, seconds: float, jitter: float) -> None:
        self.jitter = jitter
        self.rig.wait(seconds)

    @rule(seconds=st.floats(0, 40))
    def stall(self, seconds: float) -> None:
        """The process gets no time, and has a single late tick."""
        self.rig.now += ns(seconds)
        self.rig.core.tick(self.rig.now)
        self.rig.settle()
        deadline = self.rig.core.next_deadline()
        assert deadline is None or deadline > self.rig.now

    # ------------------------------------------------------------------------------------------------- what must hold

    @invariant()
    def each_login_has_one_result(self) -> None:
        for name, *args in self.rig.take():
            self.told[name] += 1
            if name == "onConnectionStateChanged":
                self.told[args[0]] += 1
        results = self.told["onLoginSuccess"] + self.told["onLoginFailure"]
        assert results == self.logins - (self.rig.core.state is State.CONNECTING)
        assert self.told["onLogout"] <= self.told[State.DISCONNECTED]

    @invariant()
    def the_state_is_what_was_told(self) -> None:
        assert self.rig.core.state is self.rig.state

    @invariant()
    def each_call_is_answered_once_and_in_time(self) -> None:
        if self.rig.core.state in (State.DISCONNECTED, State.CONNECTING, State.ABORTED):
            assert self.rig.replies.keys() == self.calls
        assert all(isinstance(code, CallError) for code, _ in self.rig.replies.values())

    @invariant()
    def connections_are_few(self) -> None:
        # One link, which alone gets more than the ping that confirms a login, and the attempts beside it.
        assert len(self.rig.open | self.rig.opening) <= IN_FLIGHT_MAX + 1
        pings = Counter(
            {conn: sum(isinstance(each, Ping) for each in self.rig.sent.get(conn, [])) for conn in self.rig.open}
        )
        assert sum(count > 1 for count in pings.values()) <= 1
        if self.rig.core.state in (State.DISCONNECTED, State.ABORTED):
            assert not self.rig.open | self.rig.opening
            assert self.rig.core.next_deadline() is None

    @invariant()
    def attempts_are_no_storm(self) -> None:
        latest = [at for at in self.rig.started.values() if at > self.rig.now - ns(1.0)]
        assert len(latest) <= ATTEMPTS_PER_S_MAX


AnyLife.TestCase.settings = settings(
    max_examples=150, stateful_step_count=60, suppress_health_check=list(HealthCheck), derandomize=True
)
TestAnyLife = AnyLife.TestCase
