"""THE TABLE: every switch of state that the document allows. What is not a row here must not happen.

The table is read by the judge, by the documentation and by the campaigns of random faults. An implementation is
never driven by it: the reference has a state machine of its own, and is held against this one.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.spec.states import Reason, State


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed switch: from a state, because of something, into a (state, reason)."""

    source: State
    cause: str
    target: State
    reason: Reason
    clauses: tuple[str, ...]


INITIAL_STATE = State.DISCONNECTED  # DISCONNECTED-1

TRANSITIONS: tuple[Transition, ...] = (
    Transition(State.DISCONNECTED, "login()", State.CONNECTING, Reason.LOGIN, ("DISCONNECTED-2",)),
    Transition(State.CONNECTING, "login succeeds", State.CONNECTED, Reason.LOGIN_SUCCESS, ("CONNECTING-2",)),
    Transition(State.CONNECTING, "login fails", State.DISCONNECTED, Reason.LOGIN_FAILURE, ("CONNECTING-4",)),
    Transition(State.CONNECTING, "6 s pass", State.DISCONNECTED, Reason.LOGIN_TIMEOUT, ("CONNECTING-5",)),
    Transition(
        State.CONNECTED, "interrupted for 4 s", State.RECONNECTING, Reason.INTERRUPTED, ("CONNECTED-3", "OPEN-1")
    ),
    Transition(
        State.CONNECTED, "same uid logs in elsewhere", State.ABORTED, Reason.REMOTE_LOGIN, ("CONNECTED-5", "OPEN-19")
    ),
    Transition(State.CONNECTED, "logout()", State.DISCONNECTED, Reason.LOGOUT, ("CONNECTED-6",)),
    Transition(State.CONNECTED, "banned", State.ABORTED, Reason.BANNED_BY_SERVER, ("OPEN-21",)),
    Transition(
        State.RECONNECTING, "reconnected", State.CONNECTED, Reason.LOGIN_SUCCESS, ("RECONNECTING-4", "RECONNECTING-5")
    ),
    Transition(State.RECONNECTING, "logout()", State.DISCONNECTED, Reason.LOGOUT, ("RECONNECTING-11",)),
    Transition(State.RECONNECTING, "same uid logged in elsewhere", State.ABORTED, Reason.REMOTE_LOGIN, ("OPEN-20",)),
    Transition(State.RECONNECTING, "banned", State.ABORTED, Reason.BANNED_BY_SERVER, ("OPEN-21",)),
    Transition(State.ABORTED, "logout()", State.DISCONNECTED, Reason.LOGOUT, ("ABORTED-2", "OPEN-17")),
)

LEGAL_PAIRS: frozenset[tuple[State, Reason]] = frozenset((row.target, row.reason) for row in TRANSITIONS)


def allowed(source: State, target: State, reason: Reason) -> Transition | None:
    """Return the row that allows this switch, or None where the document does not."""
    return next((row for row in TRANSITIONS if (row.source, row.target, row.reason) == (source, target, reason)), None)
