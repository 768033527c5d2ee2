"""The page on scenarios has each word, each phase, each rule and each number that the code has."""

from __future__ import annotations

import inspect
import re
from types import ModuleType

import pytest

from harness import delays
from harness.oracle import budget, expect, invariants, invariants_settled, invariants_timed
from harness.spec.phases import IDLE, PHASES
from harness.world import engine, losses, world
from harness.world.world import Person, World
from tests.unit.docs.pages import page

SCENARIOS = page("docs/writing-scenarios.md")

# What the harness itself calls, and no scenario does.
OF_THE_HARNESS = {"now_ns", "wait_for", "record", "lack", "settle", "start", "to_data", "from_data"}


WITH_NUMBERS = ("Windows and margins", "What the judge does")


def public(kind: type | object) -> set[str]:
    return {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}


def words(kind: type | object) -> set[str]:
    return public(kind) - OF_THE_HARNESS


def own_words(module: ModuleType) -> set[str]:
    """Without what the module has from others."""
    return {name for name in public(module) if getattr(module, name).__module__ == module.__name__}


@pytest.mark.parametrize(
    ("heading", "wanted"),
    [
        ("The world", words(World)),
        ("A person", words(Person)),
        ("What was to be seen", words(expect) | words(expect.Step)),
        ("Losses", own_words(losses)),
        ("A server of the scenario's own", public(engine.Server)),
    ],
)
def test_the_page_of_scenarios_has_each_word(heading: str, wanted: set[str]) -> None:
    cells = " ".join(row[0] for row in SCENARIOS.rows(heading))
    shown = set(re.findall(r"(?:\w+\.)?(\w+)\(", cells))
    assert shown >= wanted
    if heading != "A person":  # where the link's words are shown too
        assert shown == wanted


def test_the_page_of_scenarios_has_what_a_person_declares() -> None:
    declared = {name for name, kind in inspect.getmembers(Person) if isinstance(kind, property)}
    cells = " ".join(row[0] for row in SCENARIOS.rows("A person"))
    assert declared == {"heartbeat_s", "retry_s"}
    assert all(f"`alice.{name}`" in cells for name in declared)


def test_the_page_of_scenarios_has_each_kind_of_loss() -> None:
    told = {row[0]: re.findall("`(.*?)`", row[1]) for row in SCENARIOS.rows("Losses") if row[0].isupper()}
    silent_to_client = [kind for kind in losses.EVERY if kind not in losses.UNHEARD]
    assert told == {
        "`EVERY`": list(losses.EVERY),
        "`VISIBLE`": list(losses.VISIBLE),
        "`UNHEARD`": silent_to_client,  # told as 'all but'
    }


def test_the_page_of_scenarios_has_each_phase_in_order() -> None:
    assert [row[0] for row in SCENARIOS.rows("Phases")] == [f"`{name}`" for name in PHASES]
    assert f"is\nabout `{IDLE}`" in SCENARIOS.section("Phases")


def test_the_page_of_scenarios_has_each_invariant_with_its_clauses_in_order() -> None:
    told = [row[1] for row in SCENARIOS.rows("What is checked without being written")]
    rules = (*invariants.INVARIANTS, *invariants_timed.TIMED_INVARIANTS, *invariants_settled.SETTLED_INVARIANTS)
    heads = [(inspect.getdoc(each) or "").partition(":")[0] for each in rules]
    assert told == heads


def test_the_numbers_of_what_is_checked_without_being_written_are_those_of_the_code() -> None:
    text = " ".join(SCENARIOS.section("What is checked without being written").split())
    assert world.QUIET_S == 1.0
    assert "a second passes in which nothing else may come" in text
    logins, per_s = invariants.LOGINS_AT_ONCE_MAX, invariants.LOGINS_PER_S_MAX
    assert f"no more than {logins} logins, and {per_s} more for each second" in text
    windows = " ".join(SCENARIOS.section("Windows and margins").split())
    assert f"asks to be woken every {delays.PERIOD_NS / 1e6:g} ms" in windows
    assert delays.BUCKET_NS * 4 == budget.DELAY_SPEAKS_FOR_NS * 4 == budget.NS_PER_S
    assert "of each quarter of a second the worst is kept" in windows


def test_the_numbers_of_the_page_of_scenarios_are_those_of_the_judge() -> None:
    windows, judged = (" ".join(SCENARIOS.section(each).split()) for each in WITH_NUMBERS)
    max_s = budget.ERROR_MAX_NS / budget.NS_PER_S
    assert budget.TIMER_TICK_NS * 64 == budget.NS_PER_S
    assert "a 64th of a second" in windows
    assert budget.PROCESSES_ON_THE_WAY == 4
    assert "four times the worst delay" in windows
    assert f"Where the error is larger than {max_s:g} s" in windows
    assert f"At once is a time too: within {expect.AT_ONCE_S:g} s" in windows
    most_ms = max_s * 1000 / budget.PROCESSES_ON_THE_WAY
    assert f"things may have been more than {max_s:g} s late" in judged
    assert f"the host ran a process more than {most_ms:g} ms late (there are four on the way)" in judged
    assert f"the harness itself was more than {max_s:g} s late" in judged


def test_the_page_of_scenarios_has_each_margin() -> None:
    (cell,) = [row[1] for row in SCENARIOS.rows("Windows and margins") if row[0] == "`early`, `late`"]
    assert re.findall('`"([a-z]+)"`', cell) == list(expect.MARGINS)
