from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.collection import is_scenario, mistakes, name_of, needs_of, spec_of
from harness.repetition import REPETITION
from harness.spec.phases import IDLE, PHASES
from harness.spec.profiles import MQTT_5, RTM_1_0
from harness.world.world import Title, World

Function = pytest.Function


async def body(world: World) -> World:
    return world


async def body_of_a_loss(world: World, loss: str) -> tuple[World, str]:
    return world, loss


async def body_with_a_fixture(world: World, tmp_path: object) -> None: ...


def no_scenario() -> None: ...


class CallSpec:
    """What pytest knows of a case of a parametrized test."""

    def __init__(self, **params: object) -> None:
        self.params = params


@pytest.fixture
def item(request: pytest.FixtureRequest) -> Callable[..., Function]:
    """Makes an item as pytest would have collected it."""

    def make(function: Callable[..., object], *marks: pytest.MarkDecorator, **params: object) -> Function:
        made = Function.from_parent(
            request.node.parent, name="test_it", callobj=function, fixtureinfo=request.node._fixtureinfo
        )
        if params:
            made.callspec = CallSpec(**params)  # type: ignore[assignment]
        for mark in marks:
            made.add_marker(mark)
        return made

    return make


NewItem = Callable[..., Function]


def marked(*clauses: str, **details: Any) -> pytest.MarkDecorator:
    mark: pytest.MarkDecorator = pytest.mark.scenario(*clauses, **details)
    return mark


@pytest.fixture(autouse=True)
def _known(pytestconfig: pytest.Config) -> None:
    pytestconfig.addinivalue_line("markers", "scenario(*clauses): as the plugin knows it")


def test_a_scenario_is_its_title_its_time_and_its_body(item: NewItem) -> None:
    scenario = item(body, marked("OPEN-1", "OPEN-2", lasts_s=8, phase="grace"))
    spec = spec_of(scenario)
    assert (spec.title.clauses, spec.title.phase, spec.lasts_s) == (("OPEN-1", "OPEN-2"), "grace", 8.0)
    assert spec.title.name == name_of(scenario) == "test_collection.py::test_it"
    assert is_scenario(scenario)
    assert not is_scenario(item(no_scenario))


def test_what_says_nothing_of_a_phase_is_about_an_idle_connection(item: NewItem) -> None:
    scenario = item(body, marked("OPEN-1", lasts_s=1.5))
    assert spec_of(scenario).title == Title("test_collection.py::test_it", ("OPEN-1",))
    assert spec_of(scenario).title.phase == IDLE == "idle"
    assert mistakes(scenario) == []


def test_a_scenario_of_another_profile_names_its_clauses_and_no_others(item: NewItem) -> None:
    scenario = item(body, marked("MQTT-3.1.3-9", lasts_s=1))
    assert mistakes(scenario, MQTT_5) == []
    assert spec_of(scenario, MQTT_5).title.profile is MQTT_5
    assert mistakes(scenario, RTM_1_0) == mistakes(scenario) == ["no clause is called 'MQTT-3.1.3-9'"]
    assert mistakes(item(body, marked("OPEN-1", lasts_s=1)), MQTT_5) == ["no clause is called 'OPEN-1'"]


@pytest.mark.parametrize("phase", PHASES)
def test_each_phase_is_accepted(item: NewItem, phase: str) -> None:
    assert mistakes(item(body, marked("OPEN-1", lasts_s=1, phase=phase))) == []


@pytest.mark.parametrize("phase", ["Idle", "", "in the middle", None])
def test_an_unknown_phase_is_refused_with_those_there_are(item: NewItem, phase: object) -> None:
    said = f"no phase is called {phase!r}; there are before TCP, handshake, login, idle, traffic, "
    (mistake,) = mistakes(item(body, marked("OPEN-1", lasts_s=1, phase=phase)))
    assert mistake.startswith(said)


def test_all_mistakes_are_told_at_once(item: NewItem) -> None:
    told = mistakes(item(body_with_a_fixture, marked("OPEN-0", phase="x")))
    assert [each.partition(":")[0].partition(";")[0] for each in told] == [
        "no clause is called 'OPEN-0'",
        "no phase is called 'x'",
        "it does not say about how long it takes",
        "a scenario takes world and its parameters, no fixtures",
    ]


def test_what_takes_a_world_without_a_mark_is_a_scenario_written_wrongly(item: NewItem) -> None:
    (mistake,) = mistakes(item(body))
    assert mistake.startswith("it takes a world, but is not marked as a scenario; write @pytest.mark.scenario(")
    assert mistakes(item(no_scenario)) == []


def test_the_body_is_given_its_parameters(item: NewItem) -> None:
    scenario = item(body_of_a_loss, marked("OPEN-1", lasts_s=1), loss="cut")
    assert mistakes(scenario) == []
    played = spec_of(scenario).body
    assert getattr(played, "keywords") == {"loss": "cut"}  # noqa: B009 - a partial, which the type does not say
    assert getattr(played, "func") is body_of_a_loss  # noqa: B009


def test_a_repetition_is_nothing_that_the_body_is_given(item: NewItem) -> None:
    scenario = item(body_of_a_loss, marked("OPEN-1", lasts_s=1), **{"loss": "cut", REPETITION: 2})
    assert mistakes(scenario) == []
    spec = spec_of(scenario)
    assert spec.title.repetition == 2
    assert getattr(spec.body, "keywords") == {"loss": "cut"}  # noqa: B009 - a partial, which the type does not say
    assert spec_of(item(body, marked("OPEN-1", lasts_s=1))).title.repetition == 0


def test_a_title_without_a_phase_is_about_an_idle_connection() -> None:
    assert Title("a", ("OPEN-1",)) == Title("a", ("OPEN-1",), "idle")
    assert len({Title("a", ()), Title("a", ()), Title("a", (), "grace")}) == 2


def test_a_scenario_says_which_faults_below_tcp_it_needs(item: NewItem) -> None:
    assert needs_of(item(body, marked("OPEN-1", lasts_s=1))) == frozenset()
    assert needs_of(item(no_scenario)) == frozenset()
    two = item(body, marked("OPEN-1", lasts_s=1, needs="drop unplug"))
    assert needs_of(two) == {"drop", "unplug"}
    assert mistakes(two) == []


def test_a_misspelt_need_is_refused(item: NewItem) -> None:
    assert mistakes(item(body, marked("OPEN-1", lasts_s=1, needs="drop unplugged"))) == [
        "no fault below TCP is called 'unplugged'"
    ]
