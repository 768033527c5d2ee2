"""Sessions, the connections that carry them, and the tenants that they live in. Pure: time comes in as an argument."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from harness.reference.limits_core import BoundedRecord, RateLimit, ServerLimits
from harness.reference.server_effects import Outbox
from harness.reference.wire import Code, MemberJoined, MemberLeft, ServerFrame


class Claims(NamedTuple):
    """What a valid token says: whose it is, and how long it will live from now (None: for ever)."""

    app_id: str
    uid: str
    expires_in_s: float | None


@dataclass(slots=True, eq=False)
class Connection:
    """One open connection. Until it has logged in it has a deadline for that."""

    id: int
    login_by_ns: int
    frames: RateLimit  # beyond it the connection is closed
    requests: RateLimit  # beyond it a request is refused
    session: Session | None = None
    is_open: bool = True

    def due_ns(self) -> int | None:
        """When it is closed for not having logged in."""
        return self.login_by_ns if self.is_open and self.session is None else None


@dataclass(slots=True, eq=False)
class Session:
    """A user's being online, from the login to the logout, takeover, ban or expiry; connections come and go."""

    id: str
    tenant: Tenant
    uid: str
    instance: str
    attempt: int
    presence_ns: int
    last_packet_ns: int
    confirm_by_ns: int | None  # None: the client is known to have heard that it is logged in (OPEN-7)
    connection: Connection | None
    channels: dict[str, None] = field(default_factory=dict)  # an ordered set: the same input gives the same output
    attributes: dict[str, str] = field(default_factory=dict)
    is_over: bool = False

    @property
    def expires_ns(self) -> int:
        """When the user is no longer presumed online, if nothing is heard until then (OPEN-8)."""
        return self.last_packet_ns + self.presence_ns

    def due_ns(self) -> int | None:
        """When it ends by itself, as things stand."""
        if self.is_over:
            return None
        return self.expires_ns if self.confirm_by_ns is None else min(self.expires_ns, self.confirm_by_ns)


class _Expired(NamedTuple):
    """A session that ran out: whose client still believes in it."""

    session_id: str
    instance: str


class Tenant:
    """Everything of one app id. Two tenants share nothing, so nothing that happens in one is seen in another."""

    def __init__(self, app_id: str, limits: ServerLimits, outbox: Outbox) -> None:
        self.app_id = app_id
        self.sessions: dict[str, Session] = {}  # by uid: there is never more than one of each
        self.ended: BoundedRecord[str, Code] = BoundedRecord(limits.ended_noted_max)  # by session id: why it stays out
        self._expired: BoundedRecord[str, _Expired] = BoundedRecord(limits.ended_noted_max)  # by uid
        self._channels: dict[str, dict[str, Session]] = {}
        self._outbox = outbox

    def members(self, channel: str) -> list[str]:
        """Return who is in the channel, sorted; those whose connection is interrupted are (RECONNECTING-2)."""
        return sorted(self._channels.get(channel, ()))

    def member_count(self, channel: str) -> int:
        """Return how many are in the channel."""
        return len(self._channels.get(channel, ()))

    def tell(self, session: Session, frame: ServerFrame) -> None:
        """Send a frame to a user; dropped where the connection is interrupted: there is no replay (OPEN-26)."""
        if session.connection is not None:
            self._outbox.send(session.connection.id, frame)

    def tell_others(self, session: Session, channel: str, frame: ServerFrame) -> None:
        """Send a frame to all members of a channel but one."""
        for member in self._channels.get(channel, {}).values():
            if member is not session:
                self.tell(member, frame)

    def enter(self, session: Session, channel: str) -> None:
        """Put a session into a channel that it is not in."""
        self._channels.setdefault(channel, {})[session.uid] = session
        session.channels[channel] = None
        self.tell_others(session, channel, MemberJoined(channel, session.uid))

    def leave(self, session: Session, channel: str) -> None:
        """Take a session out of a channel that it is in."""
        members = self._channels[channel]
        del members[session.uid], session.channels[channel]
        if not members:
            del self._channels[channel]
        self.tell_others(session, channel, MemberLeft(channel, session.uid))

    def add(self, session: Session) -> None:
        """Put a user online whose uid has no session."""
        assert session.uid not in self.sessions
        self.sessions[session.uid] = session
        # Had the uid's session run out before, then the client that still believes in it has now been superseded just
        # as if it had not, and stays so when the newcomer has left (OPEN-20).
        expired = self._expired.pop(session.uid)
        if expired is not None and expired.instance != session.instance:
            self.ended.put(expired.session_id, Code.SUPERSEDED)

    def remove(self, session: Session) -> None:
        """Take a user off the online list and out of all channels, at once (one Left each)."""
        del self.sessions[session.uid]
        session.is_over = True
        for channel in list(session.channels):
            self.leave(session, channel)

    def expire(self, session: Session) -> None:
        """Take a user off who has been away for too long (GENERAL-4)."""
        self.remove(session)
        self._expired.put(session.uid, _Expired(session.id, session.instance))
