"""The page of what happens when something fails: each row is held by tests that are there."""

from __future__ import annotations

import ast
import re

import pytest

from harness.adapter.log_limit import HEAD_BYTES, LOOK_EVERY_S, TAIL_BYTES
from harness.adapter.process import ANSWER_S, EVENTS_MAX, FINISH_S, OUTPUT_BYTES_MAX, TERM_S
from proxies.api import CALL_TIMEOUT_S
from proxies.watch import ASK_EVERY_S
from proxies.watch import LOOK_EVERY_S as LOOK_AT_TOXIPROXY_EVERY_S
from tests.unit.docs.pages import ROOT, page

PAGE = page("docs/robustness.md")
SECTIONS = ("The adapter", "Toxiproxy", "The machine", "The end of a run before its time")
ROWS = {f"{section}: {row[0]}": row for section in SECTIONS for row in PAGE.rows(section)}


def names_of_tests() -> set[str]:
    trees = [
        ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests" / "integration").rglob("test_*.py")
    ]
    return {node.name for tree in trees for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS)
def test_each_row_is_held_by_a_test(row: str) -> None:
    named = re.findall(r"`(test_\w+)`", ROWS[row][-1])
    assert named
    assert set(named) <= names_of_tests()


def test_the_numbers_of_the_page_are_those_of_the_code() -> None:
    assert f"{EVENTS_MAX} events" in PAGE.text
    assert f"beyond {OUTPUT_BYTES_MAX // 2**20} MiB" in PAGE.text
    assert f"within {ANSWER_S:g} s" in PAGE.text
    assert f"{FINISH_S + TERM_S:g} s after the end of its input" in PAGE.text
    assert HEAD_BYTES == TAIL_BYTES == 2**20
    assert "the first and the last MiB" in PAGE.text
    assert f"within {LOOK_AT_TOXIPROXY_EVERY_S:g} s" in PAGE.text
    assert f"within {ASK_EVERY_S + CALL_TIMEOUT_S:g} s" in PAGE.text
    assert LOOK_EVERY_S == 0.25
    assert "a quarter of a second" in PAGE.text
