"""The times of a step as a picture: each of them a dot on a line, beside the window in which they were due."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from harness.report.distribution import Distribution

# Of Okabe and Ito's colours, which the colour-blind can tell apart; what is outside has another shape too.
_BLUE, _ORANGE = "#0072b2", "#d55e00"
_WIDTH, _HEIGHT = 480, 58
_LEFT, _RIGHT = 12, _WIDTH - 12
_TOP, _MIDDLE, _BOTTOM = 6, 22, 38
_LABELS_APART = 150  # the two edges are written under the window where it is as wide as that


def picture(distribution: Distribution) -> str:
    """Return a fragment of SVG, for a page of any colours: it takes the colour of the text around it."""
    said = escape(_said(distribution))
    parts = [
        f'<svg class="spread" role="img" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" font-size="12">',
        f"<title>{said}</title>",
        *_window(distribution),
        *_lines(distribution),
        *_dots(distribution),
        "</svg>",
    ]
    return "".join(parts)


def _said(each: Distribution) -> str:
    outside = sum(not _is_inside(each, time_s) for time_s in each.times_s)
    return (
        f"{each.step.step}: {len(each.times_s)} times, from {each.min_s:.3f} s to {each.max_s:.3f} s, "
        f"median {each.median_s:.3f} s, 95 % within {each.p95_s:.3f} s; "
        f"due in [{each.earliest_s:.3f}, {each.latest_s:.3f}] s; {outside} outside"
    )


def _is_inside(each: Distribution, time_s: float) -> bool:
    return each.earliest_s <= time_s <= each.latest_s


def _x(each: Distribution, time_s: float) -> float:
    """Return where a time lies across: the picture holds the whole window and all times."""
    first_s, last_s = min(each.earliest_s, each.min_s), max(each.latest_s, each.max_s)
    part = (time_s - first_s) / (last_s - first_s) if last_s > first_s else 0.5
    return round(_LEFT + part * (_RIGHT - _LEFT), 1)


def _window(each: Distribution) -> Iterator[str]:
    left, right = _x(each, each.earliest_s), _x(each, each.latest_s)
    width = max(1.0, round(right - left, 1))
    yield (
        f'<rect x="{left}" y="{_TOP}" width="{width}" height="{_BOTTOM - _TOP}" fill="{_BLUE}" fill-opacity=".18" '
        f'stroke="{_BLUE}"/>'
    )
    if width >= _LABELS_APART:
        yield _label(left, "start", f"{each.earliest_s:.3f} s")
        yield _label(right, "end", f"{each.latest_s:.3f} s")
    else:
        # A narrow window has one label, on the side where there is room for it.
        anchor, x = ("end", right) if left > _WIDTH / 2 else ("start", left)
        yield _label(x, anchor, f"due in [{each.earliest_s:.3f}, {each.latest_s:.3f}] s")


def _label(x: float, anchor: str, text: str) -> str:
    return f'<text x="{x}" y="{_HEIGHT - 5}" text-anchor="{anchor}" fill="currentColor">{text}</text>'


def _lines(each: Distribution) -> Iterator[str]:
    """The median as a whole line, and what 95 in 100 keep to as a broken one."""
    for time_s, dashes, name in ((each.median_s, "", "median"), (each.p95_s, ' stroke-dasharray="3 2"', "95 %")):
        x = _x(each, time_s)
        yield (
            f'<path d="M{x} {_TOP - 3}V{_BOTTOM + 3}" stroke="currentColor" stroke-width="2"{dashes}>'
            f"<title>{name}: {time_s:.3f} s</title></path>"
        )


def _dots(each: Distribution) -> Iterator[str]:
    for time_s in each.times_s:
        x, hint = _x(each, time_s), f"<title>{time_s:.3f} s</title>"
        if _is_inside(each, time_s):
            yield f'<circle cx="{x}" cy="{_MIDDLE}" r="4" fill="{_BLUE}" fill-opacity=".7">{hint}</circle>'
        else:
            cross = f"M{x - 4:.1f} {_MIDDLE - 4}l8 8m0-8l-8 8"
            yield f'<path d="{cross}" stroke="{_ORANGE}" stroke-width="2.5">{hint}</path>'
