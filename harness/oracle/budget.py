"""The error budget: how far a measured time can be from the true one in this very run, and what follows for a window.

No tolerance here is a guess. A window opens by what the clause says, by the intervals that the implementation
declared, by when the fault can have taken effect at the earliest and the latest, and by what was measured of clocks and
of the host while the scenario ran.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from harness.oracle.delays import Delays
from harness.oracle.expect import Window
from harness.trace import Observation, What

NS_PER_S = 1_000_000_000

# What is timed passes through up to four processes (client, Toxiproxy, server, observer), and each of them can be
# scheduled late by as much as the host was seen to be.
PROCESSES_ON_THE_WAY = 4

# On the way back a client waits for the server's event loop four times: for the connection, the upgrade, the login and
# the answer to the ping that confirms it. At worst these were the four at which that loop was seen to be late the most.
TURNS_OF_THE_SERVER = 4

# The document is for Linux and Windows, and the system timer of Windows ticks 64 times a second: an implementation
# that asks it for the time, or to be woken, cannot be held to less.
TIMER_TICK_NS = NS_PER_S // 64

# Of each quarter of a second the host's worst delay is kept, and that alone: it speaks for a moment that lies up to so
# long before or after it.
DELAY_SPEAKS_FOR_NS = 250_000_000

# The tests stay half a second off every boundary (OPEN-4). Where times are known less exactly than that, they prove
# nothing any more, neither for an implementation nor against it.
ERROR_MAX_NS = NS_PER_S // 2


@dataclass(frozen=True, slots=True)
class Declared:
    """What the adapter of a person declared, and how well its clock is known."""

    heartbeat_ns: int
    retry_ns: int
    clock_error_ns: int

    def margin_ns(self, name: str) -> int:
        """Return a declared interval by the name that a window uses for it."""
        return {"heartbeat": self.heartbeat_ns, "retry": self.retry_ns}[name]


class Fit(Enum):
    """Where a measured time lies."""

    INSIDE = auto()
    UNCERTAIN = auto()  # outside, but no farther than the error: cannot be told apart
    OUTSIDE = auto()


@dataclass(frozen=True, slots=True)
class Timed:
    """A measured time held against its window; seconds after the moment that the window counts from."""

    fit: Fit
    elapsed_s: float
    earliest_s: float
    latest_s: float
    error_s: float

    @property
    def margin_s(self) -> float:
        """How far inside the window it lay; negative outside."""
        return round(min(self.elapsed_s - self.earliest_s, self.latest_s - self.elapsed_s), 6)


class Budget:
    """The measured errors of one trace."""

    def __init__(self, trace: Sequence[Observation]) -> None:
        self._host = Delays(_late(trace, "host"))
        self._server = Delays(_late(trace, "server"), kept=TURNS_OF_THE_SERVER)
        self._harness = Delays([*_late(trace, "harness"), *_faults_late(trace), *_flaps_late(trace)])
        self._declared = {
            each.source: Declared(
                heartbeat_ns=round(each.args["heartbeat_s"] * NS_PER_S),
                retry_ns=round(each.args["retry_s"] * NS_PER_S),
                clock_error_ns=each.args["clock_error_ns"],
            )
            for each in trace
            if each.what is What.DECLARED
        }

    def declared(self, person: str) -> Declared:
        """Return what a person's adapter declared."""
        return self._declared[person]

    def delay_ns(self, from_ns: int, to_ns: int) -> int:
        """Return the longest time by which the host ran a process late in this span, or close by."""
        return _longest(self._host, from_ns, to_ns)

    def _on_the_way_ns(self, from_ns: int, to_ns: int) -> int:
        """How late something can be seen: by what the host does to each process, and by the server's own doings."""
        server_ns = sum(self._server.worst(*_close_by(from_ns, to_ns)))
        return PROCESSES_ON_THE_WAY * self.delay_ns(from_ns, to_ns) + server_ns

    def error_ns(self, person: str, from_ns: int, to_ns: int) -> int:
        """Return how far a time that was measured in this span can be from the true one."""
        return TIMER_TICK_NS + self.declared(person).clock_error_ns + self._on_the_way_ns(from_ns, to_ns)

    def heard_late_ns(self, person: str, from_ns: int, to_ns: int) -> int:
        """Return by how much what was said in this span can have been heard late, through no fault of who said it."""
        return self.error_ns(person, from_ns, to_ns) + _longest(self._harness, from_ns, to_ns)

    def disturbed_ns(self, from_ns: int, to_ns: int) -> int:
        """Return how late things were in this span, if by so much that it cannot be held against anybody; else 0.

        What was seen passes through several processes that the host may run late; what was done, through the harness.
        """
        on_the_way_ns = PROCESSES_ON_THE_WAY * self.delay_ns(from_ns, to_ns) + _longest(self._server, from_ns, to_ns)
        late_ns = max(on_the_way_ns, _longest(self._harness, from_ns, to_ns))
        return late_ns if late_ns > ERROR_MAX_NS else 0

    def hold(self, person: str, window: Window, seen: Observation) -> Timed:
        """Hold a seen time against a window, in seconds after the start of the moment that it counts from."""
        error_ns = self.error_ns(person, window.from_ns, seen.at_ns)
        opens_ns, closes_ns = self.bounds_ns(person, window, error_ns)
        elapsed_ns = seen.at_ns - window.from_ns
        if opens_ns + error_ns <= elapsed_ns <= closes_ns - error_ns:
            fit = Fit.INSIDE
        elif opens_ns <= elapsed_ns <= closes_ns:
            fit = Fit.INSIDE if error_ns <= ERROR_MAX_NS else Fit.UNCERTAIN
        elif opens_ns - error_ns <= elapsed_ns <= closes_ns + error_ns:
            fit = Fit.UNCERTAIN
        else:
            fit = Fit.OUTSIDE
        return Timed(fit, elapsed_ns / NS_PER_S, opens_ns / NS_PER_S, closes_ns / NS_PER_S, error_ns / NS_PER_S)

    def bounds_ns(self, person: str, window: Window, error_ns: int) -> tuple[int, int]:
        """Return when a window opens and closes for this person, counted from the start of its moment."""
        declared = self.declared(person)
        early_ns = sum(declared.margin_ns(name) for name in window.early)
        late_ns = sum(declared.margin_ns(name) for name in window.late)
        # Counted from from_ns: the moment may have been as late as to_ns, so the window closes that much later.
        opens_ns = round(window.earliest_s * NS_PER_S) - early_ns - error_ns
        closes_ns = round(window.latest_s * NS_PER_S) + late_ns + error_ns + (window.to_ns - window.from_ns)
        return opens_ns, closes_ns


def _faults_late(trace: Sequence[Observation]) -> list[tuple[int, int]]:
    """Return when each fault and each healing was asked for, and when it was there: by the harness and Toxiproxy."""
    faults = (each for each in trace if each.what is What.FAULT and "asked_ns" in each.args)
    return [(each.args["asked_ns"], each.at_ns if each.until_ns is None else each.until_ns) for each in faults]


def _flaps_late(trace: Sequence[Observation]) -> list[tuple[int, int]]:
    """Return when the steps of each flap were due by its schedule, and when they were done: by the harness."""
    late = []
    begun_ns: dict[str, int] = {}
    for each in trace:
        if each.what is What.FAULT and each.name in ("flap", "healing of flap") and each.until_ns is not None:
            parameters = each.args["parameters"]
            # The schedule counts from the first cut: one a period, each healed half a period later.
            periods = parameters["cycle"] - (0.5 if each.name == "healing of flap" else 1.0)
            if periods == 0:
                begun_ns[each.source] = each.until_ns
            late.append((begun_ns[each.source] + round(periods * parameters["period_s"] * NS_PER_S), each.until_ns))
    return late


def _late(trace: Sequence[Observation], source: str) -> list[tuple[int, int]]:
    """Return what this source ran late: when it was due, and when it ran."""
    delays = (each for each in trace if each.what is What.DELAY and each.source == source)
    return [(each.at_ns, each.until_ns) for each in delays if each.until_ns is not None]


def _longest(delays: Delays, from_ns: int, to_ns: int) -> int:
    """Return the longest delay in this span, or close by."""
    return delays.longest(*_close_by(from_ns, to_ns))


def _close_by(from_ns: int, to_ns: int) -> tuple[int, int]:
    return from_ns - DELAY_SPEAKS_FOR_NS, to_ns + DELAY_SPEAKS_FOR_NS
