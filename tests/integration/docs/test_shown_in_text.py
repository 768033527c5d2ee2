"""Each command that stands in a sentence or a table of README and docs is run, once, over one small run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.docs.conftest import Place
from tests.integration.docs.shown import SHOWN_IN_BLOCKS, SHOWN_IN_TEXT, Shown, left_out, replaced

IN_BLOCKS = {replaced(shown)[0] for commands in SHOWN_IN_BLOCKS.values() for shown in commands}
# In the order in which they are first shown, for an earlier one may write what a later one reads.
ONCE = {replaced(shown)[0]: shown for shown in SHOWN_IN_TEXT if left_out(shown) is None}
COMMANDS = [shown for text, shown in ONCE.items() if text not in IN_BLOCKS]


@dataclass(frozen=True)
class Runs:
    """A folder with a small run in it, the same in virtual time, and the same in two parts."""

    place: Place
    real: Path


@pytest.fixture(scope="module")
def runs(new_place: Callable[[str], Place]) -> Runs:
    place = new_place("text")
    for options in (
        "--run-dir real",
        "--virtual --run-dir OF_VIRTUAL_TIME",
        "--virtual --shard 1/2 --run-dir parts/part-1",
        "--virtual --shard 2/2 --run-dir parts/part-2",
    ):
        ended = place.run(f"linkproof certify {options}")
        assert ended.returncode == 0, ended.stdout + ended.stderr
    return Runs(place, place.path / "real")


@pytest.mark.parametrize("shown", COMMANDS, ids=lambda shown: shown.text)
def test_a_command_in_the_text_runs_as_shown(runs: Runs, shown: Shown) -> None:
    runs.place.check_shown(shown, runs.real)
