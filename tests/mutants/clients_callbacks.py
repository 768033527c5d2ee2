"""Wrong clients: callbacks that come twice, never, late, in the wrong order, or only wrong the second time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.reference.client_effects_core import Callback
from harness.reference.client_lifecycle_core import Lifecycle
from harness.spec.states import LoginError, Reason, State
from tests.mutants.deviations import Method, is_named, is_switch, late, never, switch, tell, twice, wrap
from tests.mutants.mutant import Patcher, wrong_client

INTERRUPTED = switch(State.RECONNECTING, Reason.INTERRUPTED)
BACK = switch(State.CONNECTED, Reason.LOGIN_SUCCESS)


# ------------------------------------------------------------------------------------------ twice


@wrong_client("GENERAL-1")
def tells_an_interruption_twice(patch: Patcher) -> None:
    """The switch to RECONNECTING is told twice."""
    twice(patch, is_switch(State.RECONNECTING))


@wrong_client("GENERAL-1")
def tells_a_kick_twice(patch: Patcher) -> None:
    """The switch to ABORTED is told twice."""
    twice(patch, is_switch(State.ABORTED))


@wrong_client("GENERAL-1")
def tells_a_return_twice(patch: Patcher) -> None:
    """The switch from RECONNECTING to CONNECTED is told twice."""

    def told(core: Any, callback: Callback) -> Iterable[Callback]:
        is_return = callback == BACK and core.was is State.RECONNECTING
        return (callback, callback) if is_return else (callback,)

    tell(patch, told)


@wrong_client("GENERAL-3", "CONNECTING-1")
def tells_a_success_twice(patch: Patcher) -> None:
    """onLoginSuccess comes twice."""
    twice(patch, is_named("onLoginSuccess"))


@wrong_client("GENERAL-3", "CONNECTING-3")
def tells_a_failure_twice(patch: Patcher) -> None:
    """onLoginFailure comes twice."""
    twice(patch, is_named("onLoginFailure"))


@wrong_client("OPEN-15")
def tells_a_logout_twice(patch: Patcher) -> None:
    """onLogout comes twice."""
    twice(patch, is_named("onLogout"))


# ------------------------------------------------------------------------------------------ never


@wrong_client("DISCONNECTED-2")
def never_tells_connecting(patch: Patcher) -> None:
    """The switch to CONNECTING is not told."""
    never(patch, is_switch(State.CONNECTING))


@wrong_client("CONNECTING-1")
def never_tells_a_success(patch: Patcher) -> None:
    """onLoginSuccess does not come."""
    never(patch, is_named("onLoginSuccess"))


@wrong_client("CONNECTING-2")
def never_tells_that_a_login_connected(patch: Patcher) -> None:
    """The switch from CONNECTING to CONNECTED is not told; that on a return is."""

    def told(core: Any, callback: Callback) -> Iterable[Callback]:
        return () if callback == BACK and core.was is State.CONNECTING else (callback,)

    tell(patch, told)


@wrong_client("CONNECTING-3")
def never_tells_a_refusal(patch: Patcher) -> None:
    """A login that is refused gives no onLoginFailure; one that times out does."""

    def wanted(callback: Callback) -> bool:
        return callback.name == "onLoginFailure" and callback.args["code"] is not LoginError.TIMEOUT

    never(patch, wanted)


@wrong_client("CONNECTING-4")
def never_tells_that_a_refusal_disconnected(patch: Patcher) -> None:
    """The switch to DISCONNECTED that a refused login makes is not told."""
    never(patch, is_switch(State.DISCONNECTED, Reason.LOGIN_FAILURE))


@wrong_client("CONNECTING-5", "CONNECTING-3")
def never_tells_the_result_of_a_time_out(patch: Patcher) -> None:
    """A login that times out switches, and gives no onLoginFailure."""

    def wanted(callback: Callback) -> bool:
        return callback.name == "onLoginFailure" and callback.args["code"] is LoginError.TIMEOUT

    never(patch, wanted)


@wrong_client("CONNECTING-5")
def never_tells_that_a_time_out_disconnected(patch: Patcher) -> None:
    """A login that times out gives onLoginFailure, and the switch is not told."""
    never(patch, is_switch(State.DISCONNECTED, Reason.LOGIN_TIMEOUT))


@wrong_client("CONNECTED-3")
def never_tells_an_interruption(patch: Patcher) -> None:
    """The switch to RECONNECTING is not told."""
    never(patch, is_switch(State.RECONNECTING))


@wrong_client("RECONNECTING-4", "RECONNECTING-5")
def never_tells_a_return(patch: Patcher) -> None:
    """The switch from RECONNECTING to CONNECTED is not told."""

    def told(core: Any, callback: Callback) -> Iterable[Callback]:
        return () if callback == BACK and core.was is State.RECONNECTING else (callback,)

    tell(patch, told)


@wrong_client("OPEN-15", "RECONNECTING-12")
def never_tells_a_logout(patch: Patcher) -> None:
    """onLogout does not come."""
    never(patch, is_named("onLogout"))


@wrong_client("CONNECTED-6", "RECONNECTING-11")
def never_tells_that_a_logout_disconnected(patch: Patcher) -> None:
    """The switch to DISCONNECTED that a logout makes is not told."""
    never(patch, is_switch(State.DISCONNECTED, Reason.LOGOUT))


@wrong_client("CONNECTED-5", "OPEN-19")
def never_tells_a_kick(patch: Patcher) -> None:
    """The switch to ABORTED that another instance makes is not told."""
    never(patch, is_switch(State.ABORTED, Reason.REMOTE_LOGIN))


@wrong_client("OPEN-21")
def never_tells_a_ban(patch: Patcher) -> None:
    """The switch to ABORTED that a ban makes is not told."""
    never(patch, is_switch(State.ABORTED, Reason.BANNED_BY_SERVER))


# ------------------------------------------------------------------------------------------ late, and out of order


@wrong_client("CONNECTED-5", "OPEN-19")
def tells_a_kick_300_ms_late(patch: Patcher) -> None:
    """The switch to ABORTED is told 300 ms after the kick, and not at once."""
    late(patch, is_switch(State.ABORTED), 0.3)


@wrong_client("RECONNECTING-12", "OPEN-15", "OPEN-16")
def tells_a_logout_300_ms_late(patch: Patcher) -> None:
    """onLogout comes 300 ms after the logout, and not at once."""
    late(patch, is_named("onLogout"), 0.3)


@wrong_client("CONNECTED-6", "RECONNECTING-11")
def tells_that_a_logout_disconnected_300_ms_late(patch: Patcher) -> None:
    """The switch to DISCONNECTED is told 300 ms after the logout, and not at once."""
    late(patch, is_switch(State.DISCONNECTED, Reason.LOGOUT), 0.3)


@wrong_client("OPEN-6", "CONNECTING-4")
def tells_that_a_refusal_disconnected_300_ms_late(patch: Patcher) -> None:
    """The switch to DISCONNECTED is told 300 ms after the refusal, and not at once."""
    late(patch, is_switch(State.DISCONNECTED, Reason.LOGIN_FAILURE), 0.3)


@wrong_client("CONNECTED-3", "OPEN-1")
def tells_an_interruption_300_ms_late(patch: Patcher) -> None:
    """The switch to RECONNECTING takes place after 4 s, and is told 300 ms later."""
    late(patch, is_switch(State.RECONNECTING), 0.3)


@wrong_client("CONNECTING-1", "OPEN-15")
def tells_a_success_300_ms_late(patch: Patcher) -> None:
    """onLoginSuccess comes 300 ms after its switch, and not right after it."""
    late(patch, is_named("onLoginSuccess"), 0.3)


@wrong_client("DISCONNECTED-2")
def tells_connecting_after_connected(patch: Patcher) -> None:
    """The switch to CONNECTING is held back, and told when the one to CONNECTED has been."""

    def told(core: Any, callback: Callback) -> Iterable[Callback]:
        if is_switch(State.CONNECTING)(callback):
            core.held = (callback,)
            return ()
        held: tuple[Callback, ...] = getattr(core, "held", ())
        if callback.name != "onConnectionStateChanged":
            return (callback,)
        core.held = ()
        return (callback, *held)

    tell(patch, told)


@wrong_client("GENERAL-3", "CONNECTING-1")
def tells_a_success_before_the_answer(patch: Patcher) -> None:
    """onLoginSuccess comes when the connection opens, whatever the server then says to the login."""

    def opened(original: Method, core: Any, now: int, conn: int) -> None:
        original(core, now, conn)
        if core._state is State.CONNECTING and not getattr(core, "has_told", False):
            core.has_told = True
            core._emit(Callback("onLoginSuccess", {}))

    def told(core: Any, callback: Callback) -> Iterable[Callback]:
        if is_switch(State.CONNECTING)(callback):
            core.has_told = False
        is_answer = callback.name == "onLoginSuccess" and core._state is State.CONNECTED
        return () if is_answer else (callback,)

    wrap(patch, Lifecycle, "connection_opened", opened)
    tell(patch, told)


# ------------------------------------------------------------------------------------------ what there is no switch for


@wrong_client("GENERAL-3")
def a_return_gives_a_login_success(patch: Patcher) -> None:
    """A return from RECONNECTING gives onLoginSuccess, as if the app had logged in."""

    def told(core: Any, callback: Callback) -> Iterable[Callback]:
        is_return = callback == BACK and core.was is State.RECONNECTING
        return (Callback("onLoginSuccess", {}), callback) if is_return else (callback,)

    tell(patch, told)


@wrong_client("GENERAL-3")
def the_second_return_gives_a_login_success(patch: Patcher) -> None:
    """From the second return on onLoginSuccess comes; the first is right."""

    def told(core: Any, callback: Callback) -> Iterable[Callback]:
        if callback != BACK or core.was is not State.RECONNECTING:
            return (callback,)
        core.returns = getattr(core, "returns", 0) + 1
        return (Callback("onLoginSuccess", {}), callback) if core.returns > 1 else (callback,)

    tell(patch, told)


@wrong_client("OPEN-3", "CONNECTED-3")
def never_tells_the_second_interruption(patch: Patcher) -> None:
    """An interruption is told once in a session; a later one, and the return from it, are not."""

    def told(core: Any, callback: Callback) -> Iterable[Callback]:
        if is_switch(State.CONNECTING)(callback):
            core.outages = 0
        elif callback == INTERRUPTED:
            core.outages = getattr(core, "outages", 0) + 1
            return (callback,) if core.outages == 1 else ()
        return () if callback == BACK and core.was is State.CONNECTED else (callback,)

    tell(patch, told)


@wrong_client("GENERAL-3", "RECONNECTING-10")
def each_failed_attempt_gives_a_login_failure(patch: Patcher) -> None:
    """Each attempt that fails while RECONNECTING gives onLoginFailure."""

    def gone(original: Method, core: Any, now: int, conn: int) -> None:
        original(core, now, conn)
        if core._state is State.RECONNECTING:
            core._emit(Callback("onLoginFailure", {"code": LoginError.UNKNOWN}))

    wrap(patch, Lifecycle, "_gone", gone)


def on_recovery(patch: Patcher, *callbacks: Callback) -> None:
    """Have the app told this when a new connection takes the place of a lost one within the 4 s."""

    def logged_in(original: Method, core: Any, *args: Any) -> None:
        is_recovery = core._state is State.CONNECTED
        original(core, *args)
        if is_recovery:
            for callback in callbacks:
                core._emit(callback)

    wrap(patch, Lifecycle, "_logged_in", logged_in)


@wrong_client("CONNECTED-4", "GENERAL-1")
def tells_connected_after_a_recovery(patch: Patcher) -> None:
    """CONNECTED is told once more when a loss has recovered within the 4 s."""
    on_recovery(patch, BACK)


@wrong_client("CONNECTED-4")
def tells_a_recovery_as_an_outage(patch: Patcher) -> None:
    """A loss that has recovered within the 4 s is told afterwards, as RECONNECTING and CONNECTED."""
    on_recovery(patch, INTERRUPTED, BACK)


@wrong_client("CONNECTED-4", "GENERAL-3")
def a_recovery_gives_a_login_success(patch: Patcher) -> None:
    """A loss that has recovered within the 4 s gives onLoginSuccess."""
    on_recovery(patch, Callback("onLoginSuccess", {}))
