"""Wrong clients: how many connections there are, when the next is tried, and which session it asks for."""

from __future__ import annotations

from collections.abc import Callable

from harness.reference.client_attempts_core import Attempt, Attempts
from harness.reference.client_effects_core import Close, Open, Send
from harness.reference.client_lifecycle_core import Lifecycle
from harness.reference.client_link_core import Link
from harness.reference.client_session_core import Session
from harness.reference.wire import LoggedIn, Login, Ping
from harness.spec.states import State
from harness.spec.timing import ns
from tests.mutants.deviations import wrap
from tests.mutants.mutant import Patcher, wrong_client

# Longer than any scenario: an attempt that is due then is none.
NEVER_NS = ns(3600.0)

# ---------------------------------------------------------------------------------- connections that nobody closes


@wrong_client("OPEN-2", reports=("socketio/socket.io#430",))
def leaves_earlier_attempts_open(patch: Patcher) -> None:
    """The attempts that were overtaken by the one that logged in are forgotten, and not closed."""

    def won(original: Callable[..., list[Attempt]], self: Attempts, now: int, conn: int) -> list[Attempt]:
        original(self, now, conn)
        return []

    wrap(patch, Attempts, "won", won)


@wrong_client("OPEN-2")
def leaves_attempts_open_when_the_link_recovers(patch: Patcher) -> None:
    """The old connection has recovered, and those that were tried beside it are forgotten and not closed."""

    def called_off(original: Callable[..., list[Attempt]], self: Attempts, now: int) -> list[Attempt]:
        original(self, now)
        return []

    wrap(patch, Attempts, "called_off", called_off)


@wrong_client("OPEN-2")
def opens_two_connections_for_each_attempt(patch: Patcher) -> None:
    """Each attempt opens a connection to log in on, and a spare one that nobody closes."""

    def start_attempt(original: Callable[..., None], self: Lifecycle, now: int) -> None:
        last = self._last_conn
        original(self, now)
        if self._last_conn > last:
            self._last_conn += 1
            self._emit(Open(self._last_conn))

    wrap(patch, Lifecycle, "_start_attempt", start_attempt)


@wrong_client("OPEN-7", "OPEN-16")
def leaves_attempts_open_when_it_gives_up(patch: Patcher) -> None:
    """A login that timed out, or a logout, forgets the attempts under way, and does not close them."""

    def end(original: Callable[..., list[Attempt]], self: Attempts) -> list[Attempt]:
        original(self)
        return []

    wrap(patch, Attempts, "end", end)


@wrong_client("OPEN-7")
def does_not_take_back_a_login_that_timed_out(patch: Patcher) -> None:
    """A success after the time-out is confirmed and then hung up on, without a logout: a ghost stays online."""
    late: dict[Lifecycle, set[int]] = {}

    def login_failed(original: Callable[..., None], self: Lifecycle, *args: object) -> None:
        late[self] = {attempt.conn for attempt in self._attempts.end()}
        original(self, *args)

    def received(original: Callable[..., None], self: Lifecycle, now: int, conn: int, data: bytes | str) -> None:
        if conn in late.get(self, ()):
            self._effects += [Send(conn, Ping(1)), Close(conn, flush=True)]
        else:
            original(self, now, conn, data)

    def connection_opened(original: Callable[..., None], self: Lifecycle, now: int, conn: int) -> None:
        if conn in late.get(self, ()):
            self._emit(Close(conn, flush=False))
        else:
            original(self, now, conn)

    wrap(patch, Lifecycle, "_login_failed", login_failed)
    wrap(patch, Lifecycle, "received", received)
    wrap(patch, Lifecycle, "connection_opened", connection_opened)


@wrong_client("CONNECTED-6", "OPEN-15", "OPEN-16")
def leaves_the_connection_open_after_a_logout(patch: Patcher) -> None:
    """logout() tells the app, and neither the server nor the connection."""

    def log_out(original: Callable[..., None], self: Lifecycle, now: int) -> None:
        self._link = None
        original(self, now)

    wrap(patch, Lifecycle, "_log_out", log_out)


@wrong_client("OPEN-16")
def keeps_a_connection_ready_after_a_logout(patch: Patcher) -> None:
    """logout() ends the session, and opens a connection for the next login, in case there is one."""

    def log_out(original: Callable[..., None], self: Lifecycle, now: int) -> None:
        original(self, now)
        self._last_conn += 1
        self._emit(Open(self._last_conn))

    wrap(patch, Lifecycle, "_log_out", log_out)


# --------------------------------------------------------------------------------------------- the pace of attempts


@wrong_client("GENERAL-2", "RECONNECTING-1")
def waits_for_the_app_to_reconnect(patch: Patcher) -> None:
    """After an interruption nothing is tried."""

    def start_attempt(original: Callable[..., None], self: Lifecycle, now: int) -> None:
        if self._state is not State.CONNECTING and self._attempts.is_seeking:
            self._attempts._next_ns = now + NEVER_NS
        original(self, now)

    wrap(patch, Lifecycle, "_start_attempt", start_attempt)


@wrong_client("RECONNECTING-1", "GENERAL-2")
def gives_up_after_ten_attempts(patch: Patcher) -> None:
    """The tenth attempt of an outage is the last one."""
    started: dict[Attempts, int] = {}

    def start_due(original: Callable[..., bool], self: Attempts, now: int, conn: int) -> bool:
        if started.get(self, 0) >= 10 and self.is_seeking:
            self._next_ns = now + NEVER_NS
        was_started = original(self, now, conn)
        started[self] = started.get(self, 0) + was_started
        return was_started

    def won(original: Callable[..., list[Attempt]], self: Attempts, now: int, conn: int) -> list[Attempt]:
        started[self] = 0
        return original(self, now, conn)

    wrap(patch, Attempts, "start_due", start_due)
    wrap(patch, Attempts, "won", won)


@wrong_client("RECONNECTING-1", "OPEN-3", reports=("pusher/pusher-js#553",))
def remembers_the_attempts_of_the_last_outage(patch: Patcher) -> None:
    """Attempts are counted over all outages, and after fifteen there is no other."""
    started: dict[Attempts, int] = {}

    def start_due(original: Callable[..., bool], self: Attempts, now: int, conn: int) -> bool:
        if started.get(self, 0) >= 15 and self.is_seeking:
            self._next_ns = now + NEVER_NS
        was_started = original(self, now, conn)
        started[self] = started.get(self, 0) + was_started
        return was_started

    wrap(patch, Attempts, "start_due", start_due)


@wrong_client("RECONNECTING-1", "OPEN-3", reports=("pusher/pusher-websocket-dotnet#97",))
def never_resets_its_back_off(patch: Patcher) -> None:
    """Each attempt lengthens the pause before the next, over all outages: the first return is quick, and no other."""
    pauses: dict[Attempts, int] = {}

    def start_due(original: Callable[..., bool], self: Attempts, now: int, conn: int) -> bool:
        was_started = original(self, now, conn)
        if was_started:
            pauses[self] = pauses.get(self, 0) + 1
            self._next_ns = now + ns(0.5) * pauses[self]
        return was_started

    def failed(_original: Callable[..., None], self: Attempts, _now: int, conn: int) -> None:
        self._in_flight.pop(conn)

    wrap(patch, Attempts, "start_due", start_due)
    wrap(patch, Attempts, "failed", failed)


@wrong_client("OPEN-28", reports=("centrifugal/centrifuge-js#408",))
def comes_back_at_once_when_it_is_dropped(patch: Patcher) -> None:
    """A connection that the server closes right after the login is followed by the next without any pause."""

    def init(original: Callable[..., None], self: Link, conn: int, now: int, heartbeat_s: float) -> None:
        original(self, conn, now, heartbeat_s)
        self.is_proved = True

    wrap(patch, Link, "__init__", init)


@wrong_client("OPEN-5", "RECONNECTING-1", "CONNECTING-2", reports=("centrifugal/centrifuge-js#281",))
def ignores_a_close_before_the_login(patch: Patcher) -> None:
    """One attempt at a time, and one that is closed before it is logged in is waited for all the same."""

    def start_due(original: Callable[..., bool], self: Attempts, now: int, conn: int) -> bool:
        was_started = original(self, now, conn)
        if was_started:
            self._next_ns = None
        return was_started

    def connection_lost(original: Callable[..., None], self: Lifecycle, now: int, conn: int) -> None:
        if self._link is not None and self._link.conn == conn:
            original(self, now, conn)
        elif (attempt := self._attempts.get(conn)) is not None:
            attempt.deadline_ns = None

    wrap(patch, Attempts, "start_due", start_due)
    wrap(patch, Lifecycle, "connection_lost", connection_lost)


@wrong_client("RECONNECTING-4", "OPEN-3", reports=("socketio/socket.io#4880",))
def recovers_once(patch: Patcher) -> None:
    """The first return uses up the session's name; the next one begins a new session, and others see it."""
    returns: dict[Session, int] = {}

    def attached(
        original: Callable[..., None], self: Session, now: int, conn: int, answer: LoggedIn, token: str
    ) -> None:
        original(self, now, conn, answer, token)
        returns[self] = returns.get(self, 0) + 1
        if returns[self] > 1:
            self.resume = None

    wrap(patch, Session, "attached", attached)


# -------------------------------------------------------------------------------------------- which session it asks for


@wrong_client("RECONNECTING-4")
def never_resumes(patch: Patcher) -> None:
    """Each return asks for a session of its own, and the others see it leave and join."""

    def attached(
        original: Callable[..., None], self: Session, now: int, conn: int, answer: LoggedIn, token: str
    ) -> None:
        original(self, now, conn, answer, token)
        self.resume = None

    wrap(patch, Session, "attached", attached)


@wrong_client("OPEN-2", "CONNECTED-4")
def resumes_only_after_the_4_s(patch: Patcher) -> None:
    """A return within the 4 s is made like a first login: nothing switches, and the others see it leave and join."""

    def login_frame(
        original: Callable[..., Login], self: Lifecycle, conn: int, uid: str, token: str, resume: str | None
    ) -> Login:
        return original(self, conn, uid, token, None if self._state is State.CONNECTED else resume)

    wrap(patch, Lifecycle, "_login_frame", login_frame)


@wrong_client("ABORTED-2")
def logs_in_with_the_session_that_was_ended(patch: Patcher) -> None:
    """login() after a kick and a logout still asks for the session that the kick ended."""
    ended: dict[Lifecycle, str | None] = {}

    def aborted(original: Callable[..., None], self: Lifecycle, *args: object) -> None:
        ended[self] = None if self._session is None else self._session.resume
        original(self, *args)

    def begin_login(original: Callable[..., None], self: Lifecycle, now: int, session: Session) -> None:
        session.resume = ended.get(self)
        original(self, now, session)

    wrap(patch, Lifecycle, "_aborted", aborted)
    wrap(patch, Lifecycle, "_begin_login", begin_login)


@wrong_client("RECONNECTING-5", "OPEN-27", "RECONNECTING-6", reports=("hivemq/hivemq-mqtt-client-dotnet#381",))
def takes_every_return_for_a_resumption(patch: Patcher) -> None:
    """'resumed' false is not read: connected, in no channel, without attributes, and unaware of it."""

    def attached(
        original: Callable[..., None], self: Session, now: int, conn: int, answer: LoggedIn, token: str
    ) -> None:
        original(self, now, conn, LoggedIn(answer.session, True, answer.heartbeat_s, answer.token_expires_in_s), token)

    wrap(patch, Session, "attached", attached)
