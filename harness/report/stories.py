"""The scenarios of a run as its page tells them, the gravest first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.oracle.verdict import Check, Column, Judgement, Row, Verdict, worst
from harness.report.coverage import NO_FAULT, covered_by
from harness.report.drawing import Drawing, clip, close_up, draw
from harness.report.known import Entry
from harness.report.lanes import Flaw, numbered, picture_of
from harness.report.repeat import repeat
from harness.report.run_folder import Played, RunInfo
from harness.report.summary import Summary
from harness.report.took import took_s


def _ranked() -> Iterator[Verdict]:
    left = set(Verdict)
    while gravest := worst(left):
        yield gravest
        left.remove(gravest)


RANKED = tuple(_ranked())  # the gravest verdict first, as the judge ranks them


@dataclass(frozen=True, slots=True)
class Playing:
    """One time that a scenario was played."""

    judgement: Judgement
    columns: list[tuple[Column, list[tuple[int, Row]]]]
    flaws: list[Flaw]
    drawing: Drawing | None
    close_up: Drawing | None
    checks: list[Check]
    done: list[tuple[float, str, str]]
    lasted_s: float


@dataclass(frozen=True, slots=True)
class Story:
    """One scenario: how it came out at last, and how at first where it was played again.

    ``anchor`` is its name within the page, ``title`` what people call it, ``chapter`` the file that it is in.
    """

    name: str
    anchor: str
    title: str
    chapter: str
    verdict: Verdict
    phase: str
    faults: list[str]
    clauses: list[str]
    repeat: str
    known: Entry | None  # what excuses it
    last: Playing
    first: Playing | None


def stories_of(summary: Summary, info: RunInfo, played: Iterable[Played]) -> list[Story]:
    """Return the scenarios of a run, those that did not pass first."""
    by_name: dict[str, list[Played]] = {}
    for each in sorted(played, key=lambda each: (each.judgement.scenario, each.judgement.attempt)):
        by_name.setdefault(each.judgement.scenario, []).append(each)
    anchors: set[str] = set()
    stories = [
        _story(times, _anchor(name, anchors), repeat(info, name), summary.excused.get(name))
        for name, times in by_name.items()
    ]
    return sorted(stories, key=lambda story: (story.known is not None, RANKED.index(story.verdict), story.name))


def _story(times: Sequence[Played], anchor: str, again: str, known: Entry | None) -> Story:
    last = times[-1]
    name = last.judgement.scenario
    covered = covered_by(last.trace, last.judgement)
    file, _, test = name.rpartition("::")
    return Story(
        name,
        anchor,
        (test.removeprefix("test_").replace("_", " ")) or name,
        file.removesuffix(".py").rpartition("/")[2].removeprefix("test_") or "scenarios",
        last.judgement.verdict,
        covered.phase,
        sorted(covered.faults - {NO_FAULT}),
        sorted({*covered.clauses, *last.judgement.clauses}),
        again,
        known,
        _playing(last),
        _playing(times[0]) if len(times) > 1 else None,
    )


def _playing(played: Played) -> Playing:
    picture = picture_of(played.trace, played.judgement)
    return Playing(
        played.judgement,
        list(numbered(played.judgement)),
        picture.flaws() if picture else [],
        draw(picture) if picture else None,
        close_up(picture) if picture else None,
        sorted(played.judgement.checks, key=lambda check: RANKED.index(check.verdict)),
        [(at_s, who, clip(what)) for at_s, who, what in picture.done()] if picture else [],
        took_s(played.trace),
    )


def _anchor(name: str, taken: set[str]) -> str:
    """Return a name that may stand in an address; two scenarios never share one."""
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", name.replace(".py::test_", "."))
    number = 1
    anchor = readable
    while anchor in taken:
        number += 1
        anchor = f"{readable}-{number}"
    taken.add(anchor)
    return anchor
