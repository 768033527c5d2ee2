"""Frames made by choices: each type with each of its fields, with values that fit and values that are out of bounds.

They are written as JSON without the structs of the wire, so that what those would not let be made is sent too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import msgspec

from harness.reference.wire import ATTRIBUTES_MAX, ClientFrame, Code, EndReason, Frame, ServerFrame
from tests.fuzz.choices import Choices

UIDS = ("alice", "bob", "carol")
CHANNELS = ("lobby", "hall", "attic", "c" * 65)
HOSTILE: tuple[Any, ...] = (None, True, "", [], {}, -1, 2**53, 2**63, 10**30, 1e308, "x" * 5000, "\x00", "é😀", [[]])
TEXTS = ("", "hi", "\x00", "\x7f" * 200, "é😀", "x" * 33_000, "\x01" * 10_000)
LIFETIMES_S = (None, 1.0, 20.0, 0.0, -1.0, 1e12, -1e12, 1e13, 1e308)
_KEYS = ("a", "b", "k" * 64)

# By the name of a field: what it may be. The first half of what is drawn is likely to be taken for good.
VALUES: Mapping[str, Sequence[Any]] = {
    "app_id": ("one", "two", "three", "no such id!"),
    "uid": UIDS,
    "peer": UIDS,
    "sender": UIDS,
    "uids": ([], ["bob"], ["alice"] * 257),
    "members": (["bob"], [], ["alice", "bob"], ["bob"] * 1000),
    "channel": CHANNELS,
    "text": TEXTS,
    "why": TEXTS,
    "token": ("token", "token_expired", "", "x" * 4096),
    "instance": ("phone", "laptop", "i" * 129),
    "attempt": (1, 0, 2, 3, 2**53 - 1),
    "resume": (None, "session-1", "session-2", "session-3"),
    "session": ("s1", "s2", "s" * 128, ""),
    "resumed": (False, True),
    "heartbeat_s": (0.5, 0.5, 1.0, 2.0, 0.0, 2.1, -1.0, 1e308),
    "token_expires_in_s": LIFETIMES_S,
    "id": (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 2**53 - 1),
    "n": (1, 2, 3, 4, 5, 6, 7, 8, 0, 2**53 - 1),
    "code": list(Code),
    "reason": list(EndReason),
    "attributes": ({}, {"a": "1"}, {"b": "2"}, {str(n): "" for n in range(ATTRIBUTES_MAX + 1)}, {"a": "x" * 1025}),
    "keys": ([], ["a"], list(_KEYS)),
    "online": ({}, {"bob": True}),
}
_SPOILT = 0xF8  # a byte from here on spoils what it is taken for


def client_frame(choices: Choices) -> bytes:
    """Return the text of some frame of a client."""
    return _spoilt(choices, _text(choices, get_args(ClientFrame)))


def server_frame(choices: Choices) -> bytes:
    """Return the text of some frame of a server."""
    return _spoilt(choices, _text(choices, get_args(ServerFrame)))


def _text(choices: Choices, kinds: Sequence[type[Frame]]) -> bytes:
    kind = choices.pick(kinds)
    told: dict[str, Any] = {"type": kind.__struct_config__.tag}
    for field in msgspec.structs.fields(kind):
        how = choices.byte()
        if how >= _SPOILT:
            told[field.name] = choices.pick(HOSTILE)
        else:
            values = VALUES[field.name]
            told[field.name] = values[how % len(values)]
    return json.dumps(told).encode()


def _spoilt(choices: Choices, text: bytes) -> bytes:
    """Return the text as it is, mostly; else with some bytes of it replaced, or cut off."""
    how = choices.byte()
    if how < _SPOILT:
        return text
    at = choices.byte() * len(text) // 256
    return text[:at] + choices.take(how - _SPOILT) + text[at + choices.byte() % 16 :]
