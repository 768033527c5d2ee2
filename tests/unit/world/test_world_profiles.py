from __future__ import annotations

import pytest

from harness.spec.profiles import MQTT_5, RTM_1_0, Profile
from harness.trace import What
from harness.world.virtual_loop import run
from harness.world.world import Title, UnseenError, World
from tests.unit.world.fake_engine import FakeEngine
from tests.unit.world.world_rig import ignored, the


@pytest.mark.parametrize(("profile", "clause"), [(RTM_1_0, "CONNECTING-2"), (MQTT_5, "MQTT-3.1.4-5")])
def test_a_login_that_does_not_come_through_is_laid_on_a_clause_of_the_profile(profile: Profile, clause: str) -> None:
    engine = FakeEngine()
    engine.says = {}

    async def play() -> World:
        world = World(engine, Title("test_scenario", ("A-1",), profile=profile), ignored)
        with pytest.raises(UnseenError):
            await world.online("alice")
        return world

    world = run(play())
    assert the(world, What.AWAITED).args["step"]["clauses"] == (clause,)
    assert world.trace[0].args["profile"] == profile.name
