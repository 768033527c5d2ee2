"""Explores in virtual time: draws schedules, plays and judges each, and shrinks the first that a client fails."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from harness.clock import now_ns
from harness.explore.draw import Shape, draw
from harness.explore.finding import Finding, failed
from harness.explore.player import lasts_s, play
from harness.explore.schedule import Schedule
from harness.explore.shrink import candidates
from harness.oracle.judge import judge
from harness.oracle.verdict import Judgement, Verdict
from harness.spec.timing import NS_PER_S
from harness.trace import Observation
from harness.world.virtual import VirtualConfig, play_virtually
from harness.world.world import Title

# Hypothesis learns within a round. Each round has a seed of its own, so a campaign does not depend on how long it took.
ROUND = 250
# In virtual time nothing takes long but the waits. What goes on for so much longer has hung.
OVERTIME_S = 120.0
NAME = "explored"


@dataclass(slots=True)
class Tally:
    """How far a campaign has come; ``played_s`` is the schedules' own time, ``took_s`` what it took."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    played_s: float = 0.0
    took_s: float = 0.0
    unclear: Judgement | None = None  # the first that says nothing of the client
    blame: str = ""  # on whom the first ERROR is laid

    @property
    def schedules(self) -> int:
        """How many schedules were played."""
        return self.verdicts.total()

    @property
    def ratio(self) -> float:
        """How many seconds of the schedules' own time passed in one."""
        return self.played_s / self.took_s if self.took_s else 0.0

    def count(self, judgement: Judgement, trace: Sequence[Observation]) -> None:
        """Take note of a schedule that was played."""
        self.verdicts[judgement.verdict] += 1
        self.played_s += (trace[-1].at_ns - trace[0].at_ns) / NS_PER_S
        if judgement.verdict not in (Verdict.PASS, Verdict.FAIL) and self.unclear is None:
            self.unclear = judgement
        if judgement.verdict is Verdict.ERROR and not self.blame:
            self.blame = judgement.blame


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long to go on: so many schedules, so many seconds, or whatever comes first."""

    examples: int | None = None
    seconds: float | None = None


class _FoundError(Exception):
    """Stops the drawing: of each clause a class of its own, so that shrinking does not slip from one bug to another."""

    finding: Finding


class _TimeIsUpError(Exception):
    """Stops the drawing between two schedules."""


class Campaign:
    """One exploration in virtual time. The same seed and number of examples find the same."""

    def __init__(self, config: VirtualConfig, *, seed: int, shape: Shape, on_progress: Callable[[Tally], None]) -> None:
        self._config = config
        self._seed = seed
        self._shape = shape
        self._on_progress = on_progress
        self._classes: dict[str, type[_FoundError]] = {}
        self._found: _FoundError | None = None
        self._began_ns = now_ns()
        self._until_ns: int | None = None
        self.tally = Tally()

    def run(self, bounds: Bounds) -> Finding | None:
        """Explore until something was found, or the bounds are reached; return what was found, as short as it gets."""
        self._began_ns = now_ns()
        if bounds.seconds is not None:
            self._until_ns = self._began_ns + round(bounds.seconds * NS_PER_S)
        left = bounds.examples
        number = 0
        while left is None or left > 0:
            count = ROUND if left is None else min(ROUND, left)
            left = None if left is None else left - count
            try:
                # No two campaigns whose seeds are small numbers have a round in common.
                draw(self._try, count=count, seed=self._seed * 1_000_003 + number, shape=self._shape, shrink=True)
            except _TimeIsUpError:
                return None
            except _FoundError as found:
                return self._shrunk(found.finding)
            number += 1
        return None

    def _try(self, schedule: Schedule) -> None:
        """Play a schedule that was drawn; also while Hypothesis shrinks, which is not counted."""
        is_up = self._until_ns is not None and now_ns() >= self._until_ns
        if is_up and self._found is None and self.tally.schedules:  # one at least: else nothing would have been tried
            raise _TimeIsUpError
        finding = played(schedule, self._config)
        if self._found is None:
            self.tally.count(finding.judgement, finding.trace)
            self.tally.took_s = (now_ns() - self._began_ns) / NS_PER_S
            self._on_progress(self.tally)
        if finding.judgement.verdict is Verdict.FAIL:
            self._found = self._error(finding)
            raise self._found

    def _error(self, finding: Finding) -> _FoundError:
        clause = finding.check.clause
        kind = self._classes.setdefault(clause, type("FoundError", (_FoundError,), {}))
        error = kind(clause)
        error.finding = finding
        return error

    def _shrunk(self, finding: Finding) -> Finding:
        """Drop what Hypothesis leaves: the shortest row of its choices need not be the shortest schedule."""
        clause = finding.check.clause
        while True:
            shorter = (played(each, self._config) for each in candidates(finding.schedule, self._shape.waits_s))
            better = next((each for each in shorter if fails_by(each.judgement, clause)), None)
            if better is None:
                return finding
            finding = better


def played(schedule: Schedule, config: VirtualConfig) -> Finding:
    """Play and judge one schedule in a virtual time of its own."""
    limit_s = lasts_s(schedule) + OVERTIME_S
    trace = play_virtually(Title(NAME, ()), lambda world: play(world, schedule), limit_s=limit_s, config=config)
    return Finding(schedule, judge(trace), trace)


def fails_by(judgement: Judgement, clause: str) -> bool:
    """Whether it is this clause that is broken first."""
    return judgement.verdict is Verdict.FAIL and failed(judgement)[0].clause == clause
