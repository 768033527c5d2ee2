"""Wrong clients: the right moment, and the wrong state, reason or code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.reference.client_effects_core import Callback
from harness.reference.client_lifecycle_core import Lifecycle
from harness.spec.states import LoginError, LogoutError, Reason, State
from tests.mutants.deviations import Method, is_named, is_switch, otherwise, switch, tell, wrap
from tests.mutants.mutant import Patcher, wrong_client

# ------------------------------------------------------------------------------------------ pairs


@wrong_client("CONNECTING-5")
def tells_a_time_out_as_a_failure(patch: Patcher) -> None:
    """A login that times out switches to DISCONNECTED / LOGIN_FAILURE."""
    otherwise(patch, is_switch(State.DISCONNECTED, Reason.LOGIN_TIMEOUT), reason=Reason.LOGIN_FAILURE)


@wrong_client("CONNECTING-4", "OPEN-6")
def tells_a_failure_as_a_time_out(patch: Patcher) -> None:
    """A login that is refused switches to DISCONNECTED / LOGIN_TIMEOUT."""
    otherwise(patch, is_switch(State.DISCONNECTED, Reason.LOGIN_FAILURE), reason=Reason.LOGIN_TIMEOUT)


@wrong_client("CONNECTED-3", "GENERAL-1")
def tells_an_interruption_as_a_time_out(patch: Patcher) -> None:
    """An interruption switches to RECONNECTING / LOGIN_TIMEOUT."""
    otherwise(patch, is_switch(State.RECONNECTING), reason=Reason.LOGIN_TIMEOUT)


@wrong_client("CONNECTED-3", "GENERAL-1")
def tells_an_interruption_as_disconnected(patch: Patcher) -> None:
    """An interruption switches to DISCONNECTED / INTERRUPTED."""
    otherwise(patch, is_switch(State.RECONNECTING), state=State.DISCONNECTED)


@wrong_client("RECONNECTING-4", "RECONNECTING-5")
def tells_a_return_as_a_login(patch: Patcher) -> None:
    """A return switches to CONNECTED / LOGIN."""

    def told(core: Any, callback: Callback) -> Iterable[Callback]:
        is_return = is_switch(State.CONNECTED)(callback) and core.was is State.RECONNECTING
        return (switch(State.CONNECTED, Reason.LOGIN),) if is_return else (callback,)

    tell(patch, told)


@wrong_client("CONNECTED-5", "OPEN-19", reports=("Agora Web release 1.2.0",))
def tells_a_kick_as_an_interruption(patch: Patcher) -> None:
    """A kick switches to ABORTED / INTERRUPTED."""
    otherwise(patch, is_switch(State.ABORTED, Reason.REMOTE_LOGIN), reason=Reason.INTERRUPTED)


@wrong_client("CONNECTED-5", "OPEN-19")
def tells_a_kick_as_a_ban(patch: Patcher) -> None:
    """A kick switches to ABORTED / BANNED_BY_SERVER."""
    otherwise(patch, is_switch(State.ABORTED, Reason.REMOTE_LOGIN), reason=Reason.BANNED_BY_SERVER)


@wrong_client("OPEN-21")
def tells_a_ban_as_a_kick(patch: Patcher) -> None:
    """A ban switches to ABORTED / REMOTE_LOGIN."""
    otherwise(patch, is_switch(State.ABORTED, Reason.BANNED_BY_SERVER), reason=Reason.REMOTE_LOGIN)


@wrong_client("CONNECTED-5", "OPEN-19")
def tells_a_kick_as_disconnected(patch: Patcher) -> None:
    """A kick switches to DISCONNECTED / REMOTE_LOGIN."""
    otherwise(patch, is_switch(State.ABORTED, Reason.REMOTE_LOGIN), state=State.DISCONNECTED)


@wrong_client("CONNECTED-6", "RECONNECTING-11")
def tells_a_logout_as_an_interruption(patch: Patcher) -> None:
    """A logout switches to DISCONNECTED / INTERRUPTED."""
    otherwise(patch, is_switch(State.DISCONNECTED, Reason.LOGOUT), reason=Reason.INTERRUPTED)


@wrong_client("OPEN-17", "ABORTED-2")
def tells_a_logout_as_the_kick_before_it(patch: Patcher) -> None:
    """A logout while ABORTED switches to DISCONNECTED / REMOTE_LOGIN."""

    def told(core: Any, callback: Callback) -> Iterable[Callback]:
        is_out = is_switch(State.DISCONNECTED)(callback) and core.was is State.ABORTED
        return (switch(State.DISCONNECTED, Reason.REMOTE_LOGIN),) if is_out else (callback,)

    tell(patch, told)


@wrong_client("OPEN-20", "GENERAL-1")
def a_kick_while_away_goes_through_connected(patch: Patcher) -> None:
    """An instance that was replaced while RECONNECTING is CONNECTED for a moment before it is ABORTED."""

    def told(core: Any, callback: Callback) -> Iterable[Callback]:
        is_late_kick = is_switch(State.ABORTED, Reason.REMOTE_LOGIN)(callback) and core.was is State.RECONNECTING
        return (switch(State.CONNECTED, Reason.LOGIN_SUCCESS), callback) if is_late_kick else (callback,)

    tell(patch, told)


@wrong_client("RECONNECTING-10", "GENERAL-1")
def an_attempt_while_away_is_connecting(patch: Patcher) -> None:
    """The first attempt after an interruption switches from RECONNECTING to CONNECTING."""

    def start_attempt(original: Method, core: Any, now: int) -> None:
        last_conn = core._last_conn
        original(core, now)
        if core._last_conn != last_conn and core._state is core.was is State.RECONNECTING:
            core._emit(switch(State.CONNECTING, Reason.LOGIN))

    tell(patch, lambda _core, callback: (callback,))  # for what the app was told of last
    wrap(patch, Lifecycle, "_start_attempt", start_attempt)


# ------------------------------------------------------------------------------------------ codes


@wrong_client("CONNECTING-5")
def tells_a_time_out_with_code_unknown(patch: Patcher) -> None:
    """A login that times out gives onLoginFailure(UNKNOWN)."""

    def told(_core: object, callback: Callback) -> Iterable[Callback]:
        is_time_out = callback.name == "onLoginFailure" and callback.args["code"] is LoginError.TIMEOUT
        return (Callback(callback.name, {"code": LoginError.UNKNOWN}),) if is_time_out else (callback,)

    tell(patch, told)


@wrong_client("CONNECTING-3")
def tells_a_refusal_with_code_unknown(patch: Patcher) -> None:
    """A login that is refused gives onLoginFailure(UNKNOWN), whatever the cause."""

    def wanted(callback: Callback) -> bool:
        return callback.name == "onLoginFailure" and callback.args["code"] is not LoginError.TIMEOUT

    otherwise(patch, wanted, code=LoginError.UNKNOWN)


@wrong_client("CONNECTING-3")
def tells_an_expired_token_as_an_invalid_one(patch: Patcher) -> None:
    """A login with an expired token gives onLoginFailure(INVALID_TOKEN)."""

    def wanted(callback: Callback) -> bool:
        return callback.name == "onLoginFailure" and callback.args["code"] is LoginError.TOKEN_EXPIRED

    otherwise(patch, wanted, code=LoginError.INVALID_TOKEN)


@wrong_client("OPEN-15", "RECONNECTING-12")
def tells_a_logout_with_code_rejected(patch: Patcher) -> None:
    """onLogout comes with REJECTED, although the logout took place."""
    otherwise(patch, is_named("onLogout"), code=LogoutError.REJECTED)


@wrong_client("RECONNECTING-12")
def tells_a_logout_while_away_with_code_user_not_logged_in(patch: Patcher) -> None:
    """onLogout comes with USER_NOT_LOGGED_IN where the logout was called while RECONNECTING."""

    def told(core: Any, callback: Callback) -> Iterable[Callback]:
        is_away = callback.name == "onLogout" and core.was is State.RECONNECTING
        return (Callback(callback.name, {"code": LogoutError.USER_NOT_LOGGED_IN}),) if is_away else (callback,)

    tell(patch, told)
