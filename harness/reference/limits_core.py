"""How much the server takes on: its limits, and the small means by which they are kept."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

from harness.errors import UsageError
from harness.reference.wire import ATTRIBUTES_MAX
from harness.spec.timing import NS_PER_S


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """Bounds of one server. They protect it from a client gone wild; no honest scenario comes near any of them.

    Raises:
        UsageError: one of them is less than 1.
    """

    connections_max: int = 20_000  # in total; twice the 10,000 sessions that the server is made for
    tenants_max: int = 10_000
    sessions_max: int = 20_000  # of one tenant
    members_max: int = 2_000  # of one channel: each join and each leave is told to all of them
    attributes_max: int = ATTRIBUTES_MAX  # of one session, however many requests they came in
    requests_per_s: int = 200  # of one connection, sustained
    # Of one connection, at once: all of a session's channels and attributes, twenty times over.
    requests_burst: int = 400
    # Frames of any kind of one connection: the fastest heartbeat that may be asked for (100 a second) and all requests
    # are far below. A burst is what waited on a link that was frozen, or for a server that stood still.
    frames_per_s: int = 1_000
    frames_burst: int = 4_000
    # Waiting for one client that does not read; a frame is at most a sixteenth of it. One that lets more pile up is
    # dropped, so that it cannot make the server hold everything that the others send it. The shell sees to this one.
    outbound_bytes_max: int = 1024 * 1024
    ended_noted_max: int = 10_000  # sessions of one tenant that stay refused although they are gone
    logins_noted_max: int = 50_000  # users whose logins are counted
    bans_max: int = 10_000

    def __post_init__(self) -> None:
        for limit in fields(self):
            if getattr(self, limit.name) < 1:
                raise UsageError(
                    f"a limit {limit.name} of {getattr(self, limit.name)}",
                    why="a server that takes nothing on is of no use",
                    mend="take 1 or more",
                )


class RateLimit:
    """A token bucket, as the generic cell rate algorithm: one number, and no timer to refill it."""

    __slots__ = ("_cost_ns", "_full_at_ns", "_tolerance_ns")

    def __init__(self, *, per_s: int, burst: int) -> None:
        self._cost_ns = NS_PER_S // per_s
        self._tolerance_ns = self._cost_ns * (burst - 1)
        self._full_at_ns = 0  # when the bucket would be full again

    def take(self, now: int) -> bool:
        """Take one from the bucket; False where it is empty."""
        full_at_ns = max(self._full_at_ns, now)
        if full_at_ns - now > self._tolerance_ns:
            return False
        self._full_at_ns = full_at_ns + self._cost_ns
        return True


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class BoundedRecord(Generic[K, V]):
    """Remembers a value for each of the latest keys; beyond its size the key that came first is forgotten."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._values: dict[K, V] = {}

    def put(self, key: K, value: V) -> None:
        """Remember this value; a key that is known already keeps its age."""
        self._values[key] = value
        if len(self._values) > self._size_max:
            del self._values[next(iter(self._values))]

    def get(self, key: K) -> V | None:
        """Return what is remembered for the key, or None."""
        return self._values.get(key)

    def pop(self, key: K) -> V | None:
        """Forget the key; returns what was remembered for it, or None."""
        return self._values.pop(key, None)
