"""What a logged-in client can ask for: each request in, exactly one answer out. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from harness.reference.limits_core import ServerLimits
from harness.reference.sessions_core import Claims, Session
from harness.reference.wire import (
    FRAME_BYTES_MAX,
    AddAttributes,
    AttributesOf,
    ChannelMessage,
    Code,
    DeleteAttributes,
    Done,
    Failed,
    Frame,
    GetAttributes,
    GetMembers,
    Join,
    Leave,
    Members,
    Online,
    PeerMessage,
    QueryOnline,
    RenewToken,
    SendToChannel,
    SendToPeer,
    SetAttributes,
    encode,
)

Request = (
    RenewToken
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
Answer = Done | Failed | Members | AttributesOf | Online

# From a token and the core's time: what the token says, or why it is no good.
Authenticate = Callable[[str, int], Claims | Code]


class Requests:
    """Carries out requests."""

    def __init__(self, *, authenticate: Authenticate, channels_max: int, limits: ServerLimits) -> None:
        self._authenticate = authenticate
        self._channels_max = channels_max
        self._limits = limits

    def answer(self, now: int, session: Session, request: Request) -> Answer:
        """Carry a request out; whom else it concerns is told before the one who asked."""
        assert session.connection is not None
        if not session.connection.requests.take(now):
            return Failed(request.id, Code.TOO_OFTEN, f"more than {self._limits.requests_per_s} requests a second")
        answer = self._dispatch(now, session, request)
        if not _fits(answer):
            return Failed(request.id, Code.EXCEED_LIMIT, "the answer does not fit into a frame")
        return answer

    def _dispatch(self, now: int, session: Session, request: Request) -> Answer:
        match request:
            case RenewToken():
                return self._renew_token(now, session, request)
            case Join():
                return self._join(session, request)
            case Leave():
                return _leave(session, request)
            case SendToPeer():
                return _send_to_peer(session, request)
            case SendToChannel():
                return _send_to_channel(session, request)
            case GetMembers():
                return Members(request.id, session.tenant.members(request.channel))
            case SetAttributes():
                return self._put_attributes(session, request.id, request.attributes)
            case AddAttributes():
                return self._put_attributes(session, request.id, session.attributes | request.attributes)
            case DeleteAttributes():
                kept = {key: value for key, value in session.attributes.items() if key not in request.keys}
                return self._put_attributes(session, request.id, kept)
            case GetAttributes():
                owner = session.tenant.sessions.get(request.uid)
                return AttributesOf(request.id, dict(owner.attributes) if owner else {})
            case QueryOnline():
                return Online(request.id, {uid: uid in session.tenant.sessions for uid in request.uids})
            case _:
                assert_never(request)

    def _renew_token(self, now: int, session: Session, request: RenewToken) -> Answer:
        claims = self._authenticate(request.token, now)
        if isinstance(claims, Code):
            return Failed(request.id, claims)
        if (claims.app_id, claims.uid) != (session.tenant.app_id, session.uid):
            return Failed(request.id, Code.NOT_AUTHORIZED, "the token is somebody else's")
        return Done(request.id, token_expires_in_s=claims.expires_in_s)

    def _join(self, session: Session, request: Join) -> Answer:
        if request.channel in session.channels:
            return Failed(request.id, Code.ALREADY_JOINED)
        if len(session.channels) >= self._channels_max:
            return Failed(request.id, Code.EXCEED_LIMIT, f"at most {self._channels_max} channels")
        if session.tenant.member_count(request.channel) >= self._limits.members_max:
            return Failed(request.id, Code.EXCEED_LIMIT, f"at most {self._limits.members_max} members")
        session.tenant.enter(session, request.channel)
        return Done(request.id)

    def _put_attributes(self, session: Session, request_id: int, attributes: dict[str, str]) -> Answer:
        if len(attributes) > self._limits.attributes_max:
            return Failed(request_id, Code.EXCEED_LIMIT, f"at most {self._limits.attributes_max} attributes")
        # What nobody could be told is not kept either; room is left for the longest id.
        if not _fits(AttributesOf(2**53 - 1, attributes)):
            return Failed(request_id, Code.EXCEED_LIMIT, "the attributes together do not fit into a frame")
        session.attributes = attributes
        return Done(request_id)


def _leave(session: Session, request: Leave) -> Answer:
    if request.channel not in session.channels:
        return Failed(request.id, Code.NOT_IN_CHANNEL)
    session.tenant.leave(session, request.channel)
    return Done(request.id)


def _send_to_peer(session: Session, request: SendToPeer) -> Answer:
    peer = session.tenant.sessions.get(request.peer)
    if peer is None:
        return Failed(request.id, Code.REJECTED, f"{request.peer} is not online")
    message = PeerMessage(session.uid, request.text)
    if not _fits(message):
        return _too_long(request.id)
    # To one who is online but interrupted it is lost: rtm-1.0 knows no replay.
    session.tenant.tell(peer, message)
    return Done(request.id)


def _send_to_channel(session: Session, request: SendToChannel) -> Answer:
    if request.channel not in session.channels:
        return Failed(request.id, Code.NOT_IN_CHANNEL)
    message = ChannelMessage(request.channel, session.uid, request.text)
    if not _fits(message):
        return _too_long(request.id)
    session.tenant.tell_others(session, request.channel, message)
    return Done(request.id)


def _too_long(request_id: int) -> Failed:
    return Failed(request_id, Code.EXCEED_LIMIT, "the message does not fit into a frame with its sender's name")


def _fits(frame: Frame) -> bool:
    # A client closes a connection that brings a frame beyond the limit, so none must ever be sent.
    return len(encode(frame)) <= FRAME_BYTES_MAX
