"""Wrong clients: attempts that are not made, that end too early, or that end what they must not."""

from __future__ import annotations

from typing import Any

from harness.reference.client_attempts_core import Attempts
from harness.reference.client_effects_core import Close
from harness.reference.client_lifecycle_core import Lifecycle
from harness.reference.wire import Refused
from harness.spec.states import LoginError, Reason, State
from harness.spec.timing import ns
from tests.mutants.deviations import Method, switch, wrap
from tests.mutants.mutant import Patcher, wrong_client

# ------------------------------------------------------------------------------------------ CONNECTING


@wrong_client("OPEN-5", "CONNECTING-2")
def tries_once_while_connecting(patch: Patcher) -> None:
    """A login makes one attempt: where its connection breaks or is refused, nothing more happens until the time-out."""

    def start_attempt(original: Method, core: Any, now: int) -> None:
        original(core, now)
        if core._state is State.CONNECTING:
            core._attempts._next_ns = None

    wrap(patch, Lifecycle, "_start_attempt", start_attempt)


@wrong_client("OPEN-5")
def a_broken_connection_fails_the_login(patch: Patcher) -> None:
    """A connection that breaks with a login on it gives LOGIN_FAILURE at once; one that is refused is retried."""

    def lost(original: Method, core: Any, now: int, conn: int) -> None:
        core.tick(now)
        attempt = core._attempts.get(conn)
        if core._state is State.CONNECTING and attempt is not None and attempt.token is not None:
            core._login_failed(now, LoginError.UNKNOWN, Reason.LOGIN_FAILURE)
        else:
            original(core, now, conn)

    wrap(patch, Lifecycle, "connection_lost", lost)


@wrong_client("OPEN-5", "GENERAL-1")
def a_broken_connection_interrupts_the_login(patch: Patcher) -> None:
    """A connection that breaks while CONNECTING leads to RECONNECTING."""

    def lost(original: Method, core: Any, now: int, conn: int) -> None:
        original(core, now, conn)
        if core._state is State.CONNECTING and not getattr(core, "has_told", False):
            core.has_told = True
            core._emit(switch(State.RECONNECTING, Reason.INTERRUPTED))

    wrap(patch, Lifecycle, "connection_lost", lost)


@wrong_client("OPEN-6", "CONNECTING-4")
def retries_a_login_that_is_refused(patch: Patcher) -> None:
    """A login that the server refuses is tried again until its 6 s are over."""

    def refused(original: Method, core: Any, now: int, conn: int, token: str | None, frame: Refused) -> None:
        if core._state is not State.CONNECTING:
            original(core, now, conn, token, frame)
            return
        core._emit(Close(conn, flush=False))
        core._gone(now, conn)

    wrap(patch, Lifecycle, "_refused", refused)


# ------------------------------------------------------------------------------------------ RECONNECTING


def while_away(patch: Patcher, after_s: float, give_up: Method) -> None:
    """Have ``give_up(core, now)`` done when RECONNECTING has lasted for so long."""

    def interrupted(original: Method, core: Any, now: int) -> None:
        original(core, now)
        core.gives_up_ns = now + ns(after_s)

    def gives_up_ns(core: Any) -> int | None:
        return getattr(core, "gives_up_ns", None) if core._state is State.RECONNECTING else None

    def next_deadline(original: Method, core: Any) -> int | None:
        return min((time for time in (original(core), gives_up_ns(core)) if time is not None), default=None)

    def tick(original: Method, core: Any, now: int) -> None:
        due_ns = gives_up_ns(core)
        if due_ns is not None and due_ns <= now:
            core.gives_up_ns = None
            give_up(core, now)
        original(core, now)

    wrap(patch, Lifecycle, "_interrupted", interrupted)
    wrap(patch, Lifecycle, "next_deadline", next_deadline)
    wrap(patch, Lifecycle, "tick", tick)


def stop_trying(core: Any, _now: int) -> None:
    """Try nothing more, and say nothing of it."""
    core._close_all(core._attempts.end())


@wrong_client("RECONNECTING-1")
def stops_trying_after_10_s(patch: Patcher) -> None:
    """When RECONNECTING has lasted for 10 s nothing more is tried, and nobody is told."""
    while_away(patch, 10.0, stop_trying)


@wrong_client("RECONNECTING-1", "RECONNECTING-5")
def stops_trying_after_26_s(patch: Patcher) -> None:
    """When a loss has lasted for 30 s nothing more is tried, for the session is gone."""
    while_away(patch, 26.0, stop_trying)


@wrong_client("RECONNECTING-10", "RECONNECTING-1")
def gives_up_after_10_s(patch: Patcher) -> None:
    """When RECONNECTING has lasted for 10 s it ends in DISCONNECTED / INTERRUPTED."""

    def give_up(core: Any, now: int) -> None:
        core._forget(now)
        core._switch(State.DISCONNECTED, Reason.INTERRUPTED)

    while_away(patch, 10.0, give_up)


@wrong_client("OPEN-6", "RECONNECTING-10")
def the_6_s_hold_while_reconnecting(patch: Patcher) -> None:
    """RECONNECTING has the bound of a login: after 6 s it ends in DISCONNECTED / LOGIN_TIMEOUT."""
    while_away(patch, 6.0, lambda core, now: core._login_failed(now, LoginError.TIMEOUT, Reason.LOGIN_TIMEOUT))


@wrong_client("OPEN-3", "RECONNECTING-1", reports=("pusher/pusher-js#553",))
def gives_up_in_the_second_outage(patch: Patcher) -> None:
    """The first outage is remembered as a failure: in the second one RECONNECTING ends in DISCONNECTED at once."""

    def give_up(core: Any, now: int) -> None:
        core.outages = getattr(core, "outages", 0) + 1
        if core.outages > 1:
            core._login_failed(now, LoginError.UNKNOWN, Reason.LOGIN_FAILURE)

    while_away(patch, 0.0, give_up)


@wrong_client("RECONNECTING-1", "RECONNECTING-4")
def looks_for_the_link_every_5_s(patch: Patcher) -> None:
    """An attempt is made every 5 s, although the adapter declares 1 s."""

    def start_due(original: Method, attempts: Any, now: int, conn: int) -> bool:
        is_started: bool = original(attempts, now, conn)
        if is_started:
            attempts._next_ns = now + ns(5.0)
        return is_started

    def set_next(original: Method, attempts: Any, at_ns: int) -> None:
        original(attempts, at_ns if attempts._last_ns is None else max(at_ns, attempts._last_ns + ns(5.0)))

    wrap(patch, Attempts, "start_due", start_due)
    wrap(patch, Attempts, "_set_next", set_next)
