"""A scenario as pytest collects it: what its mark says, and whether it is written rightly."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import pytest

from harness.oracle.verdict import plain_name
from harness.repetition import REPETITION
from harness.run import ScenarioSpec
from harness.spec.phases import IDLE, PHASES
from harness.spec.profiles import RTM_1_0, Profile
from harness.world.world import Title
from proxies.effects import BELOW_TCP

_WRITE = "write @pytest.mark.scenario('CONNECTED-3', lasts_s=8)"
_UNMARKED = f"it takes a world, but is not marked as a scenario; {_WRITE}"


def is_scenario(item: pytest.Item) -> bool:
    """Whether an item is a scenario: a test with the mark of that name."""
    return isinstance(item, pytest.Function) and item.get_closest_marker("scenario") is not None


def mistakes(item: pytest.Item, profile: Profile = RTM_1_0) -> list[str]:
    """Return what is wrong with how a scenario is written; nothing where it is right, or where it is none."""
    mark = item.get_closest_marker("scenario")
    if mark is None:
        return [_UNMARKED] if _looks_like_one(item) else []
    known = {clause.id for clause in profile.clauses}
    found = [f"no clause is called {clause!r}" for clause in mark.args if clause not in known]
    if not mark.args:
        found.append(f"it names no clause; {_WRITE}")
    if mark.kwargs.get("phase", IDLE) not in PHASES:
        found.append(f"no phase is called {mark.kwargs['phase']!r}; there are {', '.join(PHASES)}")
    if not isinstance(mark.kwargs.get("lasts_s"), (int, float)):
        found.append("it does not say about how long it takes; add lasts_s=SECONDS to its mark")
    assert isinstance(item, pytest.Function)
    found += [f"no fault below TCP is called {need!r}" for need in sorted(needs_of(item) - set(BELOW_TCP))]
    foreign = set(inspect.signature(item.function).parameters) - {"world", *_parameters(item)}
    if foreign:
        found.append(f"a scenario takes world and its parameters, no fixtures: {sorted(foreign)}")
    return found


def needs_of(item: pytest.Item) -> frozenset[str]:
    """Return which faults below TCP a scenario needs."""
    mark = item.get_closest_marker("scenario")
    return frozenset(str(mark.kwargs.get("needs", "")).split()) if mark is not None else frozenset()


def name_of(item: pytest.Item) -> str:
    """Return the name of a scenario: the same in a checkout, in a wheel, and wherever pytest was started."""
    return item.nodeid.rpartition("/")[2]


def plain_name_of(item: pytest.Item) -> str:
    """Return the name of a scenario without its repetition: all repetitions of a scenario have the same."""
    assert isinstance(item, pytest.Function)
    return plain_name(name_of(item), _of_case(item).get(REPETITION, 0))


def _looks_like_one(item: pytest.Item) -> bool:
    function = getattr(item, "function", None)
    return inspect.iscoroutinefunction(function) and "world" in inspect.signature(function).parameters


def _parameters(item: pytest.Function) -> dict[str, Any]:
    """Return what the scenario itself takes; which repetition it is, is nothing to it."""
    return {name: value for name, value in _of_case(item).items() if name != REPETITION}


def _of_case(item: pytest.Function) -> dict[str, Any]:
    return dict(item.callspec.params) if hasattr(item, "callspec") else {}


def spec_of(item: pytest.Function, profile: Profile = RTM_1_0) -> ScenarioSpec:
    """Return a scenario as a run plays it."""
    mark = item.get_closest_marker("scenario")
    assert mark is not None
    body = functools.partial(item.obj, **_parameters(item))
    phase = str(mark.kwargs.get("phase", IDLE))
    repetition = _of_case(item).get(REPETITION, 0)
    title = Title(name_of(item), tuple(mark.args), phase, profile=profile, repetition=repetition)
    return ScenarioSpec(title, float(mark.kwargs["lasts_s"]), body)
