"""Whatever clients do, in whatever order: what must hold of a server at all times."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from harness.reference.server_core import ServerLimits
from harness.reference.wire import (
    AddAttributes,
    AttributesOf,
    ChannelMessage,
    ClientFrame,
    DeleteAttributes,
    Done,
    Failed,
    GetAttributes,
    GetMembers,
    Join,
    Leave,
    LoggedIn,
    Login,
    Logout,
    MemberJoined,
    MemberLeft,
    Members,
    Online,
    PeerMessage,
    Ping,
    Pong,
    QueryOnline,
    RenewToken,
    SendToChannel,
    SendToPeer,
    SetAttributes,
    encode,
)
from tests.unit.reference.server_bench import Bench, Wire, token

Answer = Done | Failed | Members | AttributesOf | Online

APPS = st.sampled_from(["one", "two"])
UIDS = st.sampled_from(["alice", "bob", "carol"])
CHANNELS = st.sampled_from(["lobby", "hall", "attic"])
INSTANCES = st.sampled_from(["phone", "laptop"])
SECONDS = st.sampled_from([0.0, 0.001, 0.5, 5.9, 6.0, 9.9, 10.0, 20.0, 29.9, 30.0])
PICK = st.integers(0, 1000)
ATTRIBUTES = st.dictionaries(st.sampled_from("abcd"), st.text(max_size=3), max_size=3)

REQUESTS = st.one_of(
    st.builds(Join, st.just(1), CHANNELS),
    st.builds(Leave, st.just(1), CHANNELS),
    st.builds(SendToPeer, st.just(1), UIDS, st.text(max_size=5)),
    st.builds(SendToChannel, st.just(1), CHANNELS, st.text(max_size=5)),
    st.builds(GetMembers, st.just(1), CHANNELS),
    st.builds(SetAttributes, st.just(1), ATTRIBUTES),
    st.builds(AddAttributes, st.just(1), ATTRIBUTES),
    st.builds(DeleteAttributes, st.just(1), st.lists(st.sampled_from("abcd"), max_size=3)),
    st.builds(GetAttributes, st.just(1), UIDS),
    st.builds(QueryOnline, st.just(1), st.lists(UIDS, max_size=3)),
    st.builds(RenewToken, st.just(1), st.sampled_from(["invalid_token", token("alice", "one")])),
)
RUBBISH = st.one_of(
    st.binary(max_size=60),
    st.text(alphabet=st.characters(), max_size=60),
    # A frame with a byte of it changed.
    st.builds(
        lambda frame, at, byte: (text := encode(frame))[: at % len(text)] + bytes([byte]) + text[at % len(text) + 1 :],
        REQUESTS,
        st.integers(0, 200),
        st.integers(0, 255),
    ),
)


@dataclass
class Seen:
    """What the client at one end of a connection has been told."""

    wire: Wire
    app_id: str = ""
    uid: str = ""
    is_in: bool = False
    members: dict[str, set[str]] = field(default_factory=dict)  # of each channel that it is in


class ServerLife(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench(ServerLimits(sessions_max=3, ended_noted_max=3, members_max=2, attributes_max=3))
        self.seen: list[Seen] = []
        self.sessions: list[str] = ["never was"]

    def open_ones(self) -> list[Seen]:
        return [seen for seen in self.seen if seen.wire.is_open()]

    def pick(self, number: int) -> Seen:
        return self.open_ones()[number % len(self.open_ones())]

    def act(self, seen: Seen, data: bytes | str) -> list[object]:
        """Send something; returns what came back on the same connection that nobody else caused."""
        self.bench.wait(0)
        self.note_all()
        seen.wire.raw(data)
        reactions = self.note(seen)
        self.note_all(only_of=seen.app_id)
        return reactions

    def note_all(self, only_of: str | None = None) -> None:
        for seen in self.seen:
            if only_of is not None and seen.app_id != only_of:
                assert not seen.wire.frames, "what happens in one tenant is not seen in another"
            assert self.note(seen) == []

    def note(self, seen: Seen) -> list[object]:
        """Take in what came on a connection, and return what is an answer."""
        answers: list[object] = []
        for frame in seen.wire.take():
            match frame:
                case MemberJoined(channel, member):
                    assert member not in seen.members[channel]
                    seen.members[channel].add(member)
                case MemberLeft(channel, member):
                    seen.members[channel].remove(member)
                case ChannelMessage(channel):
                    assert channel in seen.members
                case PeerMessage():
                    assert seen.is_in
                case Done() | Failed() | Members() | AttributesOf() | Online() | LoggedIn() | Pong():
                    answers.append(frame)
                case _:
                    assert not seen.wire.is_open(), "refused and ended are the last words"
        return answers

    def ask_members(self, seen: Seen, channel: str) -> set[str]:
        (answer,) = self.act(seen, encode(GetMembers(2, channel)))
        assert isinstance(answer, Members)
        return set(answer.members)

    # ------------------------------------------------------------------------------------------------ what can happen

    @rule()
    @precondition(lambda self: len(self.open_ones()) < 8)
    def connect(self) -> None:
        self.seen.append(Seen(self.bench.connect()))

    @rule(number=PICK, app_id=APPS, uid=UIDS, instance=INSTANCES, attempt=st.integers(0, 9), resume=PICK)
    @precondition(lambda self: self.open_ones())
    def log_in(self, number: int, app_id: str, uid: str, instance: str, attempt: int, resume: int) -> None:
        seen = self.pick(number)
        resumed = (self.sessions * 2 + [None] * len(self.sessions))[resume % (3 * len(self.sessions))]
        if not seen.is_in:
            seen.app_id, seen.uid = app_id, uid
        reactions = self.act(seen, encode(Login(app_id, uid, token(uid, app_id), instance, attempt, resumed)))
        if not seen.wire.is_open():
            assert reactions == []
            return
        (answer,) = reactions
        assert isinstance(answer, LoggedIn)
        seen.is_in = True
        self.sessions.append(answer.session)
        if answer.resumed:
            assert answer.session == resumed
            for channel in ("lobby", "hall", "attic"):
                members = self.ask_members(seen, channel)
                if uid in members:
                    seen.members[channel] = members

    @rule(number=PICK, request=REQUESTS)
    @precondition(lambda self: self.open_ones())
    def ask(self, number: int, request: ClientFrame) -> None:
        seen = self.pick(number)
        reactions = self.act(seen, encode(request))
        if not seen.is_in:
            assert reactions == []
            assert not seen.wire.is_open()
            return
        (answer,) = reactions
        assert isinstance(answer, Answer)
        assert answer.id == 1
        if isinstance(answer, Done) and isinstance(request, Join):
            seen.members[request.channel] = self.ask_members(seen, request.channel)
            assert seen.uid in seen.members[request.channel]
        if isinstance(answer, Done) and isinstance(request, Leave):
            del seen.members[request.channel]

    @rule(number=PICK)
    @precondition(lambda self: self.open_ones())
    def ping(self, number: int) -> None:
        seen = self.pick(number)
        assert self.act(seen, encode(Ping(7))) == ([Pong(7)] if seen.is_in else [])

    @rule(number=PICK)
    @precondition(lambda self: self.open_ones())
    def log_out(self, number: int) -> None:
        seen = self.pick(number)
        assert self.act(seen, encode(Logout())) == []
        assert not seen.wire.is_open()
        if seen.is_in:
            assert seen.uid not in self.bench.core.online(seen.app_id)

    @rule(number=PICK, data=RUBBISH)
    @precondition(lambda self: self.open_ones())
    def send_rubbish(self, number: int, data: bytes | str) -> None:
        seen = self.pick(number)
        # Rubbish may happen to be a request: then it may change what this one is in, and the notes are of no more use.
        reactions = self.act(seen, data)
        assert len(reactions) <= 1
        if seen.wire.is_open():
            self.drop_one(seen)

    @rule(number=PICK)
    @precondition(lambda self: self.open_ones())
    def drop(self, number: int) -> None:
        self.drop_one(self.pick(number))

    def drop_one(self, seen: Seen) -> None:
        self.bench.wait(0)
        self.note_all()
        seen.wire.drop()
        self.note_all(only_of=seen.app_id)

    @rule(seconds=SECONDS)
    def wait(self, seconds: float) -> None:
        self.bench.wait(seconds)
        self.note_all()

    @rule(app_id=APPS, uid=UIDS)
    def ban(self, app_id: str, uid: str) -> None:
        self.bench.wait(0)
        self.note_all()
        self.bench.core.ban(self.bench.now, app_id, uid)
        self.bench.settle()
        self.note_all(only_of=app_id)
        assert uid not in self.bench.core.online(app_id)

    @rule(app_id=APPS, uid=UIDS)
    def unban(self, app_id: str, uid: str) -> None:
        self.bench.core.unban(app_id, uid)
        assert self.bench.core.drain() == []

    # ----------------------------------------------------------------------------------------------- what always holds

    @invariant()
    def each_user_has_one_connection_at_most_and_is_online_with_it(self) -> None:
        users = [(seen.app_id, seen.uid) for seen in self.open_ones() if seen.is_in]
        assert len(users) == len(set(users))
        for app_id, uid in users:
            assert uid in self.bench.core.online(app_id)
            assert self.bench.core.connections_of(app_id, uid) == 1
        assert self.bench.core.stats().connections == len(self.open_ones())

    def teardown(self) -> None:
        for seen in self.open_ones():
            for channel, members in seen.members.items():
                if seen.wire.is_open():
                    assert self.ask_members(seen, channel) == members, "nobody was forgotten in what was told"
        self.bench.wait(31)
        assert self.bench.core.stats()[:2] == (0, 0)


TestServerLife = ServerLife.TestCase
# The same examples at each run: what they find is a change in the code, and never the luck of the day.
TestServerLife.settings = settings(max_examples=150, stateful_step_count=40, derandomize=True)
