from __future__ import annotations

from harness.oracle.verdict import Check, Judgement, Measured, Verdict
from harness.report.coverage import NO_FAULT, Covered
from harness.report.junit import properties
from harness.report.run_folder import VIRTUAL, RunInfo
from tests.unit.docs.pages import page

INFO = RunInfo("0.1.0", "rtm-1.0", "now", world=VIRTUAL)


def timed(person: str, step: str, margin_s: float, elapsed_s: float = 4.1, clause: str = "OPEN-1") -> Check:
    return Check(clause, Verdict.PASS, person, "", Measured(step, elapsed_s, 4.0, 4.5, margin_s, 0.02))


def of(*checks: Check, faults: frozenset[str] = frozenset({"cut", "a hang"}), attempt: int = 1) -> dict[str, str]:
    judgement = Judgement("s", Verdict.PASS, "", list(checks), [], clauses=["OPEN-1", "OPEN-2"], attempt=attempt)
    found = properties(judgement, Covered("s", "traffic", faults, frozenset()), INFO)
    assert len(dict(found)) == len(found), "a name that is there twice is lost to those who read a mapping"
    return dict(found)


def test_a_case_says_what_was_played_and_what_came_of_it() -> None:
    assert of(attempt=2) == {
        "verdict": "PASS",
        "clauses": "OPEN-1 OPEN-2",
        "world": "virtual",
        "profile": "rtm-1.0",
        "phase": "traffic",
        "faults": "a hang, cut",
        "attempt": "2",
    }


def test_no_fault_is_an_empty_list() -> None:
    assert of(faults=frozenset({NO_FAULT}))["faults"] == ""


def test_the_smallest_margin_and_that_of_each_timed_step_are_there() -> None:
    found = of(
        timed("alice", "A / B", 0.1), Check("OPEN-1", Verdict.PASS, "alice", "x"), timed("bob", "A / B", -0.0504)
    )
    assert found["margin_s"] == "-0.050"
    assert (found["margin:alice: A / B"], found["margin:bob: A / B"]) == ("0.100", "-0.050")


def test_a_step_that_speaks_for_two_rules_is_one_and_one_that_came_twice_is_two() -> None:
    found = of(
        timed("alice", "A / B", 0.1),
        timed("alice", "A / B", 0.1, clause="OPEN-2"),
        timed("alice", "A / B", 0.2, elapsed_s=4.2),
    )
    margins = {name: value for name, value in found.items() if name.startswith("margin:")}
    assert margins == {"margin:alice: A / B": "0.100", "margin:alice: A / B (2)": "0.200"}


def test_the_page_names_each_property() -> None:
    found = of(timed("alice", "A / B", 0.1))
    named = [row[0].strip("`").replace("PERSON: STEP", "alice: A / B") for row in page("docs/results.md").rows("JUnit")]
    assert named == list(found)
