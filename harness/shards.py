"""Shards: the scenarios of a run shared out among several machines, of which each plays one part.

All machines share out the same scenarios in the same way, and none of them knows of the others: the parts depend on
nothing but the names of the scenarios, their times and the number of parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.collection import is_scenario, name_of
from harness.errors import UsageError
from harness.report.run_folder import RunFolder
from harness.report.took import took_s


@dataclass(frozen=True, slots=True)
class Shard:
    """One part of so many; written ``2/5``."""

    number: int  # from 1
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def parse(text: str) -> Shard:
    """Return the shard that is written so.

    Raises:
        UsageError: none is.
    """
    found = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    shard = Shard(int(found[1]), int(found[2])) if found else Shard(0, 0)
    if not 1 <= shard.number <= shard.of:
        raise UsageError(
            f"{text!r} is no part of a whole",
            why="a part is written NUMBER/PARTS, and counted from 1",
            mend="the second of five: --shard 2/5",
        )
    return shard


def share_out(times_s: Mapping[str, float], of: int) -> list[list[str]]:
    """Return the names of the scenarios in each part that gets any, by how long each scenario takes.

    The longest first, each to the part with the least to play so far. So the longest of all are in parts of their own:
    played side by side, a part takes as long as its longest scenario, and what it costs besides, the start of its
    processes, goes with the sum. Of equals the first name is the first, and goes to the part with fewer scenarios.
    """
    parts: list[list[str]] = [[] for _ in range(min(of, len(times_s)))]
    sums_s = [0.0] * len(parts)
    for name in sorted(times_s, key=lambda name: (-times_s[name], name)):
        least = min(range(len(parts)), key=lambda number: (sums_s[number], len(parts[number]), number))
        parts[least].append(name)
        sums_s[least] += times_s[name]
    return parts


def times_of(run: Path) -> dict[str, float]:
    """Return how long each scenario of an earlier run took (seconds).

    Raises:
        UsageError: there is no run in this folder, or its evidence was altered.
    """
    folder = RunFolder(run)
    folder.read_info()  # what is no run is a mistake of the user's, and no run without scenarios
    in_order = sorted(folder.played(), key=lambda each: each.judgement.attempt)
    return {each.judgement.scenario: took_s(each.trace) for each in in_order}


def add_options(group: pytest.OptionGroup) -> None:
    """Add the options of shards."""
    group.addoption("--shard", metavar="NUMBER/PARTS", help="play one part of what is selected: 2/5 the second of five")
    times = "share it out by the times of this earlier run (default: by what scenarios declare)"
    group.addoption("--shard-times", metavar="RUN", type=Path, help=times)


def configure(config: pytest.Config) -> None:
    """Have pytest play a part alone, where that is asked for.

    Raises:
        pytest.UsageError: the part is none, or the times cannot be had.
    """
    shard, run = config.getoption("--shard"), config.getoption("--shard-times")
    if shard is None and run is not None:
        raise pytest.UsageError("--shard-times has no effect without --shard")
    if shard is None:
        return
    try:
        config.stash[SHARING] = Sharing(parse(shard), times_of(run) if run is not None else {})
    except UsageError as error:
        raise pytest.UsageError(f"--shard: {error}") from error
    config.pluginmanager.register(config.stash[SHARING])


class Sharing:
    """pytest plays one part of the scenarios that were selected; what else was selected is in each part."""

    def __init__(self, shard: Shard, times_s: Mapping[str, float]) -> None:
        self.shard = shard
        self.whole: list[str] = []  # all scenarios that were shared out
        self._times_s = times_s
        self._part: set[str] = set()

    @property
    def is_empty(self) -> bool:
        """Whether there was something to share out, and nothing of it came into this part."""
        return bool(self.whole) and not self._part

    @pytest.hookimpl(trylast=True)  # after -k, --lf and whatever else selects
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave this part, and report the rest as deselected."""
        scenarios = [item for item in items if is_scenario(item)]
        self.whole = [name_of(item) for item in scenarios]
        parts = share_out(dict(self._timed(scenarios)), self.shard.of)
        self._part = set(parts[self.shard.number - 1]) if self.shard.number <= len(parts) else set()
        rest = {item for item in scenarios if name_of(item) not in self._part}
        if rest:
            config.hook.pytest_deselected(items=[item for item in items if item in rest])
            items[:] = [item for item in items if item not in rest]

    def _timed(self, scenarios: Iterable[pytest.Item]) -> Iterable[tuple[str, float]]:
        for item in scenarios:
            mark = item.get_closest_marker("scenario")
            assert mark is not None
            name = name_of(item)
            yield name, self._times_s.get(name, float(mark.kwargs["lasts_s"]))


SHARING = pytest.StashKey[Sharing]()
