"""The examples of the page on scenarios: a scenario as it stands in the suite, a failure as the judge words it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from harness.oracle.expect import Node, any_order, callback, state, to_data
from harness.oracle.explain import render
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
    shown = SCENARIOS.block("python", "async def")
    (name,) = re.findall(r"async def (\w+)", shown)
    assert shown == source_of(name), "the scenario has changed: change docs/writing-scenarios.md with it"


@dataclass(frozen=True)
class Cut:
    """When the example's fault took effect."""

    t0_ns: int = START_NS + ns(0.300)
    t1_ns: int = START_NS + ns(0.301)


def switched(at_s: float, name: str, reason: str) -> Observation:
    args = {"state": name, "reason": reason}
    return Observation(START_NS + ns(at_s), "alice", What.CALLBACK, "onConnectionStateChanged", args)


def failure() -> str:
    """What is printed for a client that counts three seconds in the place of four."""
    scenario = "test_connected.py::test_a_visible_loss_interrupts_after_4_s"
    declared = {"heartbeat_s": 0.5, "retry_s": 1.0, "clock_error_ns": 100_000}
    expected: tuple[Node, ...] = (
        state("CONNECTING", "LOGIN", "DISCONNECTED-2"),
        any_order(callback("onLoginSuccess", "CONNECTING-1"), state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2")),
        state("RECONNECTING", "INTERRUPTED", "CONNECTED-3").at(4.0, after=Cut()),
    )
    late_ns = START_NS + ns(2.0)
    trace = [
        Observation(START_NS, "scenario", What.SCENARIO, scenario, {"clauses": ["CONNECTED-3"]}),
        Observation(START_NS + 1, "alice", What.DECLARED, "my-sdk", declared),
        Observation(late_ns, "host", What.DELAY, "late", until_ns=late_ns + ns(0.001)),
        Observation(START_NS + ns(0.100), "alice", What.CALL, "login"),
        switched(0.101, "CONNECTING", "LOGIN"),
        Observation(START_NS + ns(0.120), "alice", What.CALLBACK, "onLoginSuccess"),
        switched(0.121, "CONNECTED", "LOGIN_SUCCESS"),
        Observation(Cut().t0_ns, "alice", What.FAULT, "cut", until_ns=Cut().t1_ns),
        switched(3.300, "RECONNECTING", "INTERRUPTED"),
        Observation(START_NS + ns(4.9), "alice", What.EXPECTED, "saw", {"sequence": to_data(expected)}),
        Observation(START_NS + ns(5.9), "scenario", What.END, "end"),
    ]
    return render(judge(trace))


def test_the_failure_that_is_explained_is_worded_as_the_judge_words_it() -> None:
    shown = SCENARIOS.section("How to read a failure").partition("```text\n")[2].partition("```")[0]
    assert shown == f"{failure()}\n"


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
    assert f"that step: `{fault}`." in SCENARIOS.section("How to read a failure")
    assert judgement.verdict is Verdict.INCONCLUSIVE
    ending = judgement.reason.partition("; ")[2].replace("500", "N")
    assert f"ends with '{ending}'" in " ".join(SCENARIOS.section("What the judge does").split())
