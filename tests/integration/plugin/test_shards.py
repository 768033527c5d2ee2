"""One part of a suite, by plain pytest, in virtual time."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.plugin.conftest import NewSuite

# Of three scenarios the longest is the last; and something that is none.
SUITE = """
@pytest.mark.scenario("DISCONNECTED-2", lasts_s=2)
async def test_short(world: World) -> None:
    (await world.person("alice")).saw(nothing("DISCONNECTED-2"))

@pytest.mark.scenario("DISCONNECTED-2", lasts_s=3)
@pytest.mark.parametrize("name", ["alice", "bob"])
async def test_long(world: World, name: str) -> None:
    (await world.person(name)).saw(nothing("DISCONNECTED-2"))

def test_beside() -> None:
    pass
"""


def played(folder: Path) -> list[str]:
    return sorted(
        re.findall(r"test_\w+\[?\w*\]?$", name)[0] for name in json.loads((folder / "run.json").read_text())["selected"]
    )


def test_each_part_plays_its_scenarios_and_all_that_is_none(new_suite: NewSuite) -> None:
    suite = new_suite(SUITE)
    results = [suite.run("--virtual", "--shard", f"{number}/2", "--run-dir", f"part-{number}") for number in (1, 2)]
    assert [result.code for result in results] == [0, 0]
    assert results[0].shows("3 passed, 1 deselected")
    assert results[1].shows("2 passed, 2 deselected")
    assert [played(suite.folder / f"part-{number}") for number in (1, 2)] == [
        ["test_long[alice]", "test_short"],
        ["test_long[bob]"],
    ]
    info = json.loads((suite.folder / "part-2" / "run.json").read_text())
    assert info["shard"] == "2/2"
    assert [name.partition("::")[2] for name in info["whole"]] == ["test_short", "test_long[alice]", "test_long[bob]"]


def test_what_was_selected_is_shared_out_and_not_the_suite(new_suite: NewSuite) -> None:
    suite = new_suite(SUITE)
    assert suite.run("--virtual", "-k", "short or bob", "--shard", "2/2", "--run-dir", "part").code == 0
    assert played(suite.folder / "part") == ["test_short"]


def test_processes_of_xdist_share_out_alike(new_suite: NewSuite) -> None:
    result = new_suite(SUITE).run("--virtual", "-n", "2", "--shard", "1/2")
    assert result.code == 0
    assert result.shows("3 passed")


def test_a_part_without_scenarios_is_no_failure(new_suite: NewSuite) -> None:
    suite = new_suite(SUITE)
    result = suite.run("--virtual", "-k", "test_short", "--shard", "2/2", "--run-dir", "part")
    assert result.code == pytest.ExitCode.OK
    assert result.shows("part 2/2 has no scenario: there are more parts than those", "4 deselected")
    assert (suite.folder / "part" / "SHA256SUMS").exists()
    assert json.loads((suite.folder / "part" / "run.json").read_text())["shard"] == "2/2"


def test_what_else_a_part_without_scenarios_runs_decides(new_suite: NewSuite) -> None:
    suite = new_suite(SUITE)
    suite.write("def test_broken() -> None:\n    raise AssertionError\n", "test_other.py")
    arguments = ("--virtual", "--shard", "2/2", "--run-dir")
    assert suite.run("-k", "short or beside", *arguments, "one").code == pytest.ExitCode.OK
    assert suite.run("-k", "short or broken", *arguments, "two").code == pytest.ExitCode.TESTS_FAILED


def test_repetitions_are_shared_out_as_any_scenarios(new_suite: NewSuite) -> None:
    suite = new_suite(SUITE)
    assert suite.run("--virtual", "-k", "test_short", "--repeat", "3", "--shard", "1/2", "--run-dir", "part").code == 0
    assert played(suite.folder / "part") == ["test_short[r1]", "test_short[r3]"]


def test_a_part_without_scenarios_in_a_folder_that_is_taken_is_an_error(new_suite: NewSuite) -> None:
    suite = new_suite(SUITE)
    arguments = ("--virtual", "-k", "test_short", "--shard", "2/2", "--run-dir", "part")
    assert suite.run(*arguments).code == pytest.ExitCode.OK
    again = suite.run(*arguments)
    assert again.code == pytest.ExitCode.INTERRUPTED  # which is 2, as of any argument that is wrong
    assert again.shows("there is a run in it already")
