"""Sequences that many scenarios share, written out once. Literal, like everything that is expected."""

from __future__ import annotations

from harness.oracle.expect import AnyOrder, Node, Span, Step, any_order, callback, state

# A login that succeeds. Its result comes right before its switch, or right after: both are accepted (OPEN-15).
LOGGED_IN: tuple[Node, ...] = (
    state("CONNECTING", "LOGIN", "DISCONNECTED-2"),
    any_order(callback("onLoginSuccess", "CONNECTING-1"), state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2")),
)

# The same, and the lobby joined.
JOINED_LOBBY: tuple[Node, ...] = (*LOGGED_IN, callback("onJoinSuccess", channel="lobby"))

# What those who are in the lobby already see of alice's coming.
ALICE_JOINED_LOBBY: Step = callback("onMemberJoined", channel="lobby", member="alice")


def login_failed(code: str, reason: str, *clauses: str) -> AnyOrder:
    """A login that fails: its result and its switch, in either order (OPEN-15)."""
    return any_order(
        callback("onLoginFailure", *clauses, code=code),
        state("DISCONNECTED", reason, *clauses),
    )


def logged_out(*clauses: str) -> AnyOrder:
    """A logout that succeeds: its result and its switch, in either order (OPEN-15)."""
    return any_order(callback("onLogout", *clauses, code="OK"), state("DISCONNECTED", "LOGOUT", *clauses))


def logged_out_at_once(logout: Span, *clauses: str) -> AnyOrder:
    """A logout that succeeds, immediately after the call."""
    return any_order(
        callback("onLogout", *clauses, code="OK").at_once(after=logout),
        state("DISCONNECTED", "LOGOUT", *clauses).at_once(after=logout),
    )
