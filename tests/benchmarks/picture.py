"""The curves of growth as one picture: small multiples, each on two logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from tests.benchmarks.figures import Curve, Results, number

# Of Okabe and Ito's colours, which the colour-blind can tell apart.
_BLUE = "#0072b2"
_WIDTH, _HEIGHT, _COLUMNS = 320, 220, 3
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, _WIDTH - 20, 44, _HEIGHT - 44


def picture(results: Results) -> str:
    """Return an SVG of all curves that there are."""
    curves = [curve for part in results.parts.values() for curve in part.curves if len(curve.points) > 1]
    rows = max(1, math.ceil(len(curves) / _COLUMNS))
    size = f"{_COLUMNS * _WIDTH} {rows * _HEIGHT}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="sans-serif" font-size="11">',
        f'<rect width="100%" height="100%" fill="#fff"/><title>{escape(_said(curves))}</title>',
    ]
    for index, curve in enumerate(curves):
        x, y = index % _COLUMNS * _WIDTH, index // _COLUMNS * _HEIGHT
        lines += [f'<g transform="translate({x} {y})">', *_drawn(curve), "</g>"]
    return "\n".join([*lines, "</svg>", ""])


def _said(curves: Sequence[Curve]) -> str:
    each = (
        f"{curve.name}: " + ", ".join(f"{number(y)} {curve.y} at {number(x)}" for x, y in curve.points)
        for curve in curves
    )
    return "; ".join(each)


def _drawn(curve: Curve) -> Iterator[str]:
    xs, ys = [x for x, _ in curve.points], [y for _, y in curve.points]
    # Both axes begin at a power of ten and have the same scale for it, as far as there is room: a slope can be read.
    across, up = _Axis(xs, _LEFT, _RIGHT), _Axis(ys, _BOTTOM, _TOP)
    yield f'<text x="{_LEFT}" y="18" font-size="12" font-weight="bold">{escape(curve.name)}</text>'
    yield f'<text x="{_LEFT}" y="33" fill="#555">{escape(curve.y)}</text>'
    yield f'<text x="{_RIGHT}" y="{_HEIGHT - 8}" fill="#555" text-anchor="end">{escape(curve.x)}</text>'
    for value in across.marks():
        yield _line(across.at(value), _TOP, across.at(value), _BOTTOM, "#ddd")
        yield f'<text x="{across.at(value)}" y="{_BOTTOM + 15}" text-anchor="middle">{number(value)}</text>'
    for value in up.marks():
        yield _line(_LEFT, up.at(value), _RIGHT, up.at(value), "#ddd")
        yield f'<text x="{_LEFT - 6}" y="{up.at(value) + 4}" text-anchor="end">{number(value)}</text>'
    path = " ".join(f"{across.at(x)},{up.at(y)}" for x, y in curve.points)
    yield f'<polyline points="{path}" fill="none" stroke="{_BLUE}" stroke-width="2"/>'
    for x, y in curve.points:
        yield f'<circle cx="{across.at(x)}" cy="{up.at(y)}" r="3" fill="{_BLUE}"/>'
        yield f'<text x="{across.at(x)}" y="{up.at(y) - 7}" text-anchor="middle" fill="{_BLUE}">{number(y)}</text>'


class _Axis:
    """A logarithmic scale from one power of ten to another."""

    def __init__(self, values: Sequence[float], begin: float, end: float) -> None:
        least, most = max(1e-6, min(values)), max(1e-6, max(values))
        self._first = math.floor(math.log10(least))
        self._last = max(self._first + 1, math.ceil(math.log10(most)))
        self._begin, self._end = begin, end

    def marks(self) -> list[float]:
        return [10.0**power for power in range(self._first, self._last + 1)]

    def at(self, value: float) -> float:
        part = (math.log10(max(1e-6, value)) - self._first) / (self._last - self._first)
        return round(self._begin + part * (self._end - self._begin), 1)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}"/>'
