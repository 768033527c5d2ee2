from __future__ import annotations

from itertools import combinations

import pytest

from harness.oracle.verdict import Check, Judgement, Verdict
from harness.report.summary import Summary, summarise
from harness.spec.clauses import BY_ID

FAIL, PASS, ERROR = Verdict.FAIL, Verdict.PASS, Verdict.ERROR


def judged(name: str, verdict: Verdict, *checks: Check, blame: str = "", **more: dict[str, str]) -> Judgement:
    return Judgement(name, verdict, "", list(checks), [], blame, clauses=["OPEN-10"], answers=more.get("answers", {}))


def run(*verdicts: Verdict) -> Summary:
    checked = Check("OPEN-10", PASS, "alice", "checked")
    judgements = [judged(f"s{number}", verdict, checked) for number, verdict in enumerate(verdicts)]
    return summarise(judgements, [each.scenario for each in judgements])


def test_the_worst_scenario_decides() -> None:
    by_rank = [Verdict(name) for name in ("FAIL", "ERROR", "INCONCLUSIVE", "UNSUPPORTED", "PASS")]
    for worse, better in combinations(by_rank, 2):
        assert run(better, worse, better).verdict is worse
    assert run(PASS, PASS).verdict is PASS


def test_a_run_in_which_a_rule_was_to_be_proved_and_was_not_checked_is_an_error() -> None:
    summary = summarise([judged("a", PASS)], ["a"])  # it sets out to prove OPEN-10
    assert (summary.verdict, summary.blame) == (ERROR, "harness")


def test_a_run_of_nothing_is_an_error() -> None:
    assert (run().verdict, run().blame) == (ERROR, "harness")


def test_a_run_that_ran_less_than_it_selected_is_an_error_and_names_what_is_missing() -> None:
    summary = summarise([judged("b", PASS)], ["c", "b", "a"])
    assert (summary.verdict, summary.missing, summary.blame) == (ERROR, ("a", "c"), "harness")


def test_a_rule_that_was_broken_stays_broken_although_something_is_missing() -> None:
    assert summarise([judged("b", FAIL)], ["a", "b"]).verdict is FAIL


def test_an_error_is_laid_on_whoever_the_first_one_is_laid_on() -> None:
    judgements = [judged("a", FAIL, blame="implementation"), judged("b", ERROR), judged("c", ERROR, blame="toxiproxy")]
    assert summarise(judgements, "abc").blame == "toxiproxy"


def test_scenarios_are_in_the_order_of_their_names_and_counted_by_verdict() -> None:
    summary = summarise([judged("b", PASS), judged("c", FAIL), judged("a", PASS)], "abc")
    assert [each.scenario for each in summary.judgements] == ["a", "b", "c"]
    assert summary.counts() == {PASS: 2, FAIL: 1}


def check(verdict: Verdict, clause: str = "OPEN-10") -> Check:
    return Check(clause, verdict, "alice", "something")


def test_a_clause_is_what_the_worst_scenario_says_of_it_with_all_that_looked_at_it() -> None:
    bystander = Judgement("c", PASS, "", [check(PASS)], [])
    summary = summarise([judged("a", PASS, check(PASS), check(PASS)), judged("b", FAIL, check(FAIL)), bystander], "abc")
    result = summary.of_clause(BY_ID["OPEN-10"])
    assert (result.verdict, result.scenarios, result.checks) == (FAIL, ("a", "b"), 4)


def test_a_clause_that_nothing_looked_at_has_no_verdict() -> None:
    result = summarise([judged("a", PASS, check(PASS))], "a").of_clause(BY_ID["OPEN-11"])
    assert (result.verdict, result.scenarios, result.checks, result.answer) == (None, (), 0, "")


def test_a_clause_that_was_to_be_proved_and_was_not_checked_is_an_error() -> None:
    result = summarise([judged("a", PASS, check(PASS, "OPEN-2"))], "a").of_clause(BY_ID["OPEN-10"])
    assert (result.verdict, result.checks) == (ERROR, 0)


@pytest.mark.parametrize("verdict", [FAIL, Verdict.INCONCLUSIVE])
def test_a_clause_that_a_scenario_did_not_come_to_check_was_not_reached_whatever_another_says(verdict: Verdict) -> None:
    stopped = judged("b", verdict, check(verdict, "OPEN-2"))
    summary = summarise([judged("a", PASS, check(PASS)), stopped], "ab")
    result = summary.of_clause(BY_ID["OPEN-10"])
    assert (result.verdict, result.scenarios, result.checks) == (Verdict.NOT_REACHED, ("a", "b"), 1)
    assert summary.of_clause(BY_ID["OPEN-2"]).verdict is verdict
    assert summary.verdict is verdict


def test_a_clause_that_was_broken_elsewhere_is_broken_although_a_scenario_did_not_reach_it() -> None:
    stopped = judged("b", FAIL, check(FAIL, "OPEN-2"))
    assert summarise([judged("a", FAIL, check(FAIL)), stopped], "ab").of_clause(BY_ID["OPEN-10"]).verdict is FAIL


@pytest.mark.parametrize(("second", "shown"), [("none", "none"), ("both", "both, none")])
def test_the_answers_that_were_seen_are_named_once_each(second: str, shown: str) -> None:
    first = judged("a", PASS, check(PASS), answers={"OPEN-10": "none"})
    summary = summarise([first, judged("b", PASS, check(PASS), answers={"OPEN-10": second})], "ab")
    assert summary.of_clause(BY_ID["OPEN-10"]).answer == shown
