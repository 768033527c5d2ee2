"""A scenario that is written wrongly is refused before anything runs, by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.plugin.conftest import NewSuite

WRONG = {
    "unknown clause": (
        '@pytest.mark.scenario("CONNECTED-3", "CONNECTED-99", lasts_s=1)',
        "world",
        "no clause is called 'CONNECTED-99'",
    ),
    "no clause": ("@pytest.mark.scenario(lasts_s=1)", "world", "it names no clause; write @pytest.mark.scenario("),
    "no time": ('@pytest.mark.scenario("GENERAL-1")', "world", "it does not say about how long it takes; add lasts_s="),
    "fixture": (
        '@pytest.mark.scenario("GENERAL-1", lasts_s=1)',
        "world, tmp_path",
        "a scenario takes world and its parameters, no fixtures: ['tmp_path']",
    ),
    "no mark": ("", "world", "it takes a world, but is not marked as a scenario; write @pytest.mark.scenario("),
}


@pytest.mark.parametrize(("mark", "parameters", "words"), WRONG.values(), ids=WRONG)
def test_it_is_refused_by_name(new_suite: NewSuite, mark: str, parameters: str, words: str) -> None:
    suite = new_suite(f"{mark}\nasync def test_wrong({parameters}):\n    pass\n")
    result = suite.run()
    assert result.code == pytest.ExitCode.USAGE_ERROR
    assert result.shows(f"ERROR: test_scenarios.py::test_wrong: {words}")
    assert not (suite.folder / "runs").exists()


def test_nothing_is_played_to_collect(new_suite: NewSuite) -> None:
    suite = new_suite(
        '@pytest.mark.scenario("GENERAL-1", lasts_s=1)\n'
        '@pytest.mark.parametrize("loss", ["cut", "freeze"])\n'
        "async def test_right(world, loss):\n    pass\n"
    )
    result = suite.run("--collect-only", "-q")
    assert result.code == 0
    assert result.shows("test_scenarios.py::test_right[cut]", "test_scenarios.py::test_right[freeze]")
    assert suite.run("-k", "cut and freeze").code == pytest.ExitCode.NO_TESTS_COLLECTED
    assert suite.run("--client", " ").code == pytest.ExitCode.USAGE_ERROR
    assert not (suite.folder / "runs").exists()
