"""The page of known bugs: each has scenarios that catch it, and these are there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.unit.docs.pages import ROOT, page

BUGS = page("docs/known-bugs.md")
ROWS = {re.sub(r"^\[(.*?)\].*", r"\1", row[0]): row for row in BUGS.rows("Bugs that shipped")}
REPORT = re.compile(r"\[([\w.-]+/[\w.-]+)#(\d+)\]\(https://github\.com/\1/(?:issues|pull)/\2\)")
# Bugs that no scenario catches yet. One that has got a scenario has to leave this list.
UNCAUGHT: set[str] = set()


def scenarios() -> set[str]:
    """The names of all scenarios: whatever has the mark."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests" / "conformance").glob("test_*.py")]
    functions = [node for tree in trees for node in tree.body if isinstance(node, ast.AsyncFunctionDef)]
    return {each.name for each in functions if "mark.scenario(" in "".join(map(ast.unparse, each.decorator_list))}


def test_each_bug_has_one_row() -> None:
    assert ROWS
    assert len(ROWS) == len(BUGS.rows("Bugs that shipped"))


@pytest.mark.parametrize("report", ROWS)
def test_a_bug_is_told_whole_and_its_report_can_be_read(report: str) -> None:
    link, saw, brought_about, _ = ROWS[report]
    assert REPORT.fullmatch(link) or re.fullmatch(r"Agora (?:Web )?release [\d.]+", link)
    assert saw
    assert brought_about


@pytest.mark.parametrize("report", ROWS)
def test_a_bug_is_caught_by_scenarios_that_are_there(report: str) -> None:
    cell = ROWS[report][3]
    if report in UNCAUGHT:
        assert cell == "none yet"
        return
    named = re.findall(r"`(test_\w+)`", cell)
    assert named
    assert cell == ", ".join(f"`{name}`" for name in named)
    assert set(named) <= scenarios()


def test_what_is_said_to_be_uncaught_is_on_the_page() -> None:
    assert set(ROWS) >= UNCAUGHT
