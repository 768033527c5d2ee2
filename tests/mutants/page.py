"""docs/kill-matrix.md: what the suite catches, mutant by mutant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.mutants.kills import Fate, dominated
from tests.mutants.mutant import Side

PAGE = Path(__file__).parents[2] / "docs" / "kill-matrix.md"

_HEAD = """# What the suite catches

A conformance suite is worth what it catches. Each row is the reference client or the reference server with one small
deviation, the clauses that it breaks, and the scenarios that caught it. Written by `make mutants`, which fails where a
mutant survives, or is caught by other clauses than its own. In virtual time every mutant goes through every scenario.
In the real world, as a process behind a real Toxiproxy, it goes through the shortest of those that caught it by its
clause, three at most.

"""


def render(virtual: Sequence[Fate], real: Sequence[Fate], scenarios: Sequence[str]) -> str:
    """Return the page."""
    real_of = {fate.mutant.name: fate for fate in real}
    right = sum(bool(fate.right_kills) for fate in virtual)
    right_real = sum(bool(fate.right_kills) for fate in real)
    in_real = f", {right_real} of {len(real)} in the real world" if real else ""
    lines = [f"{right} of {len(virtual)} mutants are caught by their own clause in virtual time{in_real}.", ""]
    for side in Side:
        fates = [fate for fate in virtual if fate.mutant.side is side]
        lines += [f"## Wrong {side}s ({len(fates)})", "", *_table(fates, real_of), ""]
    lines += ["## Reported bugs", "", *_reports(virtual), ""]
    found = dominated(virtual, scenarios)
    lines += [f"## Scenarios that catch nothing which another does not ({len(found)} of {len(scenarios)})", ""]
    lines += ["They may still show a rule, a fault or a boundary that no mutant here has anything to do with.", ""]
    lines += ["| scenario | all that it catches, this one catches too |", "|---|---|"]
    lines += [f"| `{_short(name)}` | `{_short(other)}` |" for name, other in sorted(found.items())]
    return _HEAD + "\n".join(lines) + "\n"


def _table(fates: Sequence[Fate], real_of: dict[str, Fate]) -> list[str]:
    rows = ["| mutant | what it does | clauses | caught by | by its clause | in the real world |"]
    rows.append("|---|---|---|---|---|---|")
    for fate in sorted(fates, key=lambda each: (each.mutant.clauses[0], each.mutant.name)):
        real = real_of.get(fate.mutant.name)
        in_real = "-" if real is None else f"{len(real.right_kills)} of {len(real.outcomes)}"
        caught = f"{len(fate.kills)} | {len(fate.right_kills)} | {in_real}"
        rows.append(f"| {fate.mutant.name} | {fate.mutant.what} | {', '.join(fate.mutant.clauses)} | {caught} |")
    return rows


def _reports(fates: Sequence[Fate]) -> list[str]:
    rows = ["| report | mutants that do the same |", "|---|---|"]
    of_report: dict[str, list[str]] = {}
    for fate in fates:
        for report in fate.mutant.reports:
            of_report.setdefault(report, []).append(fate.mutant.name)
    return rows + [f"| {report} | {', '.join(sorted(names))} |" for report, names in sorted(of_report.items())]


def _short(scenario: str) -> str:
    return scenario.rpartition("::")[2]
