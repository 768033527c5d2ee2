"""Explores in the real world: drawn schedules side by side, each with processes, links and a tenant of its own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

from harness import trace
from harness.clock import now_ns
from harness.explore.campaign import Tally, fails_by
from harness.explore.draw import SHORT, drawn
from harness.explore.finding import Finding
from harness.explore.player import lasts_s, play
from harness.explore.schedule import Schedule
from harness.explore.shrink import candidates, size
from harness.oracle.verdict import Verdict
from harness.run import RealRun, ScenarioSpec
from harness.spec.timing import NS_PER_S
from harness.world.world import Title

# What lasts less has hardly begun when it ends; the draw's own bound keeps the others below twice that.
LASTS_S_MIN = 15.0
# Each round of shrinking takes as long as a schedule does.
ROUNDS_MAX = 5

_DRAWN_AT_ONCE = 250
_DRAWS_MAX = 40


def draw_enough(*, parallel: int, seconds: float, seed: int) -> list[Schedule]:
    """Return as many schedules as so many side by side can play in this time; to be drawn before it begins.

    Drawing computes, and what computes while schedules are played makes the harness late.
    """
    wanted = parallel * (2 + round(seconds / LASTS_S_MIN))
    schedules: dict[Schedule, None] = {}
    for number in range(_DRAWS_MAX):
        batch = drawn(count=_DRAWN_AT_ONCE, seed=seed * 1_000_003 + number, shape=SHORT)
        schedules.update(dict.fromkeys(each for each in batch if lasts_s(each) >= LASTS_S_MIN))
        if len(schedules) >= wanted:
            break
    return list(schedules)[:wanted]


class RealCampaign:
    """One exploration over real processes and links, in a run that is open."""

    def __init__(self, run: RealRun, *, parallel: int, on_progress: Callable[[Tally], None]) -> None:
        self._run = run
        self._parallel = parallel
        self._on_progress = on_progress
        self._numbers = itertools.count()
        self._began_ns = now_ns()
        self.tally = Tally()

    async def explore(self, schedules: Sequence[Schedule], *, seconds: float) -> list[Finding]:
        """Keep so many schedules playing until the time is up, or one has failed; then let those that play end.

        Return what was found, the shortest first. A verdict that says nothing of the client is none.
        """
        until_ns = now_ns() + round(seconds * NS_PER_S)
        findings: list[Finding] = []

        def more() -> Iterator[Schedule]:
            for schedule in itertools.cycle(schedules):
                if findings or now_ns() >= until_ns:
                    return
                yield schedule

        async for finding in self._side_by_side(more()):
            self.tally.count(finding.judgement, finding.trace)
            self.tally.took_s = (now_ns() - self._began_ns) / NS_PER_S
            self._on_progress(self.tally)
            if finding.judgement.verdict is Verdict.FAIL:
                findings.append(finding)
        return sorted(findings, key=lambda each: size(each.schedule))

    async def shrink(self, finding: Finding) -> Finding:
        """Return a shorter schedule that fails by the same clause: the shortest of each round of candidates."""
        clause = finding.check.clause
        for _ in range(ROUNDS_MAX):
            tried = _spread(candidates(finding.schedule, SHORT.waits_s), self._parallel)
            failing = [each async for each in self._side_by_side(tried) if fails_by(each.judgement, clause)]
            if not failing:
                return finding
            finding = min(failing, key=lambda each: size(each.schedule))
        return finding

    async def _side_by_side(self, schedules: Iterable[Schedule]) -> AsyncIterator[Finding]:
        """Play all of them, so many at a time; yield each when it has ended."""
        coming = iter(schedules)
        running: set[asyncio.Task[Finding]] = set()
        try:
            while True:
                for schedule in itertools.islice(coming, self._parallel - len(running)):
                    running.add(asyncio.create_task(self._play(schedule, next(self._numbers))))
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in running:
                task.cancel()
            if running:
                await asyncio.wait(running)

    async def _play(self, schedule: Schedule, number: int) -> Finding:
        name = f"explored-{number}"
        scenario = ScenarioSpec(Title(name, ()), lasts_s(schedule), lambda world: play(world, schedule))
        judgement = await self._run.play(scenario, rank=number)
        return Finding(schedule, judgement, trace.read(self._run.folder.path / "traces" / f"{name}.jsonl"))


def _spread(shorter: Sequence[Schedule], count: int) -> list[Schedule]:
    """Return so many of them, from the boldest to the most timid: there is no time for all."""
    if len(shorter) <= count:
        return list(shorter)
    return [shorter[index * len(shorter) // count] for index in range(count)]
