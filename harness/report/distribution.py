"""How the times of a step are spread over the repetitions of its scenario."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median, quantiles

import msgspec

from harness.oracle.verdict import Judgement, Measured
from harness.report.margins import TimedStep, by_step, margins_s, room


class Distribution(msgspec.Struct, frozen=True):
    """The times of one step, over all repetitions (seconds after the moment that its window counts from).

    The window differs a little from one repetition to the next, by what was measured of the host: here it is the median
    of each edge. ``margin_s`` and ``room`` are the least that any repetition had in its own window.
    """

    step: TimedStep
    times_s: tuple[float, ...]  # each of them, in order
    earliest_s: float
    latest_s: float
    margin_s: float
    room: float

    @property
    def min_s(self) -> float:
        """The earliest of all."""
        return self.times_s[0]

    @property
    def median_s(self) -> float:
        """The one in the middle."""
        return median(self.times_s)

    @property
    def p95_s(self) -> float:
        """The time that 95 in 100 keep to, interpolated between the two that are nearest to it."""
        return quantiles(self.times_s, n=20, method="inclusive")[-1] if len(self.times_s) > 1 else self.times_s[0]

    @property
    def max_s(self) -> float:
        """The latest of all."""
        return self.times_s[-1]


def distributions(judgements: Iterable[Judgement]) -> list[Distribution]:
    """Return how the times of each step are spread; the one with the least room comes first."""
    made = (_distribution(step, measured) for step, measured in by_step(judgements).items())
    return sorted(made, key=lambda each: (each.room, each.step))


def _distribution(step: TimedStep, measured: Sequence[Measured]) -> Distribution:
    return Distribution(
        step,
        tuple(sorted(each.elapsed_s for each in measured)),
        median(each.earliest_s for each in measured),
        median(each.latest_s for each in measured),
        round(min(margin_s for each in measured for margin_s in margins_s(each).values()), 6),
        round(min(map(room, measured)), 6),
    )
