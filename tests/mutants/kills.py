"""What became of a mutant in a scenario, and of all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.oracle.verdict import Judgement, Verdict
from tests.mutants.mutant import Mutant


@dataclass(frozen=True, slots=True)
class Outcome:
    """One mutant in one scenario."""

    mutant: str
    scenario: str
    verdict: Verdict
    broken: tuple[str, ...]  # the clauses that a FAIL names
    reason: str

    @property
    def is_kill(self) -> bool:
        """Whether the scenario caught it. An ERROR or a time-out of the harness is no catch."""
        return self.verdict is Verdict.FAIL

    def is_right(self, mutant: Mutant) -> bool:
        """Whether it was caught by a clause that it breaks."""
        return self.is_kill and not set(self.broken).isdisjoint(mutant.clauses)


def outcome_of(mutant: Mutant, judgement: Judgement) -> Outcome:
    """Return what a judgement says of a mutant."""
    broken = dict.fromkeys(check.clause for check in judgement.checks if check.verdict is Verdict.FAIL)
    return Outcome(mutant.name, judgement.scenario, judgement.verdict, tuple(broken), judgement.reason)


@dataclass(frozen=True, slots=True)
class Fate:
    """One mutant in all the scenarios that it was played in."""

    mutant: Mutant
    outcomes: Sequence[Outcome]

    @property
    def kills(self) -> list[Outcome]:
        """The scenarios that caught it."""
        return [each for each in self.outcomes if each.is_kill]

    @property
    def right_kills(self) -> list[Outcome]:
        """Those that caught it by a clause that it breaks."""
        return [each for each in self.outcomes if each.is_right(self.mutant)]

    @property
    def failure(self) -> str:
        """What is wrong with the suite (or the mutant) where this is not as it should be; else empty."""
        if self.right_kills:
            return ""
        if self.kills:
            named = sorted({clause for each in self.kills for clause in each.broken})
            return f"caught, but by {', '.join(named)} and not by {' or '.join(self.mutant.clauses)}"
        told = [each for each in self.outcomes if each.verdict is not Verdict.PASS]
        return f"survived; {told[0].verdict} in {told[0].scenario}: {told[0].reason}" if told else "survived"


def dominated(fates: Sequence[Fate], scenarios: Sequence[str]) -> dict[str, str]:
    """Return the scenarios that catch nothing which one certain other scenario does not, with that other one."""
    caught: dict[str, set[str]] = {name: set() for name in scenarios}
    for fate in fates:
        for kill in fate.kills:
            caught[kill.scenario].add(fate.mutant.name)
    found: dict[str, str] = {}
    for name in scenarios:
        for other in scenarios:
            # Of two that catch the same, the one that is named first stays.
            is_more = caught[name] < caught[other] or (caught[name] == caught[other] and other < name)
            if is_more and other not in found:
                found[name] = other
                break
    return found
