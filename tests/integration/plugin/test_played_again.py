"""What could not be told is played again, once, on its own; both results are kept, and the second decides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.plugin.conftest import NewSuite, Result

STALLS = """
@pytest.mark.scenario("DISCONNECTED-2", lasts_s=2)
@pytest.mark.parametrize("stalls", [1, 2])
async def test_a_host_that_stalls(world: World, stalls: int) -> None:
    alice = await world.person("alice")
    login = await alice.login()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    # The second time the window is another one, so that the result is known.
    again = world.trace[0].args["attempt"] > stalls
    if not again:
        world.record(Observation(login.t0_ns, "host", What.DELAY, "late", until_ns=login.t0_ns + 500_000_000))
    due_s = 0.0 if again else 3.0
    alice.saw(
        state("CONNECTING", "LOGIN", "DISCONNECTED-2").at(due_s, after=login),
        callback("onLoginSuccess"),
        state("CONNECTED", "LOGIN_SUCCESS"),
    )

@pytest.mark.scenario("DISCONNECTED-2", lasts_s=4)
async def test_meanwhile(world: World) -> None:
    alice = await world.person("alice")
    await world.sleep(4.0)
    alice.saw(nothing("DISCONNECTED-2"))
"""


@pytest.fixture(params=[(), ("--serial",)], ids=["side by side", "one after the other"])
def result(request: pytest.FixtureRequest, new_suite: NewSuite) -> Result:
    return new_suite(STALLS).run("-v", "--run-dir", "run", "--junitxml=junit.xml", *request.param)


def test_both_results_are_kept_and_the_second_decides(result: Result) -> None:
    verdicts = {
        (each["scenario"].rpartition("::")[2], each.get("attempt", 1)): each["verdict"]
        for each in json.loads((result.folder / "run" / "verdicts.json").read_text())
    }
    assert verdicts == {
        ("test_a_host_that_stalls[1]", 1): "INCONCLUSIVE",
        ("test_a_host_that_stalls[1]", 2): "PASS",
        ("test_a_host_that_stalls[2]", 1): "INCONCLUSIVE",
        ("test_a_host_that_stalls[2]", 2): "INCONCLUSIVE",
        ("test_meanwhile", 1): "PASS",
    }
    assert len(list((result.folder / "run" / "traces").iterdir())) == 5
    cases = {name: case.find("properties/property[@name='verdict']") for name, case in result.cases().items()}
    assert {name: case.attrib["value"] for name, case in cases.items() if case is not None} == {
        "test_a_host_that_stalls[1]": "PASS",
        "test_a_host_that_stalls[2]": "INCONCLUSIVE",
        "test_meanwhile": "PASS",
    }
    assert result.shows("2 passed", "1 inconclusive")


def test_it_is_played_again_when_the_others_are_done(new_suite: NewSuite) -> None:
    result = new_suite(STALLS).run("-v", "--run-dir", "run", "-k", "not 2")
    begun = {}
    for path in (result.folder / "run" / "traces").iterdir():
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        begun[lines[0]["name"].rpartition("::")[2], lines[0]["args"]["attempt"]] = (lines[0], lines[-1])
    assert begun["test_a_host_that_stalls[1]", 2][0]["at_ns"] > begun["test_meanwhile", 1][1]["at_ns"]
