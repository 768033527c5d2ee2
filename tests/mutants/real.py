"""Plays each mutant in the real world, as a process, through scenarios that caught it by its clause in virtual time."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path

from harness.oracle.judge import judge
from harness.run import OVERTIME_S, ScenarioSpec
from harness.scheduler import Job, side_by_side
from harness.world.lab import Lab, LabConfig, open_lab
from harness.world.play import Play
from harness.world.real import RealEngine
from tests.mutants.kills import Fate, Outcome, outcome_of
from tests.mutants.mutant import Mutant, Side

# A mutant that is caught by dozens of scenarios need not be caught by all of them again: the shortest so many.
SCENARIOS_MAX = 3
# Side by side: a Toxiproxy has ports for some 500 links, and a scenario has up to seven.
PLAYS_MAX = 70


def chosen(fate: Fate, scenarios: Sequence[ScenarioSpec]) -> list[ScenarioSpec]:
    """Return the scenarios to play a mutant through: those that caught it by its clause, the shortest."""
    right = {each.scenario for each in fate.right_kills}
    shortest = sorted(scenarios, key=lambda each: each.lasts_s)
    # Those that set out to prove the clause come first.
    shortest.sort(key=lambda each: set(each.title.clauses).isdisjoint(fate.mutant.clauses))
    return [each for each in shortest if each.title.name in right][:SCENARIOS_MAX]


async def play_all(fates: Sequence[Fate], scenarios: Sequence[ScenarioSpec], logs: Path) -> list[Fate]:
    """Play these mutants side by side; those that are not caught are played again, each on its own.

    So many processes make times uncertain, and a client that is a tenth of a second off is then not told from a right
    one.
    """
    async with open_lab(LabConfig(logs)) as lab:
        jobs = [(fate.mutant, scenario) for fate in fates for scenario in chosen(fate, scenarios)]
        outcomes = [outcome async for outcome in _side_by_side(lab, jobs)]
        caught = {fate.mutant.name for fate in _fates(fates, outcomes) if fate.right_kills}
        outcomes = [each for each in outcomes if each.mutant in caught]
        for job in (each for each in jobs if each[0].name not in caught):
            outcomes += [outcome async for outcome in _side_by_side(lab, [job])]
    return _fates(fates, outcomes)


def _fates(fates: Sequence[Fate], outcomes: Sequence[Outcome]) -> list[Fate]:
    return [Fate(fate.mutant, [each for each in outcomes if each.mutant == fate.mutant.name]) for fate in fates]


_Job = tuple[Mutant, ScenarioSpec]


async def _side_by_side(lab: Lab, jobs: Sequence[_Job]) -> AsyncIterator[Outcome]:
    places = asyncio.Semaphore(PLAYS_MAX)
    running = (
        Job(mutant.name, scenario.lasts_s, partial(_play, lab, places, mutant, scenario)) for mutant, scenario in jobs
    )
    async with aclosing(side_by_side(running)) as ended:
        async for job in ended:
            yield job.task.result()


async def _play(lab: Lab, places: asyncio.Semaphore, mutant: Mutant, scenario: ScenarioSpec, rank: int) -> Outcome:
    wrong = (sys.executable, "-m", f"tests.mutants.{_PROGRAMS[mutant.side]}", mutant.name)
    engine = RealEngine(
        lab,
        scenario.title.name,
        rank,
        client_command=wrong if mutant.side is Side.CLIENT else (),
        server_command=wrong if mutant.side is Side.SERVER else (),
    )
    async with places:
        trace = await Play(scenario.title, engine).run(scenario.body, limit_s=scenario.lasts_s + OVERTIME_S)
    return outcome_of(mutant, judge(trace))


_PROGRAMS = {Side.CLIENT: "agent", Side.SERVER: "server"}
