"""How scenarios are played and reported, seen from outside, over suites of a few seconds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.plugin.conftest import NewSuite, Result

PATIENT = """
@pytest.mark.scenario("GENERAL-1", "GENERAL-2", lasts_s=2)
@pytest.mark.parametrize("number", range(5))
async def test_patience(world: World, number: int) -> None:
    alice = await world.person("alice")
    await world.sleep(1.0)
    alice.saw(nothing("GENERAL-1", "GENERAL-2"))

def test_beside() -> None:
    pass
"""
VERDICTS = """
@pytest.mark.scenario("DISCONNECTED-2", lasts_s=2)
async def test_that_holds(world: World) -> None:
    alice = await world.person("alice")
    alice.saw(nothing("DISCONNECTED-2"))

@pytest.mark.scenario("DISCONNECTED-2", lasts_s=2)
async def test_that_fails(world: World) -> None:
    alice = await world.person("alice")
    alice.saw(callback("onLoginSuccess", "DISCONNECTED-2"))

@pytest.mark.scenario("DISCONNECTED-2", lasts_s=1)
async def test_that_raises(world: World) -> None:
    await world.sleep(0.1)
    raise ZeroDivisionError("halved by nothing")

@pytest.mark.scenario("DISCONNECTED-2", lasts_s=1)
async def test_that_checks_nothing(world: World) -> None:
    await world.sleep(0.1)

@pytest.mark.scenario("DISCONNECTED-2", lasts_s=1)
async def test_that_cannot_be_done(world: World) -> None:
    await world.sleep(0.1)
    world.lack("alice", "some-sdk does not declare the capability 'channels'")

@pytest.mark.scenario("DISCONNECTED-2", lasts_s=2)
async def test_on_a_host_that_stalls(world: World) -> None:
    alice = await world.person("alice")
    login = await alice.login()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    # A stall of half a second makes four times that of error: 3 s cannot be told from 0 s, and is not in its window.
    stall = Observation(login.t0_ns, "host", What.DELAY, "late", until_ns=login.t0_ns + 500_000_000)
    world.record(stall)
    alice.saw(
        state("CONNECTING", "LOGIN", "DISCONNECTED-2").at(3.0, after=login),
        callback("onLoginSuccess"),
        state("CONNECTED", "LOGIN_SUCCESS"),
    )
"""
SLOW_AND_FAILING = """
@pytest.mark.scenario("GENERAL-1", lasts_s=60)
async def test_slow(world: World) -> None:
    alice = await world.online("alice")
    await world.sleep(50.0)
    alice.saw(nothing("GENERAL-1"))

@pytest.mark.scenario("GENERAL-1", lasts_s=1)
@pytest.mark.parametrize("number", range(3))
async def test_failing(world: World, number: int) -> None:
    raise ZeroDivisionError("which is clear on the slowest host")
"""


def outcomes(result: Result) -> dict[str, str]:
    """The word that pytest -v puts behind each test."""
    return dict(re.findall(r"::(test_\w+(?:\[\w+\])?) ([A-Z]+)", result.text))


def run_info(result: Result) -> dict[str, float]:
    (path,) = Path(result.folder).glob("runs/*/run.json")
    info: dict[str, float] = json.loads(path.read_text())
    return info


def test_scenarios_are_played_side_by_side_and_take_the_time_that_they_took(new_suite: NewSuite) -> None:
    result = new_suite(PATIENT).run("-v", "--durations=3", "--junitxml=junit.xml")
    assert result.code == 0
    info = run_info(result)
    in_a_row_s = 5 * 2.0
    assert info["wall_s"] - info["setup_s"] < in_a_row_s / 2
    assert outcomes(result) == {f"test_patience[{number}]": "PASS" for number in range(5)} | {"test_beside": "PASSED"}
    assert len(re.findall(r"^[2-4]\.\d\ds call +test_scenarios.py::test_patience", result.text, re.MULTILINE)) == 3
    for name, case in result.cases().items():
        if name != "test_beside":
            properties = {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}
            assert (properties["verdict"], properties["world"]) == ("PASS", "real")
            assert properties["clauses"] == "GENERAL-1 GENERAL-2"
            assert float(case.attrib["time"]) >= 2.0


def test_each_verdict_has_its_word_and_only_the_failed_are_played_again(new_suite: NewSuite) -> None:
    suite = new_suite(VERDICTS)
    result = suite.run("-v", "-rA", "--junitxml=junit.xml")
    assert result.code == 1
    assert outcomes(result) == {
        "test_that_holds": "PASS",
        "test_that_fails": "FAILED",
        "test_that_raises": "ERROR",
        "test_that_checks_nothing": "ERROR",
        "test_that_cannot_be_done": "UNSUPPORTED",
        "test_on_a_host_that_stalls": "INCONCLUSIVE",
    }
    assert result.shows(
        "1 failed, 1 passed, 2 errors, 1 unsupported, 1 inconclusive in ",
        "the scenario raised ZeroDivisionError: halved by nothing",
        "blame: harness",
        "the scenario checked nothing",
        "blame: implementation",
        "!! onLoginSuccess()   -   << missing",
        "repeat:   linkproof certify -k 'test_that_fails'",
    )
    kinds = {name: [child.tag for child in case if child.tag != "properties"] for name, case in result.cases().items()}
    assert kinds["test_that_holds"] == []
    assert kinds["test_that_fails"] == ["failure"]
    assert kinds["test_that_raises"] == ["error"]
    assert kinds["test_that_cannot_be_done"] == kinds["test_on_a_host_that_stalls"] == ["skipped"]
    again = suite.run("-v", "--lf")
    assert outcomes(again) == {
        "test_that_fails": "FAILED",
        "test_that_raises": "ERROR",
        "test_that_checks_nothing": "ERROR",
    }


@pytest.mark.parametrize("processes", ["0", "1"])
def test_what_could_not_be_told_is_no_success(new_suite: NewSuite, processes: str) -> None:
    result = new_suite(VERDICTS).run("-v", "-k", "stalls", "-n", processes)
    assert result.shows("1 inconclusive", "INCONCLUSIVE")
    assert result.code == 1


def test_it_stops_at_the_first_failure_and_takes_everything_away(new_suite: NewSuite) -> None:
    result = new_suite(SLOW_AND_FAILING).run("-v", "-x")
    assert (result.code, list(outcomes(result).values())) == (1, ["ERROR"])
    assert result.shows("stopping after 1 failures")
    assert result.took_s < 20


def test_it_stops_after_so_many_failures(new_suite: NewSuite) -> None:
    result = new_suite(SLOW_AND_FAILING).run("-v", "--maxfail=2")
    assert (result.code, list(outcomes(result).values())) == (1, ["ERROR", "ERROR"])
    assert result.shows("stopping after 2 failures")
    assert result.took_s < 20


def test_one_after_the_other_and_what_the_adapter_lacks_is_no_failure(new_suite: NewSuite) -> None:
    result = new_suite(VERDICTS).run("-v", "--serial", "-k", "holds or cannot_be_done", "--junitxml=junit.xml")
    assert outcomes(result) == {"test_that_holds": "PASS", "test_that_cannot_be_done": "UNSUPPORTED"}
    assert result.code == 0
