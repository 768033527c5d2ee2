"""The connection state of the client, and everything that switches it.

What belongs to one login is in client_session_core, when to connect in client_attempts_core, the heartbeat in
client_link_core, the calls of the app in client_core. Here is the state: nothing else may change it, and ``_switch``
alone does. Pure: times are nanoseconds of one monotonic clock that never goes back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from harness.errors import HarnessError
from harness.reference.client_attempts_core import Attempt, Attempts
from harness.reference.client_codes_core import LOGIN
from harness.reference.client_effects_core import Callback, Close, Effect, Log, Open, Send
from harness.reference.client_link_core import Link
from harness.reference.client_session_core import Session
from harness.reference.wire import (
    AttributesOf,
    Code,
    Done,
    Ended,
    EndReason,
    Failed,
    LoggedIn,
    Login,
    Logout,
    Members,
    Online,
    PeerMessage,
    Pong,
    Refused,
    ServerFrame,
    WireError,
    decode_from_server,
)
from harness.spec.states import (
    LoginError,
    LogoutError,
    Reason,
    State,
)
from harness.spec.timing import Timing, ns

# What a server may ask for. Below the minimum heartbeats would be all that a client does. Above half of the 4 s
# (CONNECTED-3) a silent loss would be suspected too late for another connection to be tried.
HEARTBEAT_MIN_S = 0.01

# From which states each is entered; the published table in harness.spec is what this is held against, not made from.
_ENTERED_FROM: Mapping[State, frozenset[State]] = {
    State.DISCONNECTED: frozenset({State.CONNECTING, State.CONNECTED, State.RECONNECTING, State.ABORTED}),
    State.CONNECTING: frozenset({State.DISCONNECTED}),
    State.CONNECTED: frozenset({State.CONNECTING, State.RECONNECTING}),
    State.RECONNECTING: frozenset({State.CONNECTED}),
    State.ABORTED: frozenset({State.CONNECTED, State.RECONNECTING}),
}
_ENDED = {EndReason.REMOTE_LOGIN: Reason.REMOTE_LOGIN, EndReason.BANNED: Reason.BANNED_BY_SERVER}
_REFUSED_BY_END = {EndReason.REMOTE_LOGIN: Code.SUPERSEDED, EndReason.BANNED: Code.BANNED}
_ENDED_BY_REFUSAL = {Code.SUPERSEDED: Reason.REMOTE_LOGIN, Code.BANNED: Reason.BANNED_BY_SERVER}


class Lifecycle:
    """Holds on to one user's connection, and tells the app what becomes of it. See ClientCore, which adds the calls."""

    def __init__(
        self, app_id: str, *, instance: str, jitter: Callable[[], float], timing: Timing | None = None
    ) -> None:
        self._app_id = app_id
        self._instance = instance
        self._timing = timing or Timing()
        self._state = State.DISCONNECTED  # DISCONNECTED-1
        self._effects: list[Effect] = []
        self._attempts = Attempts(jitter)
        self._last_conn = 0
        self._session: Session | None = None  # from CONNECTING to the end of RECONNECTING
        self._link: Link | None = None
        self._login_deadline_ns: int | None = None  # while CONNECTING
        self._interrupted_ns: int | None = None  # when a loss was seen, while CONNECTED without a link

    @property
    def state(self) -> State:
        """The present state. A handler that is being called back may find it further on than what it is told."""
        return self._state

    def drain(self) -> list[Effect]:
        """Return what is to be done since the last call, in this order."""
        effects, self._effects = self._effects, []
        return effects

    # -------------------------------------------------------------------------------------- what the shell reports

    def connection_opened(self, now: int, conn: int) -> None:
        """Take note that a connection is open, its WebSocket upgrade included.

        Raises:
            HarnessError: the core never asked for it, or has been told already.
        """
        self.tick(now)
        if not self._is_known(conn):
            return
        attempt = self._attempts.get(conn)
        if attempt is None or attempt.token is not None:
            raise HarnessError(f"connection {conn} is reported open for a second time while {self._state.name}")
        assert self._session is not None
        token = self._session.token.for_login
        if not self._attempts.opened(now, conn, token):
            self._emit(Close(conn, flush=False))
            return
        if self._state is State.CONNECTING:
            attempt.deadline_ns = None  # the login as a whole has its 6 s, and this connection works (OPEN-5)
        self._emit(Send(conn, self._login_frame(conn, self._session.uid, token, self._session.resume)))

    def received(self, now: int, conn: int, data: bytes | str) -> None:
        """Take one WebSocket message. A connection that brings what it must not is given up like one that broke.

        Raises:
            HarnessError: the core never asked for this connection.
        """
        self.tick(now)
        if not self._is_known(conn):
            return
        try:
            frame = decode_from_server(data)
            if self._link is not None and conn == self._link.conn:
                self._received_on_link(now, self._link, frame)
            else:
                self._received_on_attempt(now, conn, frame)
        except WireError as error:
            self._emit(Log(f"connection {conn} given up: {error}"))
            self._emit(Close(conn, flush=False))
            self._gone(now, conn)

    def connection_lost(self, now: int, conn: int) -> None:
        """Take note that a connection could not be opened, or is gone; one that the core closed itself is no news.

        Raises:
            HarnessError: the core never asked for it.
        """
        self.tick(now)
        if self._is_known(conn):
            self._gone(now, conn)

    # --------------------------------------------------------------------------------------------------------- timers

    def next_deadline(self) -> int | None:
        """Return the time by which ``tick`` must be called, or None."""
        times = [self._login_deadline_ns, self._reconnecting_ns(), self._attempts.next_deadline()]
        if self._session is not None:
            times.append(self._session.next_deadline())
        if self._link is not None:
            times.append(self._link.next_ping_ns)
            if not self._attempts.is_seeking:
                times.append(self._link.suspect_ns)
        return min((time for time in times if time is not None), default=None)

    def tick(self, now: int) -> None:
        """Do what is due. What is reported for the same nanosecond comes after: a login that takes 6 s is too late."""
        deadline_ns = self.next_deadline()
        if deadline_ns is None or now < deadline_ns:
            return
        if self._login_deadline_ns is not None and self._login_deadline_ns <= now:
            self._login_failed(now, LoginError.TIMEOUT, Reason.LOGIN_TIMEOUT)
            return
        reconnecting_ns = self._reconnecting_ns()
        if reconnecting_ns is not None and reconnecting_ns <= now:
            self._interrupted(now)
        assert self._session is not None  # without one there is no deadline
        self._session.tick(now)
        if self._link is not None:
            if self._link.next_ping_ns <= now:
                self._emit(Send(self._link.conn, self._link.ping(now)))
            if self._link.is_suspect(now):
                self._attempts.seek_beside(now)
        self._start_attempt(now)

    def _reconnecting_ns(self) -> int | None:
        """When an interruption has lasted for 4 s, as things stand (CONNECTED-3, OPEN-1)."""
        if self._state is not State.CONNECTED:
            return None
        since_ns = self._interrupted_ns if self._link is None else self._link.silent_since_ns
        return None if since_ns is None else since_ns + ns(self._timing.interruption_s)

    # --------------------------------------------------------------------------------------------------------- frames

    def _received_on_link(self, now: int, link: Link, frame: ServerFrame) -> None:
        assert self._session is not None
        match frame:
            case Pong():
                self._pong(now, link, frame)
            case Done() | Failed() | Members() | AttributesOf() | Online():
                self._session.answer(now, frame)
            case Ended():
                self._aborted(now, _ENDED[frame.reason])
            case Refused():
                self._refused(now, link.conn, None, frame)
            case LoggedIn():
                raise WireError("a connection is logged in once")
            case _:
                self._session.notice(frame)

    def _received_on_attempt(self, now: int, conn: int, frame: ServerFrame) -> None:
        attempt = self._attempts.get(conn)
        assert attempt is not None
        if attempt.token is None:
            raise WireError("a frame before the login")
        match frame:
            case LoggedIn() if attempt.answer is None:
                self._answered(now, attempt, frame)
            case Pong() if attempt.answer is not None and attempt.link is not None:
                attempt.link.pong(now, frame.n)
                if attempt.link.silent_since_ns is None:
                    self._logged_in(now, attempt, attempt.link, attempt.answer)
            case PeerMessage() if attempt.answer is not None:
                attempt.held.append(frame)  # to the others the user is online already
            case Refused():
                attempt.answer = None
                self._refused(now, conn, attempt.token, frame)
            case Ended() if attempt.answer is not None:
                attempt.answer = None  # nothing is left to log out of
                self._refused(now, conn, attempt.token, Refused(_REFUSED_BY_END[frame.reason], "ended at once"))
            case _:
                raise WireError(f"{type(frame).__name__} in the middle of the login")

    def _pong(self, now: int, link: Link, frame: Pong) -> None:
        link.pong(now, frame.n)
        if link.is_proved:
            self._attempts.proved()
        if self._attempts.is_seeking and not link.is_suspect(now):
            self._close_all(self._attempts.called_off(now))  # recovered: nothing was switched (CONNECTED-4)

    def _answered(self, now: int, attempt: Attempt, frame: LoggedIn) -> None:
        """Confirm a login that the server has accepted (OPEN-7).

        A session that was there before needs no confirmation. A new one is taken back where none arrives, so the app
        is told only when the server has answered it: from then on the session outlives the connection (OPEN-11).
        """
        heartbeat_max_s = self._timing.interruption_s / 2
        if not HEARTBEAT_MIN_S <= frame.heartbeat_s <= heartbeat_max_s:
            raise WireError(f"a heartbeat of {frame.heartbeat_s} s, expected {HEARTBEAT_MIN_S} to {heartbeat_max_s} s")
        link = Link(attempt.conn, now, frame.heartbeat_s)
        self._emit(Send(attempt.conn, link.ping(now)))
        if frame.resumed:
            self._logged_in(now, attempt, link, frame)
        else:
            self._attempts.accepted(now, attempt, frame, link)

    def _logged_in(self, now: int, attempt: Attempt, link: Link, answer: LoggedIn) -> None:
        assert self._session is not None
        assert attempt.token is not None
        if self._link is not None:
            self._emit(Close(self._link.conn, flush=False))
        self._close_all(self._attempts.won(now, link.conn))
        self._session.detached(now)
        self._link = link
        self._login_deadline_ns = self._interrupted_ns = None
        if self._state is State.CONNECTING:
            self._emit(Callback("onLoginSuccess", {}))
        if self._state is not State.CONNECTED:
            self._switch(State.CONNECTED, Reason.LOGIN_SUCCESS)
        self._session.attached(now, link.conn, answer, attempt.token)
        for message in attempt.held:
            self._session.notice(message)

    def _refused(self, now: int, conn: int, token: str | None, frame: Refused) -> None:
        """Take the refusal of a login: of an attempt with this token, or one that takes a login back (None)."""
        assert self._session is not None
        self._emit(Log(f"connection {conn} refused: {frame.code} {frame.why}".rstrip()))
        if self._state is State.CONNECTING and frame.code is not Code.STALE:
            self._login_failed(now, LOGIN.get(frame.code, LoginError.UNKNOWN), Reason.LOGIN_FAILURE)
        elif self._state is not State.CONNECTING and frame.code in _ENDED_BY_REFUSAL:
            self._aborted(now, _ENDED_BY_REFUSAL[frame.code])
        else:
            self._emit(Close(conn, flush=False))
            if token is not None:
                self._session.token.refused(token, frame.code)
            self._gone(now, conn)  # keep trying (OPEN-28)

    # ------------------------------------------------------------------------------------------------------- switches

    def _begin_login(self, now: int, session: Session) -> None:
        self._session = session
        self._login_deadline_ns = now + ns(self._timing.login_s)
        self._switch(State.CONNECTING, Reason.LOGIN)
        self._attempts.proved()  # a call of the app does not wait for the back-off of an earlier one
        self._attempts.seek(now)
        self._start_attempt(now)

    def _log_out(self, now: int) -> None:
        if self._link is not None:
            self._emit(Send(self._link.conn, Logout()))
            self._emit(Close(self._link.conn, flush=True))
            self._link = None
        self._forget(now)
        self._emit(Callback("onLogout", {"code": LogoutError.OK}))  # like a login's, the result comes before its switch
        self._switch(State.DISCONNECTED, Reason.LOGOUT)

    def _try_at_once(self, now: int) -> None:
        """Where there is no link, do not wait for the next attempt: there is a reason to hope."""
        if self._link is None:
            self._attempts.hasten(now)
            self._start_attempt(now)

    def _switch(self, state: State, reason: Reason) -> None:
        """Change the state: the only place that does, so that each change is told exactly once (GENERAL-1)."""
        if self._state not in _ENTERED_FROM[state]:
            raise HarnessError(
                f"{state.name} / {reason.name} while {self._state.name}",
                why="the reference client has no such switch; its state stays as it was",
            )
        self._state = state
        self._emit(Callback("onConnectionStateChanged", {"state": state, "reason": reason}))

    def _login_failed(self, now: int, code: LoginError, reason: Reason) -> None:
        self._forget(now)
        self._emit(Callback("onLoginFailure", {"code": code}))
        self._switch(State.DISCONNECTED, reason)

    def _interrupted(self, now: int) -> None:
        """4 s have passed: give the old connection up, tell the app, and look for a new one without end."""
        assert self._session is not None
        if self._link is not None:
            self._emit(Close(self._link.conn, flush=False))
            self._link = None
        self._interrupted_ns = None
        self._switch(State.RECONNECTING, Reason.INTERRUPTED)
        self._session.detached(now)
        self._session.away(now)
        if not self._attempts.is_seeking:
            self._attempts.seek(now)

    def _aborted(self, now: int, reason: Reason) -> None:
        """The system ended the session: nothing brings it back but the app (ABORTED-1)."""
        if self._link is not None:
            self._emit(Close(self._link.conn, flush=False))
            self._link = None
        self._forget(now)
        self._switch(State.ABORTED, reason)

    # --------------------------------------------------------------------------------------------------------- helpers

    def _emit(self, effect: Effect) -> None:
        self._effects.append(effect)

    def _is_known(self, conn: int) -> bool:
        """Return whether a connection still counts; what comes late of one that was closed here does not."""
        if not 1 <= conn <= self._last_conn:
            raise HarnessError(f"connection {conn} was never opened, the last one is {self._last_conn}")
        return self._attempts.get(conn) is not None or (self._link is not None and self._link.conn == conn)

    def _login_frame(self, conn: int, uid: str, token: str, resume: str | None) -> Login:
        return Login(self._app_id, uid, token, self._instance, conn, resume)

    def _logged_in_session(self) -> Session | None:
        return self._session if self._state in (State.CONNECTED, State.RECONNECTING) else None

    def _start_attempt(self, now: int) -> None:
        self._close_all(self._attempts.expire(now))
        if self._attempts.start_due(now, self._last_conn + 1):
            self._last_conn += 1
            self._emit(Open(self._last_conn))

    def _close_all(self, attempts: Iterable[Attempt]) -> None:
        for attempt in attempts:
            is_half_way = attempt.answer is not None
            if is_half_way:  # its session may be confirmed by now, and would outlive the connection (OPEN-7)
                self._emit(Send(attempt.conn, Logout()))
            self._emit(Close(attempt.conn, flush=is_half_way))

    def _gone(self, now: int, conn: int) -> None:
        """A connection is of no use any more; the shell has closed it, or has been told to."""
        link = self._link
        if link is None or conn != link.conn:
            self._attempts.failed(now, conn)
        else:
            assert self._session is not None
            # Silence that turns out to be a loss began with the silence (OPEN-1).
            self._interrupted_ns = link.silent_since_ns if link.is_suspect(now) else now
            self._link = None
            self._session.detached(now)
            if not link.is_proved:
                self._attempts.count_failure()
            self._attempts.seek(now)
        self._start_attempt(now)

    def _forget(self, now: int) -> None:
        """Be rid of everything of the present login; what its connections still bring is ignored (SignalR#823)."""
        self._close_all(self._attempts.end())
        self._login_deadline_ns = self._interrupted_ns = None
        if self._session is not None:
            self._session.end(now)
            self._session = None
