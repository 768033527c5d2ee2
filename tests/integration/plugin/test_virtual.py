"""Scenarios played in virtual time, seen from outside: what it says, what it leaves, and what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.plugin.conftest import NewSuite, Result, Suite

CUT = """
@pytest.mark.scenario("CONNECTED-3", lasts_s=8)
async def test_a_cut(world: World) -> None:
    people = [await world.online(name, channels=["lobby"]) for name in ("alice", "bob", "carol", "dave")]
    alice = people[0]
    async with alice.link.cut() as cut:
        await world.until(60.0, after=cut.injected)
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"), within_s=5)
    await world.sleep(1.0)
    alice.saw(
        state("CONNECTING", "LOGIN"),
        callback("onLoginSuccess"),
        state("CONNECTED", "LOGIN_SUCCESS"),
        callback("onJoinSuccess", channel="lobby"),
        *(callback("onMemberJoined", channel="lobby", member=name) for name in ("bob", "carol", "dave")),
        state("RECONNECTING", "INTERRUPTED", "CONNECTED-3").at(4.0, after=cut.injected),
        state("CONNECTED", "LOGIN_SUCCESS").at_once(after=cut.healed, late="retry"),
    )

def test_beside() -> None:
    pass
"""
# Tells of an interruption after 3 s, and is right in all else.
HASTY_CORE = """
from harness.reference.client_core import ClientCore
from harness.spec.timing import Timing

class HastyCore(ClientCore):
    def __init__(self, app_id, *, instance, jitter):
        super().__init__(app_id, instance=instance, jitter=jitter, timing=Timing(interruption_s=3.0))
"""


def run_info(result: Result, folder: str = "runs/*") -> dict[str, Any]:
    (path,) = result.folder.glob(f"{folder}/run.json")
    info: dict[str, Any] = json.loads(path.read_text())
    return info


def with_hasty_core(suite: Suite) -> Suite:
    (suite.folder / "hasty.py").write_text(HASTY_CORE, encoding="utf-8")
    return suite


def test_a_minute_takes_no_minute_and_no_toxiproxy(new_suite: NewSuite) -> None:
    result = new_suite(CUT).run("-v", "--virtual", "--junitxml=junit.xml")
    assert result.code == 0
    assert result.shows("::test_a_cut PASS", "::test_beside PASSED", "2 passed", "evidence: runs/")
    assert "Toxiproxy" not in result.text
    info = run_info(result)
    assert (info["world"], info["client"]) == ("virtual", {"name": "the reference core"})
    assert info["simulated_s"] > 60 > info["wall_s"]
    assert "toxiproxy" not in info
    properties = {each.attrib["name"]: each.attrib["value"] for each in result.cases()["test_a_cut"].iter("property")}
    margins = {name: value for name, value in properties.items() if name.startswith("margin")}
    assert {name: properties[name] for name in properties.keys() - margins.keys()} == {
        "verdict": "PASS",
        "clauses": "CONNECTED-3",
        "world": "virtual",
        "profile": "rtm-1.0",
        "phase": "idle",
        "faults": "cut",
        "attempt": "1",
    }
    assert sorted(margins) == ["margin:alice: RECONNECTING / INTERRUPTED", "margin_s"]
    assert float(margins["margin_s"]) > 0


def test_the_same_seed_leaves_the_same_trace_in_another_process(
    new_suite: NewSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, traces = new_suite(CUT), dict[str, bytes]()
    for hash_seed, seed in [("1", "7"), ("2", "7"), ("1", "8")]:
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
        name = f"{hash_seed}-{seed}"
        assert suite.run("--virtual", "--seed", seed, "--run-dir", name).code == 0
        (trace,) = Path(suite.folder, name, "traces").iterdir()
        traces[name] = trace.read_bytes()
    assert traces["1-7"] == traces["2-7"]
    assert traces["1-7"] != traces["1-8"]


def test_a_wrong_core_fails_and_the_failure_says_how_to_repeat_it(new_suite: NewSuite) -> None:
    suite = with_hasty_core(new_suite(CUT))
    result = suite.run("-v", "--virtual", "--seed", "7", "--core", "hasty:HastyCore")
    assert result.code == 1
    assert result.shows(
        "CONNECTED-3: alice: RECONNECTING / INTERRUPTED after 3.0",
        "blame: implementation",
        "repeat:   linkproof certify --virtual --seed 7 --core hasty:HastyCore -k 'test_a_cut'",
        "1 failed, 1 passed",
    )
    assert run_info(result)["client"] == {"name": "hasty:HastyCore"}
    again = suite.run("--virtual", "--core", "hasty:HastyCore")
    assert again.shows("repeat:   linkproof certify --virtual --core hasty:HastyCore -k 'test_a_cut'")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--virtual", "--client", "node a.js"], "--client has no effect with --virtual: there is no process"),
        (["--virtual", "--client", ""], "--client has no effect with --virtual: there is no process"),
        (["--virtual", "--toxiproxy", "h:1"], "--toxiproxy has no effect with --virtual: there is no process"),
        (["--seed", "0"], "--seed has no effect without --virtual"),
        (["--core", "hasty:HastyCore"], "--core has no effect without --virtual"),
        (["--virtual", "--seed", "soon"], "argument --seed: invalid int value: 'soon'"),
    ],
)
def test_what_would_be_of_no_effect_is_refused(new_suite: NewSuite, arguments: list[str], words: str) -> None:
    suite = with_hasty_core(new_suite(CUT))
    result = suite.run(*arguments)
    assert result.code == pytest.ExitCode.USAGE_ERROR
    assert result.shows(words)
    assert not (suite.folder / "runs").exists()


@pytest.mark.parametrize(
    ("core", "words"),
    [
        ("hasty", "the core 'hasty' is not written as MODULE:NAME"),
        ("hasty:Core", "the module hasty has nothing to call by the name of Core"),
        ("no_such_module:Core", "the core 'no_such_module:Core' cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_core_that_cannot_be_had_ends_the_run_before_it_begins(new_suite: NewSuite, core: str, words: str) -> None:
    suite = with_hasty_core(new_suite(CUT))
    result = suite.run("--virtual", "--core", core)
    assert result.code == pytest.ExitCode.INTERRUPTED  # which is 2, as of any argument that is wrong
    assert result.shows(words)
    assert "PASS" not in result.text
    assert not (suite.folder / "runs").exists()


def test_processes_of_xdist_play_in_virtual_time_too(new_suite: NewSuite) -> None:
    result = new_suite(CUT).run("--virtual", "-n", "1", "--run-dir", "evidence")
    assert result.code == 0
    assert run_info(result, "evidence/gw*")["world"] == "virtual"
    assert re.search(r"2 passed", result.text)
