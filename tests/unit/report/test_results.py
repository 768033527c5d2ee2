from __future__ import annotations

import json
import re
from typing import Any

import msgspec
import pytest

from harness.oracle.expect import callback, state
from harness.oracle.judge import judge
from harness.oracle.verdict import Measured, Verdict
from harness.pages.schemas import schemas
from harness.report.exit_codes import ExitCode, of_verdict
from harness.report.known import parse
from harness.report.results import Results, encode, results
from harness.report.run_folder import SERVER, VIRTUAL, Played, RunInfo
from harness.report.summary import summarise
from harness.spec.profiles import RTM_1_0
from harness.trace import Observation
from tests.unit.docs.pages import page
from tests.unit.docs.test_made_parts import breaks
from tests.unit.oracle.story import LOGGED_IN, Story

SCHEMA = json.loads(json.dumps(schemas()["results.schema.json"]))
HELLO: dict[str, object] = {"name": "sdk", "version": "1.2", "language": "go"}
INFO = RunInfo("0.1.0", "rtm-1.0", "2026-01-01T00:00:00+00:00", client=HELLO, client_command=["sdk", "--x y"])
KNOWN = """
[[known]]
scenario = "test_late"
explanation = "CONNECTED-3"
reason = "ticket 17"
"""


def named(story: Story, name: str, *, attempt: int = 1) -> Played:
    """A story under a name of its own, judged."""
    trace = story.ended()
    began = trace[0]
    trace[0] = Observation(
        began.at_ns, began.source, began.what, name, {**began.args, "attempt": attempt, "phase": "traffic"}
    )
    return Played(trace, judge(trace))


def passed(name: str = "test_passed") -> Played:
    return named(Story("CONNECTING-1").logged_in().expects(*LOGGED_IN), name)


def late(name: str = "test_late", *, at_s: float = 9.0) -> Played:
    """A cut at 2 s, and an interruption that is told of later than after 4 s."""
    story = Story("CONNECTED-3").logged_in()
    cut: Any = story.fault(2.0, 2.001)
    story.switched(at_s, "RECONNECTING", "INTERRUPTED")
    step = state("RECONNECTING", "INTERRUPTED", "CONNECTED-3").at(4.0, after=cut)
    return named(story.expects(*LOGGED_IN, step), name)


def unclear(name: str) -> Played:
    """A first result that could not tell: the host was late."""
    story = Story("CONNECTING-1").logged_in()
    story.delayed(2, 200_000_000)
    return named(story.expects(*LOGGED_IN, callback("onLogout")), name)


def again(played: Played) -> Played:
    trace = list(played.trace)
    began = trace[0]
    trace[0] = msgspec.structs.replace(began, args={**began.args, "attempt": 2})
    return Played(trace, judge(trace))


def of(*played: Played, known: str = "", missing: str = "", info: RunInfo = INFO) -> Results:
    judgements = [each.judgement for each in played]
    selected = [*(each.scenario for each in judgements), *filter(None, [missing])]
    summary = summarise(judgements, selected, parse(known, "known-failures.toml"))
    return results(info, summary, played, RTM_1_0)


ALL = of(passed(), late(), unclear("test_again"), again(passed("test_again")), missing="test_gone", known=KNOWN)


def test_the_file_is_read_by_its_schema_and_comes_back_as_it_was() -> None:
    data = encode(ALL)
    assert breaks(SCHEMA, json.loads(data), SCHEMA) == ""
    assert msgspec.json.decode(data, type=Results) == ALL
    assert data.endswith(b"}\n")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("verdict",), "PERHAPS"),
        (("scenarios", 0, "took_s"), "1"),
        (("scenarios", 0, "checks", 0, "verdict"), None),
        (("clauses", 0, "grade"), "MAY"),
        (("known_failures", 0, "entry", "else"), 1),
        (("exit",), 1),
    ],
)
def test_the_schema_refuses_what_is_not_so(path: tuple[str | int, ...], value: object) -> None:
    told = json.loads(encode(ALL))
    place = told
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert breaks(SCHEMA, told, SCHEMA) != ""


def test_the_run_in_one_word_has_the_exit_code_of_the_command() -> None:
    for found in (of(passed()), of(late()), of(passed(), missing="test_gone"), of()):
        assert found.exit.code == of_verdict(found.verdict, "harness")
        assert ExitCode(found.exit.code).name == found.exit.name
    assert [of(passed()).exit.name, of(late()).exit.name, of().exit.name] == ["PASS", "FAIL", "HARNESS"]


def test_a_scenario_says_what_was_played_how_long_it_took_and_how_to_play_it_again() -> None:
    (result,) = of(late()).scenarios
    assert (result.name, result.verdict, result.blame) == ("test_late", Verdict.FAIL, "implementation")
    assert result.reason.startswith("CONNECTED-3: alice: RECONNECTING / INTERRUPTED after 7.0")
    assert (result.clauses, result.phase, result.faults, result.attempt) == (["CONNECTED-3"], "traffic", ["cut"], 1)
    assert result.took_s == 90.9  # from the first person, at 0.1 s, to the end at 91 s
    assert result.repeat == "linkproof certify -k 'test_late'"
    assert of(passed()).scenarios[0].faults == []


def test_a_timed_check_says_its_window_and_how_far_inside_it_lay() -> None:
    (check,) = [each for each in of(late(at_s=6.2)).scenarios[0].checks if each.measured is not None]
    measured = check.measured
    assert isinstance(measured, Measured)
    assert (check.clause, check.verdict, measured.step) == ("CONNECTED-3", Verdict.FAIL, "RECONNECTING / INTERRUPTED")
    assert measured.earliest_s < 4.0 < measured.latest_s < measured.elapsed_s
    assert measured.margin_s == pytest.approx(measured.latest_s - measured.elapsed_s, abs=1e-5)


def test_a_rule_says_its_verdict_and_who_looked_at_it_and_null_where_nobody_did() -> None:
    rules = {each.id: each for each in of(late(), passed()).clauses}
    assert len(rules) == len(RTM_1_0.clauses)
    assert (rules["CONNECTED-3"].verdict, rules["CONNECTED-3"].scenarios) == (Verdict.FAIL, ["test_late"])
    assert rules["CONNECTING-1"].checks >= 2
    assert (rules["OPEN-22"].verdict, rules["OPEN-22"].checks, rules["OPEN-22"].scenarios) == (None, 0, [])


def test_a_known_failure_is_named_with_its_entry_and_fails_in_the_evidence_alone() -> None:
    found = of(late(), passed(), known=KNOWN)
    assert found.verdict is Verdict.PASS
    assert found.counts == {Verdict.FAIL: 1, Verdict.PASS: 1}
    assert {each.name: (each.verdict, each.known) for each in found.scenarios} == {
        "test_late": (Verdict.FAIL, True),
        "test_passed": (Verdict.PASS, False),
    }
    (known,) = found.known_failures
    assert (known.scenario, known.entry.reason, known.where) == ("test_late", "ticket 17", "known-failures.toml:2")
    assert [each.known for each in found.clauses if each.id == "CONNECTED-3"] == [True]
    assert [each.what for each in of(passed("test_late"), known=KNOWN).misfits] == ["unexpected pass: test_late passes"]


def test_a_first_result_that_could_not_tell_is_no_known_failure() -> None:
    found = of(unclear("test_late"), again(late()), known=KNOWN)
    assert [each.known for each in found.scenarios] == [True]
    assert [(each.verdict, each.known) for each in found.inconclusive] == [(Verdict.INCONCLUSIVE, False)]


def test_first_results_that_could_not_tell_and_what_is_missing_are_there() -> None:
    assert [(each.name, each.verdict, each.attempt) for each in ALL.inconclusive] == [
        ("test_again", Verdict.INCONCLUSIVE, 1)
    ]
    assert {each.name: each.attempt for each in ALL.scenarios}["test_again"] == 2
    assert ALL.missing == ["test_gone"]


def test_how_exactly_times_are_known_is_there_and_null_where_nothing_was_timed() -> None:
    budget = of(late()).error_budget
    assert budget.timed == 1
    assert budget.worst_s is not None
    assert budget.median_s == budget.worst_s > 0
    nothing = of(passed()).error_budget
    assert (nothing.timed, nothing.median_s, nothing.worst_s) == (0, None, None)


def test_what_is_under_test_is_named() -> None:
    client = of(passed()).implementation
    assert (client.side, client.name, client.version, client.language, client.command) == (
        *("client", "sdk", "1.2", "go"),
        ["sdk", "--x y"],
    )
    info = msgspec.structs.replace(INFO, under_test=SERVER, server={"name": "srv"}, server_command=["srv"])
    server = of(passed(), info=info).implementation
    assert (server.side, server.name, server.version, server.command) == ("server", "srv", "", ["srv"])


def test_a_run_in_virtual_time_is_told_apart() -> None:
    assert of(passed(), info=msgspec.structs.replace(INFO, world=VIRTUAL)).world == VIRTUAL
    assert of(passed()).world == "real"


def test_the_same_evidence_gives_the_same_file_whatever_the_order() -> None:
    one, other = passed(), late()
    assert encode(of(one, other)) == encode(of(other, one))


def test_the_page_names_each_field() -> None:
    named = [name for row in page("docs/results.md").rows("results.json") for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(named) == sorted(Results.__struct_fields__)
