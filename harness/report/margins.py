"""The timed steps of a run, each found again in its other repetitions and in other runs; how far it is from an edge."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

import msgspec

from harness.oracle.verdict import Check, Judgement, Measured

EARLY, LATE = "early", "late"


class TimedStep(msgspec.Struct, frozen=True, order=True):
    """A step that a scenario holds to a window: the same one in every run, and in every repetition."""

    scenario: str  # its plain name
    person: str
    step: str
    clauses: tuple[str, ...]  # what it proves by being in time
    number: int  # from 1: which of those that are alike in all else


def by_step(judgements: Iterable[Judgement]) -> dict[TimedStep, list[Measured]]:
    """Return what was measured of each timed step: once in each scenario, so as often as that was repeated."""
    found: dict[TimedStep, list[Measured]] = defaultdict(list)
    for judgement in judgements:
        for step, measured in _of_one(judgement):
            found[step].append(measured)
    return dict(found)


def margins_s(measured: Measured) -> dict[str, float]:
    """Return how far a time lay inside its window, counted from each edge (negative: beyond it).

    A window that opens with its cause has no early edge: nothing comes before its cause. So there it is no sign of
    anything that something comes at once.
    """
    margins = {LATE: measured.latest_s - measured.elapsed_s}
    if measured.earliest_s + measured.error_s > 0:
        margins[EARLY] = measured.elapsed_s - measured.earliest_s
    return margins


def room(measured: Measured) -> float:
    """Return how much is left of the margin that there could be: 1 is as far from each edge as can be, 0 is at one.

    By this windows can be compared: in one that is no wider than the error the whole margin is hardly anything.
    """
    margins = margins_s(measured).values()
    return min(margins) / ((measured.latest_s - measured.earliest_s) / len(margins))


def _of_one(judgement: Judgement) -> Iterator[tuple[TimedStep, Measured]]:
    numbers = Counter[tuple[str, str, tuple[str, ...]]]()
    for person, clauses, measured in _once(judgement.checks):
        kind = (person, measured.step, clauses)
        numbers[kind] += 1
        yield TimedStep(judgement.plain_name, *kind, numbers[kind]), measured


def _once(checks: Iterable[Check]) -> Iterator[tuple[str, tuple[str, ...], Measured]]:
    """Yield each measured time once, with the clauses that it speaks for: the judge makes a check for each of them."""
    for (person, measured), alike in groupby(checks, key=lambda check: (check.person, check.measured)):
        if measured is not None:
            yield person, tuple(check.clause for check in alike), measured
