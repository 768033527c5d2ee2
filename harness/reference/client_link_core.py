"""The connection that the client is logged in on, and its heartbeat. Pure: times are nanoseconds of one clock."""

from __future__ import annotations

from collections import deque

from harness.reference.wire import Ping, WireError
from harness.spec.timing import ns

# With a ping unanswered for so many intervals another connection is tried beside this one. One: the next heartbeat is
# going out by then, so an answer is overdue, and of the 4 s (CONNECTED-3) as much as possible is left. A false alarm
# costs a connection and is told to nobody (OPEN-2).
SUSPECT_HEARTBEATS = 1
# But not before there was no answer to any ping for so many. Answers come an interval apart, also on a link with a
# round trip of several intervals, where some ping is always unanswered: that link is slow, not dead.
SILENT_HEARTBEATS = 2


class Link:
    """One connection after its login. Each is born with a heartbeat of its own, so none inherits a pending one."""

    def __init__(self, conn: int, now: int, heartbeat_s: float) -> None:
        self.conn = conn
        self.is_proved = False
        self._heartbeat_ns = ns(heartbeat_s)
        self._sent = 0
        self._next_ping_ns = now
        self._unanswered: deque[tuple[int, int]] = deque()  # (number, when sent) of each ping, oldest first
        self._answered_ns = now

    @property
    def next_ping_ns(self) -> int:
        """When the next ping is due: an interval after the last was sent, however busy the link is otherwise."""
        return self._next_ping_ns

    @property
    def silent_since_ns(self) -> int | None:
        """When the oldest ping was sent that is still unanswered, or None: there an interruption began (OPEN-1)."""
        return self._unanswered[0][1] if self._unanswered else None

    @property
    def suspect_ns(self) -> int | None:
        """From when on this link is suspected to be dead, as things stand, or None."""
        if self.silent_since_ns is None:
            return None
        return max(
            self.silent_since_ns + SUSPECT_HEARTBEATS * self._heartbeat_ns,
            self._answered_ns + SILENT_HEARTBEATS * self._heartbeat_ns,
        )

    def is_suspect(self, now: int) -> bool:
        """Return whether this link is suspected to be dead."""
        return self.suspect_ns is not None and self.suspect_ns <= now

    def ping(self, now: int) -> Ping:
        """Return the ping that is due now."""
        self._sent += 1
        self._unanswered.append((self._sent, now))
        self._next_ping_ns = now + self._heartbeat_ns
        return Ping(self._sent)

    def pong(self, now: int, number: int) -> None:
        """Take the answer to a ping; it answers all older ones too.

        The first ping only confirms the login. A link has proved itself with the answer to another one: a server that
        drops everybody right after the login would else be tried again at once, again and again.

        Raises:
            WireError: no such ping was sent on this connection.
        """
        if number > self._sent:
            raise WireError(f"pong {number} answers no ping, {self._sent} were sent")
        while self._unanswered and self._unanswered[0][0] <= number:
            self._unanswered.popleft()
            self._answered_ns = now
        self.is_proved = self.is_proved or number > 1
