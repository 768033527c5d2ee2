"""Verdicts, and what they are made of."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    """How a check, a clause, a scenario or a run came out."""

    PASS = "PASS"
    FAIL = "FAIL"  # the implementation under test broke a rule
    INCONCLUSIVE = "INCONCLUSIVE"  # the host disturbed it: the result lies where it cannot be told
    ERROR = "ERROR"  # the adapter, Toxiproxy, the host or the harness failed: nothing can be said
    NOT_REACHED = "NOT REACHED"  # of a clause only: its scenario ended, in another verdict, before it was checked
    UNSUPPORTED = "UNSUPPORTED"  # the adapter declares that the implementation lacks what this needs


# What decides where several meet. A broken rule is a fact that no disturbance elsewhere takes back.
_BY_RANK = (
    Verdict.FAIL,
    Verdict.ERROR,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_REACHED,
    Verdict.UNSUPPORTED,
    Verdict.PASS,
)


def worst(verdicts: Iterable[Verdict]) -> Verdict | None:
    """Return the verdict that decides, or None where there is none at all (which is never a PASS)."""
    present = set(verdicts)
    return next((verdict for verdict in _BY_RANK if verdict in present), None)


class Measured(msgspec.Struct, frozen=True):
    """A measured time beside its window, all in seconds after the moment that the window counts from.

    ``margin_s`` is how far it lay inside (negative: outside), ``error_s`` how far it can be from the true one.
    """

    step: str  # what was timed, in a few words
    elapsed_s: float
    earliest_s: float
    latest_s: float
    margin_s: float
    error_s: float


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """One comparison that the judge made, for one clause; with ``measured`` where a time was held to a window."""

    clause: str
    verdict: Verdict
    person: str
    what: str
    measured: Measured | None = None


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line of the two columns: what was expected, what was seen, and what is wrong with it (if anything).

    ``at_s`` is when it was seen, and ``due_s`` from when to when it was due, the error included; both in seconds after
    the beginning of the trace.
    """

    expected: str
    seen: str
    fault: str = ""
    at_s: float | None = None
    due_s: tuple[float, float] | None = None


class Column(msgspec.Struct, frozen=True):
    """The whole sequence of one person, expected beside seen."""

    person: str
    rows: list[Row]


def plain_name(scenario: str, repetition: int) -> str:
    """Return the name of a scenario without the number of its repetition (0: it has none)."""
    if repetition:
        for mark, rest in ((f"[r{repetition}]", ""), (f"-r{repetition}]", "]")):
            if scenario.endswith(mark):
                return f"{scenario.removesuffix(mark)}{rest}"
    return scenario


class Judgement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the judge says of one scenario."""

    scenario: str
    verdict: Verdict
    reason: str
    checks: list[Check]
    columns: list[Column]
    blame: str = ""
    answers: dict[str, str] = {}  # of the clauses that accept several answers: the one that was seen
    clauses: list[str] = []  # what the scenario set out to prove
    attempt: int = 1  # 2: it was played again, on its own, because the first time could not tell
    repetition: int = 0  # which one, counted from 1, where each scenario was played several times

    @property
    def plain_name(self) -> str:
        """The name of the scenario without the repetition: all repetitions of a scenario have the same."""
        return plain_name(self.scenario, self.repetition)

    def errors_s(self) -> list[float]:
        """Return how exactly each timed result is known."""
        return [check.measured.error_s for check in self.checks if check.measured is not None]

    def of_clauses(self) -> dict[str, Verdict]:
        """Return the verdict of each clause that this scenario says something about.

        A clause that it set out to prove but never came to check is never a PASS: it was not reached, or it is what the
        scenario as a whole is, where that says why nothing could be checked.
        """
        found: dict[str, list[Verdict]] = {}
        for check in self.checks:
            found.setdefault(check.clause, []).append(check.verdict)
        verdicts = {clause: worst(each) or Verdict.ERROR for clause, each in found.items()}
        for clause in self.clauses:
            if self.verdict in (Verdict.ERROR, Verdict.UNSUPPORTED):
                verdicts[clause] = self.verdict
            else:
                # A scenario that passes without having checked what it names is written wrongly.
                verdicts.setdefault(clause, Verdict.ERROR if self.verdict is Verdict.PASS else Verdict.NOT_REACHED)
        return verdicts
