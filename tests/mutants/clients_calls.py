"""Wrong clients: login() and logout() that are answered wrongly, or do what they must not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.reference.client_core import CallRate, ClientCore
from harness.reference.client_effects_core import Callback, Close
from harness.reference.client_lifecycle_core import Lifecycle
from harness.spec.states import LoginError, LogoutError, Reason, State
from harness.spec.timing import Timing
from tests.mutants.clients_timers import with_timing
from tests.mutants.deviations import Method, switch, wrap
from tests.mutants.mutant import Patcher, wrong_client

# ------------------------------------------------------------------------------------------ login()


def begins_anew(patch: Patcher, state: State) -> None:
    """Have a login() in this state give up what there is, and begin with a new login."""

    def login(original: Method, core: Any, now: int, token: str, uid: str) -> LoginError:
        core.tick(now)
        if core._state is state:
            if core._link is not None:
                core._emit(Close(core._link.conn, flush=False))
                core._link = None
            core._forget(now)
            core._state = State.DISCONNECTED
        return original(core, now, token, uid)  # type: ignore[no-any-return]

    wrap(patch, ClientCore, "login", login)


@wrong_client("OPEN-12")
def a_login_while_connecting_begins_anew(patch: Patcher) -> None:
    """login() while CONNECTING gives up the login that is under way, and begins another one."""
    begins_anew(patch, State.CONNECTING)


@wrong_client("OPEN-12")
def a_login_while_connected_begins_anew(patch: Patcher) -> None:
    """login() while CONNECTED is accepted, and switches to CONNECTING."""
    begins_anew(patch, State.CONNECTED)


@wrong_client("OPEN-12")
def a_login_while_reconnecting_begins_anew(patch: Patcher) -> None:
    """login() while RECONNECTING is accepted, and switches to CONNECTING."""
    begins_anew(patch, State.RECONNECTING)


def answers_login(patch: Patcher, answer: Callable[[Any, LoginError], LoginError]) -> None:
    """Have login() answered by ``answer(core, code)`` in the place of its code."""

    def login(original: Method, core: Any, *args: Any) -> LoginError:
        return answer(core, original(core, *args))

    wrap(patch, ClientCore, "login", login)


@wrong_client("OPEN-12")
def a_login_out_of_season_is_ok(patch: Patcher) -> None:
    """login() in any state but DISCONNECTED says OK, and does nothing."""
    answers_login(patch, lambda _core, code: LoginError.OK if code is LoginError.ALREADY_LOGGED_IN else code)


@wrong_client("OPEN-12")
def a_login_out_of_season_is_rejected(patch: Patcher) -> None:
    """login() in any state but DISCONNECTED says REJECTED, and not ALREADY_LOGGED_IN."""
    answers_login(patch, lambda _core, code: LoginError.REJECTED if code is LoginError.ALREADY_LOGGED_IN else code)


@wrong_client("OPEN-12", "GENERAL-3")
def a_login_out_of_season_is_refused_twice(patch: Patcher) -> None:
    """login() in any state but DISCONNECTED returns ALREADY_LOGGED_IN, and gives onLoginFailure too."""

    def answer(core: Any, code: LoginError) -> LoginError:
        if code is LoginError.ALREADY_LOGGED_IN:
            core._emit(Callback("onLoginFailure", {"code": code}))
        return code

    answers_login(patch, answer)


@wrong_client("OPEN-13")
def logins_are_not_counted(patch: Patcher) -> None:
    """No login() is ever too often."""
    wrap(patch, CallRate, "is_too_often", lambda _original, _rate, _now: False)


@wrong_client("OPEN-13")
def a_second_login_in_a_second_is_too_often(patch: Patcher) -> None:
    """One login() in a second is all that is allowed."""
    with_timing(patch, Timing(login_calls_max=1))


@wrong_client("OPEN-13")
def logins_are_counted_over_10_s(patch: Patcher) -> None:
    """More than two login() calls in 10 s are too often."""
    with_timing(patch, Timing(login_calls_window_s=10.0))


@wrong_client("OPEN-13")
def a_login_too_often_ends_the_session(patch: Patcher) -> None:
    """A login() that is too often says so, and logs out."""

    def login(original: Method, core: Any, now: int, *args: Any) -> LoginError:
        code: LoginError = original(core, now, *args)
        if code is LoginError.TOO_OFTEN and core._state is State.CONNECTED:
            core._log_out(now)
        return code

    wrap(patch, ClientCore, "login", login)


@wrong_client("OPEN-13")
def bad_arguments_are_an_invalid_token(patch: Patcher) -> None:
    """login() with an empty token or uid says INVALID_TOKEN, and not INVALID_ARGUMENT."""
    answers_login(patch, lambda _core, code: LoginError.INVALID_TOKEN if code is LoginError.INVALID_ARGUMENT else code)


@wrong_client("OPEN-13")
def bad_arguments_go_through_connecting(patch: Patcher) -> None:
    """login() with an empty token or uid switches to CONNECTING, and fails from there."""

    def answer(core: Any, code: LoginError) -> LoginError:
        if code is not LoginError.INVALID_ARGUMENT:
            return code
        core._emit(switch(State.CONNECTING, Reason.LOGIN))
        core._emit(Callback("onLoginFailure", {"code": code}))
        core._emit(switch(State.DISCONNECTED, Reason.LOGIN_FAILURE))
        return LoginError.OK

    answers_login(patch, answer)


# ------------------------------------------------------------------------------------------ logout()


def on_logout(patch: Patcher, states: tuple[State, ...], instead: Callable[[Any, int], LogoutError]) -> None:
    """Have ``instead(core, now)`` done when logout() is called in one of these states."""

    def logout(original: Method, core: Any, now: int) -> LogoutError:
        core.tick(now)
        return instead(core, now) if core._state in states else original(core, now)

    wrap(patch, ClientCore, "logout", logout)


@wrong_client("OPEN-14")
def a_logout_while_connecting_is_ok(patch: Patcher) -> None:
    """logout() while CONNECTING says OK, and does nothing."""
    on_logout(patch, (State.CONNECTING,), lambda _core, _now: LogoutError.OK)


@wrong_client("OPEN-14")
def a_logout_while_connecting_ends_the_login(patch: Patcher) -> None:
    """logout() while CONNECTING ends the login, and logs out."""

    def instead(core: Any, now: int) -> LogoutError:
        core._log_out(now)
        return LogoutError.OK

    on_logout(patch, (State.CONNECTING,), instead)


@wrong_client("OPEN-14")
def a_refused_logout_ends_the_login(patch: Patcher) -> None:
    """logout() while CONNECTING says USER_NOT_LOGGED_IN, and ends the login all the same."""

    def instead(core: Any, now: int) -> LogoutError:
        core._login_failed(now, LoginError.UNKNOWN, Reason.LOGIN_FAILURE)
        return LogoutError.USER_NOT_LOGGED_IN

    on_logout(patch, (State.CONNECTING,), instead)


@wrong_client("OPEN-14", "DISCONNECTED-1")
def a_logout_while_disconnected_is_ok(patch: Patcher) -> None:
    """logout() while DISCONNECTED says OK, and does nothing."""
    on_logout(patch, (State.DISCONNECTED,), lambda _core, _now: LogoutError.OK)


@wrong_client("OPEN-14", "OPEN-15")
def a_logout_while_disconnected_gives_onlogout(patch: Patcher) -> None:
    """logout() while DISCONNECTED says USER_NOT_LOGGED_IN, and gives onLogout(OK)."""

    def instead(core: Any, _now: int) -> LogoutError:
        core._emit(Callback("onLogout", {"code": LogoutError.OK}))
        return LogoutError.USER_NOT_LOGGED_IN

    on_logout(patch, (State.DISCONNECTED,), instead)


@wrong_client("RECONNECTING-11", "RECONNECTING-12", "OPEN-16")
def a_logout_while_reconnecting_is_refused(patch: Patcher) -> None:
    """logout() while RECONNECTING says USER_NOT_LOGGED_IN, and the client goes on."""
    on_logout(patch, (State.RECONNECTING,), lambda _core, _now: LogoutError.USER_NOT_LOGGED_IN)


@wrong_client("OPEN-17", "ABORTED-2")
def a_logout_while_aborted_is_refused(patch: Patcher) -> None:
    """logout() while ABORTED says USER_NOT_LOGGED_IN, and the client stays ABORTED."""
    on_logout(patch, (State.ABORTED,), lambda _core, _now: LogoutError.USER_NOT_LOGGED_IN)


@wrong_client("OPEN-16", "RECONNECTING-11", "RECONNECTING-12")
def a_logout_while_reconnecting_waits_for_the_server(patch: Patcher) -> None:
    """logout() while RECONNECTING is carried out when there is a link again, and not at once."""

    def instead(core: Any, _now: int) -> LogoutError:
        core.wants_out = True
        return LogoutError.OK

    def logged_in(original: Method, core: Any, now: int, *args: Any) -> None:
        original(core, now, *args)
        if getattr(core, "wants_out", False):
            core.wants_out = False
            core._log_out(now)

    on_logout(patch, (State.RECONNECTING,), instead)
    wrap(patch, Lifecycle, "_logged_in", logged_in)


@wrong_client("OPEN-16", "RECONNECTING-1", "RECONNECTING-11")
def a_logout_while_reconnecting_stops_no_attempt(patch: Patcher) -> None:
    """logout() while RECONNECTING is told to the app, and the attempts go on until one succeeds."""

    def instead(core: Any, _now: int) -> LogoutError:
        core._emit(Callback("onLogout", {"code": LogoutError.OK}))
        core._emit(switch(State.DISCONNECTED, Reason.LOGOUT))
        return LogoutError.OK

    on_logout(patch, (State.RECONNECTING,), instead)


@wrong_client("CONNECTED-6", "OPEN-15")
def a_logout_in_the_grace_waits_for_the_4_s(patch: Patcher) -> None:
    """logout() while a loss is unnoticed or under 4 s old is carried out when the 4 s are over or it has recovered."""

    def is_lost(core: Any) -> bool:
        return core._state is State.CONNECTED and core._reconnecting_ns() is not None

    def logout(original: Method, core: Any, now: int) -> LogoutError:
        core.tick(now)
        core.wants_out = is_lost(core)
        return LogoutError.OK if core.wants_out else original(core, now)

    def tick(original: Method, core: Any, now: int) -> None:
        original(core, now)
        if getattr(core, "wants_out", False) and not is_lost(core):
            core.wants_out = False
            core._log_out(now)

    wrap(patch, ClientCore, "logout", logout)
    wrap(patch, Lifecycle, "tick", tick)


@wrong_client("OPEN-16", "GENERAL-3", reports=("SignalR/SignalR#823",))
def an_old_connection_ends_the_new_life(patch: Patcher) -> None:
    """A logout leaves attempts open, and what comes of one in the next life is taken for the loss of its link."""

    def forget(original: Method, core: Any, now: int) -> None:
        core.old = {*getattr(core, "old", ()), *core._attempts._in_flight}
        core._attempts.end()
        original(core, now)

    def opened_or_lost(original: Method, core: Any, now: int, conn: int) -> None:
        original(core, now, conn)
        if conn in getattr(core, "old", ()) and core._state is State.CONNECTED:
            core._interrupted(now)

    wrap(patch, Lifecycle, "_forget", forget)
    wrap(patch, Lifecycle, "connection_opened", opened_or_lost)
    wrap(patch, Lifecycle, "connection_lost", opened_or_lost)
