from __future__ import annotations

from itertools import combinations

import pytest

from harness.oracle.verdict import Check, Judgement, Measured, Verdict, worst

BY_RANK = ["FAIL", "ERROR", "INCONCLUSIVE", "NOT REACHED", "UNSUPPORTED", "PASS"]


def test_of_any_two_verdicts_the_worse_one_decides() -> None:
    assert set(BY_RANK) == set(Verdict)
    for worse, better in combinations(BY_RANK, 2):
        assert worst([Verdict(better), Verdict(worse), Verdict(better)]) == worse


def test_of_no_verdict_at_all_there_is_none_and_never_a_pass() -> None:
    assert worst([]) is None


def judgement(verdict: Verdict, clauses: list[str], **checks: Verdict) -> Judgement:
    made = [Check(name.replace("_", "-"), each, "alice", "something") for name, each in checks.items()]
    return Judgement("s", verdict, "", made, [], clauses=clauses)


def test_a_clause_is_what_the_worst_of_its_checks_is() -> None:
    checks = [Check("OPEN-1", verdict, "alice", "") for verdict in (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.PASS)]
    assert Judgement("s", Verdict.INCONCLUSIVE, "", checks, []).of_clauses() == {"OPEN-1": Verdict.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("verdict", "of_clause"),
    [
        (Verdict.PASS, Verdict.ERROR),
        (Verdict.FAIL, Verdict.NOT_REACHED),
        (Verdict.INCONCLUSIVE, Verdict.NOT_REACHED),
    ],
)
def test_a_clause_that_was_to_be_proved_and_never_checked_is_no_pass(verdict: Verdict, of_clause: Verdict) -> None:
    assert judgement(verdict, ["OPEN-1"], OPEN_2=verdict).of_clauses() == {"OPEN-1": of_clause, "OPEN-2": verdict}


@pytest.mark.parametrize("verdict", [Verdict.ERROR, Verdict.UNSUPPORTED])
def test_where_nothing_can_be_said_nothing_is_said_of_what_was_to_be_proved(verdict: Verdict) -> None:
    found = judgement(verdict, ["OPEN-1"], OPEN_1=Verdict.PASS, GENERAL_1=Verdict.PASS).of_clauses()
    assert found == {"OPEN-1": verdict, "GENERAL-1": Verdict.PASS}


def test_a_clause_that_failed_stays_failed_where_the_scenario_failed_by_another() -> None:
    found = judgement(Verdict.FAIL, ["OPEN-1"], OPEN_1=Verdict.PASS, OPEN_2=Verdict.FAIL).of_clauses()
    assert found == {"OPEN-1": Verdict.PASS, "OPEN-2": Verdict.FAIL}


def test_how_exactly_each_timed_result_is_known() -> None:
    checks = [
        Check("OPEN-1", Verdict.PASS, "alice", "in time", Measured("CONNECTED", 4.5, 4.0, 6.0, 0.5, 0.016)),
        Check("OPEN-1", Verdict.PASS, "alice", "nothing else"),
        Check("OPEN-2", Verdict.FAIL, "alice", "late", Measured("CONNECTED", 7.0, 4.0, 6.0, -1.0, 0.25)),
    ]
    assert Judgement("test_story", Verdict.FAIL, "", checks, []).errors_s() == [0.016, 0.25]
