"""results.json: all that a run says, for machines. Its JSON Schema is docs/schema/results.schema.json.

Made of the evidence alone, so that a run which is judged again gives the same file. Times are in seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import msgspec

from harness.oracle.verdict import Check, Judgement, Verdict
from harness.report.coverage import NO_FAULT, Covered, covered_by
from harness.report.exit_codes import of_verdict
from harness.report.known import Entry, Known, Misfit
from harness.report.repeat import repeat
from harness.report.run_folder import SERVER, Played, RunInfo
from harness.report.summary import Summary
from harness.report.took import took_s
from harness.spec.clauses import Grade
from harness.spec.profiles import Profile

VERSION = 1  # of this format; it goes up where what is there changes its meaning or goes


class Implementation(msgspec.Struct, frozen=True):
    """What was under test: which side of the wire, what it says of itself, and how it was started."""

    side: str
    name: str
    version: str
    language: str
    command: list[str]


class Exit(msgspec.Struct, frozen=True):
    """The exit code of ``linkproof certify`` and of ``linkproof judge``."""

    code: int
    name: str


class ErrorBudget(msgspec.Struct, frozen=True):
    """How exactly the timed results of the run are known (None: nothing was timed)."""

    timed: int
    median_s: float | None
    worst_s: float | None


class RuleResult(msgspec.Struct, frozen=True):
    """What the run says of one rule.

    ``verdict`` is None where nothing looked at it. ``scenarios`` set out to prove it; ``answer`` is which of the
    answers that it accepts was seen. ``known`` says that each scenario that broke it is a known failure.
    """

    id: str
    text: str
    grade: Grade
    verdict: Verdict | None
    checks: int
    scenarios: list[str]
    answer: str
    known: bool


class ScenarioResult(msgspec.Struct, frozen=True):
    """What the run says of one scenario.

    ``phase`` is that of the connection in which the fault strikes, ``faults`` are those that were really made.
    ``took_s`` counts from its first person to its end. ``known`` says that it is a known failure, which is not counted.
    ``repeat`` is the command that plays it again.
    """

    name: str
    verdict: Verdict
    reason: str
    blame: str
    clauses: list[str]
    phase: str
    faults: list[str]
    took_s: float
    attempt: int
    repetition: int
    known: bool
    checks: list[Check]
    repeat: str


class KnownFailure(msgspec.Struct, frozen=True):
    """A scenario that failed as is known, and the entry that excuses it."""

    scenario: str
    entry: Known
    where: str


class Results(msgspec.Struct, frozen=True):
    """All that a run says.

    ``inconclusive`` are the first results of the scenarios that were played again, ``missing`` what was selected and
    did not come to its end. ``misfits`` is what is said to be known and is not so, which fails the run.
    """

    format: int
    linkproof: str
    profile: str
    world: str
    started: str
    implementation: Implementation
    verdict: Verdict
    exit: Exit
    counts: dict[Verdict, int]
    wall_s: float
    error_budget: ErrorBudget
    clauses: list[RuleResult]
    scenarios: list[ScenarioResult]
    inconclusive: list[ScenarioResult]
    missing: list[str]
    known_failures: list[KnownFailure]
    misfits: list[Misfit]


def results(info: RunInfo, summary: Summary, played: Sequence[Played], profile: Profile) -> Results:
    """Return all that a run says."""
    code = of_verdict(summary.verdict, summary.blame)
    ended = {(each.judgement.scenario, each.judgement.attempt): each for each in played}

    def result(judgement: Judgement) -> ScenarioResult:
        one = ended[judgement.scenario, judgement.attempt]
        is_known = judgement.verdict is Verdict.FAIL and judgement.scenario in summary.excused
        return _scenario(judgement, covered_by(one.trace, judgement), took_s(one.trace), info, is_known=is_known)

    return Results(
        format=VERSION,
        linkproof=info.linkproof,
        profile=info.profile,
        world=info.world,
        started=info.started,
        implementation=_implementation(info),
        verdict=summary.verdict,
        exit=Exit(code.value, code.name),
        counts=dict(sorted(summary.counts().items())),
        wall_s=info.wall_s,
        error_budget=_error_budget(summary.errors_s()),
        clauses=_rules(summary, profile),
        scenarios=[result(each) for each in summary.judgements],
        inconclusive=[result(each) for each in summary.inconclusive],
        missing=list(summary.missing),
        known_failures=[_known(name, entry) for name, entry in sorted(summary.excused.items())],
        misfits=list(summary.misfits),
    )


def encode(found: Results) -> bytes:
    """Return the file."""
    return msgspec.json.format(msgspec.json.encode(found)) + b"\n"


def _implementation(info: RunInfo) -> Implementation:
    hello, command = (info.client, info.client_command)
    if info.under_test == SERVER:
        hello, command = (info.server, info.server_command)
    name, version, language = (str(hello.get(field, "")) for field in ("name", "version", "language"))
    return Implementation(info.under_test, name, version, language, command)


def _error_budget(errors_s: Sequence[float]) -> ErrorBudget:
    if not errors_s:
        return ErrorBudget(0, None, None)
    return ErrorBudget(len(errors_s), round(median(errors_s), 6), round(max(errors_s), 6))


def _rules(summary: Summary, profile: Profile) -> list[RuleResult]:
    found = []
    for clause in profile.clauses:
        told = summary.of_clause(clause)
        scenarios = list(told.scenarios)
        result = RuleResult(
            clause.id, clause.text, clause.grade, told.verdict, told.checks, scenarios, told.answer, told.is_known
        )
        found.append(result)
    return found


def _scenario(
    judgement: Judgement, covered: Covered, lasted_s: float, info: RunInfo, *, is_known: bool
) -> ScenarioResult:
    return ScenarioResult(
        name=judgement.scenario,
        verdict=judgement.verdict,
        reason=judgement.reason,
        blame=judgement.blame,
        clauses=judgement.clauses,
        phase=covered.phase,
        faults=sorted(covered.faults - {NO_FAULT}),
        took_s=round(lasted_s, 3),
        attempt=judgement.attempt,
        repetition=judgement.repetition,
        known=is_known,
        checks=judgement.checks,
        repeat=repeat(info, judgement.scenario),
    )


def _known(scenario: str, entry: Entry) -> KnownFailure:
    return KnownFailure(scenario, entry.known, entry.where)
