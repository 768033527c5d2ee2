"""Wrong clients: the 4 s, the 6 s, and when they count from."""

from __future__ import annotations

from typing import Any

from harness.reference.client_effects_core import Close
from harness.reference.client_lifecycle_core import Lifecycle
from harness.spec.states import LoginError, Reason, State
from harness.spec.timing import NS_PER_S, Timing, ns
from tests.mutants.deviations import Method, wrap
from tests.mutants.mutant import Patcher, wrong_client

LOGIN_NS = ns(Timing().login_s)
INTERRUPTION_NS = ns(Timing().interruption_s)


def with_timing(patch: Patcher, timing: Timing) -> None:
    """Have every client live by other durations than those of the profile."""

    def init(original: Method, core: Any, app_id: str, **given: Any) -> None:
        original(core, app_id, **given | {"timing": timing})

    wrap(patch, Lifecycle, "__init__", init)


# ------------------------------------------------------------------------------------------ the 4 s: how long


@wrong_client("CONNECTED-3", "OPEN-1")
def interrupts_after_3_s(patch: Patcher) -> None:
    """An interruption is told after 3 s."""
    with_timing(patch, Timing(interruption_s=3.0))


@wrong_client("CONNECTED-3", "OPEN-1")
def interrupts_after_3_5_s(patch: Patcher) -> None:
    """An interruption is told after 3.5 s."""
    with_timing(patch, Timing(interruption_s=3.5))


@wrong_client("CONNECTED-3", "OPEN-1")
def interrupts_after_3_9_s(patch: Patcher) -> None:
    """An interruption is told after 3.9 s."""
    with_timing(patch, Timing(interruption_s=3.9))


@wrong_client("CONNECTED-3", "OPEN-1")
def interrupts_after_4_1_s(patch: Patcher) -> None:
    """An interruption is told after 4.1 s."""
    with_timing(patch, Timing(interruption_s=4.1))


@wrong_client("CONNECTED-3", "OPEN-1")
def interrupts_after_4_5_s(patch: Patcher) -> None:
    """An interruption is told after 4.5 s."""
    with_timing(patch, Timing(interruption_s=4.5))


@wrong_client("CONNECTED-3", "OPEN-1")
def interrupts_after_5_s(patch: Patcher) -> None:
    """An interruption is told after 5 s."""
    with_timing(patch, Timing(interruption_s=5.0))


@wrong_client("CONNECTED-3", "CONNECTED-4")
def interrupts_at_once(patch: Patcher) -> None:
    """A loss that is seen is told at once, without the 4 s."""

    def gone(original: Method, core: Any, now: int, conn: int) -> None:
        is_link = core._link is not None and core._link.conn == conn
        original(core, now, conn)
        if is_link:
            core._interrupted_ns = now - INTERRUPTION_NS

    wrap(patch, Lifecycle, "_gone", gone)


@wrong_client("CONNECTED-3", "OPEN-1")
def looks_at_the_4_s_once_a_second(patch: Patcher) -> None:
    """Whether the 4 s are over is looked at each full second only."""

    def reconnecting_ns(original: Method, core: Any) -> int | None:
        due_ns: int | None = original(core)
        return None if due_ns is None else -(-due_ns // NS_PER_S) * NS_PER_S

    wrap(patch, Lifecycle, "_reconnecting_ns", reconnecting_ns)


# ------------------------------------------------------------------------------------------ the 4 s: from when


@wrong_client("OPEN-1", "CONNECTED-3")
def counts_the_4_s_from_the_suspicion(patch: Patcher) -> None:
    """The 4 s of a silent loss start when it is noticed, and not with the heartbeat that went unanswered."""

    def reconnecting_ns(original: Method, core: Any) -> int | None:
        if core._state is not State.CONNECTED or core._link is None:
            return original(core)  # type: ignore[no-any-return]
        suspect_ns = core._link.suspect_ns
        return None if suspect_ns is None else suspect_ns + INTERRUPTION_NS

    wrap(patch, Lifecycle, "_reconnecting_ns", reconnecting_ns)


@wrong_client("CONNECTED-3", "OPEN-1")
def each_failed_attempt_restarts_the_4_s(patch: Patcher) -> None:
    """The 4 s start anew whenever an attempt to connect has failed."""

    def gone(original: Method, core: Any, now: int, conn: int) -> None:
        is_link = core._link is not None and core._link.conn == conn
        original(core, now, conn)
        if not is_link and core._interrupted_ns is not None:
            core._interrupted_ns = now

    wrap(patch, Lifecycle, "_gone", gone)


@wrong_client("CONNECTED-4", "OPEN-2")
def the_4_s_run_on_after_a_recovery(patch: Patcher) -> None:
    """The timer of the 4 s is not stopped by a recovery, and strikes the new link."""

    def gone(original: Method, core: Any, now: int, conn: int) -> None:
        original(core, now, conn)
        if core._interrupted_ns is not None:
            core.strikes_ns = core._interrupted_ns + INTERRUPTION_NS

    def reconnecting_ns(original: Method, core: Any) -> int | None:
        times = (original(core), getattr(core, "strikes_ns", None) if core._state is State.CONNECTED else None)
        return min((time for time in times if time is not None), default=None)

    def interrupted(original: Method, core: Any, now: int) -> None:
        core.strikes_ns = None
        original(core, now)

    wrap(patch, Lifecycle, "_gone", gone)
    wrap(patch, Lifecycle, "_reconnecting_ns", reconnecting_ns)
    wrap(patch, Lifecycle, "_interrupted", interrupted)


@wrong_client("OPEN-3", "CONNECTED-3")
def only_the_first_outage_has_its_4_s(patch: Patcher) -> None:
    """From the second outage on an interruption is told after 6 s."""

    def reconnecting_ns(original: Method, core: Any) -> int | None:
        due_ns: int | None = original(core)
        return None if due_ns is None else due_ns + getattr(core, "outages", 0) * ns(2.0)

    def interrupted(original: Method, core: Any, now: int) -> None:
        core.outages = 1
        original(core, now)

    wrap(patch, Lifecycle, "_reconnecting_ns", reconnecting_ns)
    wrap(patch, Lifecycle, "_interrupted", interrupted)


@wrong_client("OPEN-3", "CONNECTED-4")
def the_first_loss_is_never_forgotten(patch: Patcher) -> None:
    """The 4 s of every later loss count from the first one, whatever recovered in between."""

    def gone(original: Method, core: Any, now: int, conn: int) -> None:
        is_link = core._link is not None and core._link.conn == conn
        original(core, now, conn)
        if is_link:
            core.first_loss_ns = getattr(core, "first_loss_ns", None) or core._interrupted_ns
            core._interrupted_ns = core.first_loss_ns

    def interrupted(original: Method, core: Any, now: int) -> None:
        core.first_loss_ns = None
        original(core, now)

    wrap(patch, Lifecycle, "_gone", gone)
    wrap(patch, Lifecycle, "_interrupted", interrupted)


# ------------------------------------------------------------------------------------------ the 6 s


@wrong_client("CONNECTING-5")
def gives_a_login_5_s(patch: Patcher) -> None:
    """A login times out after 5 s."""
    with_timing(patch, Timing(login_s=5.0))


@wrong_client("CONNECTING-5")
def gives_a_login_6_5_s(patch: Patcher) -> None:
    """A login times out after 6.5 s."""
    with_timing(patch, Timing(login_s=6.5))


@wrong_client("CONNECTING-5")
def gives_a_login_7_s(patch: Patcher) -> None:
    """A login times out after 7 s."""
    with_timing(patch, Timing(login_s=7.0))


@wrong_client("OPEN-5", "CONNECTING-5")
def counts_the_6_s_from_the_opening(patch: Patcher) -> None:
    """The 6 s start anew when a connection has opened, so only the login itself is given them."""

    def opened(original: Method, core: Any, now: int, conn: int) -> None:
        original(core, now, conn)
        if core._state is State.CONNECTING and core._attempts.get(conn) is not None:
            core._login_deadline_ns = now + LOGIN_NS

    wrap(patch, Lifecycle, "connection_opened", opened)


@wrong_client("OPEN-5", "CONNECTING-5")
def each_retry_restarts_the_6_s(patch: Patcher) -> None:
    """The 6 s start anew with each attempt to connect."""

    def start_attempt(original: Method, core: Any, now: int) -> None:
        last_conn = core._last_conn
        original(core, now)
        if core._state is State.CONNECTING and core._last_conn != last_conn:
            core._login_deadline_ns = now + LOGIN_NS

    wrap(patch, Lifecycle, "_start_attempt", start_attempt)


@wrong_client("CONNECTING-5", "GENERAL-3")
def the_6_s_run_on_after_a_login(patch: Patcher) -> None:
    """The timer of the 6 s is not stopped by the login, and ends the session that came of it."""

    def logged_in(original: Method, core: Any, *args: Any) -> None:
        deadline_ns = core._login_deadline_ns
        original(core, *args)
        core._login_deadline_ns = deadline_ns

    def login_failed(original: Method, core: Any, *args: Any) -> None:
        if core._link is not None:
            core._emit(Close(core._link.conn, flush=False))
            core._link = None
        original(core, *args)

    wrap(patch, Lifecycle, "_logged_in", logged_in)
    wrap(patch, Lifecycle, "_login_failed", login_failed)


@wrong_client("CONNECTING-5", reports=("centrifugal/centrifuge-js#374",))
def a_time_out_waits_for_a_close(patch: Patcher) -> None:
    """When the 6 s are over the connections are closed, and the app is told when they have been: it never is."""

    def login_failed(original: Method, core: Any, now: int, code: LoginError, reason: Reason) -> None:
        if reason is not Reason.LOGIN_TIMEOUT:
            original(core, now, code, reason)
            return
        core._login_deadline_ns = None
        core._close_all(core._attempts.end())

    wrap(patch, Lifecycle, "_login_failed", login_failed)
