"""What a benchmark has found: figures with their spread, curves of growth, and what they are to show."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """How far the single measurements lie apart."""

    count: int
    least: float
    p50: float
    p99: float
    most: float


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One number that was measured.

    Attributes:
        name: what it is.
        value: the number; the median or the percentile that the name says where there is a spread.
        unit: what it is counted in; ``x`` for a ratio.
        spread: of the single measurements.
        at_most: what it must not exceed.
        at_least: what it must reach.
        note: what has to be known with it.
    """

    name: str
    value: float
    unit: str
    spread: Spread | None = None
    at_most: float | None = None
    at_least: float | None = None
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether it shows what it is to show."""
        too_much = self.at_most is not None and self.value > self.at_most
        too_little = self.at_least is not None and self.value < self.at_least
        return not (too_much or too_little)

    def __str__(self) -> str:
        spread = self.spread
        told = f"{self.name:58} {number(self.value):>10} {self.unit:9}"
        if spread is not None:
            told += f" {number(spread.least)} to {number(spread.most)} in {spread.count}"
        for word, bound in (("at most", self.at_most), ("at least", self.at_least)):
            if bound is not None:
                told += f"  {word} {number(bound)}: {'met' if self.is_met else 'MISSED'}"
        return f"{told}  {self.note}".rstrip()


class Curve(msgspec.Struct, frozen=True):
    """How one thing grows with another."""

    name: str
    x: str
    y: str
    points: list[tuple[float, float]]


class Measured(msgspec.Struct):
    """What one part has found."""

    figures: list[Figure] = []
    curves: list[Curve] = []


class Part(msgspec.Struct):
    """What one part has found, when, and with which command."""

    what: str
    measured: str
    took_s: float
    command: str
    figures: list[Figure]
    curves: list[Curve]
    failure: str = ""


class Results(msgspec.Struct):
    """What all parts have found on one host."""

    host: dict[str, str]
    parts: dict[str, Part] = {}


def spread_of(samples: Sequence[float]) -> Spread:
    """Return how far measurements lie apart; there is at least one."""
    ordered = sorted(samples)
    return Spread(len(ordered), ordered[0], quantile(ordered, 0.5), quantile(ordered, 0.99), ordered[-1])


def quantile(ordered: Sequence[float], part: float) -> float:
    """Return the smallest of these sorted values that this part of them does not exceed."""
    return ordered[max(0, -int(-part * len(ordered) // 1) - 1)]


def median(name: str, samples: Sequence[float], unit: str, *, note: str = "") -> Figure:
    """Return the median of measurements, with their spread."""
    spread = spread_of(samples)
    return Figure(name, spread.p50, unit, spread, note=note)


def p99(name: str, samples: Sequence[float], unit: str, *, at_most: float | None = None, note: str = "") -> Figure:
    """Return what 99 of 100 measurements do not exceed, with their spread."""
    spread = spread_of(samples)
    return Figure(name, spread.p99, unit, spread, at_most=at_most, note=note)


def number(value: float) -> str:
    """Write a number with three digits that say something."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1e}"
