"""When to start another attempt to connect, and when to give one up.

Attempts are hedged: while those under way are silent another is started every HEDGE_S, because a link that has come
back may carry a new connection at once and an old one only when TCP repeats itself. An attempt that is seen to fail is
followed by another after a back-off with jitter (OPEN-28). Pure: times are nanoseconds of one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.spec.timing import ns

HEDGE_S = 1.0  # the SDK has 4 s before the app is told (CONNECTED-3): three tries fit in, and a dead server sees few
ATTEMPT_S = 5.0  # TCP repeats a lost SYN after 1 s and 3 s; a connection not there by then is better begun anew
IN_FLIGHT_MAX = round(ATTEMPT_S / HEDGE_S)  # so that a silent network keeps the pace: one ends as the next begins
BACKOFF_MIN_S = 0.1
BACKOFF_MAX_S = 1.0
# The longest time from a usable link to the start of the attempt that will use it, whatever failed before.
RETRY_S = max(HEDGE_S, BACKOFF_MAX_S)

_HEDGE_NS = ns(HEDGE_S)
_ATTEMPT_NS = ns(ATTEMPT_S)
_BACKOFF_MIN_NS = ns(BACKOFF_MIN_S)
_BACKOFF_MAX_NS = ns(BACKOFF_MAX_S)


@dataclass(slots=True, eq=False)
class Attempt:
    """One try to connect and log in."""

    conn: int
    deadline_ns: int | None  # None: bounded by the login as a whole (CONNECTING-5)
    token: str | None = None  # the one that its Login carried; None: that has not been sent yet


class Attempts:
    """The attempts under way, and the time of the next one."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self._jitter = jitter
        self._in_flight: dict[int, Attempt] = {}
        self._next_ns: int | None = None
        self._last_ns: int | None = None
        self._failures = 0

    @property
    def is_seeking(self) -> bool:
        """True while a link is looked for: more attempts will be started."""
        return self._next_ns is not None

    def get(self, conn: int) -> Attempt | None:
        """Return the attempt of this number, unless it is over."""
        return self._in_flight.get(conn)

    # ------------------------------------------------------------------------------------------------- what happened

    def seek(self, now: int) -> None:
        """Look for a link: at once where the last one had proved itself, else after the back-off."""
        self._set_next(now + self._backoff_ns())

    def seek_beside(self, now: int) -> None:
        """Look for a link while there still is one that may recover: with the hedge's distance to the last attempt."""
        if self._next_ns is None:
            assert self._last_ns is not None  # the link itself began as an attempt
            self._set_next(max(now, self._last_ns + _HEDGE_NS) + self._backoff_ns())

    def hasten(self, now: int) -> list[int]:
        """Start the next attempt at once, for there is a reason to hope; return the numbers of those in its way."""
        self._set_next(now)
        full = len(self._in_flight) >= IN_FLIGHT_MAX
        return [self._drop(next(iter(self._in_flight)))] if full else []

    def proved(self) -> None:
        """Forget the failures: a link has proved itself."""
        self._failures = 0

    def count_failure(self) -> None:
        """Note that an attempt has been seen to fail, or a link to break before it had proved itself."""
        self._failures += 1

    def failed(self, now: int, conn: int) -> None:
        """Take out an attempt that was seen to fail; while a link is looked for, another follows."""
        self._drop(conn)
        if self.is_seeking:
            self.count_failure()
            self._set_next(now + self._backoff_ns())

    def won(self, now: int, conn: int) -> list[int]:
        """Stop looking, because this attempt is logged in; return the numbers of those to close.

        A later attempt whose Login is out stays: the server may have taken it in the place of this one already, and
        closing it then would lose both. On a link with a round trip of more than HEDGE_S that would go on for ever.
        """
        self._drop(conn)
        return self._stop_seeking(now, lambda other: other.conn > conn and other.token is not None)

    def called_off(self, now: int) -> list[int]:
        """Stop looking, because the link has recovered; return the numbers of those to close."""
        return self._stop_seeking(now, lambda other: other.token is not None)

    def end(self) -> list[int]:
        """Stop everything; return the numbers of those to close."""
        self._next_ns = None
        closing = list(self._in_flight)
        self._in_flight.clear()
        return closing

    # -------------------------------------------------------------------------------------------------------- timers

    def next_deadline(self) -> int | None:
        """Return when the next attempt is to be started or given up, or None."""
        times = [attempt.deadline_ns for attempt in self._in_flight.values() if attempt.deadline_ns is not None]
        if self._next_ns is not None and len(self._in_flight) < IN_FLIGHT_MAX:
            times.append(self._next_ns)
        return min(times, default=None)

    def expire(self, now: int) -> list[int]:
        """Return the numbers of the attempts that are to be given up now."""
        late = [each for each in self._in_flight.values() if each.deadline_ns is not None and each.deadline_ns <= now]
        return [self._drop(attempt.conn) for attempt in late]

    def start_due(self, now: int, conn: int) -> bool:
        """Start an attempt of this number if one is due."""
        if self._next_ns is None or now < self._next_ns or len(self._in_flight) >= IN_FLIGHT_MAX:
            return False
        self._in_flight[conn] = Attempt(conn, now + _ATTEMPT_NS)
        self._last_ns = now
        self._next_ns = now + _HEDGE_NS
        return True

    # ------------------------------------------------------------------------------------------------------- helpers

    def _set_next(self, at_ns: int) -> None:
        self._next_ns = at_ns if self._next_ns is None else min(self._next_ns, at_ns)

    def _backoff_ns(self) -> int:
        if self._failures == 0:
            return 0
        # The exponent is bounded because the failures are not: RECONNECTING lasts until it succeeds.
        full_ns = min(_BACKOFF_MAX_NS, _BACKOFF_MIN_NS << min(self._failures - 1, 10))
        return round(full_ns * (0.5 + self._jitter() / 2))

    def _drop(self, conn: int) -> int:
        del self._in_flight[conn]
        return conn

    def _stop_seeking(self, now: int, keep: Callable[[Attempt], bool]) -> list[int]:
        self._next_ns = None
        closing = [attempt.conn for attempt in self._in_flight.values() if not keep(attempt)]
        for conn in closing:
            self._drop(conn)
        for attempt in self._in_flight.values():
            attempt.deadline_ns = attempt.deadline_ns or now + _ATTEMPT_NS
        return closing
