from __future__ import annotations

import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.reference import wire
from harness.reference.wire import (
    FRAME_BYTES_MAX,
    ClientFrame,
    Code,
    EndReason,
    Frame,
    ServerFrame,
    WireError,
    decode_from_client,
    decode_from_server,
    encode,
)

FROM_CLIENT: list[tuple[ClientFrame, dict[str, Any]]] = [
    (
        wire.Login("app", "alice", "t", "phone", 3),
        {"type": "login", "app_id": "app", "uid": "alice", "token": "t", "instance": "phone", "attempt": 3},
    ),
    (
        wire.Login("app", "alice", "t", "phone", 0, "s"),
        {
            "type": "login",
            "app_id": "app",
            "uid": "alice",
            "token": "t",
            "instance": "phone",
            "attempt": 0,
            "resume": "s",
        },
    ),
    (wire.Ping(7), {"type": "ping", "n": 7}),
    (wire.Logout(), {"type": "logout"}),
    (wire.RenewToken(1, "t"), {"type": "renew_token", "id": 1, "token": "t"}),
    (wire.Join(1, "lobby"), {"type": "join", "id": 1, "channel": "lobby"}),
    (wire.Leave(1, "lobby"), {"type": "leave", "id": 1, "channel": "lobby"}),
    (wire.SendToPeer(1, "bob", "é"), {"type": "send_to_peer", "id": 1, "peer": "bob", "text": "é"}),
    (wire.SendToChannel(1, "lobby", ""), {"type": "send_to_channel", "id": 1, "channel": "lobby", "text": ""}),
    (wire.GetMembers(1, "lobby"), {"type": "get_members", "id": 1, "channel": "lobby"}),
    (wire.SetAttributes(1, {"a": "b"}), {"type": "set_attributes", "id": 1, "attributes": {"a": "b"}}),
    (wire.AddAttributes(1, {}), {"type": "add_attributes", "id": 1, "attributes": {}}),
    (wire.DeleteAttributes(1, ["a"]), {"type": "delete_attributes", "id": 1, "keys": ["a"]}),
    (wire.GetAttributes(1, "bob"), {"type": "get_attributes", "id": 1, "uid": "bob"}),
    (wire.QueryOnline(2**53 - 1, ["bob"]), {"type": "query_online", "id": 2**53 - 1, "uids": ["bob"]}),
]
FROM_SERVER: list[tuple[ServerFrame, dict[str, Any]]] = [
    (
        wire.LoggedIn("s", resumed=True, heartbeat_s=0.5),
        {"type": "logged_in", "session": "s", "resumed": True, "heartbeat_s": 0.5},
    ),
    (
        wire.LoggedIn("s", resumed=False, heartbeat_s=0.5, token_expires_in_s=1.5),
        {"type": "logged_in", "session": "s", "resumed": False, "heartbeat_s": 0.5, "token_expires_in_s": 1.5},
    ),
    (wire.Refused(Code.SUPERSEDED), {"type": "refused", "code": "superseded"}),
    (wire.Pong(7), {"type": "pong", "n": 7}),
    (wire.Ended(EndReason.REMOTE_LOGIN), {"type": "ended", "reason": "remote_login"}),
    (wire.Done(1), {"type": "done", "id": 1}),
    (wire.Done(1, token_expires_in_s=2.5), {"type": "done", "id": 1, "token_expires_in_s": 2.5}),
    (wire.Failed(1, Code.TOO_OFTEN, "why"), {"type": "failed", "id": 1, "code": "too_often", "why": "why"}),
    (wire.Members(1, ["a"]), {"type": "members", "id": 1, "members": ["a"]}),
    (wire.AttributesOf(1, {"a": "b"}), {"type": "attributes", "id": 1, "attributes": {"a": "b"}}),
    (wire.Online(1, {"a": True}), {"type": "online", "id": 1, "online": {"a": True}}),
    (wire.MemberJoined("lobby", "bob"), {"type": "member_joined", "channel": "lobby", "uid": "bob"}),
    (wire.MemberLeft("lobby", "bob"), {"type": "member_left", "channel": "lobby", "uid": "bob"}),
    (wire.PeerMessage("bob", "hi"), {"type": "peer_message", "sender": "bob", "text": "hi"}),
    (
        wire.ChannelMessage("lobby", "bob", "hi"),
        {"type": "channel_message", "channel": "lobby", "sender": "bob", "text": "hi"},
    ),
]


def name_of(value: object) -> str:
    return type(value).__name__ if isinstance(value, Frame) else ""


@pytest.mark.parametrize(("frame", "written"), FROM_CLIENT, ids=name_of)
def test_a_clients_frame_is_this_text_and_comes_back_as_it_was(frame: ClientFrame, written: dict[str, Any]) -> None:
    text = encode(frame)
    assert json.loads(text) == written
    assert decode_from_client(text) == frame
    assert decode_from_client(text.decode()) == frame


@pytest.mark.parametrize(("frame", "written"), FROM_SERVER, ids=name_of)
def test_a_servers_frame_is_this_text_and_comes_back_as_it_was(frame: ServerFrame, written: dict[str, Any]) -> None:
    text = encode(frame)
    assert json.loads(text) == written
    assert decode_from_server(text) == frame


def test_every_frame_is_among_those_above() -> None:
    shown = {type(frame) for frame, _ in [*FROM_CLIENT, *FROM_SERVER]}
    known = {thing for thing in vars(wire).values() if isinstance(thing, type) and issubclass(thing, Frame)} - {Frame}
    assert shown == known


LIMITS = [
    ({"type": "ping", "n": 0}, True),
    ({"type": "ping", "n": -1}, False),
    ({"type": "ping", "n": 2**53 - 1}, True),
    ({"type": "ping", "n": 2**53}, False),
    ({"type": "ping", "n": 1.5}, False),
    ({"type": "ping", "n": "1"}, False),
    ({"type": "ping", "n": True}, False),
    ({"type": "join", "id": 0, "channel": "c"}, False),
    ({"type": "join", "id": 1, "channel": ""}, False),
    ({"type": "join", "id": 1, "channel": "c" * 64}, True),
    ({"type": "join", "id": 1, "channel": "c" * 65}, False),
    ({"type": "join", "id": 1, "channel": None}, False),
    ({"type": "join", "channel": "c"}, False),
    ({"type": "join", "id": 1, "channel": "c", "more": 1}, False),
    ({"type": "joined", "id": 1, "channel": "c"}, False),
    ({"id": 1, "channel": "c"}, False),
    ({"type": "pong", "n": 1}, False),  # a server's frame
    ({"type": "send_to_peer", "id": 1, "peer": "b", "text": "x" * 32 * 1024}, True),
    ({"type": "send_to_peer", "id": 1, "peer": "b", "text": "x" * (32 * 1024 + 1)}, False),
    ({"type": "renew_token", "id": 1, "token": "x" * 4096}, True),
    ({"type": "renew_token", "id": 1, "token": "x" * 4097}, False),
    ({"type": "set_attributes", "id": 1, "attributes": {str(n): "" for n in range(32)}}, True),
    ({"type": "set_attributes", "id": 1, "attributes": {str(n): "" for n in range(33)}}, False),
    ({"type": "set_attributes", "id": 1, "attributes": {"a": "x" * 1024}}, True),
    ({"type": "set_attributes", "id": 1, "attributes": {"a": "x" * 1025}}, False),
    ({"type": "set_attributes", "id": 1, "attributes": {"": "x"}}, False),
    ({"type": "query_online", "id": 1, "uids": ["u"] * 256}, True),
    ({"type": "query_online", "id": 1, "uids": ["u"] * 257}, False),
]


@pytest.mark.parametrize(("written", "is_legal"), LIMITS)
def test_the_limits_of_a_frame(written: dict[str, Any], is_legal: bool) -> None:
    text = json.dumps(written)
    if is_legal:
        assert msgspec.to_builtins(decode_from_client(text)) == written
    else:
        with pytest.raises(WireError, match=r"not a frame of rtm\.v1: ") as caught:
            decode_from_client(text)
        assert caught.value.close_code == WireError.INVALID


@pytest.mark.parametrize("told", ["-1e12", "0", "1e12", "1000000000000"])
def test_a_token_lives_for_up_to_so_long(told: str) -> None:
    frame = decode_from_server('{"type":"done","id":1,"token_expires_in_s":' + told + "}")
    assert frame == wire.Done(1, token_expires_in_s=float(told))


@pytest.mark.parametrize("told", ["1.000001e12", "-1.000001e12", "1e308", "-1e308", "1" + "0" * 308])
def test_a_token_that_would_live_for_longer_is_no_frame(told: str) -> None:
    for start in ('{"type":"done","id":1,', '{"type":"logged_in","session":"s","resumed":true,"heartbeat_s":1,'):
        with pytest.raises(WireError, match="token_expires_in_s"):
            decode_from_server(f'{start}"token_expires_in_s":{told}}}')


MALFORMED: list[bytes | str] = [
    b"",
    "",
    b"null",
    b"[]",
    b'"ping"',
    b"{",
    b'{"type":"ping","n":1}}',
    b'{"type":"ping","n":1e400}',
    b"\xff\xfe",
    b'{"type":"\xff"}',
    b"\xef\xbb\xbf" + b'{"type":"logout"}',
    '{"type":"send_to_peer","id":1,"peer":"b","text":"\ud800"}',
    r'{"type":"send_to_peer","id":1,"peer":"b","text":"\ud800"}',
    '{"x":' + "[" * 20_000 + "]" * 20_000 + ',"type":"logout"}',
]


@pytest.mark.parametrize("data", MALFORMED, ids=lambda data: repr(data[:20]))
def test_what_is_no_frame_is_one_kind_of_error(data: bytes | str) -> None:
    for decode in (decode_from_client, decode_from_server):
        with pytest.raises(WireError, match=r"not a frame of rtm\.v1: ") as caught:
            decode(data)
        assert caught.value.close_code == 1007


def test_of_a_long_frame_only_the_beginning_is_told() -> None:
    with pytest.raises(WireError, match="unknown field `xxx") as caught:
        decode_from_client('{"type":"logout","' + "x" * 10_000 + '":1}')
    assert len(str(caught.value)) == 500


@pytest.mark.parametrize("is_text", [True, False])
def test_a_frame_has_so_many_bytes_and_no_more(is_text: bool) -> None:
    frame = '{"type":"logout"' + "é" * 10  # fewer letters than bytes
    full = frame + " " * (FRAME_BYTES_MAX - len(frame.encode()))
    with pytest.raises(WireError, match="not a frame"):
        decode_from_client(full if is_text else full.encode())
    with pytest.raises(WireError, match="frame of 65537 bytes, at most 65536") as caught:
        decode_from_client(full + " " if is_text else full.encode() + b" ")
    assert caught.value.close_code == 1009


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_any_bytes_are_a_frame_or_a_wire_error(data: bytes | str) -> None:
    frame: ClientFrame | None = None
    with contextlib.suppress(WireError):
        frame = decode_from_client(data)
    assert frame is None or decode_from_client(encode(frame)) == frame
