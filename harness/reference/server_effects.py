"""What the server core asks its shell to do, as data."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from harness.reference.wire import ServerFrame

# RFC 6455, 5.5: a control frame carries at most 125 bytes, two of which are the close code.
CLOSE_REASON_BYTES_MAX = 123


class CloseCode(IntEnum):
    """The close codes that the server uses beside those of a frame that it cannot read (RFC 6455, 7.4.1).

    They are for the reader of a log. What ends a session for good is told by the frame before the close: to a client
    every close without one is an interruption, whatever its code.
    """

    NORMAL = 1000  # the session is over, or goes on on another connection
    GOING_AWAY = 1001  # the server stops
    POLICY = 1008  # the client must not have done this, or has not done something in time
    TRY_AGAIN_LATER = 1013  # the server is full


class Send(NamedTuple):
    """Send this frame on this connection."""

    conn: int
    frame: ServerFrame


class Close(NamedTuple):
    """Close this connection after what was sent before; the core takes nothing from it any more."""

    conn: int
    code: int
    reason: str


Effect = Send | Close


class Outbox:
    """Effects in the order in which they are to be carried out."""

    def __init__(self) -> None:
        self._effects: list[Effect] = []

    def send(self, conn: int, frame: ServerFrame) -> None:
        """Send a frame on a connection."""
        self._effects.append(Send(conn, frame))

    def close(self, conn: int, code: int, reason: str) -> None:
        """Close a connection; a reason that does not fit into a close frame is cut off."""
        cut = reason.encode(errors="replace")[:CLOSE_REASON_BYTES_MAX].decode(errors="ignore")
        self._effects.append(Close(conn, code, cut))

    def drain(self) -> list[Effect]:
        """Return the effects so far, and forget them."""
        effects, self._effects = self._effects, []
        return effects
