"""The reference client without its input and output: calls, frames and times in, effects out.

The shell makes the app's calls here, reports what happens on connections (``connection_opened``, ``received``,
``connection_lost``) with the time, carries out what ``drain()`` returns after each of these, and calls ``tick`` no
later than ``next_deadline()``. Times are nanoseconds of one monotonic clock that never goes back. Connections are
numbered in the order in which they are opened, and a number is never used again.

Here are the calls of the app; the state and what happens to the connection are in client_lifecycle_core.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from harness.reference.client_attempts_core import RETRY_S
from harness.reference.client_codes_core import CallError
from harness.reference.client_effects_core import Callback, Close, Effect, Log, Open, Reply, Send
from harness.reference.client_lifecycle_core import Lifecycle
from harness.reference.client_requests_core import Request, checked
from harness.reference.client_session_core import Session
from harness.reference.wire import (
    AddAttributes,
    DeleteAttributes,
    GetAttributes,
    GetMembers,
    QueryOnline,
    SendToChannel,
    SendToPeer,
    SetAttributes,
)
from harness.spec.states import JoinChannelError, LeaveChannelError, LoginError, LogoutError, RenewTokenError, State
from harness.spec.timing import Timing, ns

__all__ = ["RETRY_S", "CallError", "Callback", "ClientCore", "Close", "Effect", "Log", "Open", "Reply", "Send"]


class CallRate:
    """How often the app may make a call: so many times within so long, refused calls included (OPEN-13)."""

    def __init__(self, calls_max: int, window_ns: int) -> None:
        self._window_ns = window_ns
        self._calls: deque[int] = deque(maxlen=calls_max)

    def is_too_often(self, now: int) -> bool:
        """Count a call; return whether it is one too many."""
        is_one_too_many = len(self._calls) == self._calls.maxlen and now - self._calls[0] < self._window_ns
        self._calls.append(now)
        return is_one_too_many


class ClientCore(Lifecycle):
    """The whole client.

    Args:
        app_id: the tenant that all of this instance's logins belong to.
        instance: what tells this instance from another one of the same uid; 1 to 128 characters, nobody else's.
        jitter: gives a new number in [0, 1) for each back-off, so that many clients do not come back in step.
        timing: the durations and counts of the profile.
    """

    def __init__(
        self, app_id: str, *, instance: str, jitter: Callable[[], float], timing: Timing | None = None
    ) -> None:
        super().__init__(app_id, instance=instance, jitter=jitter, timing=timing)
        self._last_call = 0
        window_ns = ns(self._timing.login_calls_window_s)
        self._login_calls = CallRate(self._timing.login_calls_max, window_ns)
        self._renew_calls = CallRate(self._timing.login_calls_max, window_ns)

    # --------------------------------------------------------------------------------------------- login, logout, token

    def login(self, now: int, token: str, uid: str) -> LoginError:
        """Begin to log in.

        Returns:
            OK: the result follows as onLoginSuccess or onLoginFailure, within 6 s (CONNECTING-5).
            TOO_OFTEN: there were two calls already within this second, refused ones included (OPEN-13).
            ALREADY_LOGGED_IN: the state is not DISCONNECTED (OPEN-12).
            INVALID_ARGUMENT: the token is empty, or an argument is none that the wire can carry (OPEN-13).
        """
        self.tick(now)
        if self._login_calls.is_too_often(now):
            return LoginError.TOO_OFTEN
        if self._state is not State.DISCONNECTED:
            return LoginError.ALREADY_LOGGED_IN
        if not token or checked(self._login_frame(self._last_conn + 1, uid, token, None)) is None:
            return LoginError.INVALID_ARGUMENT
        self._begin_login(now, Session(uid, token, self._timing, self._emit))
        return LoginError.OK

    def logout(self, now: int) -> LogoutError:
        """Log out, at once and for good: no callback and no connection of this session comes after (CONNECTED-6).

        Returns:
            OK: followed by onLogout(OK). With a link the server is told; without one it is not waited for (OPEN-16),
                and after an ABORTED there is nothing to tell (OPEN-17).
            USER_NOT_LOGGED_IN: DISCONNECTED or CONNECTING; a login under way goes on (OPEN-14).
        """
        self.tick(now)
        if self._state in (State.DISCONNECTED, State.CONNECTING):
            return LogoutError.USER_NOT_LOGGED_IN
        self._log_out(now)
        return LogoutError.OK

    def renew_token(self, now: int, token: str) -> RenewTokenError:
        """Put a new token in the place of the session's; without a link, by an attempt that is made at once (OPEN-22).

        Returns:
            OK: the result follows as onRenewTokenResult; where an earlier renewal still waits, that one has failed.
            TOO_OFTEN: as for login. Else an app that tries again from inside onRenewTokenResult would never come out.
            INVALID_ARGUMENT: the token is empty, or none that the wire can carry.
            USER_NOT_LOGGED_IN: neither CONNECTED nor RECONNECTING.
        """
        self.tick(now)
        if self._renew_calls.is_too_often(now):
            return RenewTokenError.TOO_OFTEN
        session = self._logged_in_session()
        if session is None:
            return RenewTokenError.USER_NOT_LOGGED_IN
        if not token or checked(self._login_frame(self._last_conn + 1, session.uid, token, None)) is None:
            return RenewTokenError.INVALID_ARGUMENT
        session.renew(now, token)
        self._try_at_once(now)
        return RenewTokenError.OK

    # ---------------------------------------------------------------------------------------------- channels, the rest

    def join(self, now: int, channel: str) -> JoinChannelError:
        """Join a channel; OK: the result follows as onJoinSuccess or onJoinFailure, within 5 s (OPEN-23).

        What is known without the server is returned, and no callback follows: INVALID_ARGUMENT, ALREADY_JOINED (also
        while a join is under way), EXCEED_LIMIT, TOO_OFTEN (too many requests unanswered), USER_NOT_LOGGED_IN.
        """
        self.tick(now)
        session = self._logged_in_session()
        return JoinChannelError.USER_NOT_LOGGED_IN if session is None else session.join(now, channel)

    def leave(self, now: int, channel: str) -> LeaveChannelError:
        """Leave a channel; OK: the result follows as onLeave, while RECONNECTING at once (OPEN-23).

        What is known without the server is returned, and no callback follows: NOT_IN_CHANNEL (also while a join is
        under way), FAILURE (too many requests unanswered), USER_NOT_LOGGED_IN.
        """
        self.tick(now)
        session = self._logged_in_session()
        return LeaveChannelError.USER_NOT_LOGGED_IN if session is None else session.leave(now, channel)

    # Each of the following returns the number that the Reply of it will carry. The reply comes within 5 s: without a
    # link the call waits for one. A message whose connection is lost before it was answered fails, for it may have
    # arrived; all other calls are then sent again. A change of attributes while RECONNECTING takes place here at once
    # and is told to the server on the return (OPEN-25).

    def send_to_peer(self, now: int, peer: str, text: str) -> int:
        """Send a message to a user, who must be online."""
        return self._ask(now, lambda request_id: SendToPeer(request_id, peer, text))

    def send_to_channel(self, now: int, channel: str, text: str) -> int:
        """Send a message to all other members of a channel that this user is in."""
        return self._ask(now, lambda request_id: SendToChannel(request_id, channel, text))

    def get_members(self, now: int, channel: str) -> int:
        """Ask who is in a channel; the reply has ``members``, sorted."""
        return self._ask(now, lambda request_id: GetMembers(request_id, channel))

    def set_attributes(self, now: int, attributes: dict[str, str]) -> int:
        """Replace all attributes of this user."""
        return self._ask(now, lambda request_id: SetAttributes(request_id, attributes))

    def add_attributes(self, now: int, attributes: dict[str, str]) -> int:
        """Add or overwrite some attributes of this user."""
        return self._ask(now, lambda request_id: AddAttributes(request_id, attributes))

    def delete_attributes(self, now: int, keys: list[str]) -> int:
        """Remove some attributes of this user."""
        return self._ask(now, lambda request_id: DeleteAttributes(request_id, keys))

    def get_attributes(self, now: int, uid: str) -> int:
        """Ask for the attributes of a user; the reply has ``attributes``."""
        return self._ask(now, lambda request_id: GetAttributes(request_id, uid))

    def query_online(self, now: int, uids: list[str]) -> int:
        """Ask which of these users are online; the reply has ``online``, true or false for each."""
        return self._ask(now, lambda request_id: QueryOnline(request_id, uids))

    def _ask(self, now: int, build: Callable[[int], Request]) -> int:
        self.tick(now)
        self._last_call += 1
        session = self._logged_in_session()
        if session is None:
            self._emit(Reply(self._last_call, CallError.USER_NOT_LOGGED_IN, {}))
        else:
            session.ask(now, self._last_call, build)
        return self._last_call
