"""Plays each mutant in the real world, as a process, through scenarios that caught it by its clause in virtual time."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path

from harness.oracle.judge import judge
from harness.oracle.verdict import Verdict
from harness.run import OVERTIME_S, ScenarioSpec
from harness.scheduler import Job, side_by_side
from harness.world.lab import Lab, LabConfig, open_lab
from harness.world.play import Play
from harness.world.real import RealEngine
from tests.mutants.kills import Fate, Outcome, outcome_of
from tests.mutants.mutant import Mutant, Side

# A mutant that is caught by dozens of scenarios need not be caught by all of them again: the shortest so many.
SCENARIOS_MAX = 3


def chosen(fate: Fate, scenarios: Sequence[ScenarioSpec]) -> list[ScenarioSpec]:
    """Return the scenarios to play a mutant through: those that caught it by its clause, the shortest."""
    right = {each.scenario for each in fate.right_kills}
    shortest = sorted(scenarios, key=lambda each: each.lasts_s)
    # Those that set out to prove the clause come first.
    shortest.sort(key=lambda each: set(each.title.clauses).isdisjoint(fate.mutant.clauses))
    return [each for each in shortest if each.title.name in right][:SCENARIOS_MAX]


async def play_all(fates: Sequence[Fate], scenarios: Sequence[ScenarioSpec], logs: Path) -> list[Fate]:
    """Play these mutants side by side; what could not be told is played again, a few at a time."""
    async with open_lab(LabConfig(logs)) as lab:
        jobs = [(fate.mutant, scenario) for fate in fates for scenario in chosen(fate, scenarios)]
        outcomes = [outcome async for outcome in _side_by_side(lab, jobs)]
        unclear = {(each.mutant, each.scenario) for each in outcomes if each.verdict is Verdict.INCONCLUSIVE}
        again = [job for job in jobs if (job[0].name, job[1].title.name) in unclear]
        outcomes = [each for each in outcomes if (each.mutant, each.scenario) not in unclear]
        for few in _in_groups_of(4, again):
            outcomes += [outcome async for outcome in _side_by_side(lab, few)]
    return [Fate(fate.mutant, [each for each in outcomes if each.mutant == fate.mutant.name]) for fate in fates]


_Job = tuple[Mutant, ScenarioSpec]


async def _side_by_side(lab: Lab, jobs: Sequence[_Job]) -> AsyncIterator[Outcome]:
    running = (Job(mutant.name, scenario.lasts_s, partial(_play, lab, mutant, scenario)) for mutant, scenario in jobs)
    async with aclosing(side_by_side(running)) as ended:
        async for job in ended:
            yield job.task.result()


async def _play(lab: Lab, mutant: Mutant, scenario: ScenarioSpec, rank: int) -> Outcome:
    wrong = (sys.executable, "-m", f"tests.mutants.{_PROGRAMS[mutant.side]}", mutant.name)
    engine = RealEngine(
        lab,
        scenario.title.name,
        rank,
        client_command=wrong if mutant.side is Side.CLIENT else (),
        server_command=wrong if mutant.side is Side.SERVER else (),
    )
    trace = await Play(scenario.title, engine).run(scenario.body, limit_s=scenario.lasts_s + OVERTIME_S)
    return outcome_of(mutant, judge(trace))


_PROGRAMS = {Side.CLIENT: "agent", Side.SERVER: "server"}


def _in_groups_of(size: int, jobs: Sequence[_Job]) -> Iterator[Sequence[_Job]]:
    return (jobs[at : at + size] for at in range(0, len(jobs), size))
