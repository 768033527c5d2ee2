"""A scenario's body played in a world of its own, over an engine without processes; and what its trace then has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from harness.errors import LinkproofError
from harness.trace import Observation, What
from harness.world.virtual_loop import run
from harness.world.world import Title, World
from tests.unit.world.fake_engine import FakeEngine

S = 1_000_000_000
Body = Callable[[World], Awaitable[object]]


def ignored(error: LinkproofError) -> None:
    raise AssertionError(f"nothing fails here: {error}")


def played(body: Body, engine: FakeEngine | None = None) -> World:
    async def play() -> World:
        world = World(engine or FakeEngine(), Title("test_scenario", ("CONNECTED-1",)), ignored)
        await body(world)
        return world

    return run(play())


def kinds(world: World) -> list[str]:
    return [f"{each.what} {each.name}" for each in world.trace]


def the(world: World, what: What) -> Observation:
    (found,) = (each for each in world.trace if each.what is what)
    return found
