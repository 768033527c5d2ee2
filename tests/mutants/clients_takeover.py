"""Wrong clients: thrown out by another instance or by the system, and what they make of it."""

from __future__ import annotations

from collections.abc import Callable

from harness.reference import client_lifecycle_core
from harness.reference.client_effects_core import Close, Open, Send
from harness.reference.client_lifecycle_core import Lifecycle
from harness.reference.client_link_core import Link
from harness.reference.client_session_core import Session
from harness.reference.wire import Code, Ended, Login, Logout, Refused, ServerFrame
from harness.spec.states import Reason, State
from harness.spec.timing import ns
from tests.mutants.deviations import wrap
from tests.mutants.mutant import Patcher, wrong_client


@wrong_client("ABORTED-1", "OPEN-20", "CONNECTED-5", reports=("mqttjs/MQTT.js#1585",))
def answers_a_kick_with_a_kick(patch: Patcher) -> None:
    """The side that was kicked reconnects, and kicks the other one: for ever, where both do it."""

    def received(original: Callable[..., None], self: Lifecycle, now: int, link: Link, frame: ServerFrame) -> None:
        if not isinstance(frame, Ended):
            original(self, now, link, frame)
            return
        assert self._session is not None
        self._session.resume = None
        self._emit(Close(link.conn, flush=False))
        self._gone(now, link.conn)

    wrap(patch, Lifecycle, "_received_on_link", received)


@wrong_client("CONNECTED-5", "OPEN-19")
def takes_a_kick_for_an_interruption(patch: Patcher) -> None:
    """The app is told of the kick after 4 s, by way of RECONNECTING and an attempt that is refused."""

    def received(original: Callable[..., None], self: Lifecycle, now: int, link: Link, frame: ServerFrame) -> None:
        if not isinstance(frame, Ended):
            original(self, now, link, frame)
            return
        assert self._session is not None
        self._emit(Close(link.conn, flush=False))
        self._link, self._interrupted_ns = None, now
        self._session.detached(now)

    wrap(patch, Lifecycle, "_received_on_link", received)


@wrong_client("ABORTED-1")
def comes_back_from_aborted_by_itself(patch: Patcher) -> None:
    """Two seconds after a kick the client logs in again without being asked."""

    def aborted(original: Callable[..., None], self: Lifecycle, now: int, reason: Reason) -> None:
        kicked = self._session
        original(self, now, reason)
        if kicked is not None and reason is Reason.REMOTE_LOGIN:
            self._session = Session(kicked.uid, kicked.token.for_login, self._timing, self._emit)
            self._attempts._set_next(now + ns(2.0))

    patch(client_lifecycle_core, "_ENTERED_FROM", lambda table: {**table, State.CONNECTED: frozenset(State)})
    wrap(patch, Lifecycle, "_aborted", aborted)


@wrong_client("ABORTED-1")
def keeps_a_connection_ready_while_aborted(patch: Patcher) -> None:
    """A client that was kicked opens another connection, and waits on it for what may come."""

    def aborted(original: Callable[..., None], self: Lifecycle, now: int, reason: Reason) -> None:
        original(self, now, reason)
        self._last_conn += 1
        self._emit(Open(self._last_conn))

    wrap(patch, Lifecycle, "_aborted", aborted)


@wrong_client("OPEN-20", "CONNECTED-5")
def does_not_take_superseded_for_an_answer(patch: Patcher) -> None:
    """A client that was superseded while away goes on trying, and stays RECONNECTING."""
    patch(client_lifecycle_core, "_ENDED_BY_REFUSAL", lambda table: {Code.BANNED: table[Code.BANNED]})


@wrong_client("OPEN-20", "CONNECTED-5")
def hears_of_a_takeover_only_when_reconnecting(patch: Patcher) -> None:
    """Superseded within the 4 s, the client waits until they are over before it believes that."""

    def refused(original: Callable[..., None], self: Lifecycle, now: int, conn: int, *rest: object) -> None:
        if self._state is State.CONNECTED:
            self._emit(Close(conn, flush=False))
            self._gone(now, conn)
        else:
            original(self, now, conn, *rest)

    wrap(patch, Lifecycle, "_refused", refused)


@wrong_client("OPEN-20", "ABORTED-1")
def kicks_the_newcomer_on_the_return(patch: Patcher) -> None:
    """A client that was superseded while away logs in anew, and throws out who superseded it."""

    def refused(
        original: Callable[..., None], self: Lifecycle, now: int, conn: int, token: str | None, frame: Refused
    ) -> None:
        if frame.code is Code.SUPERSEDED and self._session is not None:
            self._session.resume = None
            frame = Refused(Code.REJECTED)
        original(self, now, conn, token, frame)

    wrap(patch, Lifecycle, "_refused", refused)


@wrong_client("OPEN-17")
def logs_the_new_owner_out(patch: Patcher) -> None:
    """logout() while ABORTED logs in once more, to be able to log out: the new owner is thrown out by it."""
    farewells: dict[tuple[Lifecycle, int], Login] = {}
    kicked: dict[Lifecycle, Session | None] = {}

    def aborted(original: Callable[..., None], self: Lifecycle, *args: object) -> None:
        kicked[self] = self._session
        original(self, *args)

    def log_out(original: Callable[..., None], self: Lifecycle, now: int) -> None:
        session = kicked.pop(self, None)
        if self._state is State.ABORTED and session is not None:
            self._last_conn += 1
            self._emit(Open(self._last_conn))
            login = self._login_frame(self._last_conn, session.uid, session.token.for_login, None)
            farewells[self, self._last_conn] = login
        original(self, now)

    def connection_opened(original: Callable[..., None], self: Lifecycle, now: int, conn: int) -> None:
        login = farewells.pop((self, conn), None)
        if login is None:
            original(self, now, conn)
        else:
            self._effects += [Send(conn, login), Send(conn, Logout()), Close(conn, flush=True)]

    wrap(patch, Lifecycle, "_aborted", aborted)
    wrap(patch, Lifecycle, "_log_out", log_out)
    wrap(patch, Lifecycle, "connection_opened", connection_opened)


@wrong_client("OPEN-21")
def goes_on_trying_when_it_is_banned(patch: Patcher) -> None:
    """The end for good is an interruption, and a refusal for the ban one like any other."""

    def received(original: Callable[..., None], self: Lifecycle, now: int, link: Link, frame: ServerFrame) -> None:
        if isinstance(frame, Ended) and frame.reason == "banned":
            self._emit(Close(link.conn, flush=False))
            self._gone(now, link.conn)
        else:
            original(self, now, link, frame)

    wrap(patch, Lifecycle, "_received_on_link", received)
    patch(client_lifecycle_core, "_ENDED_BY_REFUSAL", lambda table: {Code.SUPERSEDED: table[Code.SUPERSEDED]})
