"""What the client core asks its shell to do, as data."""

from __future__ import annotations

from typing import Any, NamedTuple

from harness.reference.client_codes_core import CallError
from harness.reference.wire import ClientFrame

# The published callbacks, in the order of the SDK's reference.
CALLBACK_NAMES: tuple[str, ...] = (
    "onLoginSuccess",
    "onLoginFailure",
    "onLogout",
    "onConnectionStateChanged",
    "onTokenExpired",
    "onRenewTokenResult",
    "onMessageReceivedFromPeer",
    "onJoinSuccess",
    "onJoinFailure",
    "onLeave",
    "onMemberJoined",
    "onMemberLeft",
    "onMessageReceived",
)


class Open(NamedTuple):
    """Open a connection of this number: name look-up, TCP, TLS and the WebSocket upgrade."""

    conn: int


class Send(NamedTuple):
    """Send this frame on this connection."""

    conn: int
    frame: ClientFrame


class Close(NamedTuple):
    """Be rid of this connection, open or opening; the core takes nothing from it any more.

    ``flush``: hand over first what was sent on it; without it the connection is aborted.
    """

    conn: int
    flush: bool


class Callback(NamedTuple):
    """Call the app back. The arguments stand in their published order; numbers are members of their enums."""

    name: str
    args: dict[str, Any]


class Reply(NamedTuple):
    """Answer the call that was given this number."""

    call_id: int
    code: CallError
    values: dict[str, Any]


class Log(NamedTuple):
    """Note why a connection was given up."""

    why: str


Effect = Open | Send | Close | Callback | Reply | Log
