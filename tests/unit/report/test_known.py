from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.oracle.verdict import Check, Judgement, Verdict
from harness.report.known import UNEXPLAINED, KnownFailures, lasting_part, parse, read, render
from harness.report.summary import Summary, summarise
from harness.spec.clauses import BY_ID

FAIL, PASS, INCONCLUSIVE = Verdict.FAIL, Verdict.PASS, Verdict.INCONCLUSIVE
TWO = """
# What we live with.
[[known]]
scenario = "t.py::test_a"
explanation = "after 5."
reason = "ticket 17"
link = "https://example.org/17"

[[known]]
clause = "OPEN-11"
explanation = "never came"
reason = "to be built"
"""


def known(text: str = TWO) -> KnownFailures:
    return parse(text, "known.toml")


def judged(
    name: str = "t.py::test_a", verdict: Verdict = FAIL, reason: str = "OPEN-10: x after 5.1 s", *clauses: str
) -> Judgement:
    checks = [Check(clause, verdict, "alice", "x") for clause in clauses or ("OPEN-10",)]
    return Judgement(name, verdict, "" if verdict is PASS else reason, checks, [], clauses=["OPEN-10"])


def run(*judgements: Judgement, text: str = TWO, missing: str = "", suite: int = 0) -> Summary:
    names = [*(each.scenario for each in judgements), *filter(None, [missing])]
    return summarise(judgements, names, known(text), suite=suite)


def whats(summary: Summary) -> list[str]:
    return [each.what for each in summary.misfits]


# ---------------------------------------------------------------------------------------------------- what is excused


def test_a_scenario_that_fails_as_is_known_is_not_counted_and_stays_a_failure_in_the_evidence() -> None:
    summary = run(judged(), judged("t.py::test_b", PASS))
    assert summary.verdict is PASS
    assert summary.judgements[0].verdict is FAIL
    assert {name: each.where for name, each in summary.excused.items()} == {"t.py::test_a": "known.toml:3"}
    assert summary.counted() == "1 PASS, 1 FAIL (known)"
    assert summary.misfits == ()


def test_a_run_of_known_failures_alone_says_that_and_passes() -> None:
    summary = run(judged())
    assert (summary.verdict, summary.counted()) == (PASS, "1 FAIL (known)")


def test_another_failure_in_the_same_place_is_not_excused_and_says_what_was_expected() -> None:
    summary = run(judged(reason="OPEN-10: x never came"))
    assert (summary.verdict, dict(summary.excused)) == (FAIL, {})
    (misfit,) = summary.misfits
    assert misfit.what == ("t.py::test_a fails otherwise than is known: 'after 5.' is not in 'OPEN-10: x never came'")
    assert misfit.where == "known.toml:3"
    assert "write down its explanation" in misfit.mend


def test_a_failure_that_nobody_knows_counts_beside_one_that_is_known() -> None:
    summary = run(judged(), judged("t.py::test_b"))
    assert (summary.verdict, summary.counted(), whats(summary)) == (FAIL, "1 FAIL, 1 FAIL (known)", [])


def test_a_rule_excuses_each_scenario_that_breaks_it_and_nothing_else() -> None:
    reason = "OPEN-11: alice: x never came"
    broken = [judged(f"t.py::test_{name}", FAIL, reason, "OPEN-11", "OPEN-11") for name in "xy"]
    summary = run(*broken)
    assert (summary.verdict, sorted(summary.excused)) == (PASS, ["t.py::test_x", "t.py::test_y"])
    with_another = judged("t.py::test_z", FAIL, reason, "OPEN-11", "OPEN-10")
    assert run(*broken, with_another).verdict is FAIL


def test_a_rule_of_which_all_failures_are_known_is_told_apart() -> None:
    clause = BY_ID["OPEN-10"]
    assert run(judged()).of_clause(clause).is_known
    assert not run(judged(), judged("t.py::test_b")).of_clause(clause).is_known
    assert not run(judged("t.py::test_b", PASS)).of_clause(clause).is_known
    assert run(judged()).of_clause(clause).verdict is FAIL


def test_each_repetition_of_a_scenario_is_known_by_the_name_of_the_scenario() -> None:
    repeated = [
        Judgement("t.py::test_a[r2]", FAIL, "x after 5.2 s", [Check("OPEN-10", FAIL, "a", "x")], [], repetition=2),
        Judgement("t.py::test_a[r3]", FAIL, "x after 5.3 s", [Check("OPEN-10", FAIL, "a", "x")], [], repetition=3),
    ]
    assert sorted(run(*repeated).excused) == ["t.py::test_a[r2]", "t.py::test_a[r3]"]


@pytest.mark.parametrize("verdict", [INCONCLUSIVE, Verdict.UNSUPPORTED, Verdict.ERROR])
def test_what_cannot_tell_is_neither_a_known_failure_nor_an_unexpected_pass(verdict: Verdict) -> None:
    summary = run(judged(verdict=verdict), judged("t.py::test_b", verdict, "never came", "OPEN-11"))
    assert (summary.verdict, dict(summary.excused), whats(summary)) == (verdict, {}, [])


# ---------------------------------------------------------------------------------------------------- what does not fit


def test_a_scenario_that_passes_though_it_is_known_to_fail_fails_the_run() -> None:
    summary = run(judged(verdict=PASS))
    assert (summary.verdict, whats(summary)) == (FAIL, ["unexpected pass: t.py::test_a passes"])
    assert summary.misfits[0].where == "known.toml:3"
    assert "take the entry out" in summary.misfits[0].mend


def test_a_scenario_that_passed_when_it_was_played_again_is_an_unexpected_pass_too() -> None:
    second = Judgement("t.py::test_a", PASS, "", [Check("OPEN-10", PASS, "a", "x")], [], attempt=2)
    assert whats(run(judged(verdict=INCONCLUSIVE), second)) == ["unexpected pass: t.py::test_a passes"]


def test_a_scenario_that_two_entries_match_fails_the_run_and_both_are_named() -> None:
    summary = run(judged(reason="x after 5.1 s never came", verdict=FAIL), text=TWO.replace("OPEN-11", "OPEN-10"))
    assert (summary.verdict, dict(summary.excused)) == (FAIL, {})
    assert whats(summary) == ["t.py::test_a fails, and 2 known failures match it"]
    assert summary.misfits[0].where == "known.toml:3 (t.py::test_a); known.toml:9 (OPEN-10)"


def test_a_rule_that_was_checked_and_broken_nowhere_fails_the_run() -> None:
    summary = run(judged("t.py::test_b", PASS, "", "OPEN-11"))
    assert (summary.verdict, whats(summary)) == (FAIL, ["unexpected pass: OPEN-11 is broken by no scenario"])
    assert summary.misfits[0].where == "known.toml:9"


def test_a_rule_that_was_broken_beside_another_one_is_no_unexpected_pass() -> None:
    assert whats(run(judged("t.py::test_b", FAIL, "never came", "OPEN-11", "OPEN-10"))) == []


@pytest.mark.parametrize(
    ("suite", "missing", "expected"),
    [(1, "", 1), (2, "", 0), (2, "t.py::test_c", 0), (1, "t.py::test_c", 0)],
    ids=["all", "a selection", "all but one to its end", "one was missed"],
)
def test_that_a_rule_is_broken_nowhere_can_be_told_of_the_whole_suite_alone(
    suite: int, missing: str, expected: int
) -> None:
    assert len(run(judged("t.py::test_b", PASS, "", "OPEN-11"), suite=suite, missing=missing).misfits) == expected


def test_a_rule_that_was_not_checked_at_all_is_no_unexpected_pass() -> None:
    assert whats(run(judged("t.py::test_b", PASS))) == []


def test_an_entry_that_matches_nothing_of_the_suite_is_named_with_its_line() -> None:
    known().check_places(["t.py::test_a", "t.py::test_b"], ["OPEN-11"])
    with pytest.raises(UsageError, match=r"known\.toml:3 names 't\.py::test_a'\n"):
        known().check_places(["t.py::test_b"], ["OPEN-11"])
    with pytest.raises(UsageError, match=r"known\.toml:3 names .*; known\.toml:9 names 'OPEN-11'"):
        # A name of the one kind is none of the other.
        known().check_places(["OPEN-11"], ["t.py::test_a"])


# ---------------------------------------------------------------------------------------------------- the file


def test_the_file_is_read_with_the_line_of_each_entry(tmp_path: Path) -> None:
    (tmp_path / "k.toml").write_text(TWO, encoding="utf-8")
    entries = read(tmp_path / "k.toml").entries
    assert [each.where for each in entries] == [f"{tmp_path / 'k.toml'}:3", f"{tmp_path / 'k.toml'}:9"]
    assert [each.known.place for each in entries] == ["t.py::test_a", "OPEN-11"]
    assert entries[0].known.link == "https://example.org/17"


def test_a_file_without_entries_excuses_nothing() -> None:
    assert known("# nothing any more\n").entries == ()


ENTRY = '[[known]]\nscenario = "s"\nexplanation = "e"\nreason = "r"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[known]\n", r"known\.toml is no TOML: .*line 1"),
        (f"{ENTRY}[[unknown]]\nscenario = 1\n", r"known\.toml holds \['unknown'\]"),
        ("[known]\n", r"does not begin each entry with a line \[\[known\]\]"),
        ("known = [{scenario = 's'}]\n", r"does not begin each entry with a line \[\[known\]\]"),
        (f'{ENTRY}clause = "OPEN-1"\n', r"known\.toml:1: an entry names a scenario or a clause: one of the two"),
        (ENTRY.replace("scenario", "# scenario"), r"known\.toml:1: an entry names a scenario or a clause"),
        (f"\n{ENTRY}excuse = true\n", r"known\.toml:2: .*unknown field `excuse`"),
        (ENTRY.replace("explanation", "# explanation"), r"known\.toml:1: .*missing required field `explanation`"),
        (ENTRY.replace('"r"', "1"), r"known\.toml:1: Expected `str`, got `int` - at `\$\.reason`"),
        (ENTRY.replace('"e"', '" "'), r"known\.toml:1: its explanation is empty"),
        (ENTRY.replace('"r"', '""'), r"known\.toml:1: its reason is empty"),
        (f"{ENTRY}\n{ENTRY}", r"'s' is known more than once: known\.toml:1, known\.toml:6"),
    ],
)
def test_what_is_written_wrongly_is_refused_and_named(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        known(text)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_bytes(b"\xff")
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "bad.toml")


# ---------------------------------------------------------------------------------------------------- the first file


def test_a_first_file_excuses_what_it_was_made_from_and_says_that_nobody_gave_a_reason() -> None:
    failed = [judged("t.py::test_b"), judged("t.py::test_a[x]", reason='OPEN-10: a: "x" never came')]
    made = known(render(failed))
    assert summarise(failed, [], made).verdict is PASS
    assert [each.known.scenario for each in made.entries] == ["t.py::test_a[x]", "t.py::test_b"]
    assert {each.known.reason for each in made.entries} == {UNEXPLAINED}
    assert all(each.known.is_unexplained for each in made.entries)
    assert not any(each.known.is_unexplained for each in known().entries)


def test_repetitions_are_one_entry() -> None:
    failed = [
        Judgement(f"t.py::test_a[r{number}]", FAIL, "x never came", [], [], repetition=number) for number in (1, 2)
    ]
    assert [each.known.scenario for each in known(render(failed)).entries] == ["t.py::test_a"]


@given(reason=st.text(min_size=1).filter(str.strip), name=st.text(min_size=1))
def test_whatever_a_reason_says_it_is_in_the_file_as_it_is(reason: str, name: str) -> None:
    (entry,) = tomllib.loads(render([judged(name, FAIL, reason)]))["known"]
    assert entry["scenario"] == name
    assert entry["explanation"] in reason


@pytest.mark.parametrize(
    ("reason", "lasting"),
    [
        (
            "CONNECTED-3: alice: RECONNECTING / INTERRUPTED after 5.003 s, due in [4.000, 4.021] s",
            "CONNECTED-3: alice: RECONNECTING / INTERRUPTED after",
        ),
        ("OPEN-11: bob: waited 5 s for onLogout(code=OK), which never came", None),
        ("GENERAL-1: a: every switch is a row of the table; but X came in Y", None),
        (
            "OPEN-28: a: no storm: no more than 45 logins in 9 s; but there were 189",
            "OPEN-28: a: no storm: no more than",
        ),
        ("OPEN-28: a: 1 live connections while CONNECTED; but 2 were open", "OPEN-28: a"),
        ("something else", None),
    ],
)
def test_an_explanation_ends_before_what_is_another_in_each_run(reason: str, lasting: str | None) -> None:
    assert lasting_part(reason) == (lasting or reason)
