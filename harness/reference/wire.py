"""The frames of the reference wire: WebSocket subprotocol ``rtm.v1``, one JSON text frame each.

Each frame is an object whose ``type`` names it. A request carries an ``id`` of the client's choosing, and exactly one
answer carries the same id. Durations are seconds. Pure: bytes in, frames out.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar, TypeVar

import msgspec
from msgspec import Meta, Struct

SUBPROTOCOL = "rtm.v1"

# Limits of one frame and of what is in it. A frame beyond them closes the connection that it came on.
FRAME_BYTES_MAX = 64 * 1024
ATTRIBUTES_MAX = 32
UIDS_MAX = 256
LIFETIME_MAX_S = 1e12  # some 30,000 years; in nanoseconds what is far beyond it is not even a number

RequestId = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]  # 2**53 - 1: beyond it JSON numbers lose digits in other languages
Name = Annotated[str, Meta(min_length=1, max_length=64)]  # a uid, a channel, an app id, a key of an attribute
Secret = Annotated[str, Meta(min_length=1, max_length=128)]  # a session id, an instance id
Token = Annotated[str, Meta(max_length=4096)]
Text = Annotated[str, Meta(max_length=32 * 1024)]
AttributeValue = Annotated[str, Meta(max_length=1024)]
Attributes = Annotated[dict[Name, AttributeValue], Meta(max_length=ATTRIBUTES_MAX)]
Names = Annotated[list[Name], Meta(max_length=UIDS_MAX)]
Lifetime = Annotated[float, Meta(ge=-LIFETIME_MAX_S, le=LIFETIME_MAX_S)]


class Code(StrEnum):
    """Why something was refused."""

    INVALID_ARGUMENT = "invalid_argument"
    INVALID_APP_ID = "invalid_app_id"
    INVALID_TOKEN = "invalid_token"
    TOKEN_EXPIRED = "token_expired"
    NOT_AUTHORIZED = "not_authorized"
    SUPERSEDED = "superseded"  # another instance took the uid over: give up (OPEN-20)
    BANNED = "banned"  # the system ended the session for good: give up (OPEN-21)
    STALE = "stale"  # a later attempt of the same instance is in already: give this connection up
    REJECTED = "rejected"
    TOO_OFTEN = "too_often"
    EXCEED_LIMIT = "exceed_limit"
    ALREADY_JOINED = "already_joined"
    NOT_IN_CHANNEL = "not_in_channel"


class EndReason(StrEnum):
    """Why the server ended a session for good."""

    REMOTE_LOGIN = "remote_login"
    BANNED = "banned"


class Frame(Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", omit_defaults=True):
    """What every frame shares."""


# ------------------------------------------------------------------------------------------- client to server


class Login(Frame, frozen=True, tag="login"):
    """The first frame on a connection: take or resume the session of a uid.

    ``resume`` names the session that the client lost, or is absent at a login by the app. ``attempt`` counts the
    connections that this instance has opened: of two that arrive in the wrong order the later one counts.
    """

    app_id: Name
    uid: Name
    token: Token
    instance: Secret
    attempt: Count
    resume: Secret | None = None


class Ping(Frame, frozen=True, tag="ping"):
    """Heartbeat of the client; the server answers each with a pong of the same number."""

    n: Count


class Logout(Frame, frozen=True, tag="logout"):
    """End the session: off the online list and out of all channels at once. The client closes after it."""


class RenewToken(Frame, frozen=True, tag="renew_token"):
    """Put a new token in the place of the session's."""

    id: RequestId
    token: Token


class Join(Frame, frozen=True, tag="join"):
    """Enter a channel."""

    id: RequestId
    channel: Name


class Leave(Frame, frozen=True, tag="leave"):
    """Leave a channel."""

    id: RequestId
    channel: Name


class SendToPeer(Frame, frozen=True, tag="send_to_peer"):
    """A message to one user."""

    id: RequestId
    peer: Name
    text: Text


class SendToChannel(Frame, frozen=True, tag="send_to_channel"):
    """A message to all other members of a channel."""

    id: RequestId
    channel: Name
    text: Text


class GetMembers(Frame, frozen=True, tag="get_members"):
    """Ask who is in a channel; answered with ``members``."""

    id: RequestId
    channel: Name


class SetAttributes(Frame, frozen=True, tag="set_attributes"):
    """Replace all attributes of the user."""

    id: RequestId
    attributes: Attributes


class AddAttributes(Frame, frozen=True, tag="add_attributes"):
    """Add or overwrite some attributes of the user."""

    id: RequestId
    attributes: Attributes


class DeleteAttributes(Frame, frozen=True, tag="delete_attributes"):
    """Remove some attributes of the user."""

    id: RequestId
    keys: Names


class GetAttributes(Frame, frozen=True, tag="get_attributes"):
    """Ask for the attributes of a user; answered with ``attributes``."""

    id: RequestId
    uid: Name


class QueryOnline(Frame, frozen=True, tag="query_online"):
    """Ask which of these users are online; answered with ``online``."""

    id: RequestId
    uids: Names


# ------------------------------------------------------------------------------------------- server to client


class LoggedIn(Frame, frozen=True, tag="logged_in"):
    """The login was accepted. The client confirms it with a ping at once; until then it can be taken back.

    ``resumed`` is the server's word on whether the session was still there (OPEN-9).
    """

    session: Secret
    resumed: bool
    heartbeat_s: float
    token_expires_in_s: Lifetime | None = None


class Refused(Frame, frozen=True, tag="refused"):
    """The login was refused; the server closes the connection after it."""

    code: Code
    why: str = ""


class Pong(Frame, frozen=True, tag="pong"):
    """The answer to a ping."""

    n: Count


class Ended(Frame, frozen=True, tag="ended"):
    """The session was ended for good; the server closes the connection after it."""

    reason: EndReason


class Done(Frame, frozen=True, tag="done"):
    """A request was carried out. Of ``renew_token`` it tells how long the new token lives, where that is bounded."""

    id: int
    token_expires_in_s: Lifetime | None = None


class Failed(Frame, frozen=True, tag="failed"):
    """A request was refused."""

    id: int
    code: Code
    why: str = ""


class Members(Frame, frozen=True, tag="members"):
    """The members of a channel, sorted."""

    id: int
    members: list[str]


class AttributesOf(Frame, frozen=True, tag="attributes"):
    """The attributes of a user; empty for one that is not there."""

    id: int
    attributes: dict[str, str]


class Online(Frame, frozen=True, tag="online"):
    """Which of the users asked for are online."""

    id: int
    online: dict[str, bool]


class MemberJoined(Frame, frozen=True, tag="member_joined"):
    """Somebody entered a channel of yours."""

    channel: str
    uid: str


class MemberLeft(Frame, frozen=True, tag="member_left"):
    """Somebody left a channel of yours, or has been away for too long."""

    channel: str
    uid: str


class PeerMessage(Frame, frozen=True, tag="peer_message"):
    """A message to you."""

    sender: str
    text: str


class ChannelMessage(Frame, frozen=True, tag="channel_message"):
    """A message to a channel of yours."""

    channel: str
    sender: str
    text: str


ClientFrame = (
    Login
    | Ping
    | Logout
    | RenewToken
    | Join
    | Leave
    | SendToPeer
    | SendToChannel
    | GetMembers
    | SetAttributes
    | AddAttributes
    | DeleteAttributes
    | GetAttributes
    | QueryOnline
)
ServerFrame = (
    LoggedIn
    | Refused
    | Pong
    | Ended
    | Done
    | Failed
    | Members
    | AttributesOf
    | Online
    | MemberJoined
    | MemberLeft
    | PeerMessage
    | ChannelMessage
)


_WHY_MAX = 500


class WireError(ValueError):
    """A frame that the other end must not have sent; its text says what is wrong and goes into the close reason."""

    # RFC 6455: 1007 is 'data not consistent with its type', 1009 'message too big'.
    INVALID: ClassVar[int] = 1007
    TOO_BIG: ClassVar[int] = 1009

    def __init__(self, why: str, close_code: int = INVALID) -> None:
        super().__init__(why[:_WHY_MAX])  # it may quote the whole frame
        self.close_code = close_code


_encoder = msgspec.json.Encoder()
_client_decoder: msgspec.json.Decoder[ClientFrame] = msgspec.json.Decoder(ClientFrame)
_server_decoder: msgspec.json.Decoder[ServerFrame] = msgspec.json.Decoder(ServerFrame)


def encode(frame: Frame) -> bytes:
    """Return the JSON text of a frame, as UTF-8."""
    return _encoder.encode(frame)


def decode_from_client(data: bytes | str) -> ClientFrame:
    """Return the frame that a client sent.

    Raises:
        WireError: it is too big, no JSON, no known frame, or beyond a limit.
    """
    return _decode(_client_decoder, data)


def decode_from_server(data: bytes | str) -> ServerFrame:
    """Return the frame that a server sent.

    Raises:
        WireError: it is too big, no JSON, no known frame, or beyond a limit.
    """
    return _decode(_server_decoder, data)


_F = TypeVar("_F")


def _decode(decoder: msgspec.json.Decoder[_F], data: bytes | str) -> _F:
    try:
        text = data.encode() if isinstance(data, str) else data  # the limit is one of bytes
        if len(text) > FRAME_BYTES_MAX:
            raise WireError(f"frame of {len(text)} bytes, at most {FRAME_BYTES_MAX}", WireError.TOO_BIG)
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise WireError(f"not a frame of {SUBPROTOCOL}: {error}") from error
