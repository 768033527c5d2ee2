"""When to start another attempt to connect, and when to give one up.

Attempts are hedged: while those under way are silent another is started every HEDGE_S, because a link that has come
back may carry a new connection at once and an old one only when TCP repeats itself. The first whose connection opens
leads: as long as its next answer is not overdue no other one logs in beside it, for each later login of an instance
retires the session of an earlier one. An attempt that is seen to fail is followed by another after a back-off with
jitter (OPEN-28). Pure: times are nanoseconds of one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from harness.reference.client_link_core import Link
from harness.reference.wire import LoggedIn, PeerMessage
from harness.spec.timing import ns

HEDGE_S = 1.0  # the SDK has 4 s before the app is told (CONNECTED-3): three tries fit in, and a dead server sees few
ATTEMPT_S = 5.0  # TCP repeats a lost SYN after 1 s and 3 s; a connection not there by then is better begun anew
IN_FLIGHT_MAX = round(ATTEMPT_S / HEDGE_S)  # so that a silent network keeps the pace: one ends as the next begins
BACKOFF_MIN_S = 0.1
BACKOFF_MAX_S = 1.0
# The longest time from a usable link to the start of the attempt that will use it, whatever failed before. On a link
# with a round trip of more than half of it, an attempt that leads is given two of them instead.
RETRY_S = max(HEDGE_S, BACKOFF_MAX_S)

_HEDGE_NS = ns(HEDGE_S)
_ATTEMPT_NS = ns(ATTEMPT_S)
_BACKOFF_MIN_NS = ns(BACKOFF_MIN_S)
_BACKOFF_MAX_NS = ns(BACKOFF_MAX_S)


@dataclass(slots=True, eq=False)
class Attempt:
    """One try to connect and log in."""

    conn: int
    since_ns: int  # when it was started, or got its last answer
    deadline_ns: int | None  # None: bounded by the login as a whole (CONNECTING-5)
    token: str | None = None  # the one that its Login carried; None: that has not been sent yet
    leg_ns: int = 0  # how long the last answer took, the opening of the connection being the first
    # Half-way: of a server that made a new session, the link on which that is being confirmed, and what came meanwhile.
    answer: LoggedIn | None = None
    link: Link | None = None
    held: list[PeerMessage] = field(default_factory=list)


class Attempts:
    """The attempts under way, and the time of the next one."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._in_flight: dict[int, Attempt] = {}
        self._next_ns: int | None = None
        self._last_ns: int | None = None
        self._failures = 0
        self._patience_ns = _HEDGE_NS  # how long an attempt leads at least without an answer

    @property
    def is_seeking(self) -> bool:
        """True while a link is looked for: more attempts will be started."""
        return self._next_ns is not None

    def get(self, conn: int) -> Attempt | None:
        """Return the attempt of this number, unless it is over."""
        return self._in_flight.get(conn)

    # ------------------------------------------------------------------------------------------------- what happened

    def opened(self, now: int, conn: int, token: str) -> bool:
        """Take note that a connection is open; return whether to log in on it with this token, else it is to be closed.

        A login that waits for its answer with an older token holds nobody up: the new one gives more hope (OPEN-22).
        """
        attempt, others = self._in_flight[conn], self._in_flight.values()
        pace_ns = now - attempt.since_ns
        leading = [other for other in others if other.token == token or other.answer is not None]
        overdue_ns = max((self._overdue_ns(other, pace_ns) for other in leading), default=now)
        if now < overdue_ns:
            self._drop(conn)
            self._set_next(overdue_ns)
            return False
        attempt.token = token
        self._progressed(now, attempt)
        return True

    def accepted(self, now: int, attempt: Attempt, answer: LoggedIn, link: Link) -> None:
        """Take note that the server made a new session: the attempt goes on until that is confirmed on this link.

        If another one has overtaken it, then the link was there all the time, and it is the server that is slow.
        """
        self._progressed(now, attempt)
        if any(other.conn > attempt.conn and other.token is not None for other in self._in_flight.values()):
            self._patience_ns = max(self._patience_ns, 2 * attempt.leg_ns)
        attempt.answer, attempt.link = answer, link
        if attempt.deadline_ns is not None:
            attempt.deadline_ns = now + _ATTEMPT_NS

    def seek(self, now: int) -> None:
        """Look for a link: at once where the last one had proved itself, else after the back-off."""
        self._set_next(now + self._backoff_ns())

    def seek_beside(self, now: int) -> None:
        """Look for a link while there still is one that may recover: with the hedge's distance to the last attempt."""
        if self._next_ns is None:
            assert self._last_ns is not None  # the link itself began as an attempt
            self._set_next(max(now, self._last_ns + _HEDGE_NS) + self._backoff_ns())

    def hasten(self, now: int) -> None:
        """Have the next attempt started at once, for there is a reason to hope."""
        self._set_next(now)

    def proved(self) -> None:
        """Forget the failures, and how slow it was: a link has proved itself."""
        self._failures = 0
        self._patience_ns = _HEDGE_NS

    def count_failure(self) -> None:
        """Note that an attempt has been seen to fail, or a link to break before it had proved itself."""
        self._failures += 1

    def failed(self, now: int, conn: int) -> None:
        """Take out an attempt that was seen to fail; while a link is looked for, another follows."""
        self._drop(conn)
        if self.is_seeking:
            self.count_failure()
            self._set_next(now + self._backoff_ns())

    def won(self, now: int, conn: int) -> list[Attempt]:
        """Stop looking, because this attempt is logged in; return those to close.

        A later attempt whose Login is out stays, and has overtaken this one: the server may have taken it in the place
        of this one already, and closing it then would lose both. With a slow server that would go on for ever.
        """
        self._drop(conn)
        return self._stop_seeking(now, lambda other: other.conn > conn and other.token is not None)

    def called_off(self, now: int) -> list[Attempt]:
        """Stop looking, because the link has recovered; return those to close."""
        return self._stop_seeking(now, lambda other: other.token is not None)

    def end(self) -> list[Attempt]:
        """Stop everything; return those to close."""
        self._next_ns = None
        closing = list(self._in_flight.values())
        self._in_flight.clear()
        return closing

    # -------------------------------------------------------------------------------------------------------- timers

    def next_deadline(self) -> int | None:
        """Return when the next attempt is to be started or given up, or None."""
        times = [attempt.deadline_ns for attempt in self._in_flight.values() if attempt.deadline_ns is not None]
        if self._next_ns is not None:
            times.append(self._next_ns)
        return min(times, default=None)

    def expire(self, now: int) -> list[Attempt]:
        """Return the attempts that are to be given up now: their time is over, or the one that is due has no room."""
        late = [each for each in self._in_flight.values() if each.deadline_ns is not None and each.deadline_ns <= now]
        gone = [self._drop(attempt.conn) for attempt in late]
        if self._is_due(now) and len(self._in_flight) >= IN_FLIGHT_MAX:
            least = min(self._in_flight.values(), key=lambda attempt: (attempt.token is not None, attempt.since_ns))
            gone.append(self._drop(least.conn))
        return gone

    def start_due(self, now: int, conn: int) -> bool:
        """Start an attempt of this number if one is due."""
        if not self._is_due(now):
            return False
        self._in_flight[conn] = Attempt(conn, now, now + _ATTEMPT_NS)
        self._last_ns = now
        self._next_ns = now + _HEDGE_NS
        return True

    # ------------------------------------------------------------------------------------------------------- helpers

    def _is_due(self, now: int) -> bool:
        return self._next_ns is not None and self._next_ns <= now

    def _overdue_ns(self, attempt: Attempt, pace_ns: int) -> int:
        """Return when an attempt's next answer is overdue, where a connection takes so long to open just now.

        That is when it takes twice as long as the last answer did; the second time is for a delay. A last answer that
        took longer than a connection takes now is no measure: it had waited for the link to come back.
        """
        return attempt.since_ns + max(self._patience_ns, 2 * min(attempt.leg_ns, pace_ns))

    def _progressed(self, now: int, attempt: Attempt) -> None:
        attempt.leg_ns, attempt.since_ns = now - attempt.since_ns, now
        if self._next_ns is not None:
            self._next_ns = now + _HEDGE_NS  # also on a slow link: what opens there too early is turned away

    def _set_next(self, at_ns: int) -> None:
        self._next_ns = at_ns if self._next_ns is None else min(self._next_ns, at_ns)

    def _backoff_ns(self) -> int:
        if self._failures == 0:
            return 0
        # The exponent is bounded because the failures are not: RECONNECTING lasts until it succeeds.
        full_ns = min(_BACKOFF_MAX_NS, _BACKOFF_MIN_NS << min(self._failures - 1, 10))
        return round(full_ns * (0.5 + self._jitter() / 2))

    def _drop(self, conn: int) -> Attempt:
        return self._in_flight.pop(conn)

    def _stop_seeking(self, now: int, keep: Callable[[Attempt], bool]) -> list[Attempt]:
        self._next_ns = None
        closing = [attempt for attempt in self._in_flight.values() if not keep(attempt)]
        for attempt in closing:
            self._drop(attempt.conn)
        for attempt in self._in_flight.values():
            attempt.deadline_ns = attempt.deadline_ns or now + _ATTEMPT_NS
        return closing
