"""What a whole run says: of each rule, of each scenario, and in one word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from harness.oracle.verdict import Judgement, Verdict, worst
from harness.spec.clauses import Clause


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """A rule, how it came out (None: nothing looked at it), and the scenarios and checks that say so."""

    clause: Clause
    verdict: Verdict | None
    scenarios: tuple[str, ...]
    checks: int
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """A run as a whole."""

    judgements: tuple[Judgement, ...]  # one of each scenario, the last
    inconclusive: tuple[Judgement, ...]  # the first results of those that were played again
    missing: tuple[str, ...]  # selected, and never run to their end

    @property
    def verdict(self) -> Verdict:
        """The run in one word. A run that ran fewer scenarios than it selected is an ERROR, as is one of none."""
        found = [judgement.verdict for judgement in self.judgements]
        # A scenario that passed, and never checked a rule that it names, has proved less than it says.
        found += [Verdict.ERROR] if any(Verdict.ERROR in each.of_clauses().values() for each in self.judgements) else []
        return worst([*found, Verdict.ERROR] if self.missing or not found else found) or Verdict.ERROR

    @property
    def blame(self) -> str:
        """On whom the verdict is laid, where it is an ERROR."""
        blamed = (each.blame for each in self.judgements if each.verdict is Verdict.ERROR and each.blame)
        return next(blamed, "harness")

    def errors_s(self) -> list[float]:
        """How exactly each timed result of the run is known, the most exact first."""
        return sorted(error_s for judgement in self.judgements for error_s in judgement.errors_s())

    def counts(self) -> Counter[Verdict]:
        """How many scenarios came out in each way."""
        return Counter(judgement.verdict for judgement in self.judgements)

    def of_clause(self, clause: Clause) -> ClauseResult:
        """What the run says of one rule."""
        speaking = [judgement for judgement in self.judgements if clause.id in judgement.of_clauses()]
        answered = (each.answers[clause.id].split(", ") for each in speaking if clause.id in each.answers)
        answers = sorted({name for names in answered for name in names})
        return ClauseResult(
            clause,
            worst(judgement.of_clauses()[clause.id] for judgement in speaking),
            tuple(judgement.scenario for judgement in speaking if clause.id in judgement.clauses),
            sum(check.clause == clause.id for judgement in speaking for check in judgement.checks),
            ", ".join(answers),
        )


def summarise(judgements: Sequence[Judgement], selected: Collection[str]) -> Summary:
    """Return what a run says; ``selected`` are the names of the scenarios that it set out to run."""
    ordered = sorted(judgements, key=lambda each: (each.scenario, each.attempt))
    last = {each.scenario: each for each in ordered}
    missing = tuple(sorted(name for name in selected if name not in last))
    first = tuple(each for each in ordered if each is not last[each.scenario])
    return Summary(tuple(last.values()), first, missing)
