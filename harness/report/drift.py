"""How far a timed step of one run has moved against another: towards the edge of its window, or away from it.

A measured time is known to within the error of its run: what is no more than that of both has not moved for certain.
And within its window a client is free: when in it something comes may be chance, each time anew (how long it waits for
its next attempt, say). So of each step it is said how seldom chance alone moves it so, by the rank-sum test of Mann and
Whitney, which does not ask what times are spread like; and of all of them together, by the sum of that (Stouffer's).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import sqrt
from statistics import NormalDist, median

import msgspec

from harness.oracle.verdict import Measured
from harness.report.margins import TimedStep, margins_s

# What is seldomer than 1 in 1000 is no chance: a suite has some 200 steps. In standard deviations.
SELDOM = NormalDist().inv_cdf(0.999)
# So many repetitions of a step in both runs can be as seldom as that; fewer cannot, however they lie.
ENOUGH = 7


class Typical(msgspec.Struct, frozen=True):
    """A timed step in one run: the medians of its repetitions, all in seconds.

    Its window is the one that the clause and the adapter's declared intervals make, and its margins are counted from
    the edges of that. The judge allows ``error_s`` beyond each edge; two runs are compared without that, for it is
    another one in each.
    """

    repetitions: int
    elapsed_s: float
    earliest_s: float
    latest_s: float
    margins_s: dict[str, float]  # from each edge
    error_s: float

    @property
    def open_s(self) -> float:
        """For how long its window is open."""
        return self.latest_s - self.earliest_s


class Drift(msgspec.Struct, frozen=True):
    """A timed step in two runs. In the new one it is by ``closer_s`` closer to the edge that it is nearer to now.

    Where that is negative, it is farther from it, and so from both. ``error_s`` is how far it can be from the true one,
    by what was measured of both runs. ``deviations`` says how seldom chance moves it so: by so many standard deviations
    it is off (negative: to the other side).
    """

    step: TimedStep
    old: Typical
    new: Typical
    edge: str
    closer_s: float
    error_s: float
    deviations: float

    @property
    def may_be_chance(self) -> bool:
        """Whether nothing need have changed for it."""
        return abs(self.deviations) <= SELDOM

    @property
    def passes(self) -> bool:
        """Whether it is still inside its window, as far as can be told."""
        return self.new.margins_s[self.edge] + self.new.error_s >= 0


def drift(step: TimedStep, old: Sequence[Measured], new: Sequence[Measured]) -> Drift:
    """Return how far a step has moved, given what was measured of it in each repetition of both runs."""
    was, now = typical(old), typical(new)
    # What an adapter declares may have changed, and with it from when on a window is open.
    edges = sorted(was.margins_s.keys() & now.margins_s.keys())
    edge = min(edges, key=now.margins_s.__getitem__)
    closer_s = round(was.margins_s[edge] - now.margins_s[edge], 6)
    # Where the cause of a step lasted longer in one run, it widened the window by as much: that is the host's doing.
    error_s = round(was.error_s + now.error_s + abs(was.open_s - now.open_s), 6)
    margins = ([margins_s(each)[edge] - each.error_s for each in measured] for measured in (old, new))
    return Drift(step, was, now, edge, closer_s, error_s, round(_deviations(*margins), 3))


def typical(measured: Sequence[Measured]) -> Typical:
    """Return what is typical of a step in one run."""
    times_s = sorted(each.elapsed_s for each in measured)
    return Typical(
        len(measured),
        median(times_s),
        round(median(each.earliest_s + each.error_s for each in measured), 6),
        round(median(each.latest_s - each.error_s for each in measured), 6),
        {
            edge: round(median(margins_s(each)[edge] - each.error_s for each in measured), 6)
            for edge in margins_s(measured[0])
        },
        median(each.error_s for each in measured),
    )


def _deviations(old: Sequence[float], new: Sequence[float]) -> float:
    """Return by how many standard deviations the new ones are less than the old ones, against what chance does."""
    pairs = len(old) * len(new)
    won = sum((now < was) + (now == was) / 2 for was in old for now in new)
    return (won - pairs / 2) / sqrt(pairs * (len(old) + len(new) + 1) / 12)


def are_lopsided(drifts: Collection[Drift]) -> bool:
    """Whether so much of this goes towards the edges that chance would hardly ever do it.

    Chance moves steps either way alike, each by itself. A client that has become slower moves all of them one way.
    """
    return bool(drifts) and sum(each.deviations for each in drifts) / sqrt(len(drifts)) > SELDOM
