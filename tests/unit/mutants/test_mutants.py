"""The mutants themselves: put in place and taken back whole, and judged strictly."""

from __future__ import annotations

import re

import pytest

from harness.oracle.verdict import Verdict
from harness.spec.clauses import BY_ID
from tests.mutants.everyone import MUTANTS
from tests.mutants.kills import Fate, Outcome, dominated
from tests.mutants.mutant import Mutant, Patcher, Side
from tests.mutants.page import PAGE, render
from tests.unit.docs.pages import page


class Target:
    """Something to deviate from."""

    limit = 3

    def answer(self) -> int:
        return self.limit


class Heir(Target):
    """Has nothing of its own."""


def test_a_deviation_is_in_place_for_a_while_and_then_gone() -> None:
    def apply(patch: Patcher) -> None:
        patch(Target, "limit", lambda limit: limit + 1)
        patch(Target, "answer", lambda original: lambda self: 10 * original(self))
        patch(Target, "answer", lambda original: lambda self: -original(self))

    mutant = Mutant("wrong", Side.CLIENT, ("GENERAL-1",), "It is wrong.", (), apply)
    with mutant.applied():
        assert Target().answer() == -40
    assert Target().answer() == 3


def test_a_mutant_that_cannot_be_made_leaves_nothing_behind() -> None:
    def apply(patch: Patcher) -> None:
        patch(Target, "limit", lambda limit: limit + 1)
        patch(Heir, "answer", lambda original: original)

    mutant = Mutant("none", Side.CLIENT, ("GENERAL-1",), "It is none.", (), apply)
    with pytest.raises(AttributeError, match="Heir has no 'answer' of its own"), mutant.applied():
        raise AssertionError("not reached")
    assert Target.limit == 3


@pytest.mark.parametrize("name", MUTANTS)
def test_each_mutant_says_what_it_does_names_rules_and_can_be_taken_back(name: str) -> None:
    mutant = MUTANTS[name]
    assert mutant.what.endswith(".")
    assert mutant.clauses
    assert [clause for clause in mutant.clauses if clause not in BY_ID] == []
    patch = Patcher()
    mutant.apply(patch)
    patch.undo()


def test_there_are_enough_of_them() -> None:
    assert sum(each.side is Side.CLIENT for each in MUTANTS.values()) >= 60
    assert sum(each.side is Side.SERVER for each in MUTANTS.values()) >= 20


def test_each_bug_that_was_reported_somewhere_is_a_mutant() -> None:
    covered = {report for mutant in MUTANTS.values() for report in mutant.reports}
    reported = {re.sub(r"^\[(.*?)\].*", r"\1", row[0]) for row in page("docs/known-bugs.md").rows("Bugs that shipped")}
    assert sorted(reported - covered) == []


MUTANT = Mutant("wrong", Side.CLIENT, ("CONNECTED-3", "OPEN-1"), "It is wrong.", ("a/b#1",), lambda _: None)


def outcome(scenario: str, verdict: Verdict, *broken: str) -> Outcome:
    return Outcome("wrong", scenario, verdict, broken, "because")


@pytest.mark.parametrize(
    ("outcomes", "failure"),
    [
        ((outcome("a", Verdict.FAIL, "GENERAL-1", "OPEN-1"),), ""),
        ((outcome("a", Verdict.FAIL, "GENERAL-1"),), "caught, but by GENERAL-1 and not by CONNECTED-3 or OPEN-1"),
        ((outcome("a", Verdict.PASS),), "survived"),
        ((outcome("a", Verdict.ERROR), outcome("b", Verdict.PASS)), "survived; ERROR in a: because"),
        ((outcome("a", Verdict.INCONCLUSIVE, "OPEN-1"),), "survived; INCONCLUSIVE in a: because"),
    ],
)
def test_only_a_failure_by_its_own_clause_is_a_catch(outcomes: tuple[Outcome, ...], failure: str) -> None:
    assert Fate(MUTANT, outcomes).failure == failure


def test_a_scenario_that_catches_no_more_than_another_one_is_listed_with_that() -> None:
    def fate(name: str, *killers: str) -> Fate:
        mutant = Mutant(name, Side.CLIENT, ("OPEN-1",), "It is wrong.", (), lambda _: None)
        return Fate(mutant, [Outcome(name, each, Verdict.FAIL, ("OPEN-1",), "") for each in killers])

    fates = [fate("x", "both", "only-x", "twin"), fate("y", "both", "twin"), fate("z", "only-z")]
    scenarios = ["both", "only-x", "twin", "only-z", "idle"]
    assert dominated(fates, scenarios) == {"only-x": "both", "twin": "both", "idle": "both"}


def test_the_page_has_each_mutant_and_each_report() -> None:
    fates = [Fate(MUTANT, [outcome("t.py::test_a", Verdict.FAIL, "OPEN-1"), outcome("t.py::test_b", Verdict.PASS)])]
    page = render(fates, fates, ["t.py::test_a", "t.py::test_b"])
    assert "1 of 1 mutants are caught by their own clause in virtual time, 1 of 1 in the real world." in page
    assert "| wrong | It is wrong. | CONNECTED-3, OPEN-1 | 1 | 1 | 1 of 2 |" in page
    assert "| a/b#1 | wrong |" in page
    assert "| `test_b` | `test_a` |" in page


def test_the_page_in_the_checkout_lists_all_of_them() -> None:
    rows = [line.split(" | ")[0].removeprefix("| ") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    assert [name for name in MUTANTS if name not in rows] == []
