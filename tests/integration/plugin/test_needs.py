"""Scenarios that need faults below TCP: left out where the engine has no means for them, counted, and told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.plugin.conftest import NewSuite

FOUR = """
@pytest.mark.scenario("GENERAL-1", lasts_s=1)
async def test_without(world: World) -> None:
    pass

@pytest.mark.scenario("GENERAL-1", lasts_s=1, needs="drop")
async def test_dropped(world: World) -> None:
    pass

@pytest.mark.scenario("GENERAL-1", lasts_s=1, needs="unplug")
async def test_unplugged(world: World) -> None:
    pass

@pytest.mark.scenario("GENERAL-1", lasts_s=1, needs="drop unplug")
async def test_both(world: World) -> None:
    pass

def test_beside() -> None:
    pass
"""
MISSPELT = """
@pytest.mark.scenario("GENERAL-1", lasts_s=1, needs="drop unplugged")
async def test_wrong(world: World) -> None:
    pass
"""


@pytest.mark.parametrize(
    ("options", "played", "left_out"),
    [
        ((), {"test_without"}, 3),
        (("--engine", "docker"), {"test_without", "test_unplugged"}, 2),
        (("--faults", "netns"), {"test_without", "test_dropped", "test_unplugged", "test_both"}, 0),
    ],
    ids=["Toxiproxy", "images", "netns"],
)
def test_what_cannot_be_played_is_left_out_and_counted(
    new_suite: NewSuite, options: tuple[str, ...], played: set[str], left_out: int
) -> None:
    result = new_suite(FOUR).run("--collect-only", *options)
    assert result.code == 0
    assert set(re.findall(r"<(?:Coroutine|Function) (\w+)>", result.text)) == played | {"test_beside"}
    told = f"{left_out} scenarios need faults below TCP and were left out: --faults netns plays them"
    assert (told in result.text) == ("left out" in result.text) == bool(left_out)
    assert f"({left_out} deselected)" in result.text or not left_out


def test_a_misspelt_need_is_refused_also_where_it_would_be_left_out(new_suite: NewSuite) -> None:
    result = new_suite(MISSPELT).run()
    assert result.code == pytest.ExitCode.USAGE_ERROR
    assert result.shows("test_scenarios.py::test_wrong: no fault below TCP is called 'unplugged'")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--toxiproxy", "h:1"), "--toxiproxy has no effect with --faults netns: no link goes through it"),
        (("--virtual",), "--faults has no effect with --virtual: there is no process"),
        (("--client-image", "mine"), "--faults netns cannot be had with images: their networks are the engine's"),
    ],
    ids=["toxiproxy", "virtual", "images"],
)
def test_what_does_not_go_together_is_refused(new_suite: NewSuite, options: tuple[str, ...], words: str) -> None:
    suite = new_suite(FOUR)
    result = suite.run("--faults", "netns", *options)
    assert result.code == pytest.ExitCode.USAGE_ERROR
    assert result.shows(words)
    assert not (suite.folder / "runs").exists()
