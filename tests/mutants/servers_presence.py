"""Wrong servers: the 30 s, when they count from, and who is seen to be online, to leave and to join."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.reference.requests_core import Answer, Requests
from harness.reference.server_core import ServerCore
from harness.reference.server_effects import CloseCode, Outbox
from harness.reference.sessions_core import Connection, Session, Tenant
from harness.reference.wire import (
    Login,
    Logout,
    MemberJoined,
    MemberLeft,
    Online,
    Pong,
    ServerFrame,
    encode,
)
from harness.spec.timing import Timing
from tests.mutants.deviations import wrap
from tests.mutants.mutant import Patcher, wrong_server

_LOGOUT = encode(Logout())


def with_presence(patch: Patcher, presence_s: float) -> None:
    """Have the server presume its users online for another time than that of the profile."""

    def init(original: Callable[..., None], self: ServerCore, **given: Any) -> None:
        original(self, **given | {"timing": Timing(presence_s=presence_s)})

    wrap(patch, ServerCore, "__init__", init)


# ---------------------------------------------------------------------------------------------------------- the 30 s


@wrong_server("RECONNECTING-2", "RECONNECTING-7", "OPEN-8")
def presumes_online_for_27_s(patch: Patcher) -> None:
    """An interrupted user is taken off after 27 s."""
    with_presence(patch, 27.0)


@wrong_server("GENERAL-4", "RECONNECTING-3", "RECONNECTING-7", "OPEN-8")
def presumes_online_for_33_s(patch: Patcher) -> None:
    """An interrupted user is taken off after 33 s."""
    with_presence(patch, 33.0)


@wrong_server("OPEN-8", "CONNECTED-2", "RECONNECTING-2")
def counts_the_30_s_from_the_login(patch: Patcher) -> None:
    """Nothing that a client sends puts its end off: 30 s after the login it is taken off."""

    def received(original: Callable[..., None], self: ServerCore, now: int, conn: int, data: bytes | str) -> None:
        connection = self._connections.get(conn)
        session = None if connection is None else connection.session
        heard_ns = None if session is None else session.last_packet_ns
        original(self, now, conn, data)
        if session is not None and heard_ns is not None:
            session.last_packet_ns = heard_ns

    wrap(patch, ServerCore, "received", received)


@wrong_server("CONNECTED-2", "OPEN-8", "RECONNECTING-7")
def believes_in_a_connection_until_it_closes(patch: Patcher) -> None:
    """The 30 s begin when a connection is closed: one that has gone silent keeps its user online."""

    def tick(original: Callable[..., None], self: ServerCore, now: int) -> None:
        for connection in self._connections.values():
            if connection.session is not None:
                connection.session.last_packet_ns = now
        original(self, now)

    wrap(patch, ServerCore, "tick", tick)


@wrong_server("OPEN-3", "RECONNECTING-2")
def adds_up_the_time_of_all_outages(patch: Patcher) -> None:
    """A second outage is given what the first one has left of the 30 s."""

    def resume(
        original: Callable[..., None],
        self: ServerCore,
        now: int,
        session: Session,
        connection: Connection,
        login: Login,
    ) -> None:
        session.presence_ns -= now - session.last_packet_ns
        original(self, now, session, connection, login)

    wrap(patch, ServerCore, "_resume", resume)


@wrong_server("OPEN-11", "RECONNECTING-2", "RECONNECTING-4")
def takes_a_closed_connection_for_a_logout(patch: Patcher) -> None:
    """Whose connection is closed is taken off at once."""

    def disconnected(original: Callable[..., None], self: ServerCore, now: int, conn: int) -> None:
        connection = self._connections.get(conn)
        original(self, now, conn)
        session = None if connection is None else connection.session
        if session is not None and not session.is_over and session.connection is None:
            session.tenant.remove(session)

    wrap(patch, ServerCore, "disconnected", disconnected)


@wrong_server("OPEN-15", "CONNECTED-6", reports=("Agora release 0.9.3",))
def takes_a_logout_for_an_interruption(patch: Patcher) -> None:
    """Who logs out is presumed online for 30 s, and seen to leave then."""

    def received(original: Callable[..., None], self: ServerCore, now: int, conn: int, data: bytes | str) -> None:
        connection = self._connections.get(conn)
        if connection is not None and (data.encode() if isinstance(data, str) else data) == _LOGOUT:
            self._close(connection, CloseCode.NORMAL, "logged out")
        else:
            original(self, now, conn, data)

    wrap(patch, ServerCore, "received", received)


@wrong_server("OPEN-7")
def keeps_a_login_that_nobody_confirmed(patch: Patcher) -> None:
    """A login counts from its answer on: whoever has given it up by then stays online for 30 s."""

    def session_for(original: Callable[..., Session], self: ServerCore, *args: object) -> Session:
        session = original(self, *args)
        session.confirm_by_ns = None
        return session

    wrap(patch, ServerCore, "_session_for", session_for)


@wrong_server("CONNECTED-4", "CONNECTED-2")
def stops_answering_heartbeats(patch: Patcher) -> None:
    """After ten heartbeats on a connection the server takes them without answering."""

    def send(original: Callable[..., None], self: object, conn: int, frame: ServerFrame) -> None:
        if not (isinstance(frame, Pong) and frame.n > 10):
            original(self, conn, frame)

    wrap(patch, Outbox, "send", send)


# ------------------------------------------------------------------------------------------------ what others are told


def leave_silently(session: Session, *kept: str) -> None:
    """Take a session out of its channels but these, and tell nobody."""
    for channel in [each for each in session.channels if each not in kept]:
        del session.tenant._channels[channel][session.uid], session.channels[channel]


@wrong_server("RECONNECTING-7", "OPEN-24")
def tells_nobody_of_an_absence(patch: Patcher) -> None:
    """Who was away for 30 s is taken off the list and out of the channels, and the others hear nothing."""

    def expire(original: Callable[..., None], self: Tenant, session: Session) -> None:
        leave_silently(session)
        original(self, session)

    wrap(patch, Tenant, "expire", expire)


@wrong_server("OPEN-24", "RECONNECTING-7")
def tells_of_an_absence_twice(patch: Patcher) -> None:
    """Who was away for 30 s is seen to leave two times."""

    def expire(original: Callable[..., None], self: Tenant, session: Session) -> None:
        channels = list(session.channels)
        original(self, session)
        for channel in channels:
            self.tell_others(session, channel, MemberLeft(channel, session.uid))

    wrap(patch, Tenant, "expire", expire)


@wrong_server("RECONNECTING-7", "OPEN-24")
def tells_of_an_absence_in_one_channel_only(patch: Patcher) -> None:
    """Who was away for 30 s is seen to leave the first of its channels, and is out of all."""

    def expire(original: Callable[..., None], self: Tenant, session: Session) -> None:
        leave_silently(session, *list(session.channels)[:1])
        original(self, session)

    wrap(patch, Tenant, "expire", expire)


@wrong_server("RECONNECTING-8", "RECONNECTING-7")
def tells_one_member_of_a_channel_only(patch: Patcher) -> None:
    """Who leaves or joins is announced to the member that has been there longest, and to no other."""

    def tell_others(
        _original: Callable[..., None], self: Tenant, session: Session, channel: str, frame: ServerFrame
    ) -> None:
        others = [member for member in self._channels.get(channel, {}).values() if member is not session]
        is_news = isinstance(frame, (MemberJoined, MemberLeft))
        for member in others[:1] if is_news else others:
            self.tell(member, frame)

    wrap(patch, Tenant, "tell_others", tell_others)


@wrong_server("RECONNECTING-4", "OPEN-2", "OPEN-24")
def announces_a_return_within_30_s(patch: Patcher) -> None:
    """A session that is resumed is announced in its channels as if it had joined them."""

    def resume(
        original: Callable[..., None],
        self: ServerCore,
        now: int,
        session: Session,
        connection: Connection,
        login: Login,
    ) -> None:
        original(self, now, session, connection, login)
        for channel in session.channels:
            session.tenant.tell_others(session, channel, MemberJoined(channel, session.uid))

    wrap(patch, ServerCore, "_resume", resume)


@wrong_server("OPEN-24", "RECONNECTING-8", reports=("Agora release 1.2.1",))
def announces_a_late_return_itself(patch: Patcher) -> None:
    """Who comes back after 30 s is announced in its old channels by the server, and again when its client rejoins."""
    channels: dict[str, list[str]] = {}

    def expire(original: Callable[..., None], self: Tenant, session: Session) -> None:
        channels[session.id] = list(session.channels)
        original(self, session)

    def session_for(
        original: Callable[..., Session],
        self: ServerCore,
        now: int,
        connection: Connection,
        login: Login,
        *rest: object,
    ) -> Session:
        session = original(self, now, connection, login, *rest)
        for channel in channels.pop(login.resume or "", ()):
            session.tenant.tell_others(session, channel, MemberJoined(channel, session.uid))
        return session

    wrap(patch, Tenant, "expire", expire)
    wrap(patch, ServerCore, "_session_for", session_for)


@wrong_server("OPEN-24", "RECONNECTING-8")
def tells_a_member_of_its_own_return(patch: Patcher) -> None:
    """Who joins is announced to all members of the channel, itself included."""

    def enter(original: Callable[..., None], self: Tenant, session: Session, channel: str) -> None:
        original(self, session, channel)
        self.tell(session, MemberJoined(channel, session.uid))

    wrap(patch, Tenant, "enter", enter)


# --------------------------------------------------------------------------------------------------- who is there


def with_online(patch: Patcher, is_online: Callable[[Tenant, str, bool], bool]) -> None:
    """Have the server answer otherwise who is online: ``is_online(tenant, uid, truth)``."""

    def dispatch(original: Callable[..., Answer], self: Requests, now: int, session: Session, request: Any) -> Answer:
        answer = original(self, now, session, request)
        if not isinstance(answer, Online):
            return answer
        return Online(answer.id, {uid: is_online(session.tenant, uid, truth) for uid, truth in answer.online.items()})

    wrap(patch, Requests, "_dispatch", dispatch)


@wrong_server("RECONNECTING-2", "OPEN-11")
def lists_no_interrupted_user(patch: Patcher) -> None:
    """Online is who has a connection just now."""

    def has_connection(tenant: Tenant, uid: str, is_online: bool) -> bool:
        return is_online and tenant.sessions[uid].connection is not None

    with_online(patch, has_connection)


@wrong_server("GENERAL-4", "RECONNECTING-3", "CONNECTED-6")
def lists_everybody_who_was_ever_online(patch: Patcher) -> None:
    """The online list is added to, and never taken from."""
    ever: set[tuple[Tenant, str]] = set()

    def add(original: Callable[..., None], self: Tenant, session: Session) -> None:
        original(self, session)
        ever.add((self, session.uid))

    wrap(patch, Tenant, "add", add)
    with_online(patch, lambda tenant, uid, _is_online: (tenant, uid) in ever)


@wrong_server("CONNECTED-1")
def lists_members_of_channels_only(patch: Patcher) -> None:
    """A user who is in no channel is not on the online list."""
    with_online(patch, lambda tenant, uid, is_online: is_online and bool(tenant.sessions[uid].channels))


def with_members(patch: Patcher, members: Callable[[Tenant, str, list[str]], list[str]]) -> None:
    """Have the server answer otherwise who is in a channel: ``members(tenant, channel, truth)``."""
    wrap(
        patch,
        Tenant,
        "members",
        lambda original, self, channel: sorted(members(self, channel, original(self, channel))),
    )


@wrong_server("RECONNECTING-2", "RECONNECTING-4")
def lists_no_interrupted_member(patch: Patcher) -> None:
    """Of the members of a channel, those who are interrupted are left out."""
    with_members(
        patch, lambda tenant, _channel, uids: [uid for uid in uids if tenant.sessions[uid].connection is not None]
    )


@wrong_server("OPEN-26", "OPEN-23", "OPEN-15")
def lists_members_that_have_left(patch: Patcher) -> None:
    """Who was ever in a channel is on the list of its members."""
    ever: dict[tuple[Tenant, str], set[str]] = {}

    def enter(original: Callable[..., None], self: Tenant, session: Session, channel: str) -> None:
        original(self, session, channel)
        ever.setdefault((self, channel), set()).add(session.uid)

    wrap(patch, Tenant, "enter", enter)
    with_members(patch, lambda tenant, channel, _uids: list(ever.get((tenant, channel), ())))
