"""What a whole run says: of each rule, of each scenario, and in one word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from harness.oracle.verdict import Judgement, Verdict, worst
from harness.report.known import Entry, KnownFailures, Misfit
from harness.spec.clauses import Clause


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """A rule, how it came out (None: nothing looked at it), and the scenarios and checks that say so."""

    clause: Clause
    verdict: Verdict | None
    scenarios: tuple[str, ...]
    checks: int
    answer: str = ""
    is_known: bool = False  # it is broken, and each scenario that broke it is a known failure


@dataclass(frozen=True, slots=True)
class Summary:
    """A run as a whole."""

    judgements: tuple[Judgement, ...]  # one of each scenario, the last
    inconclusive: tuple[Judgement, ...]  # the first results of those that were played again
    missing: tuple[str, ...]  # selected, and never run to their end
    excused: Mapping[str, Entry] = field(default_factory=dict)  # the known failures, by scenario
    misfits: tuple[Misfit, ...] = ()  # what was said to be known, and is not so

    @property
    def verdict(self) -> Verdict:
        """The run in one word. A run that ran fewer scenarios than it selected is an ERROR, as is one of none.

        A known failure counts as if it were none; what is said to be known, and is not so, is a failure itself.
        """
        found = [Verdict.PASS if each.scenario in self.excused else each.verdict for each in self.judgements]
        found += [Verdict.FAIL] if self.misfits else []
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

    def counted(self) -> str:
        """How many scenarios came out in each way, in words; the known failures last."""
        counts = self.counts()
        counts[Verdict.FAIL] -= len(self.excused)
        words = [f"{count} {verdict}" for verdict, count in sorted(counts.items()) if count]
        known = [f"{len(self.excused)} {Verdict.FAIL} (known)"] if self.excused else []
        return ", ".join(words + known) or "no scenario ran"

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
            self._is_known(clause, speaking),
        )

    def _is_known(self, clause: Clause, speaking: Sequence[Judgement]) -> bool:
        broke = [each.scenario for each in speaking if each.of_clauses()[clause.id] is Verdict.FAIL]
        return bool(broke) and all(name in self.excused for name in broke)


_NOTHING_KNOWN = KnownFailures()


def summarise(
    judgements: Sequence[Judgement],
    selected: Collection[str],
    known: KnownFailures = _NOTHING_KNOWN,
    *,
    suite: int = 0,
) -> Summary:
    """Return what a run says.

    Args:
        judgements: what the judge said of what was played; both results of what was played again.
        selected: the names of the scenarios that the run set out to play.
        known: the failures that are tolerated.
        suite: how many scenarios there are to select from. A rule that a part of them does not break may be broken by
            the others.
    """
    ordered = sorted(judgements, key=lambda each: (each.scenario, each.attempt))
    last = {each.scenario: each for each in ordered}
    missing = tuple(sorted(name for name in selected if name not in last))
    first = tuple(each for each in ordered if each is not last[each.scenario])
    entries = {name: known.excuse(judgement) for name, judgement in last.items()}
    excused = {name: entry for name, entry in entries.items() if entry is not None}
    misfits = [misfit for misfit in map(known.misfit, last.values()) if misfit is not None]
    if not missing and len(selected) >= suite:
        misfits += known.passed_rules(list(last.values()))
    return Summary(tuple(last.values()), first, missing, excused, tuple(misfits))
