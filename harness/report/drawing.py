"""Where the parts of a picture lie: across in per cent of its width, so that it fits any screen; down in pixels.

The templates put this into SVG as it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.report.lanes import Band, Due, Flaw, Lane, LaneKind, Mark, Picture, Span
from harness.spec.states import State

# What a lane takes of the height, in pixels.
_HEIGHTS = {LaneKind.PERSON: 50, LaneKind.LINK: 26, LaneKind.SERVER: 26, LaneKind.HOST: 26}
_IDLE_HEIGHT = 18  # of a link to which nothing was done
_FLAW_HEIGHT = 17
_MISSED_HEIGHT = 13  # what a window that was missed says of itself stands above the lane
_AXIS_HEIGHT = 22
_TICKS = 8  # about so many times are written along a picture: as many as fit on a phone
_TEXT_MAX = 160  # a token or a message may be long; the trace has all of it
_NAMED_FROM_PER_CENT = 3.0  # a band or a span that is narrower has no room for its name
_EDGE = 0.012  # so much of the time before the first mark and after the last one, for marks have a width
# The close-up shows what lies around a flaw by this part of it on each side, and no less than this.
_AROUND, _AROUND_MIN_S = 0.6, 0.05
_CLOSE_UP_FROM = 4.0  # one that enlarges less shows nothing new


@dataclass(frozen=True, slots=True)
class Box:
    """A part that lasts. ``kind`` is what it looks like, ``label`` is written in it, where there is room."""

    x: str
    width: str
    kind: str
    label: str
    hint: str


@dataclass(frozen=True, slots=True)
class Point:
    """A part at one moment."""

    x: str
    kind: str
    hint: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """What points at a flaw; its words stand at the side where there is more room."""

    x: str
    y: int
    number: int
    text: str
    to_the_left: bool


@dataclass(frozen=True, slots=True)
class Track:
    """A lane, drawn: ``y`` is its upper edge, below what stands above it."""

    name: str
    kind: LaneKind
    y: int
    height: int
    missed: list[Pointer] = field(default_factory=list)
    bands: list[Box] = field(default_factory=list)
    spans: list[Box] = field(default_factory=list)
    dues: list[Box] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    pointers: list[Pointer] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture, drawn. ``ticks`` are the times along it, ``said`` is what it shows, in words."""

    height: int
    tracks: list[Track]
    ticks: list[Point]
    stops: list[Point]
    said: str


class _Scale:
    """Turns times into places."""

    def __init__(self, from_s: float, to_s: float) -> None:
        edge_s = max(_EDGE * (to_s - from_s), 0.001)
        self.from_s, self.to_s = from_s - edge_s, to_s + edge_s

    def _part(self, at_s: float) -> float:
        inside_s = min(max(at_s, self.from_s), self.to_s)
        return 100 * (inside_s - self.from_s) / (self.to_s - self.from_s)

    def x(self, at_s: float) -> str:
        return _short(self._part(at_s))

    def width(self, from_s: float, to_s: float) -> str:
        return _short(self._part(to_s) - self._part(from_s))

    def is_wide(self, from_s: float, to_s: float) -> bool:
        return self._part(to_s) - self._part(from_s) >= _NAMED_FROM_PER_CENT

    def is_right(self, at_s: float) -> bool:
        return self._part(at_s) > 45.0  # words need more room than marks: on a phone half of it is not too much

    def shows(self, from_s: float, to_s: float) -> bool:
        return from_s <= self.to_s and to_s >= self.from_s

    def ticks(self) -> list[Point]:
        """Return round times, each with its place."""
        step_s = _round_step((self.to_s - self.from_s) / _TICKS)
        digits = max(0, -math.floor(math.log10(step_s)))
        first, last = math.ceil(self.from_s / step_s), math.floor(self.to_s / step_s)
        times = [number * step_s for number in range(first, last + 1)]
        return [Point(self.x(at_s), self._side(at_s), f"{at_s:.{digits}f} s") for at_s in times]

    def _side(self, at_s: float) -> str:
        """Return to which side a time is written, so that it is not cut off at the edge."""
        part = self._part(at_s)
        return "first" if part < 3 else "last" if part > 97 else "middle"


def _round_step(least_s: float) -> float:
    power = 10.0 ** math.floor(math.log10(least_s))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least_s)


def _short(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


def clip(text: str) -> str:
    """Return a text that may come from a client, cut to a length that a page can show."""
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]}…"


def draw(picture: Picture) -> Drawing:
    """Draw the whole of a picture."""
    return _draw(picture.lanes, picture, _Scale(picture.from_s, picture.to_s), said=describe(picture))


def close_up(picture: Picture) -> Drawing | None:
    """Draw what lies around the first flaw, enlarged; None where there is none, or nothing more to be seen of it."""
    flaws = picture.flaws()
    if not flaws:
        return None
    lane, flaw = next((lane, flaw) for lane in picture.lanes for flaw in lane.flaws if flaw.number == flaws[0].number)
    due = next((due for due in lane.dues if due.flaw == flaw.number), None)
    from_s, to_s = (min(flaw.at_s, due.from_s), max(flaw.at_s, due.to_s)) if due else (flaw.at_s, flaw.at_s)
    around_s = max(_AROUND * (to_s - from_s), _AROUND_MIN_S)
    scale = _Scale(max(from_s - around_s, picture.from_s), min(to_s + around_s, picture.to_s))
    if (picture.to_s - picture.from_s) < _CLOSE_UP_FROM * (scale.to_s - scale.from_s):
        return None
    own = (lane.name, f"{lane.name}'s link")
    lanes = [each for each in picture.lanes if each.name in own or each.kind is LaneKind.SERVER]
    said = f"The same from {scale.from_s:.3f} s to {scale.to_s:.3f} s, enlarged."
    return _draw(lanes, picture, scale, said=said)


def _draw(lanes: Sequence[Lane], picture: Picture, scale: _Scale, *, said: str) -> Drawing:
    tracks = []
    y = 0
    for lane in lanes:
        y += _MISSED_HEIGHT * any(due.flaw for due in lane.dues)
        tracks.append(_track(lane, y, scale))
        y += tracks[-1].height
    stops = [Point(scale.x(stop.at_s), stop.kind, clip(stop.text)) for stop in picture.stops]
    return Drawing(y + _AXIS_HEIGHT, tracks, scale.ticks(), stops, said)


def _track(lane: Lane, y: int, scale: _Scale) -> Track:
    flaws = [flaw for flaw in lane.flaws if scale.shows(flaw.at_s, flaw.at_s)]
    height = _HEIGHTS[lane.kind] if lane.kind is not LaneKind.LINK or lane.spans else _IDLE_HEIGHT
    return Track(
        lane.name,
        lane.kind,
        y,
        height + _FLAW_HEIGHT * len(flaws),
        [_missed(due, y, scale) for due in lane.dues if due.flaw and scale.shows(due.from_s, due.to_s)],
        [_band(band, scale) for band in lane.bands if scale.shows(band.from_s, band.to_s)],
        [_span(span, scale) for span in lane.spans if scale.shows(span.from_s, span.to_s)],
        [_due(due, scale) for due in lane.dues if scale.shows(due.from_s, due.to_s)],
        [_point(mark, scale) for mark in lane.marks if scale.shows(mark.at_s, mark.at_s)],
        [_pointer(flaw, y + height + _FLAW_HEIGHT * index, scale) for index, flaw in enumerate(flaws)],
    )


def _band(band: Band, scale: _Scale) -> Box:
    label = band.state if scale.is_wide(band.from_s, band.to_s) else ""
    reason = f" / {band.reason}" if band.reason else ""
    hint = f"{band.state}{reason}: {band.from_s:.3f} s to {band.to_s:.3f} s"
    return Box(scale.x(band.from_s), scale.width(band.from_s, band.to_s), _kind_of_state(band.state), label, hint)


def _kind_of_state(state: str) -> str:
    """Return what a state looks like; one that is not in the table has been named by the client."""
    return state if state in State.__members__ else "UNKNOWN"


def _span(span: Span, scale: _Scale) -> Box:
    label = span.name if scale.is_wide(span.from_s, span.to_s) else ""
    ended = f"to {span.to_s:.3f} s" if span.ended else "and never healed"
    hint = f"{span.name}: from {span.from_s:.3f} s {ended}"
    return Box(
        scale.x(span.from_s), scale.width(span.from_s, span.to_s), "healed" if span.ended else "open", label, hint
    )


def _due(due: Due, scale: _Scale) -> Box:
    kind = "missed" if due.flaw else "met"
    hint = f"due from {due.from_s:.3f} s to {due.to_s:.3f} s: {clip(due.text)}"
    return Box(scale.x(due.from_s), scale.width(due.from_s, due.to_s), kind, "", hint)


def _missed(due: Due, y: int, scale: _Scale) -> Pointer:
    text = f"due {due.from_s:.2f} to {due.to_s:.2f} s"
    return Pointer(scale.x(due.from_s), y, due.flaw, text, scale.is_right(due.from_s))


def _point(mark: Mark, scale: _Scale) -> Point:
    return Point(scale.x(mark.at_s), mark.kind, f"{mark.at_s:.3f} s  {mark.kind}  {clip(mark.text)}")


def _pointer(flaw: Flaw, y: int, scale: _Scale) -> Pointer:
    # All its words are above the picture.
    text = flaw.clause or flaw.fault.partition(" (")[0]
    return Pointer(scale.x(flaw.at_s), y, flaw.number, text, scale.is_right(flaw.at_s))


def describe(picture: Picture) -> str:
    """Return what a picture shows, for those who cannot see it."""
    told = []
    for lane in picture.lanes:
        parts = [f"{band.state} from {band.from_s:.1f} s" for band in lane.bands]
        parts += [f"{span.name} from {span.from_s:.1f} to {span.to_s:.1f} s" for span in lane.spans]
        parts += [f"wrong at {flaw.at_s:.3f} s: {flaw.fault}" for flaw in lane.flaws]
        if parts:
            told.append(f"{lane.name}: {', '.join(parts)}.")
    return " ".join(told)
