"""A run at a glance, as its page begins: what was run, how it came out, rule by rule and fault by fault."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from harness.oracle.verdict import Measured, Verdict, worst
from harness.report.coverage import NO_FAULT
from harness.report.known import Misfit
from harness.report.run_folder import SERVER, VIRTUAL, RunInfo
from harness.report.stories import RANKED, Story
from harness.report.summary import ClauseResult, Summary
from harness.spec.phases import PHASES
from harness.spec.profiles import Profile

_A_TIME = re.compile(r"\d+\.\d{3} s")
_WRONGS = 8  # so many things that went wrong are shown before everything else
_OPENED = 3  # so many of them are open from the start, each by its shortest scenario
_CLOSEST = 5  # so many of the times that lay closest to the edge of their window are shown


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, how it came out, and how many scenarios looked at it."""

    result: ClauseResult
    scenarios: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that went wrong, and where it did: the shortest scenario first, for that is read the fastest."""

    verdict: Verdict
    what: str
    stories: list[Story]


@dataclass(frozen=True, slots=True)
class Cell:
    """The scenarios of one fault in one phase: how many, and the gravest of their verdicts."""

    count: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Close:
    """A measured time that lay close to the edge of its window, or outside."""

    story: Story
    person: str
    measured: Measured


@dataclass(frozen=True, slots=True)
class Overview:
    """What stands above the scenarios."""

    title: str
    verdict: Verdict
    is_virtual: bool
    counts: list[tuple[Verdict, int]]
    facts: list[tuple[str, str]]
    missing: tuple[str, ...]
    misfits: tuple[Misfit, ...]
    wrongs: list[Wrong]
    more_wrongs: int  # how many more things went wrong than are shown
    opened: list[str]  # the anchors of the scenarios to read first
    excused: int  # how many scenarios are known failures
    rules: list[Rule]
    not_looked_at: list[str]
    chapters: list[tuple[str, list[Story]]]
    phases: list[str]
    matrix: list[tuple[str, list[Cell | None]]]
    faults: list[str]
    closest: list[Close]


def overview_of(summary: Summary, info: RunInfo, stories: Sequence[Story], profile: Profile) -> Overview:
    """Return a run at a glance."""
    wrongs = _wrongs(stories)
    results = [summary.of_clause(clause) for clause in profile.clauses]
    looked_at = [result for result in results if result.verdict is not None]
    counts = summary.counts()
    faults = sorted({fault for story in stories for fault in story.faults})
    phases = [phase for phase in PHASES if any(story.phase == phase for story in stories)]
    return Overview(
        title=_implementation(info),
        verdict=summary.verdict,
        is_virtual=info.world == VIRTUAL,
        counts=[(verdict, counts[verdict]) for verdict in RANKED if counts[verdict]],
        facts=[(name, value) for name, value in _facts(summary, info) if value],
        missing=summary.missing,
        misfits=summary.misfits,
        wrongs=wrongs[:_WRONGS],
        more_wrongs=len(wrongs[_WRONGS:]),
        opened=[each.stories[0].anchor for each in wrongs[:_OPENED]],
        excused=len(summary.excused),
        rules=[
            Rule(each, sum(each.clause.id in story.clauses for story in stories))
            for each in sorted(looked_at, key=lambda each: RANKED.index(each.verdict or Verdict.ERROR))
        ],
        not_looked_at=[result.clause.id for result in results if result.verdict is None],
        chapters=_chapters(stories),
        phases=phases,
        matrix=[(fault, [_cell(stories, fault, phase) for phase in phases]) for fault in [*faults, NO_FAULT]],
        faults=faults,
        closest=_closest(stories),
    )


def _wrongs(stories: Sequence[Story]) -> list[Wrong]:
    """Return what went wrong, the gravest first, and of those the most frequent."""
    found: dict[tuple[Verdict, str], list[Story]] = {}
    for story in sorted(stories, key=lambda story: story.last.lasted_s):
        if story.verdict is not Verdict.PASS and story.known is None:
            found.setdefault((story.verdict, _what_is_wrong(story)), []).append(story)
    wrongs = [Wrong(*key, of_it) for key, of_it in found.items()]
    return sorted(wrongs, key=lambda each: (RANKED.index(each.verdict), -len(each.stories)))


def _what_is_wrong(story: Story) -> str:
    """Return it in words that are the same wherever the same went wrong, so without times."""
    decisive = next((check for check in story.last.judgement.checks if check.verdict is story.verdict), None)
    if decisive is None:
        return story.last.judgement.reason.partition("\n")[0]
    if decisive.measured is None:
        return _A_TIME.sub("… s", decisive.what)
    timed = decisive.measured
    if timed.margin_s >= 0:
        return f"{timed.step} came in time, and times are not known exactly enough"
    return f"{timed.step} came {'early' if timed.elapsed_s < timed.earliest_s else 'late'}"


def _implementation(info: RunInfo) -> str:
    tested = info.server if info.under_test == SERVER else info.client
    named = " ".join(str(tested.get(key, "")) for key in ("name", "version")).strip()
    return named or f"the {info.under_test}"


def _facts(summary: Summary, info: RunInfo) -> list[tuple[str, str]]:
    tested, other = (info.server, info.client) if info.under_test == SERVER else (info.client, info.server)
    command = info.server_command if info.under_test == SERVER else info.client_command
    errors_s = summary.errors_s()
    median = f"{errors_s[len(errors_s) // 2]:.3f} s (median of {len(errors_s)})" if errors_s else ""
    return [
        ("Profile", info.profile),
        ("Under test", info.under_test),
        ("Command", shlex.join(command)),
        ("Language", str(tested.get("language", ""))),
        ("Declares", _declared(tested)),
        ("Against", " ".join(str(other.get(key, "")) for key in ("name", "version")).strip()),
        ("When", info.started),
        ("Time", _took(info)),
        ("Times are known to", f"{median}, {errors_s[-1]:.3f} s at worst" if errors_s else "nothing was timed"),
        ("Network", " over ".join(word for word in ("TLS" if info.tls else "", "IPv6" if info.ipv6 else "") if word)),
        ("Machine", ", ".join(f"{value}" if key == "system" else f"{key} {value}" for key, value in info.host.items())),
        ("linkproof", info.linkproof),
        ("Toxiproxy", info.toxiproxy.partition(",")[0]),
        ("Network namespaces", info.netns),
        ("Images", ", ".join(f"{name} {identity}" for ids in info.images.values() for name, identity in ids.items())),
    ]


def _declared(tested: dict[str, object]) -> str:
    intervals = (f"{name} {tested[f'{name}_s']} s" for name in ("heartbeat", "retry") if f"{name}_s" in tested)
    capabilities = tested.get("capabilities")
    named = ", ".join(map(str, capabilities)) if isinstance(capabilities, list) else ""
    return "; ".join(part for part in (", ".join(intervals), named) if part)


def _took(info: RunInfo) -> str:
    if info.simulated_s:
        return f"{info.simulated_s:.0f} s of virtual time in {info.wall_s:.1f} s"
    longest = f"; the longest scenario took {info.longest_s:.1f} s" if info.longest_s else ""
    return f"{info.wall_s:.1f} s in all{longest}"


def _chapters(stories: Sequence[Story]) -> list[tuple[str, list[Story]]]:
    chapters: dict[str, list[Story]] = {}
    for story in sorted(stories, key=lambda story: story.name):
        chapters.setdefault(story.chapter, []).append(story)
    return list(chapters.items())


def _cell(stories: Sequence[Story], fault: str, phase: str) -> Cell | None:
    of_cell = [story for story in stories if story.phase == phase and fault in (story.faults or [NO_FAULT])]
    verdict = worst(story.verdict for story in of_cell)
    return None if verdict is None else Cell(len(of_cell), verdict)


def _closest(stories: Sequence[Story]) -> list[Close]:
    """Return the times that lay closest to an edge, each once, whichever rules it was held to for."""
    found = {
        (story.name, check.person, check.measured): Close(story, check.person, check.measured)
        for story in stories
        for check in story.last.checks
        if check.measured is not None
    }
    return sorted(found.values(), key=lambda each: each.measured.margin_s)[:_CLOSEST]
