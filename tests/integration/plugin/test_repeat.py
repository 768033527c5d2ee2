"""Each scenario played several times: what the repetitions are called, what each leaves, and how they are selected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.integration.plugin.conftest import NewSuite, Result

SUITE = """
@pytest.mark.scenario("CONNECTED-3", lasts_s=8)
@pytest.mark.parametrize("outage_s", [5.0, 6.0])
async def test_a_cut(world: World, outage_s: float) -> None:
    alice = await world.online("alice")
    async with alice.link.cut() as cut:
        await world.until(outage_s, after=cut.injected)
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"), within_s=5)
    alice.saw(
        state("CONNECTING", "LOGIN"),
        callback("onLoginSuccess"),
        state("CONNECTED", "LOGIN_SUCCESS"),
        state("RECONNECTING", "INTERRUPTED", "CONNECTED-3").at(4.0, after=cut.injected),
        state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-1").at_once(after=cut.healed, late="retry"),
    )

@pytest.mark.scenario("DISCONNECTED-1", lasts_s=2)
async def test_nothing(world: World) -> None:
    alice = await world.person("alice")
    alice.saw(nothing("DISCONNECTED-1"))

def test_beside() -> None:
    pass
"""
NAMES = [
    *(f"test_a_cut[{outage_s}-r{number}]" for outage_s in ("5.0", "6.0") for number in (1, 2, 3)),
    *(f"test_nothing[r{number}]" for number in (1, 2, 3)),
]
# In its second repetition, and in no other, it does what it does not expect.
SPOILT = """
@pytest.mark.scenario("DISCONNECTED-1", lasts_s=2)
async def test_one_in_three(world: World) -> None:
    alice = await world.person("alice")
    is_second = world.trace[0].args["repetition"] == 2
    if is_second:
        await alice.login()
        await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    alice.saw(nothing("DISCONNECTED-1"))
"""


def judged(result: Result, folder: str = "run") -> dict[str, dict[str, Any]]:
    """What was judged, by the names of the scenarios without their file."""
    verdicts = json.loads((result.folder / folder / "verdicts.json").read_text())
    return {each["scenario"].rpartition("::")[2]: each for each in verdicts}


def traces(result: Result, folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(result.folder, folder, "traces").iterdir()}


def test_each_repetition_has_its_name_its_trace_and_its_verdict(new_suite: NewSuite) -> None:
    result = new_suite(SUITE).run("-v", "--virtual", "--repeat", "3", "--run-dir", "run")
    assert result.code == 0
    assert result.shows(*(f"::{name} PASS" for name in NAMES), "::test_beside PASSED", "10 passed")
    found = judged(result)
    assert sorted(found) == sorted(NAMES)
    assert {name: each["repetition"] for name, each in found.items()} == {name: int(name[-2]) for name in NAMES}
    assert len(traces(result, "run")) == len(NAMES)
    info = json.loads((result.folder / "run" / "run.json").read_text())
    assert info["repeat"] == 3
    assert [name.rpartition("::")[2] for name in info["selected"]] == NAMES


def test_real_repetitions_are_played_side_by_side(new_suite: NewSuite) -> None:
    result = new_suite(SUITE).run("-v", "--repeat", "4", "-k", "test_a_cut and 5.0", "--run-dir", "run")
    assert result.shows("4 passed")
    spans = []
    for path in (result.folder / "run" / "traces").iterdir():
        lines = path.read_text().splitlines()
        spans.append((json.loads(lines[0])["at_ns"], json.loads(lines[-1])["at_ns"]))
    assert len(spans) == 4
    assert max(begun for begun, _ in spans) < min(ended for _, ended in spans)


def test_a_run_that_is_not_repeated_has_the_plain_names(new_suite: NewSuite) -> None:
    result = new_suite(SUITE).run("-v", "--virtual", "--repeat", "1", "--run-dir", "run")
    assert set(judged(result)) == {"test_a_cut[5.0]", "test_a_cut[6.0]", "test_nothing"}
    assert result.shows("4 passed")


def test_each_repetition_is_another_chance_and_the_same_one_each_time(new_suite: NewSuite) -> None:
    suite = new_suite(SUITE)
    options = {"one": ["--repeat", "3"], "other": ["--repeat", "3"], "alone": ["--seed", "2"]}
    one, other, alone = (
        traces(suite.run("--virtual", *given, "--run-dir", folder), folder) for folder, given in options.items()
    )
    assert one == other
    back = {
        name: [json.loads(line)["at_ns"] for line in trace.splitlines() if b'"callback"' in line][-1]
        for name, trace in (one | {f"alone {name}": trace for name, trace in alone.items()}).items()
        if b'"fault"' in trace
    }
    repetitions = [back[f"test_scenarios.test_a_cut-5.0-r{number}-.jsonl"] for number in (1, 2, 3)]
    assert len(set(repetitions)) == 3
    # The second repetition has the seed of the run and two more.
    assert back["alone test_scenarios.test_a_cut-5.0-.jsonl"] == repetitions[1]


@pytest.mark.parametrize(
    ("selection", "selected"),
    [
        (["-k", "test_nothing"], ["test_nothing[r1]", "test_nothing[r2]", "test_nothing[r3]"]),
        (["-k", "test_a_cut[6.0-r2]"], ["test_a_cut[6.0-r2]"]),
        (["-k", "r3 and not 5.0"], ["test_a_cut[6.0-r3]", "test_nothing[r3]"]),
        (["test_scenarios.py::test_nothing[r2]"], ["test_nothing[r2]"]),
    ],
)
def test_repetitions_are_selected_as_any_scenario_is(
    new_suite: NewSuite, selection: list[str], selected: list[str]
) -> None:
    result = new_suite(SUITE).run("--virtual", "--repeat", "3", "--run-dir", "run", *selection)
    assert result.code == 0
    assert sorted(judged(result)) == selected


def test_a_repetition_that_failed_is_the_one_that_is_played_again(new_suite: NewSuite) -> None:
    suite = new_suite(SPOILT)
    result = suite.run("-v", "--virtual", "--repeat", "3", "--run-dir", "run")
    assert result.code == 1
    assert result.shows("::test_one_in_three[r2] FAILED", "1 failed, 2 passed", "-k 'test_one_in_three[r2]'")
    assert result.shows("linkproof certify --virtual --repeat 3 -k")
    again = suite.run("-v", "--virtual", "--repeat", "3", "--lf", "--run-dir", "again")
    assert list(judged(again, "again")) == ["test_one_in_three[r2]"]


def test_processes_of_xdist_share_the_repetitions_out(new_suite: NewSuite) -> None:
    result = new_suite(SUITE).run("--virtual", "--repeat", "3", "-n", "2", "--run-dir", "run")
    assert result.shows("10 passed")
    played = [name for worker in ("gw0", "gw1") for name in judged(result, f"run/{worker}")]
    assert sorted(played) == sorted(NAMES)


def test_one_after_the_other_works_too(new_suite: NewSuite) -> None:
    result = new_suite(SUITE).run("-v", "--serial", "--repeat", "2", "-k", "nothing", "--run-dir", "run")
    assert result.shows("test_nothing[r1] PASS", "test_nothing[r2] PASS", "2 passed")


@pytest.mark.parametrize("times", ["0", "-1", "many", "1.5", ""])
def test_a_number_of_times_that_is_none_is_refused(new_suite: NewSuite, times: str) -> None:
    suite = new_suite(SUITE)
    result = suite.run("--virtual", f"--repeat={times}")
    assert result.code == pytest.ExitCode.USAGE_ERROR
    assert result.shows(f"argument --repeat: {times!r} is no number of times")
    assert not (suite.folder / "runs").exists()
