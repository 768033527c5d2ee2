"""Wrong clients: calls from inside callbacks, and callbacks that raise (OPEN-18). All of this is in the shells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.reference.client import RtmClient
from harness.reference.client_core import ClientCore
from harness.reference.client_effects_core import Callback
from harness.reference.client_lifecycle_core import Lifecycle
from harness.spec.states import LogoutError, Reason, State
from harness.world.virtual_client import VirtualClient
from tests.mutants.deviations import Method, after_an_exception, around_callbacks, switch, wrap
from tests.mutants.mutant import Patcher, wrong_client

CallBack = Callable[[], None]


def mark_callbacks(patch: Patcher) -> None:
    """Have ``core.is_inside`` say whether the app is being called back."""

    def inside(call_back: CallBack, core: Any, _name: str) -> None:
        core.is_inside = True
        call_back()
        core.is_inside = False

    around_callbacks(patch, inside)


@wrong_client("OPEN-18")
def calls_from_inside_callbacks_are_lost(patch: Patcher) -> None:
    """A call that the app makes inside a callback says OK, and nothing happens."""

    def call(original: Method, core: Any, *args: Any) -> int:
        return 0 if getattr(core, "is_inside", False) else original(core, *args)

    mark_callbacks(patch)
    for name in ("login", "logout", "renew_token", "join", "leave", "_ask"):
        wrap(patch, ClientCore, name, call)


@wrong_client("OPEN-18", "RECONNECTING-11", reports=("SignalR/SignalR#1358",))
def a_logout_inside_a_callback_stops_no_timer(patch: Patcher) -> None:
    """A logout() inside a callback while RECONNECTING is told, and the timer of the next attempt survives it."""

    def logout(original: Method, core: Any, now: int) -> LogoutError:
        if core._state is not State.RECONNECTING or not getattr(core, "is_inside", False):
            return original(core, now)  # type: ignore[no-any-return]
        core._emit(Callback("onLogout", {"code": LogoutError.OK}))
        core._emit(switch(State.DISCONNECTED, Reason.LOGOUT))
        return LogoutError.OK

    mark_callbacks(patch)
    wrap(patch, ClientCore, "logout", logout)


@wrong_client("OPEN-18")
def the_state_is_still_the_old_one_inside_its_callback(patch: Patcher) -> None:
    """The state switches when the callback that tells of it has returned, so calls in there meet the old one."""

    def note(original: Method, core: Any, state: State, reason: Reason) -> None:
        core.left = core._state
        original(core, state, reason)

    def inside(call_back: CallBack, core: Any, name: str) -> None:
        if name != "onConnectionStateChanged":
            call_back()
            return
        state, left = core._state, core.left
        core._state = left
        call_back()
        if core._state is left:
            core._state = state

    wrap(patch, Lifecycle, "_switch", note)
    around_callbacks(patch, inside)


@wrong_client("OPEN-18", reports=("centrifugal/centrifuge-js#391",))
def the_teardown_goes_on_after_the_callback(patch: Patcher) -> None:
    """The app is told in the middle of the teardown: a login inside that callback is torn down with the rest."""

    def inside(call_back: CallBack, core: Any, _name: str) -> None:
        was = core._state
        call_back()
        if was is State.DISCONNECTED and core._state is State.CONNECTING:
            core._forget(0)  # the time is for requests, and a session that has just begun has none

    around_callbacks(patch, inside)


@wrong_client("OPEN-18", reports=("centrifugal/centrifuge-js#414",))
def an_exception_in_a_callback_stops_everything(patch: Patcher) -> None:
    """When a callback has raised, nothing is carried out any more."""

    def stop(shell: Any) -> None:
        shell.is_stuck = True

    def carry_out(original: Method, shell: Any) -> None:
        if not getattr(shell, "is_stuck", False):
            original(shell)

    after_an_exception(patch, stop)
    for shell in (RtmClient, VirtualClient):
        wrap(patch, shell, "_carry_out", carry_out)


@wrong_client("OPEN-18")
def an_exception_in_a_callback_ends_the_session(patch: Patcher) -> None:
    """When a callback has raised, the client logs out."""

    def end(shell: Any) -> None:
        core = shell._core
        if core._state in (State.CONNECTED, State.RECONNECTING):
            core._log_out(core.ticked_ns)

    def tick(original: Method, core: Any, now: int) -> None:
        core.ticked_ns = now
        original(core, now)

    after_an_exception(patch, end)
    wrap(patch, Lifecycle, "tick", tick)
