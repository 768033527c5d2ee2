"""Plays every mutant through every scenario in virtual time."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator, Sequence

from harness.oracle.judge import judge
from harness.run import OVERTIME_S, ScenarioSpec
from harness.world.virtual import VirtualConfig, play_virtually
from tests.mutants.everyone import MUTANTS
from tests.mutants.kills import Fate, Outcome, outcome_of
from tests.mutants.mutant import Mutant


def play(mutant: Mutant, scenario: ScenarioSpec) -> Outcome:
    """Play one scenario against a mutant."""
    with mutant.applied():
        limit_s = scenario.lasts_s + OVERTIME_S
        trace = play_virtually(scenario.title, scenario.body, limit_s=limit_s, config=VirtualConfig())
    return outcome_of(mutant, judge(trace))


_scenarios: list[ScenarioSpec] = []


def _play_all(name: str) -> list[Outcome]:
    return [play(MUTANTS[name], scenario) for scenario in _scenarios]


def play_all(mutants: Sequence[Mutant], scenarios: Sequence[ScenarioSpec]) -> Iterator[Fate]:
    """Play these mutants through these scenarios, on all cores; yield each when it is done, in their order."""
    _scenarios[:] = scenarios
    # By fork, so that every process has the collected scenarios without collecting them again.
    with multiprocessing.get_context("fork").Pool(os.cpu_count()) as pool:
        names = [mutant.name for mutant in mutants]
        for mutant, outcomes in zip(mutants, pool.imap(_play_all, names), strict=True):
            yield Fate(mutant, outcomes)
