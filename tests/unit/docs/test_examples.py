"""The examples of the page on scenarios: a scenario as it stands in the suite, reasons as the judge words them."""

from __future__ import annotations

import ast
import re

from harness.oracle.expect import state, to_data
from harness.oracle.judge import judge
from harness.oracle.verdict import Verdict
from harness.spec.timing import ns
from harness.trace import Observation, What
from tests.unit.docs.pages import ROOT, page

SCENARIOS = page("docs/writing-scenarios.md")
START_NS = ns(86_400)


def source_of(name: str) -> str:
    """A scenario with its marks, as it stands in tests/conformance."""
    for path in sorted((ROOT / "tests" / "conformance").glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.AsyncFunctionDef) and node.name == name:
                first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
                return "\n".join(text.splitlines()[first - 1 : node.end_lineno]) + "\n"
    raise AssertionError(f"no scenario is called {name}")


def test_the_scenario_that_is_explained_is_one_of_the_suite() -> None:
    shown = SCENARIOS.block("python", "async def test_a_silent_loss")
    (name,) = re.findall(r"async def (\w+)", shown)
    assert shown == source_of(name), "the scenario has changed: change docs/writing-scenarios.md with it"


def test_what_is_said_of_a_wait_in_vain_and_of_a_late_host_is_what_the_judge_says() -> None:
    step = to_data((state("ABORTED", "REMOTE_LOGIN", "CONNECTED-5"),))[0]
    trace = [
        Observation(START_NS, "scenario", What.SCENARIO, "test_x", {"clauses": ["CONNECTED-5"]}),
        Observation(START_NS, "host", What.DELAY, "late", until_ns=START_NS + ns(0.125) + 1),
        Observation(START_NS + ns(7), "alice", What.AWAITED, "onLogout", {"step": step, "within_s": 7.0}),
        Observation(START_NS + ns(7), "scenario", What.END, "end"),
    ]
    judgement = judge(trace)
    (fault,) = [row.fault for row in judgement.columns[0].rows if row.fault]
    assert f"| `{fault}` |" in page("docs/reading-a-failure.md").section("Other reasons")
    assert judgement.verdict is Verdict.INCONCLUSIVE
    ending = judgement.reason.partition("; ")[2].replace("500", "N")
    assert f"ends with '{ending}'" in " ".join(SCENARIOS.section("What the judge does").split())
