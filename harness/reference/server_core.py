"""The reference server without its input and output: frames and times in, effects out.

The shell reports what happens on connections (``connected``, ``received``, ``disconnected``) with the time, carries
out what ``drain()`` returns after each report, and calls ``tick`` no later than ``next_deadline()``. Times are
nanoseconds of one monotonic clock that never goes back. One core serves many tenants, which never meet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from harness.reference.admission_core import Admission, admit
from harness.reference.deadlines_core import Deadlines
from harness.reference.limits_core import BoundedRecord, RateLimit, ServerLimits
from harness.reference.notes_core import Ending, Note, What, unnoted
from harness.reference.requests_core import Authenticate, Requests
from harness.reference.server_effects import Close, CloseCode, Effect, Outbox, Send
from harness.reference.sessions_core import Claims, Connection, Session, Tenant
from harness.reference.wire import (
    Code,
    Ended,
    EndReason,
    Failed,
    LoggedIn,
    Login,
    Logout,
    Ping,
    Pong,
    Refused,
    WireError,
    decode_from_client,
)
from harness.spec.timing import Timing, ns

__all__ = [
    "Authenticate",
    "Claims",
    "Close",
    "CloseCode",
    "Effect",
    "Send",
    "ServerCore",
    "ServerLimits",
    "ServerStats",
]

# Longer than a client may take to log in (CONNECTING-5), so that it is never the server that gives up first.
FIRST_LOGIN_S = 10.0

_APP_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class ServerStats(NamedTuple):
    """How much there is of everything."""

    connections: int
    sessions: int
    tenants: int


class ServerCore:
    """Decides who is online, who hears what, and when an absence has lasted too long."""

    def __init__(
        self,
        *,
        authenticate: Authenticate,
        new_session_id: Callable[[], str],
        heartbeat_s: float,
        timing: Timing | None = None,
        limits: ServerLimits | None = None,
        note: Callable[[Note], None] = unnoted,
    ) -> None:
        self._authenticate = authenticate
        self._new_session_id = new_session_id
        self._heartbeat_s = heartbeat_s
        self._note = note
        self._timing = timing or Timing()
        self._limits = limits or ServerLimits()
        self._requests = Requests(
            authenticate=authenticate, channels_max=self._timing.channels_max, limits=self._limits
        )
        self._outbox = Outbox()
        self._connections: dict[int, Connection] = {}
        self._tenants: dict[str, Tenant] = {}
        self._deadlines: Deadlines[Connection | Session] = Deadlines()
        self._banned: BoundedRecord[tuple[str, str], bool] = BoundedRecord(self._limits.bans_max)
        self._logins: BoundedRecord[tuple[str, str], int] = BoundedRecord(self._limits.logins_noted_max)

    # ------------------------------------------------------------------------------------ what the shell reports

    def connected(self, now: int, conn: int) -> None:
        """Take note of a new connection; its id must not be that of another one that is open."""
        self.tick(now)
        assert conn not in self._connections
        if len(self._connections) >= self._limits.connections_max:
            self._outbox.close(conn, CloseCode.TRY_AGAIN_LATER, "too many connections")
            self._note(_closed(conn, None, CloseCode.TRY_AGAIN_LATER, "too many connections"))
            return
        limits = self._limits
        connection = Connection(
            conn,
            now + ns(FIRST_LOGIN_S),
            frames=RateLimit(per_s=limits.frames_per_s, burst=limits.frames_burst),
            requests=RateLimit(per_s=limits.requests_per_s, burst=limits.requests_burst),
        )
        self._connections[conn] = connection
        self._deadlines.watch(connection)

    def received(self, now: int, conn: int, data: bytes | str) -> None:
        """Take one WebSocket message. One that is no frame closes its connection and concerns nobody else."""
        self.tick(now)
        connection = self._connections.get(conn)
        if connection is None:
            return  # closed from this end: the other one did not know yet
        if not connection.frames.take(now):
            # Not even read: what is refused one by one costs as much as what is done.
            self._close(connection, CloseCode.POLICY, f"more than {self._limits.frames_per_s} frames a second")
            return
        try:
            frame = decode_from_client(data)
        except WireError as error:
            self._close(connection, error.close_code, str(error))
            return
        session = connection.session
        if session is None:
            if isinstance(frame, Login):
                self._log_in(now, connection, frame)
            else:
                self._close(connection, CloseCode.POLICY, "the first frame must be a login")
            return
        session.last_packet_ns = now  # OPEN-8
        session.confirm_by_ns = None  # OPEN-7: it has heard that it is logged in
        match frame:
            case Ping():
                self._outbox.send(conn, Pong(frame.n))
            case Login():
                self._close(connection, CloseCode.POLICY, "a connection logs in once")
            case Logout():
                self._remove(session, Ending.LOGOUT)
                self._close(connection, CloseCode.NORMAL, "logged out")
            case _:
                answer = self._requests.answer(now, session, frame)
                self._outbox.send(conn, answer)
                if isinstance(answer, Failed):
                    self._note(_of(session, What.FAILED, answer.code, conn))

    def disconnected(self, now: int, conn: int) -> None:
        """Take note that a connection is gone, however that came; one that the core closed itself is no news."""
        self.tick(now)
        connection = self._connections.get(conn)
        if connection is not None:
            self._note(_of(connection.session, What.LOST, "", conn))
            self._forget(connection)

    def dropped(self, now: int, conn: int) -> None:
        """Take note that the shell has cut off a client that does not read: an interruption like any other."""
        self.tick(now)
        connection = self._connections.get(conn)
        if connection is not None:
            self._note(_of(connection.session, What.DROPPED, "", conn))
            self._forget(connection)

    # ---------------------------------------------------------------------------------------------------- timers

    def next_deadline(self) -> int | None:
        """Return a time by which ``tick`` must be called, or None. It may turn out that nothing is due then."""
        return self._deadlines.next_ns()

    def tick(self, now: int) -> None:
        """Do what is due."""
        for due in self._deadlines.pop_due(now):
            if isinstance(due, Connection):
                self._close(due, CloseCode.POLICY, f"no login within {FIRST_LOGIN_S:g} s")
            elif due.expires_ns <= now:
                due.tenant.expire(due)
                self._note(_of(due, What.ENDED, Ending.EXPIRED))
                self._release(due, CloseCode.POLICY, f"nothing heard for {self._timing.presence_s:g} s")
            else:
                self._remove(due, Ending.UNCONFIRMED)
                self._release(due, CloseCode.POLICY, f"login not confirmed within {self._timing.login_s:g} s")

    def drain(self) -> list[Effect]:
        """Return what is to be done since the last call, in this order."""
        return self._outbox.drain()

    # ------------------------------------------------------------------------------------------ what the system does

    def ban(self, now: int, app_id: str, uid: str) -> None:
        """End the session of a user for good, and refuse every login of the uid until ``unban`` (OPEN-21)."""
        self.tick(now)
        self._banned.put((app_id, uid), True)
        session = self._session_of(app_id, uid)
        if session is not None:
            self._end(session, Code.BANNED, EndReason.BANNED)

    def unban(self, app_id: str, uid: str) -> None:
        """Let a user log in again; the session that was ended stays ended."""
        self._banned.pop((app_id, uid))

    # ------------------------------------------------------------------------------------------------- introspection

    def connections_of(self, app_id: str, uid: str) -> int:
        """Return how many open connections are logged in as this user: 0 or 1."""
        session = self._session_of(app_id, uid)
        return 0 if session is None or session.connection is None else 1

    def attempts_of(self, app_id: str, uid: str) -> int:
        """Return how many logins of this user have arrived so far, the refused ones too."""
        return self._logins.get((app_id, uid)) or 0

    def online(self, app_id: str) -> list[str]:
        """Return the uids of a tenant that are online, sorted."""
        tenant = self._tenants.get(app_id)
        return sorted(tenant.sessions) if tenant else []

    def stats(self) -> ServerStats:
        """Return how much there is of everything."""
        sessions = sum(len(tenant.sessions) for tenant in self._tenants.values())
        return ServerStats(len(self._connections), sessions, len(self._tenants))

    # --------------------------------------------------------------------------------------------------------- login

    def _log_in(self, now: int, connection: Connection, login: Login) -> None:
        self._logins.put((login.app_id, login.uid), self.attempts_of(login.app_id, login.uid) + 1)
        claims = self._checked(now, login)
        if isinstance(claims, Refused):
            self._refuse(connection, login, claims)
            return
        tenant = self._tenant_of(login.app_id)
        if tenant is None:
            self._refuse(connection, login, Refused(Code.REJECTED, "too many tenants"))
            return
        current = tenant.sessions.get(login.uid)
        admission = admit(login, current, tenant.ended.get(login.resume) if login.resume else None)
        if isinstance(admission, Refused):
            self._refuse(connection, login, admission)
        elif admission is Admission.NEW and len(tenant.sessions) >= self._limits.sessions_max:
            self._refuse(connection, login, Refused(Code.REJECTED, "too many sessions"))
        else:
            session = self._session_for(now, connection, login, tenant, admission)
            is_resumed = admission is Admission.RESUME
            answer = LoggedIn(session.id, is_resumed, self._heartbeat_s, claims.expires_in_s)
            self._outbox.send(connection.id, answer)
            self._note(_of(session, What.LOGIN, admission.name.lower(), connection.id))

    def _checked(self, now: int, login: Login) -> Claims | Refused:
        if not _APP_ID.fullmatch(login.app_id):
            return Refused(Code.INVALID_APP_ID, "an app id is 1 to 64 of A-Z a-z 0-9 . _ -")
        claims = self._authenticate(login.token, now)
        if isinstance(claims, Code):
            return Refused(claims)
        if (claims.app_id, claims.uid) != (login.app_id, login.uid):
            return Refused(Code.NOT_AUTHORIZED, "the token is somebody else's")
        if self._banned.get((login.app_id, login.uid)):
            return Refused(Code.BANNED, "the system has banned this user")
        return claims

    def _session_for(
        self, now: int, connection: Connection, login: Login, tenant: Tenant, admission: Admission
    ) -> Session:
        current = tenant.sessions.get(login.uid)
        if current is not None and admission is Admission.RESUME:
            self._resume(now, current, connection, login)
            return current
        if current is not None and admission is Admission.TAKE_OVER:
            self._end(current, Code.SUPERSEDED, EndReason.REMOTE_LOGIN)
        elif current is not None:
            self._remove(current, Ending.RETIRED)
            self._release(current, CloseCode.NORMAL, "the same client has logged in anew")
        session = Session(
            id=self._new_session_id(),
            tenant=tenant,
            uid=login.uid,
            instance=login.instance,
            attempt=login.attempt,
            presence_ns=ns(self._timing.presence_s),
            last_packet_ns=now,
            # A client that has given the login up meanwhile closes instead; one that cannot is a ghost (OPEN-7).
            confirm_by_ns=now + ns(self._timing.login_s),
            connection=connection,
        )
        connection.session = session
        tenant.add(session)
        self._deadlines.watch(session)
        return session

    def _resume(self, now: int, session: Session, connection: Connection, login: Login) -> None:
        old = session.connection
        session.connection = connection
        session.instance, session.attempt = login.instance, login.attempt
        session.last_packet_ns = now
        session.confirm_by_ns = None  # it could name the session, so it had heard of it
        connection.session = session
        if old is not None:
            self._close(old, CloseCode.NORMAL, "the session goes on on another connection")

    def _refuse(self, connection: Connection, login: Login, refused: Refused) -> None:
        self._note(Note(What.REFUSED, refused.code, connection.id, login.app_id, login.uid, refused.why))
        self._outbox.send(connection.id, refused)
        self._close(connection, CloseCode.POLICY, f"login refused: {refused.code}")

    def _tenant_of(self, app_id: str) -> Tenant | None:
        tenant = self._tenants.get(app_id)
        if tenant is None:
            if len(self._tenants) >= self._limits.tenants_max:
                idle = next((known for known, tenant in self._tenants.items() if not tenant.sessions), None)
                if idle is None:
                    return None
                del self._tenants[idle]
            tenant = self._tenants[app_id] = Tenant(app_id, self._limits, self._outbox)
        return tenant

    def _session_of(self, app_id: str, uid: str) -> Session | None:
        tenant = self._tenants.get(app_id)
        return tenant.sessions.get(uid) if tenant else None

    # -------------------------------------------------------------------------------------------------------- endings

    def _end(self, session: Session, code: Code, reason: EndReason) -> None:
        """End a session for good, and remember that."""
        session.tenant.ended.put(session.id, code)
        self._remove(session, Ending(reason))
        session.tenant.tell(session, Ended(reason))
        self._release(session, CloseCode.NORMAL, f"session ended: {reason}")

    def _remove(self, session: Session, why: Ending) -> None:
        session.tenant.remove(session)
        self._note(_of(session, What.ENDED, why))

    def _release(self, session: Session, code: int, reason: str) -> None:
        """Close the connection of a session that is over, where it has one."""
        if session.connection is not None:
            self._close(session.connection, code, reason)

    def _close(self, connection: Connection, code: int, reason: str) -> None:
        self._outbox.close(connection.id, code, reason)
        self._note(_closed(connection.id, connection.session, code, reason))
        self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        del self._connections[connection.id]
        connection.is_open = False
        session = connection.session
        if session is None or session.connection is not connection:
            return
        session.connection = None  # an interruption: the session stays (OPEN-11) ...
        if not session.is_over and session.confirm_by_ns is not None:
            self._remove(session, Ending.UNCONFIRMED)  # ... unless its client never confirmed it (OPEN-7)


def _of(session: Session | None, what: What, why: str, conn: int | None = None, detail: str = "") -> Note:
    if session is None:
        return Note(what, why, conn, detail=detail)
    return Note(what, why, conn, session.tenant.app_id, session.uid, detail)


def _closed(conn: int, session: Session | None, code: int, reason: str) -> Note:
    # Of what cannot be read the reason is in the words of its sender, and these may be anything.
    return _of(session, What.CLOSED, str(int(code)), conn, reason if isinstance(code, CloseCode) else "")
