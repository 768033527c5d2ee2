"""Several people, and a network that falls apart between them."""

from __future__ import annotations

import pytest

from harness.oracle.expect import Step, any_order, callback, nothing, state
from harness.world.losses import back, interrupted
from harness.world.phrases import JOINED_LOBBY, LOGGED_IN
from harness.world.world import World


def lobby(event: str, *members: str) -> tuple[Step, ...]:
    """What somebody in the lobby is told of others, in this order."""
    return tuple(callback(event, channel="lobby", member=member) for member in members)


@pytest.mark.scenario("RECONNECTING-4", "RECONNECTING-2", phase="reconnecting", lasts_s=17)
async def test_a_partition_of_two_groups_heals_within_30_s(world: World) -> None:
    """Two of four are cut off for 12 s: they are interrupted, the others see nothing, and all is as before."""
    alice = await world.online("alice", channels=["lobby"])
    bob = await world.online("bob", channels=["lobby"])
    carol = await world.online("carol", channels=["lobby"])
    dave = await world.online("dave", channels=["lobby"])
    split = await world.partition([alice, bob], [carol, dave])
    await world.until(12.0, after=split.injected)  # 4.0 s: interrupted
    await split.heal()
    await carol.sees(state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-4"))
    await dave.sees(state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-4"))
    alice.saw(*JOINED_LOBBY, *lobby("onMemberJoined", "bob", "carol", "dave"), nothing("RECONNECTING-2"))
    bob.saw(*JOINED_LOBBY, *lobby("onMemberJoined", "carol", "dave"), nothing("RECONNECTING-2"))
    gone_and_back = (interrupted("blackhole", split), back(split, "RECONNECTING-4"))
    carol.saw(*JOINED_LOBBY, *lobby("onMemberJoined", "dave"), *gone_and_back)
    dave.saw(*JOINED_LOBBY, *gone_and_back)


@pytest.mark.scenario("RECONNECTING-7", "RECONNECTING-8", "OPEN-24", phase="reconnecting", lasts_s=37)
async def test_a_partition_of_three_groups_over_30_s(world: World) -> None:
    """Two pairs are cut off for 32 s: those inside see four Lefts and four Joineds, each once."""
    alice = await world.online("alice", channels=["lobby"])
    bob = await world.online("bob", channels=["lobby"])
    carol = await world.online("carol", channels=["lobby"])
    dave = await world.online("dave", channels=["lobby"])
    erin = await world.online("erin", channels=["elsewhere"])
    split = await world.partition([alice, erin], [bob, carol], [dave])
    await world.until(32.0, after=split.injected)  # 30 s: left
    await split.heal()
    for person in (bob, carol, dave):
        await person.sees(state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-8"))
    gone = [
        callback("onMemberLeft", "RECONNECTING-7", channel="lobby", member=member).at(
            30.0, after=split.injected, early="heartbeat"
        )
        for member in ("bob", "carol", "dave")
    ]
    returned = [
        callback("onMemberJoined", "RECONNECTING-8", channel="lobby", member=member).at_once(
            after=split.healed, late="retry"
        )
        for member in ("bob", "carol", "dave")
    ]
    alice.saw(
        *JOINED_LOBBY,
        *lobby("onMemberJoined", "bob", "carol", "dave"),
        any_order(*gone),
        any_order(*returned),
        nothing("OPEN-24"),
    )
    erin.saw(*LOGGED_IN, callback("onJoinSuccess", channel="elsewhere"), nothing("RECONNECTING-7"))


@pytest.mark.scenario("OPEN-20", "CONNECTED-5", lasts_s=13)
async def test_two_instances_on_the_two_sides_of_a_partition(world: World) -> None:
    """One side has the old instance, the other the new one: when the sides meet again, the old one gives up."""
    bob = await world.online("bob")
    old = await world.online("old", uid="alice")
    split = await world.partition([bob], [old])
    new = await world.online("new", uid="alice")
    await world.until(7.0, after=split.injected)  # 4.0 s: interrupted
    await split.heal()
    kicked = state("ABORTED", "REMOTE_LOGIN", "OPEN-20", "CONNECTED-5")
    await old.sees(kicked)
    old.saw(
        *LOGGED_IN,
        interrupted("blackhole", split),
        kicked.at_once(after=split.healed, late="retry"),
        nothing("OPEN-20"),
    )
    new.saw(*LOGGED_IN, nothing("OPEN-20"))
