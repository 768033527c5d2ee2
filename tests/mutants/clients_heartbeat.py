"""Wrong clients: heartbeats that are not sent, not looked at, or taken for what they are not."""

from __future__ import annotations

from typing import Any

from harness.reference.client_lifecycle_core import Lifecycle
from harness.reference.client_link_core import Link
from harness.reference.wire import Ping
from harness.spec.states import State
from harness.spec.timing import ns
from tests.mutants.deviations import Method, wrap
from tests.mutants.mutant import Patcher, wrong_client

FOR_EVER_NS = 1 << 62


@wrong_client("CONNECTED-2", reports=("pusher/pusher-websocket-swift#171",))
def never_looks_for_the_answers(patch: Patcher) -> None:
    """Heartbeats are sent, and it is never looked at whether they are answered."""
    patch(Link, "silent_since_ns", lambda _original: property(lambda _link: None))


@wrong_client("CONNECTED-2")
def sends_no_heartbeats(patch: Patcher) -> None:
    """After the one that confirms the login no heartbeat is sent."""

    def ping(original: Method, link: Any, now: int) -> Ping:
        sent: Ping = original(link, now)
        link._next_ping_ns = FOR_EVER_NS
        return sent

    wrap(patch, Link, "ping", ping)


@wrong_client("CONNECTED-2", "OPEN-8", reports=("supabase/realtime-js#94",))
def what_arrives_puts_heartbeats_off(patch: Patcher) -> None:
    """Each frame that arrives puts the next heartbeat off, so a client that is told much sends none."""

    def received(original: Method, core: Any, now: int, link: Any, frame: object) -> None:
        link._next_ping_ns = now + link._heartbeat_ns
        original(core, now, link, frame)

    wrap(patch, Lifecycle, "_received_on_link", received)


@wrong_client("OPEN-1", "CONNECTED-3", "OPEN-8")
def sends_a_heartbeat_every_3_s(patch: Patcher) -> None:
    """Heartbeats are sent every 3 s, whatever the server asked for and the adapter declares."""

    def init(original: Method, link: Any, conn: int, now: int, _heartbeat_s: float) -> None:
        original(link, conn, now, 3.0)

    wrap(patch, Link, "__init__", init)


@wrong_client("CONNECTED-2", "OPEN-3")
def sends_no_heartbeats_after_a_return(patch: Patcher) -> None:
    """Heartbeats are started by login() alone: a link that was found again has none."""

    def logged_in(original: Method, core: Any, *args: Any) -> None:
        is_login = core._state is State.CONNECTING
        original(core, *args)
        if not is_login:
            core._link._next_ping_ns = FOR_EVER_NS

    wrap(patch, Lifecycle, "_logged_in", logged_in)


@wrong_client("CONNECTED-2", "CONNECTED-4", reports=("phoenixframework/phoenix#3083",))
def an_old_heartbeat_strikes_the_new_link(patch: Patcher) -> None:
    """A heartbeat that was unanswered when its link broke is still waited for on the next one."""

    def gone(original: Method, core: Any, now: int, conn: int) -> None:
        if core._link is not None and core._link.conn == conn:
            core.pending_ns = core._link.silent_since_ns
        original(core, now, conn)

    def logged_in(original: Method, core: Any, *args: Any) -> None:
        original(core, *args)
        if getattr(core, "pending_ns", None) is not None:
            core._link._unanswered.appendleft((FOR_EVER_NS, core.pending_ns))  # a number that no answer will reach

    def interrupted(original: Method, core: Any, now: int) -> None:
        core.pending_ns = None
        original(core, now)

    wrap(patch, Lifecycle, "_gone", gone)
    wrap(patch, Lifecycle, "_logged_in", logged_in)
    wrap(patch, Lifecycle, "_interrupted", interrupted)


@wrong_client("CONNECTED-4", "CONNECTED-3", "OPEN-1")
def a_missed_heartbeat_is_an_interruption(patch: Patcher) -> None:
    """RECONNECTING as soon as a heartbeat is overdue, without the 4 s."""

    def reconnecting_ns(original: Method, core: Any) -> int | None:
        if core._state is not State.CONNECTED or core._link is None:
            return original(core)  # type: ignore[no-any-return]
        return core._link.suspect_ns  # type: ignore[no-any-return]

    wrap(patch, Lifecycle, "_reconnecting_ns", reconnecting_ns)


@wrong_client("OPEN-1", "CONNECTED-2", "CONNECTED-3")
def each_heartbeat_restarts_the_4_s(patch: Patcher) -> None:
    """The 4 s of a silent loss count from the latest heartbeat, and there is always another one."""

    def silent_since_ns(link: Any) -> int | None:
        return link._unanswered[-1][1] if link._unanswered else None

    patch(Link, "silent_since_ns", lambda _original: property(silent_since_ns))


@wrong_client("CONNECTED-4")
def gives_an_answer_2_s(patch: Patcher) -> None:
    """A heartbeat whose answer takes over 2 s ends the link, although 4 s are given."""

    def reconnecting_ns(original: Method, core: Any) -> int | None:
        due_ns: int | None = original(core)
        return due_ns if due_ns is None or core._link is None else due_ns - ns(2.0)

    wrap(patch, Lifecycle, "_reconnecting_ns", reconnecting_ns)


@wrong_client("OPEN-2", "CONNECTED-4")
def clings_to_the_silent_link(patch: Patcher) -> None:
    """While a link is only silent no other connection is tried beside it."""
    patch(Link, "suspect_ns", lambda _original: property(lambda _link: None))
