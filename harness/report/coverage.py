"""What a suite covers: which rule was checked under which fault in which phase of a connection.

Made from evidence alone: the phase is what the scenario declares, the fault is what was really done to a link or to the
server, and the rule is one that the judge really checked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.oracle.verdict import Judgement
from harness.spec.clauses import Clause
from harness.spec.phases import IDLE, PHASES
from harness.spec.profiles import RTM_1_0, Profile
from harness.trace import Observation, What

NO_FAULT = "-"
_HEALING = "healing of "
_SERVER_FAULTS = ("server kill", "server stop", "server suspend")


@dataclass(frozen=True, slots=True)
class Covered:
    """What one scenario covers."""

    scenario: str
    phase: str
    faults: frozenset[str]
    clauses: frozenset[str]


def covered_by(trace: Sequence[Observation], judgement: Judgement) -> Covered:
    """Return what a scenario covers, from its trace and what the judge checked in it."""
    links = {each.name for each in trace if each.what is What.FAULT and not each.name.startswith(_HEALING)}
    servers = {each.name for each in trace if each.what is What.SERVER and each.name in _SERVER_FAULTS}
    return Covered(
        judgement.scenario,
        trace[0].args.get("phase", IDLE),
        frozenset(links | servers or {NO_FAULT}),
        frozenset(check.clause for check in judgement.checks),
    )


def unchecked(covered: Iterable[Covered], profile: Profile = RTM_1_0) -> list[Clause]:
    """Return the rules of a profile that nothing checked."""
    checked = {clause for each in covered for clause in each.clauses}
    return [clause for clause in profile.clauses if clause.id not in checked]


def render(covered: Sequence[Covered], profile: Profile = RTM_1_0) -> str:
    """Return the page: rule by phase, and fault by phase."""
    rules = len(profile.clauses)
    made_by = "make coverage" if profile.has_reference else "linkproof coverage"
    return "\n".join(
        [
            "# Coverage" if profile.has_reference else f"# Coverage of {profile.name}",
            "",
            f"Which rule is checked under which fault in which phase of a connection. Made by `{made_by}` from the",
            "evidence of a run: phases as the scenarios declare them, faults as they were really made, rules as the",
            "judge really checked them. Do not edit it.",
            "",
            f"{len(covered)} scenarios, {rules - len(unchecked(covered, profile))} of {rules} rules.",
            "",
            "## Rule by phase",
            "",
            "A cell names the faults, each with the number of scenarios; `-` is no fault at all.",
            "",
            *_rules_by_phase(covered, profile),
            "",
            "## Fault by phase",
            "",
            "The number of scenarios.",
            "",
            *_faults_by_phase(covered),
            "",
        ]
    )


def _rules_by_phase(covered: Sequence[Covered], profile: Profile) -> list[str]:
    cells: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for each in covered:
        for clause_id in each.clauses:
            cells[clause_id, each.phase].update(each.faults)
    lines = [_line("rule", *PHASES), _line(*["---"] * (len(PHASES) + 1))]
    for clause in profile.clauses:
        link = f"[{clause.id}]({profile.page}#{clause.id.lower()})" if profile.page else clause.id
        lines.append(_line(link, *(_faults(cells[clause.id, phase]) for phase in PHASES)))
    return lines


def _faults(counted: Counter[str]) -> str:
    return ", ".join(f"{fault} {count}" for fault, count in sorted(counted.items()))


def _faults_by_phase(covered: Sequence[Covered]) -> list[str]:
    counted = Counter((fault, each.phase) for each in covered for fault in each.faults)
    faults = sorted({fault for fault, _ in counted})
    lines = [_line("fault", *PHASES), _line(*["---"] * (len(PHASES) + 1))]
    return lines + [_line(fault, *(str(counted[fault, phase] or "") for phase in PHASES)) for fault in faults]


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
