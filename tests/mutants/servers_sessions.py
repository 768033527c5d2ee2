"""Wrong servers: which session a login gets, which one it ends, and what becomes of that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from harness.reference import server_core
from harness.reference.admission_core import Admission, admit
from harness.reference.requests_core import Answer, Requests
from harness.reference.server import Server
from harness.reference.server_core import ServerCore
from harness.reference.server_effects import Send
from harness.reference.sessions_core import Claims, Connection, Session, Tenant
from harness.reference.wire import Code, Done, Ended, EndReason, LoggedIn, Login, Refused, RenewToken
from harness.spec.timing import ns
from harness.world.virtual_server import VirtualServer
from tests.mutants.deviations import wrap
from tests.mutants.mutant import Patcher, wrong_server
from tests.mutants.servers_presence import leave_silently

Admit = Callable[[Login, Session | None, Code | None], Admission | Refused]
End = Callable[[ServerCore, Session, Code, EndReason], None]

# --------------------------------------------------------------------------------------------------------- takeovers


def with_admission(patch: Patcher, decide: Admit) -> None:
    """Have the server decide otherwise about a login."""
    patch(server_core, "admit", lambda _: decide)


@wrong_server("CONNECTED-5", "OPEN-19", "OPEN-20")
def lets_two_instances_be_online(patch: Patcher) -> None:
    """A takeover ends the old session without a word, and leaves its connection alone: both believe to be in."""

    def end(original: End, self: ServerCore, session: Session, code: Code, reason: EndReason) -> None:
        if code is Code.SUPERSEDED:
            session.tenant.remove(session)
        else:
            original(self, session, code, reason)

    wrap(patch, ServerCore, "_end", end)


@wrong_server("CONNECTED-5", "OPEN-19")
def refuses_the_newcomer(patch: Patcher) -> None:
    """Who is in stays in: the login of another instance is rejected."""

    def decide(login: Login, current: Session | None, ended: Code | None) -> Admission | Refused:
        admission = admit(login, current, ended)
        return Refused(Code.REJECTED) if admission is Admission.TAKE_OVER else admission

    with_admission(patch, decide)


@wrong_server("OPEN-19", "OPEN-20", reports=("eclipse-mosquitto/mosquitto#1489",))
def cleans_up_the_new_owner_with_the_old_one(patch: Patcher) -> None:
    """Two seconds after a takeover the channels of the uid are cleaned up, and the new owner is out of them."""
    due: list[tuple[int, Tenant, str]] = []

    def session_for(original: Callable[..., Session], self: ServerCore, now: int, *args: object) -> Session:
        session = original(self, now, *args)
        if args[-1] is Admission.TAKE_OVER:
            due.append((now + ns(2.0), session.tenant, session.uid))
        return session

    def tick(original: Callable[..., None], self: ServerCore, now: int) -> None:
        original(self, now)
        while due and due[0][0] <= now:
            _, tenant, uid = due.pop(0)
            session = tenant.sessions.get(uid)
            if session is not None:
                leave_silently(session)

    wrap(patch, ServerCore, "_session_for", session_for)
    wrap(patch, ServerCore, "tick", tick)


@wrong_server("OPEN-19")
def hands_the_channels_to_the_new_owner(patch: Patcher) -> None:
    """The session of a takeover begins in the channels of the one that it ended."""

    def session_for(
        original: Callable[..., Session],
        self: ServerCore,
        now: int,
        connection: Connection,
        login: Login,
        tenant: Tenant,
        admission: Admission,
    ) -> Session:
        current = tenant.sessions.get(login.uid)
        channels = list(current.channels) if current is not None and admission is Admission.TAKE_OVER else []
        session = original(self, now, connection, login, tenant, admission)
        for channel in channels:
            tenant.enter(session, channel)
        return session

    wrap(patch, ServerCore, "_session_for", session_for)


@wrong_server("OPEN-19", "OPEN-24")
def tells_nobody_of_a_takeover(patch: Patcher) -> None:
    """The old session is taken out of its channels, and the other members hear nothing."""

    def end(original: End, self: ServerCore, session: Session, code: Code, reason: EndReason) -> None:
        if code is Code.SUPERSEDED:
            leave_silently(session)
        original(self, session, code, reason)

    wrap(patch, ServerCore, "_end", end)


@wrong_server("OPEN-20")
def forgets_whom_it_superseded(patch: Patcher) -> None:
    """A superseded session is let in again as soon as the newcomer has left."""
    with_admission(patch, lambda login, current, _ended: admit(login, current, None))


@wrong_server("OPEN-20")
def forgets_whom_it_superseded_after_30_s(patch: Patcher) -> None:
    """One that was taken over when its 30 s were up comes back as if nobody had been there."""

    def add(original: Callable[..., None], self: Tenant, session: Session) -> None:
        self._expired.pop(session.uid)
        original(self, session)

    wrap(patch, Tenant, "add", add)


@wrong_server("OPEN-20")
def lets_a_superseded_session_take_over_again(patch: Patcher) -> None:
    """The return of a superseded instance is a login like any other, and kicks the newcomer."""

    def decide(login: Login, current: Session | None, ended: Code | None) -> Admission | Refused:
        admission = admit(login, current, None if ended is Code.SUPERSEDED else ended)
        is_superseded = isinstance(admission, Refused) and admission.code is Code.SUPERSEDED
        return Admission.TAKE_OVER if is_superseded else admission

    with_admission(patch, decide)


@wrong_server("OPEN-27")
def takes_its_stop_for_a_kick(patch: Patcher) -> None:
    """A server that is stopped in order ends all sessions for good first."""

    def farewell(core: ServerCore) -> None:
        for tenant in core._tenants.values():
            for session in tenant.sessions.values():
                tenant.tell(session, Ended(EndReason.REMOTE_LOGIN))

    async def stop(original: Callable[..., Awaitable[None]], self: Server) -> None:
        farewell(self._core)
        self._carry_out()
        await original(self)

    async def stop_virtually(original: Callable[..., Awaitable[None]], self: VirtualServer) -> None:
        assert self.core is not None
        farewell(self.core)
        self._carry_out()
        await original(self)

    wrap(patch, Server, "stop", stop)
    wrap(patch, VirtualServer, "stop", stop_virtually)


# --------------------------------------------------------------------------------------------- resumed, or a new one


def with_resumed(patch: Patcher, resumed: Callable[[Tenant | None, Login, bool], bool]) -> None:
    """Have the server say otherwise whether the session was still there: ``resumed(tenant, login, truth)``."""

    def log_in(original: Callable[..., None], self: ServerCore, now: int, connection: Connection, login: Login) -> None:
        before = len(self._outbox._effects)
        tenant = self._tenants.get(login.app_id)
        wanted = resumed(tenant, login, False)
        original(self, now, connection, login)
        for index, effect in list(enumerate(self._outbox._effects))[before:]:
            if isinstance(effect, Send) and isinstance(effect.frame, LoggedIn) and not effect.frame.resumed:
                told = effect.frame
                said = LoggedIn(told.session, wanted, told.heartbeat_s, told.token_expires_in_s)
                self._outbox._effects[index] = Send(effect.conn, said)

    wrap(patch, ServerCore, "_log_in", log_in)


def _is_expired(tenant: Tenant | None, login: Login) -> bool:
    expired = None if tenant is None else tenant._expired.get(login.uid)
    return expired is not None and expired.session_id == login.resume


@wrong_server("RECONNECTING-5", "RECONNECTING-6", "OPEN-9")
def calls_an_expired_session_resumed(patch: Patcher) -> None:
    """A client that comes back after 30 s is told that its session was still there."""
    with_resumed(patch, lambda tenant, login, _truth: _is_expired(tenant, login))


@wrong_server("OPEN-27", "OPEN-23", "OPEN-25")
def calls_a_session_of_its_former_life_resumed(patch: Patcher) -> None:
    """After a restart a client that names a session is told that it was still there."""
    with_resumed(patch, lambda tenant, login, _truth: login.resume is not None and not _is_expired(tenant, login))


@wrong_server("RECONNECTING-4", "OPEN-9", "OPEN-2")
def begins_anew_on_every_return(patch: Patcher) -> None:
    """A return within 30 s retires the session that is still there, and the others see it leave and join."""

    def decide(login: Login, current: Session | None, ended: Code | None) -> Admission | Refused:
        admission = admit(login, current, ended)
        return Admission.RETIRE if admission is Admission.RESUME else admission

    with_admission(patch, decide)


@wrong_server("RECONNECTING-4", "OPEN-2")
def forgets_the_channels_of_a_resumed_session(patch: Patcher) -> None:
    """A session that is resumed is in no channel any more, and nobody is told."""

    def resume(
        original: Callable[..., None],
        self: ServerCore,
        now: int,
        session: Session,
        connection: Connection,
        login: Login,
    ) -> None:
        original(self, now, session, connection, login)
        leave_silently(session)

    wrap(patch, ServerCore, "_resume", resume)


@wrong_server("RECONNECTING-4", "RECONNECTING-1")
def refuses_a_return_within_30_s(patch: Patcher) -> None:
    """Whoever has a session still cannot log in, not even to resume it."""

    def decide(login: Login, current: Session | None, ended: Code | None) -> Admission | Refused:
        admission = admit(login, current, ended)
        return Refused(Code.REJECTED, "in already") if admission is Admission.RESUME else admission

    with_admission(patch, decide)


# --------------------------------------------------------------------------------------------------- bans and tokens


@wrong_server("OPEN-21")
def lets_a_banned_user_log_in(patch: Patcher) -> None:
    """A ban ends the session that is there, and is not looked at when the user logs in."""

    def ban(original: Callable[..., None], self: ServerCore, now: int, app_id: str, uid: str) -> None:
        original(self, now, app_id, uid)
        self.unban(app_id, uid)

    wrap(patch, ServerCore, "ban", ban)


@wrong_server("OPEN-21")
def bans_at_the_next_login_only(patch: Patcher) -> None:
    """A ban ends nothing: the session that is there goes on."""

    def ban(_original: Callable[..., None], self: ServerCore, _now: int, app_id: str, uid: str) -> None:
        self._banned.put((app_id, uid), True)

    wrap(patch, ServerCore, "ban", ban)


@wrong_server("OPEN-21")
def calls_a_ban_a_remote_login(patch: Patcher) -> None:
    """Who is banned is told that another instance has logged in."""

    def end(original: End, self: ServerCore, session: Session, _code: Code, _reason: EndReason) -> None:
        original(self, session, Code.SUPERSEDED, EndReason.REMOTE_LOGIN)

    wrap(patch, ServerCore, "_end", end)


def without(patch: Patcher, *codes: Code) -> None:
    """Have the server not refuse a login for these reasons."""

    def checked(
        original: Callable[..., Claims | Refused], self: ServerCore, now: int, login: Login
    ) -> Claims | Refused:
        claims = original(self, now, login)
        is_refused = isinstance(claims, Refused) and claims.code in codes
        return Claims(login.app_id, login.uid, None) if is_refused else claims

    wrap(patch, ServerCore, "_checked", checked)


@wrong_server("CONNECTING-4", "CONNECTING-3", "OPEN-6")
def accepts_an_expired_token(patch: Patcher) -> None:
    """The signature of a token is checked, and its expiry is not."""
    without(patch, Code.TOKEN_EXPIRED)


@wrong_server("CONNECTING-4", "CONNECTING-3", "OPEN-6")
def accepts_the_token_of_somebody_else(patch: Patcher) -> None:
    """Any good token will do, whoever it was made for."""
    without(patch, Code.NOT_AUTHORIZED)


@wrong_server("OPEN-22")
def takes_any_renewal(patch: Patcher) -> None:
    """A token that is renewed is not checked."""

    def renew(
        _original: Callable[..., Answer], _self: Requests, _now: int, _session: Session, request: RenewToken
    ) -> Answer:
        return Done(request.id)

    wrap(patch, Requests, "_renew_token", renew)


@wrong_server("OPEN-22")
def does_not_say_when_a_renewed_token_expires(patch: Patcher) -> None:
    """The answer to a renewal that succeeds lacks how long the new token lives."""

    def renew(original: Callable[..., Answer], self: Requests, *args: object) -> Answer:
        answer = original(self, *args)
        return Done(answer.id) if isinstance(answer, Done) else answer

    wrap(patch, Requests, "_renew_token", renew)
