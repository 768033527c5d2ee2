"""Two tenants on one server: what one of them does makes no difference to what the other one sees.

The same life of a tenant is played twice, once beside another tenant and once alone; each word that its clients hear
has to be the same. The other tenant has the same uids and channels, and knows the names of this one's sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.reference.requests_core import Request
from harness.reference.server_core import CloseCode
from harness.reference.wire import (
    AddAttributes,
    AttributesOf,
    Code,
    DeleteAttributes,
    Done,
    Failed,
    Frame,
    GetAttributes,
    GetMembers,
    Join,
    Leave,
    LoggedIn,
    Login,
    Logout,
    Members,
    Online,
    QueryOnline,
    Refused,
    RenewToken,
    SendToChannel,
    SendToPeer,
    SetAttributes,
    encode,
)
from harness.spec.timing import ns
from tests.unit.reference.server_bench import Bench, Wire, token
from tests.unit.reference.test_server_random import INSTANCES, REQUESTS, RUBBISH, SECONDS, UIDS

HERE, THERE = "here", "there"
SLOTS = st.integers(0, 2)


@dataclass(frozen=True)
class Act:
    """One thing that somebody of a tenant does on one of its connections."""

    tenant: str
    slot: int


@dataclass(frozen=True)
class Enter(Act):
    """A new connection, and a login on it."""

    uid: str
    instance: str
    attempt: int
    resumes: tuple[str, int] | None  # whose session, and which of theirs
    shows_token_of: str


@dataclass(frozen=True)
class Say(Act):
    data: bytes | str


@dataclass(frozen=True)
class Drop(Act):
    pass


@dataclass(frozen=True)
class Ban(Act):
    uid: str


@dataclass(frozen=True)
class Wait(Act):
    seconds: float


TENANTS = st.sampled_from([HERE, THERE])
ACTS = st.one_of(
    st.builds(
        Enter,
        TENANTS,
        SLOTS,
        UIDS,
        INSTANCES,
        st.integers(0, 3),
        st.none() | st.tuples(TENANTS, st.integers(0, 5)),
        st.sampled_from([HERE, THERE]),
    ),
    st.builds(Say, TENANTS, SLOTS, st.one_of(REQUESTS.map(encode), st.just(encode(Logout())), RUBBISH)),
    st.builds(Drop, TENANTS, SLOTS),
    st.builds(Ban, TENANTS, SLOTS, UIDS),
    st.builds(Wait, TENANTS, SLOTS, SECONDS),
)


class Life:
    """Plays acts on one core, and writes down what one tenant hears of it."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.wires: dict[tuple[str, int], Wire] = {}
        self.names: dict[str, list[str]] = {HERE: [], THERE: []}  # of sessions, in the order of their beginning
        self.heard: list[object] = []  # by HERE

    def play(self, act: Act) -> None:
        wire = self.wires.get((act.tenant, act.slot))
        match act:
            case Enter():
                self.enter(act)
            case Say(data=data) if wire is not None and wire.is_open():
                wire.raw(data)
            case Drop() if wire is not None and wire.is_open():
                wire.drop()
            case Ban(uid=uid):
                self.bench.core.ban(self.bench.now, act.tenant, uid)
                self.bench.settle()
            case Wait(seconds=seconds):
                self.bench.wait(seconds)
        self.note()

    def enter(self, act: Enter) -> None:
        wire = self.wires[act.tenant, act.slot] = self.bench.connect()
        shown = token(act.uid, act.shows_token_of)
        wire.send(Login(act.tenant, act.uid, shown, act.instance, act.attempt, self.name_of(act.resumes)))
        for frame in wire.frames:
            if isinstance(frame, LoggedIn) and frame.session not in self.names[act.tenant]:
                self.names[act.tenant].append(frame.session)

    def name_of(self, which: tuple[str, int] | None) -> str | None:
        """Return the name of a session; one that nobody has here stands for those of a tenant that is not played."""
        if which is None:
            return None
        tenant, number = which
        return self.names[tenant][number] if number < len(self.names[tenant]) else "nobody's"

    def note(self) -> None:
        core = self.bench.core
        self.heard.append((core.online(HERE), [core.connections_of(HERE, uid) for uid in core.online(HERE)]))
        for (tenant, slot), wire in self.wires.items():
            frames = wire.take()
            if tenant == HERE:
                self.heard += [(slot, self.relabelled(frame)) for frame in frames]
                self.heard.append((slot, wire.closed and (wire.closed.code, wire.closed.reason)))

    def relabelled(self, frame: Frame) -> Frame:
        if isinstance(frame, LoggedIn):
            return msgspec.structs.replace(frame, session=f"number {self.names[HERE].index(frame.session)}")
        return frame


def heard_by_here(acts: list[Act]) -> list[list[object]]:
    """Play acts, and return what was heard after each one of HERE; the time that passes is everybody's."""
    life, heard = Life(), []
    for act in acts:
        life.play(act)
        if act.tenant == HERE or isinstance(act, Wait):
            heard.append(life.heard)
            life.heard = []
        else:
            said = [entry for entry in life.heard if isinstance(entry[1], Frame)]  # type: ignore[index]
            assert said == [], "nobody is told of what another tenant does"
            life.heard = []
    return heard


@settings(max_examples=300, derandomize=True)
@given(st.lists(ACTS, max_size=40))
def test_a_tenant_hears_the_same_alone_and_beside_another_one(acts: list[Act]) -> None:
    alone = [act for act in acts if act.tenant == HERE or isinstance(act, Wait)]
    assert heard_by_here(acts) == heard_by_here(alone)


# What each request of a stranger is answered who has alice's uid and knows her channel, in a tenant of their own.
ALONE: list[tuple[Request, Frame]] = [
    (RenewToken(1, token("alice", HERE)), Failed(1, Code.NOT_AUTHORIZED, "the token is somebody else's")),
    (Join(1, "lobby"), Done(1)),
    (Leave(1, "lobby"), Failed(1, Code.NOT_IN_CHANNEL)),
    (SendToPeer(1, "bob", "psst"), Failed(1, Code.REJECTED, "bob is not online")),
    (SendToChannel(1, "lobby", "psst"), Failed(1, Code.NOT_IN_CHANNEL)),
    (GetMembers(1, "lobby"), Members(1, [])),
    (GetAttributes(1, "bob"), AttributesOf(1, {})),
    (SetAttributes(1, {"mood": "bad"}), Done(1)),
    (AddAttributes(1, {"mood": "bad"}), Done(1)),
    (DeleteAttributes(1, ["mood"]), Done(1)),
    (QueryOnline(1, ["alice", "bob"]), Online(1, {"alice": True, "bob": False})),
]


def test_each_kind_of_request_is_tried() -> None:
    assert {type(request) for request, _ in ALONE} == set(get_args(Request))


@pytest.mark.parametrize(("request_", "answer"), ALONE, ids=lambda frame: type(frame).__name__)
def test_no_request_reaches_another_tenant(request_: Request, answer: Frame) -> None:
    bench = Bench()
    alice, bob = bench.user("alice", app_id=HERE), bench.user("bob", app_id=HERE)
    for wire in (alice, bob):
        wire.send(Join(1, "lobby"))
        wire.send(SetAttributes(2, {"mood": "good"}))
        wire.take()
    alice.take()
    stranger = bench.user("alice", app_id=THERE)
    assert stranger.ask(request_) == answer
    assert alice.take() == bob.take() == []
    assert alice.ask(GetMembers(3, "lobby")) == Members(3, ["alice", "bob"])
    assert alice.ask(GetAttributes(4, "alice")) == AttributesOf(4, {"mood": "good"})


@pytest.mark.parametrize("resumes", [False, True])
def test_a_login_elsewhere_neither_kicks_nor_resumes_nor_retires(resumes: bool) -> None:
    bench = Bench()
    alice, session = bench.online("alice", app_id=HERE)
    name = session if resumes else None
    _, other = bench.online("alice", app_id=THERE, instance="laptop", attempt=9, resume=name)
    assert other != session
    assert alice.is_open()
    assert alice.take() == []
    bench.now += ns(1)
    alice.ping()


def test_a_token_opens_its_own_tenant_alone() -> None:
    bench = Bench()
    alice = bench.user("alice", app_id=HERE)
    thief = bench.connect()
    answer = thief.log_in("alice", app_id=HERE, instance="laptop", with_token=token("alice", THERE))
    assert answer == Refused(Code.NOT_AUTHORIZED, "the token is somebody else's")
    assert thief.closed is not None
    assert thief.closed.code == CloseCode.POLICY
    assert alice.is_open()
