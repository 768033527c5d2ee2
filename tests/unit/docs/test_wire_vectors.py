"""The vectors of the wire page: each end of the reference is driven by them, frame by frame."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from harness.reference import wire
from harness.reference.client_core import Callback, ClientCore, Log, Open, Reply
from harness.reference.client_core import Close as ClientClose
from harness.reference.client_core import Send as ClientSend
from harness.reference.server_core import Claims, Send, ServerCore
from harness.reference.wire import Code, WireError, decode_from_client, decode_from_server, encode
from harness.spec.timing import ns
from tests.unit.docs.pages import ROOT

VECTORS = ROOT / "docs" / "vectors"
Vector = dict[str, Any]
Step = dict[str, Any]


def load(name: str) -> list[Vector]:
    vectors: list[Vector] = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    return vectors


FRAMES = load("frames.json")
CONVERSATIONS = {each["name"]: each for each in load("conversations.json")}


# ------------------------------------------------------------------------------------------------------- single frames


def decode(vector: Vector) -> wire.Frame:
    text = vector["text"].encode()
    text = text.ljust(vector.get("padded_to_bytes", len(text)))
    return decode_from_client(text) if vector["from"] == "client" else decode_from_server(text)


@pytest.mark.parametrize("vector", [each for each in FRAMES if "frame" in each], ids=lambda each: each["text"][:60])
def test_a_frame_is_read_as_the_vector_says_and_written_as_it_says(vector: Vector) -> None:
    frame = decode(vector)
    assert json.loads(encode(frame)) == vector["frame"]
    assert decode(vector | {"text": encode(frame).decode()}) == frame


@pytest.mark.parametrize("vector", [each for each in FRAMES if "closes" in each], ids=lambda each: each["why"])
def test_what_is_no_frame_closes_the_connection_as_the_vector_says(vector: Vector) -> None:
    with pytest.raises(WireError) as raised:
        decode(vector)
    assert raised.value.close_code == vector["closes"]


@pytest.mark.parametrize(("sender", "union"), [("client", wire.ClientFrame), ("server", wire.ServerFrame)])
def test_there_is_a_vector_for_each_type_each_code_and_each_end_reason(sender: str, union: Any) -> None:
    frames = [decode(each) for each in FRAMES if each["from"] == sender and "frame" in each]
    assert {type(frame) for frame in frames} == set(union.__args__)
    if sender == "server":
        assert {frame.code for frame in frames if isinstance(frame, wire.Refused)} == set(Code)
        assert {frame.reason for frame in frames if isinstance(frame, wire.Ended)} == set(wire.EndReason)


# ------------------------------------------------------------------------------------------------------- conversations


class Said(NamedTuple):
    """What one end of the reference did: in the words of a step, without what only a reader needs."""

    kind: str
    at_ns: int
    rest: dict[str, Any]


def said(kind: str, at_ns: int, **rest: Any) -> Said:
    return Said(kind, at_ns, json.loads(json.dumps(rest)))


class Ends:
    """One end, and what it has said that no step has told yet."""

    def __init__(self, tick: Callable[[int], None], drain: Callable[[int], Iterator[Said]]) -> None:
        self.untold: deque[Said] = deque()
        self._tick = tick
        self._drain = drain

    def told(self, step: Step) -> None:
        """Hold a step of this end against what it says by then."""
        at_ns = ns(step["at_s"])
        if not self.untold:
            self._tick(at_ns)
            self.heard(at_ns)
        assert self.untold, f"nothing was said, expected {step}"
        wanted = {key: value for key, value in step.items() if key not in ("kind", "at_s", "arrives", "client")}
        assert self.untold.popleft() == said(step["kind"], at_ns, **wanted)

    def heard(self, at_ns: int) -> None:
        self.untold.extend(self._drain(at_ns))


class Server(Ends):
    """The reference server, by hand."""

    def __init__(self, told: Vector) -> None:
        self._tokens: Mapping[str, Vector] = told["tokens"]
        self._names = iter(told["sessions"])
        self._heartbeat_s = told["heartbeat_s"]
        self._numbers: dict[str, int] = {}
        self._connections: list[str] = []
        self.core = self.anew()
        super().__init__(lambda at_ns: self.core.tick(at_ns), self._said)

    def anew(self) -> ServerCore:
        return ServerCore(
            authenticate=self._authenticate, new_session_id=lambda: next(self._names), heartbeat_s=self._heartbeat_s
        )

    def number(self, on: str) -> int:
        return self._numbers.setdefault(on, len(self._numbers) + 1)

    def take(self, step: Step) -> None:
        """Take a step that comes from outside."""
        at_ns = ns(step["at_s"])
        match step:
            case {"kind": "restart"}:
                self.core = self.anew()
            case {"kind": "ban"}:
                self.core.ban(at_ns, step["app_id"], step["uid"])
            case {"kind": "opened", "on": on}:
                self.core.connected(at_ns, self.number(on))
            case {"kind": "client", "on": on}:
                self.core.received(at_ns, self.number(on), text_of(step))
            case {"kind": "lost" | "close", "on": on}:
                self.core.disconnected(at_ns, self.number(on))
        self.heard(at_ns)

    def _authenticate(self, token: str, now: int) -> Claims | Code:
        told = self._tokens.get(token)
        if told is None:
            return Code.INVALID_TOKEN
        expires_ns = None if told.get("expires_at_s") is None else ns(told["expires_at_s"])
        if expires_ns is not None and expires_ns <= now:
            return Code.TOKEN_EXPIRED
        return Claims(told["app_id"], told["uid"], None if expires_ns is None else (expires_ns - now) / 1e9)

    def _said(self, at_ns: int) -> Iterator[Said]:
        names = {number: on for on, number in self._numbers.items()}
        for effect in self.core.drain():
            on = names[effect.conn]
            if isinstance(effect, Send):
                yield said("server", at_ns, on=on, frame=json.loads(encode(effect.frame)))
            else:
                yield said("close", at_ns, on=on, by="server", code=effect.code)


class Client(Ends):
    """The reference client, by hand. Without chance: half of each back-off's jitter."""

    def __init__(self, name: str, told: Vector) -> None:
        self._name = name
        self.core = ClientCore(told["app_id"], instance=told["instance"], jitter=lambda: 0.5)
        super().__init__(self.core.tick, self._said)

    def take(self, step: Step) -> None:
        """Take a step that comes from outside."""
        at_ns = ns(step["at_s"])
        conn = int(step["on"].split("/")[1]) if "on" in step else 0
        match step["kind"]:
            case "call":
                returned = getattr(self.core, step["call"])(at_ns, *step["args"])
                assert "returns" not in step or returned == step["returns"]
            case "opened":
                self.core.connection_opened(at_ns, conn)
            case "server":
                self.core.received(at_ns, conn, text_of(step))
            case "lost" | "close":
                self.core.connection_lost(at_ns, conn)
        self.heard(at_ns)

    def _said(self, at_ns: int) -> Iterator[Said]:
        for effect in self.core.drain():
            match effect:
                case Open(conn):
                    yield said("connect", at_ns, on=f"{self._name}/{conn}")
                case ClientSend(conn, frame):
                    yield said("client", at_ns, on=f"{self._name}/{conn}", frame=json.loads(encode(frame)))
                case ClientClose(conn, _):
                    yield said("close", at_ns, on=f"{self._name}/{conn}", by="client")
                case Callback(name, args):
                    yield said("callback", at_ns, name=name, args=args)
                case Reply(call_id, code, values):
                    yield said("reply", at_ns, call=call_id, code=code, values=values)
                case Log():
                    continue  # for the reader of a log: no part of the conversation


def text_of(step: Step) -> str:
    text: str = step["text"] if "text" in step else json.dumps(step["frame"])
    return text


def is_by_server(step: Step) -> bool:
    return step["kind"] == "server" or step.get("by") == "server"


def is_by_client(step: Step) -> bool:
    return step["kind"] in ("connect", "client", "callback", "reply") or step.get("by") == "client"


@pytest.mark.parametrize("name", [name for name, told in CONVERSATIONS.items() if not told.get("server_by_hand")])
def test_the_server_says_what_the_conversation_says(name: str) -> None:
    server = Server(CONVERSATIONS[name])
    for step in CONVERSATIONS[name]["steps"]:
        if is_by_server(step):
            server.told(step)
        elif step.get("arrives", True):
            server.take(step)
    assert not server.untold


CLIENTS = [
    (name, client)
    for name, told in CONVERSATIONS.items()
    for client, spec in told["clients"].items()
    if not spec.get("by_hand")
]


@pytest.mark.parametrize(("name", "who"), CLIENTS)
def test_the_client_says_what_the_conversation_says(name: str, who: str) -> None:
    told = CONVERSATIONS[name]
    client = Client(who, told["clients"][who])
    for step in told["steps"]:
        if step["kind"] == "crash" and step["client"] == who:
            break
        if who not in (step.get("client"), step.get("on", "").split("/")[0]):
            continue
        if is_by_client(step):
            client.told(step)
        elif step.get("arrives", True):
            client.take(step)
    assert not client.untold


def test_there_is_a_conversation_for_each_thing_that_can_become_of_a_session() -> None:
    frames = [step["frame"] for told in CONVERSATIONS.values() for step in told["steps"] if "frame" in step]
    assert {frame["reason"] for frame in frames if frame["type"] == "ended"} == {each.value for each in wire.EndReason}
    assert {frame["resumed"] for frame in frames if frame["type"] == "logged_in"} == {True, False}
    assert {"superseded", "banned", "stale", "token_expired"} <= {each.get("code") for each in frames}


def test_a_conversation_that_tells_something_else_is_found() -> None:
    told = CONVERSATIONS["login"]
    steps = [step for step in told["steps"] if is_by_server(step)]
    wrong = Server(told)
    with pytest.raises(AssertionError, match="nothing was said"):
        wrong.told(steps[0])
    late = Server(told)
    for step in told["steps"][: told["steps"].index(steps[0])]:
        late.take(step)
    with pytest.raises(AssertionError):
        late.told(steps[0] | {"frame": steps[0]["frame"] | {"resumed": True}})
