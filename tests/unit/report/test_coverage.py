from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from harness.oracle.verdict import Check, Judgement, Verdict
from harness.report.coverage import NO_FAULT, Covered, covered_by, render, unchecked
from harness.spec.clauses import CLAUSES
from harness.spec.phases import PHASES
from harness.spec.profiles import MQTT_5
from harness.trace import Observation, What
from tests.unit.oracle.story import LOGGED_IN, Story

FIRST, SECOND, *OTHERS = [clause.id for clause in CLAUSES]


def covered(
    scenario: str, phase: str, faults: Iterable[str] = (NO_FAULT,), clauses: Iterable[str] = (FIRST,)
) -> Covered:
    return Covered(scenario, phase, frozenset(faults), frozenset(clauses))


def row(page: str, head: str) -> dict[str, str]:
    """The cells of the row that begins so, by phase."""
    (line,) = [line for line in page.splitlines() if line.startswith(f"| {head} |")]
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    return dict(zip(PHASES, cells[1:], strict=True))


def link(clause: str) -> str:
    return f"[{clause}](spec.md#{clause.lower()})"


# ------------------------------------------------------------------------------------------ of one scenario


def told(*others: Observation, phase: str | None = None) -> Covered:
    """What a scenario covers in which alice has logged in, and these things have been done."""
    story = Story("CONNECTING-1").logged_in()
    first = story.trace[0]
    if phase is not None:
        first.args["phase"] = phase
    story.trace += others
    judgement = story.expects(*LOGGED_IN).judged()
    return covered_by(story.trace, judgement)


def fault(name: str) -> Observation:
    return Observation(1, "alice", What.FAULT, name)


def deed(name: str) -> Observation:
    return Observation(1, "server", What.SERVER, name)


def test_the_rules_are_those_that_were_checked_and_no_others() -> None:
    of_login = {"CONNECTING-1", "CONNECTING-2", "CONNECTING-5", "DISCONNECTED-2"}
    assert told().clauses == {*of_login, "GENERAL-1", "GENERAL-3"}
    assert told().scenario == "test_story"


def test_a_rule_that_was_broken_was_checked_and_one_that_was_not_reached_was_not() -> None:
    checks = [Check("OPEN-2", Verdict.FAIL, "alice", "x")]
    judgement = Judgement("t", Verdict.FAIL, "x", checks, [], clauses=["OPEN-2", "OPEN-3"])
    assert covered_by(Story().trace, judgement).clauses == {"OPEN-2"}


@pytest.mark.parametrize(
    ("done", "faults"),
    [
        ([], {"-"}),
        ([fault("cut")], {"cut"}),
        ([fault("cut"), fault("healing of cut"), fault("cut")], {"cut"}),
        ([fault("cut"), fault("freeze")], {"cut", "freeze"}),
        ([deed("server kill"), deed("server start")], {"server kill"}),
        ([deed("server stop")], {"server stop"}),
        ([deed("server suspend"), deed("server resume"), fault("delay")], {"server suspend", "delay"}),
        ([deed("server start"), deed("ban")], {"-"}),
    ],
)
def test_the_faults_are_what_was_done_to_a_link_or_to_the_server(done: list[Observation], faults: set[str]) -> None:
    assert told(*done).faults == faults


@pytest.mark.parametrize(("declared", "phase"), [("way back", "way back"), (None, "idle")])
def test_the_phase_is_what_the_scenario_says_and_idle_where_it_says_nothing(declared: str | None, phase: str) -> None:
    assert told(phase=declared).phase == phase


# ------------------------------------------------------------------------------------------ of a suite


def test_what_nothing_checked_is_named_in_the_order_of_the_document() -> None:
    assert [clause.id for clause in unchecked([])] == [FIRST, SECOND, *OTHERS]
    assert [clause.id for clause in unchecked([covered("a", "idle", clauses=[SECOND, "OPEN-2"])])] == [
        clause for clause in (FIRST, *OTHERS) if clause != "OPEN-2"
    ]
    assert unchecked([covered("a", "idle", clauses=OTHERS), covered("b", "idle", clauses=[FIRST, SECOND])]) == []


def test_every_rule_has_a_row_in_the_order_of_the_document_and_every_phase_a_column() -> None:
    page = render([covered("a", "idle")])
    linked = [line.split(" |")[0].removeprefix("| ") for line in page.splitlines() if line.startswith("| [")]
    assert linked == [link(clause.id) for clause in CLAUSES]
    assert page.count(f"| {' | '.join(['rule', *PHASES])} |\n|") == 1
    assert page.count(f"| {' | '.join(['fault', *PHASES])} |\n|") == 1
    for line in page.splitlines():
        if line.startswith("|"):
            assert line.count("|") == len(PHASES) + 2


def test_a_cell_names_the_faults_with_the_number_of_scenarios() -> None:
    page = render(
        [
            covered("a", "grace", ["cut"]),
            covered("b", "grace", ["cut", "freeze"]),
            covered("c", "grace"),
            covered("d", "traffic", ["freeze"], [SECOND]),
        ]
    )
    assert row(page, link(FIRST)) == dict.fromkeys(PHASES, "") | {"grace": "- 1, cut 2, freeze 1"}
    assert row(page, link(SECOND)) == dict.fromkeys(PHASES, "") | {"traffic": "freeze 1"}
    assert set(row(page, link(OTHERS[0])).values()) == {""}
    assert row(page, "freeze") == dict.fromkeys(PHASES, "") | {"grace": "1", "traffic": "1"}
    assert row(page, "cut") == dict.fromkeys(PHASES, "") | {"grace": "2"}
    assert row(page, "-") == dict.fromkeys(PHASES, "") | {"grace": "1"}
    assert f"4 scenarios, 2 of {len(CLAUSES)} rules." in page


def test_only_the_faults_that_were_made_have_a_row_by_name() -> None:
    page = render([covered("a", "idle", ["reset", "cut", "server kill"])])
    table = page.partition("## Fault by phase")[2]
    assert [line.split(" |")[0] for line in table.splitlines() if line.startswith("|")][2:] == [
        "| cut",
        "| reset",
        "| server kill",
    ]


def test_the_page_is_the_same_whatever_the_order_of_the_scenarios() -> None:
    some = [
        covered(f"s{number}", phase, faults, clauses)
        for number, (phase, faults, clauses) in enumerate(
            (phase, faults, clauses)
            for phase in PHASES
            for faults in (["cut"], ["freeze", "delay"], ["-"])
            for clauses in ([FIRST], OTHERS)
        )
    ]
    page = render(some)
    for seed in range(5):
        mixed = some[:]
        random.Random(seed).shuffle(mixed)
        assert render(mixed) == page
    assert page.endswith("|\n")
    assert "  \n" not in page


def test_of_no_scenario_at_all_the_page_is_empty_and_whole() -> None:
    page = render([])
    assert f"0 scenarios, 0 of {len(CLAUSES)} rules." in page
    assert page.count("| [") == len(CLAUSES)


def test_another_profile_has_its_own_rules_and_where_it_has_no_page_no_links() -> None:
    page = render([covered("a", "grace", ["cut"], ["MQTT-3.1.3-9"])], MQTT_5)
    assert page.startswith("# Coverage of mqtt-5\n")
    assert f"1 scenarios, 1 of {len(MQTT_5.clauses)} rules." in page
    assert row(page, "MQTT-3.1.3-9") == dict.fromkeys(PHASES, "") | {"grace": "cut 1"}
    assert "](" not in page
    missing = unchecked([covered("a", "grace", clauses=["MQTT-3.1.3-9"])], MQTT_5)
    assert [clause.id for clause in missing] == [each.id for each in MQTT_5.clauses if each.id != "MQTT-3.1.3-9"]
