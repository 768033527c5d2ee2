"""The adapter contract: what the harness and the process that carries an implementation say to each other.

JSON lines in UTF-8: one request a line on the adapter's standard input, one answer or event a line on its standard
output; standard error is free for logs. The end of standard input means 'finish'. Requests may be answered out of
order; each answer carries the ``id`` of its request. States, reasons and codes are the published numbers.

The order of a conversation: ``hello`` (what are you), ``clock`` a few times (how do our clocks compare), a request that
does not exist (which must be answered ``unsupported``), ``create`` (one client, and where its server is), then the
calls of the scenario.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

CONTRACT_VERSION = 1
LINE_BYTES_MAX = 1024 * 1024
# Brackets within brackets in the values of one line. What is deeper may be read, and not be written again.
NESTED_MAX = 64
INSTANT_MAX_NS = 2**62  # 146 years: so the difference of two instants still is a number of 64 bits

Instant = Annotated[int, Meta(ge=-INSTANT_MAX_NS, le=INSTANT_MAX_NS)]  # of a monotonic clock

# What a server finds in its environment: the secret that tokens are signed with; with TLS two PEM files.
SECRET_VARIABLE = "LINKPROOF_SECRET"
CERTIFICATE_VARIABLE = "LINKPROOF_TLS_CERT"
KEY_VARIABLE = "LINKPROOF_TLS_KEY"

# What an implementation can lack without being judged for it (the verdict is then UNSUPPORTED, never PASS).
COVERED_BY: dict[str, str] = {
    "channels": "joining and leaving channels, their members",
    "attributes": "the attributes of a user",
    "presence": "asking who is online",
    "messages": "messages to peers and to channels",
    "token-renewal": "putting a new token in the place of the old one",
    "reactions": "calls, and exceptions, [from inside callbacks](#react)",
}
CAPABILITIES: tuple[str, ...] = tuple(COVERED_BY)

# Every call of the SDK: its arguments, what its answer carries beside the code, and the capability that it needs.
CALLS: dict[str, tuple[dict[str, str], dict[str, str], str | None]] = {
    "login": ({"token": "string", "uid": "string"}, {}, None),
    "logout": ({}, {}, None),
    "renewToken": ({"token": "string"}, {}, "token-renewal"),
    "join": ({"channel": "string"}, {}, "channels"),
    "leave": ({"channel": "string"}, {}, "channels"),
    "sendToPeer": ({"peer": "string", "text": "string"}, {}, "messages"),
    "sendToChannel": ({"channel": "string", "text": "string"}, {}, "messages"),
    "getMembers": ({"channel": "string"}, {"members": "sorted list of uids"}, "channels"),
    "setAttributes": ({"attributes": "object of strings"}, {}, "attributes"),
    "addAttributes": ({"attributes": "object of strings"}, {}, "attributes"),
    "deleteAttributes": ({"keys": "list of strings"}, {}, "attributes"),
    "getAttributes": ({"uid": "string"}, {"attributes": "object of strings"}, "attributes"),
    "queryOnline": ({"uids": "list of strings"}, {"online": "object of booleans"}, "presence"),
    # No call of the SDK, but of its adapter: the next time that this callback comes, report it, and then make this call
    # from inside it; or raise an exception there, where the call is empty.
    "react": ({"callback": "string", "call": "string", "args": "object"}, {}, "reactions"),
}

# Every callback of the SDK, and its arguments.
CALLBACKS: dict[str, dict[str, str]] = {
    "onLoginSuccess": {},
    "onLoginFailure": {"code": "number"},
    "onLogout": {"code": "number"},
    "onConnectionStateChanged": {"state": "number", "reason": "number"},
    "onTokenExpired": {},
    "onRenewTokenResult": {"token": "string", "code": "number"},
    "onMessageReceivedFromPeer": {"peer": "string", "text": "string"},
    "onJoinSuccess": {"channel": "string"},
    "onJoinFailure": {"channel": "string", "code": "number"},
    "onLeave": {"channel": "string", "code": "number"},
    "onMemberJoined": {"channel": "string", "member": "string"},
    "onMemberLeft": {"channel": "string", "member": "string"},
    "onMessageReceived": {"channel": "string", "member": "string", "text": "string"},
}


class Request(Struct, frozen=True):
    """Harness to adapter: do this, and answer with the same id."""

    id: Annotated[int, Meta(description="counts up from 1")]
    call: Annotated[str, Meta(description="what is asked for")]
    args: Annotated[dict[str, Any], Meta(description="its arguments")] = {}


class Answer(Struct, frozen=True, omit_defaults=True):
    """Adapter to harness: the outcome of a request.

    ``result`` of an SDK's call holds ``code`` (the published number; 0 where the call has none) and the values that the
    call is asked for. ``error`` is ``unsupported`` for a request that the adapter does not know or the SDK cannot do,
    or any other text for a failure of the adapter itself. ``at_ns`` is the adapter's clock when the SDK answered.
    """

    id: Annotated[int, Meta(description="that of the request")]
    at_ns: Annotated[Instant, Meta(description="your monotonic clock when the client answered")]
    result: Annotated[dict[str, Any] | None, Meta(description="what came of it; left out where there is an error")] = (
        None
    )
    error: Annotated[
        str | None,
        Meta(description="`unsupported`, or what went wrong in the adapter; left out where there is none"),
    ] = None


class Event(Struct, frozen=True):
    """Adapter to harness: the SDK called back. ``at_ns`` is the adapter's monotonic clock inside the callback."""

    event: Annotated[str, Meta(description="the name of the callback")]
    at_ns: Annotated[Instant, Meta(description="your monotonic clock, read first thing inside the callback")]
    args: Annotated[
        dict[str, Any], Meta(description="its arguments, exactly those of [the table below](#callbacks)")
    ] = {}


class Hello(Struct, frozen=True, omit_defaults=True):
    """The result of ``hello``: what is under test, and the intervals that only it can know.

    ``heartbeat_s`` is the longest time between two heartbeats of an idle client (OPEN-1). ``retry_s`` is the longest
    time from a usable link to the start of the attempt that will use it. ``contract`` is the version that is spoken.
    """

    contract: Annotated[int, Meta(description=f"the version of this contract that you speak: {CONTRACT_VERSION}")]
    name: Annotated[str, Meta(description="what is under test; it goes into the report")]
    version: Annotated[str, Meta(description="its version, for the report")]
    language: Annotated[str, Meta(description="what it is written in, for the report")]
    heartbeat_s: Annotated[
        float, Meta(description="the longest time between two heartbeats of an idle client; above 0, under 4")
    ]
    retry_s: Annotated[
        float,
        Meta(
            description="the longest time from a usable link to the start of the attempt that will use it; "
            "above 0, under 30"
        ),
    ]
    capabilities: Annotated[
        list[str], Meta(description="what the client can do, of [the table below](#capabilities)")
    ] = []


class ServerHello(Struct, frozen=True):
    """The result of a server's ``hello``: what it is, where clients find it, and the heartbeat that it asks for."""

    contract: int
    name: str
    version: str
    language: str
    url: str
    heartbeat_s: float


class ServerConnections(Struct, frozen=True):
    """The result of a server's ``connections``: how many logins of that user have reached it, refused ones included."""

    attempts: Annotated[int, Meta(ge=0)]


class ServerDelays(Struct, frozen=True):
    """The result of a server's ``delays``: what ran late: when it was due, and when it ran, by its clock."""

    late: list[tuple[Instant, Instant]]


class Create(Struct, frozen=True):
    """The arguments of ``create``: where the server is to be reached, and the tenant of the scenario.

    ``host``, ``port`` and ``tls`` say the same as ``url``, for an SDK that takes them one by one.
    """

    url: Annotated[str, Meta(description="where the server is to be reached: this person's own link, and no other way")]
    app_id: Annotated[str, Meta(description="the tenant of the scenario")]
    host: Annotated[str, Meta(description="the host of `url`, without brackets: `127.0.0.1` or `::1`")] = ""
    port: Annotated[int, Meta(description="the port of `url`")] = 0
    tls: Annotated[bool, Meta(description="whether the server speaks TLS, which is what `wss://` says in `url`")] = (
        False
    )
    ca_file: Annotated[
        str,
        Meta(description="with TLS, the path of the certificate (PEM) of the run's own CA; empty without"),
    ] = ""


class Reaction(Struct, frozen=True):
    """The arguments of ``react``: what is to be done inside the next callback of this name; an empty call raises."""

    callback: str
    call: str
    args: dict[str, Any] = {}


UNSUPPORTED = "unsupported"
_WHY_MAX = 500


class ContractError(ValueError):
    """A line that the contract does not allow; its text says what is wrong with it."""

    def __init__(self, why: str) -> None:
        super().__init__(why[:_WHY_MAX])  # it may quote a line of a megabyte


class _Line(Struct, frozen=True):
    """Just enough of a line to tell an answer from an event."""

    id: int | None = None
    event: str | None = None


# What msgspec makes of bytes that it cannot read; a million opening brackets are too deep for it.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_encoder = msgspec.json.Encoder()
_request_decoder = msgspec.json.Decoder(Request)
_line_decoder = msgspec.json.Decoder(_Line)
_answer_decoder = msgspec.json.Decoder(Answer)
_event_decoder = msgspec.json.Decoder(Event)


def encode(message: Request | Answer | Event) -> bytes:
    """Return a message as one line, its newline included."""
    return _encoder.encode(message) + b"\n"


def decode_request(line: bytes) -> Request:
    """Return the request in a line of the adapter's standard input.

    Raises:
        ContractError: the line is not a request.
    """
    try:
        request = _request_decoder.decode(line)
    except _UNREADABLE as error:
        raise ContractError(f"not a request: {error}") from error
    _check_depth(line, request.args)
    return request


def _checked(line: bytes, answer: Answer) -> Answer:
    if (answer.result is None) == (answer.error is None):
        raise ContractError("an answer has either a 'result' or an 'error'")
    _check_depth(line, answer.result)
    return answer


def _check_depth(line: bytes, value: Any) -> None:
    if line.count(b"{") + line.count(b"[") <= NESTED_MAX:
        return
    level = [value]
    for _ in range(NESTED_MAX + 1):
        nested = [each for each in level if isinstance(each, dict | list)]
        if not nested:
            return
        level = [inner for each in nested for inner in (each.values() if isinstance(each, dict) else each)]
    raise ContractError(f"values are nested more than {NESTED_MAX} deep")


def decode_from_adapter(line: bytes) -> Answer | Event:
    """Return the answer or the event in a line of the adapter's standard output.

    Raises:
        ContractError: the line is neither, or names a callback that the contract does not know.
    """
    try:
        kind = _line_decoder.decode(line)
        if kind.id is not None and kind.event is None:
            return _checked(line, _answer_decoder.decode(line))
        if kind.event is None or kind.id is not None:
            raise ContractError("a line has either an 'id' (an answer) or an 'event' (a callback)")
        event = _event_decoder.decode(line)
    except _UNREADABLE as error:
        raise ContractError(f"not an answer and not an event: {error}") from error
    wanted = CALLBACKS.get(event.event)
    if wanted is None:
        raise ContractError(f"no callback is called {event.event!r}; there are {', '.join(CALLBACKS)}")
    if event.args.keys() != wanted.keys():
        raise ContractError(f"{event.event} carries {sorted(event.args)}, expected {sorted(wanted)}")
    _check_depth(line, event.args)
    return event
