"""Wrong clients, to be found: each is the reference with one bug, as real clients have shipped them."""

from __future__ import annotations

from collections.abc import Callable

from harness.reference.client_attempts_core import Attempt
from harness.reference.client_core import ClientCore
from harness.reference.client_effects_core import Callback
from harness.reference.client_link_core import Link
from harness.reference.client_session_core import Session
from harness.reference.wire import LoggedIn, Login
from harness.spec.states import LoginError, LogoutError, Reason, State
from harness.spec.timing import Timing, ns


class ToldTwice(ClientCore):
    """Tells of an interruption twice."""

    def _switch(self, state: State, reason: Reason) -> None:
        super()._switch(state, reason)
        if state is State.RECONNECTING:
            self._emit(Callback("onConnectionStateChanged", {"state": state, "reason": reason}))


class NoResultOfTimeout(ClientCore):
    """Leaves a login that times out without a result."""

    def _login_failed(self, now: int, code: LoginError, reason: Reason) -> None:
        if code is not LoginError.TIMEOUT:
            super()._login_failed(now, code, reason)
            return
        self._forget(now)
        self._switch(State.DISCONNECTED, reason)


class TriesAfterLogout(ClientCore):
    """Goes on looking for a connection after a logout while RECONNECTING, and holds on to the one that it finds."""

    def _log_out(self, now: int) -> None:
        if self._state is not State.RECONNECTING:
            super()._log_out(now)
            return
        self._emit(Callback("onLogout", {"code": LogoutError.OK}))
        self._switch(State.DISCONNECTED, Reason.LOGOUT)

    def _begin_login(self, now: int, session: Session) -> None:
        if self._session is not None:
            self._forget(now)
        super()._begin_login(now, session)

    def _logged_in(self, now: int, attempt: Attempt, link: Link, answer: LoggedIn) -> None:
        if self._state is not State.DISCONNECTED:
            super()._logged_in(now, attempt, link, answer)
            return
        assert self._session is not None
        assert attempt.token is not None
        self._close_all(self._attempts.won(now, link.conn))
        self._link = link
        self._session.attached(now, link.conn, answer, attempt.token)

    def _aborted(self, now: int, reason: Reason) -> None:
        if self._state is State.DISCONNECTED:
            self._forget(now)
        else:
            super()._aborted(now, reason)


class StaysOut(ClientCore):
    """Does not go back into its channels when the server has a new session for it."""

    def _begin_login(self, now: int, session: Session) -> None:
        session._roster.server_has_nothing = _nothing  # type: ignore[method-assign]
        super()._begin_login(now, session)


def _nothing() -> None:
    """What it does about its channels."""


class Impatient(ClientCore):
    """Is interrupted after 3 s."""

    def __init__(
        self, app_id: str, *, instance: str, jitter: Callable[[], float], timing: Timing | None = None
    ) -> None:
        super().__init__(app_id, instance=instance, jitter=jitter, timing=timing or Timing(interruption_s=3.0))


class AddsUp(ClientCore):
    """Gives a second loss no 4 s of its own: it counts from the first."""

    _first_ns: int | None = None

    def _gone(self, now: int, conn: int) -> None:
        super()._gone(now, conn)
        if self._interrupted_ns is not None:
            self._first_ns = self._interrupted_ns if self._first_ns is None else self._first_ns
            self._interrupted_ns = self._first_ns

    def _interrupted(self, now: int) -> None:
        self._first_ns = None
        super()._interrupted(now)

    def _forget(self, now: int) -> None:
        self._first_ns = None
        super()._forget(now)


class BeginsAnew(ClientCore):
    """Comes back with a new session in the place of its own, which the others see leave."""

    def _login_frame(self, conn: int, uid: str, token: str, resume: str | None) -> Login:
        return super()._login_frame(conn, uid, token, None if self._state is State.RECONNECTING else resume)


class GivesUp(ClientCore):
    """Stops trying when it has been RECONNECTING for 10 s."""

    _since_ns = 0

    def _interrupted(self, now: int) -> None:
        self._since_ns = now
        super()._interrupted(now)

    def _start_attempt(self, now: int) -> None:
        if self._state is State.RECONNECTING and now - self._since_ns > ns(10.0):
            self._close_all(self._attempts.end())
        else:
            super()._start_attempt(now)
