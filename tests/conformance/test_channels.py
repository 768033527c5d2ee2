"""Channels and attributes across an outage: restored whole, and nothing else."""

from __future__ import annotations

import pytest

from harness.oracle.expect import answer, callback, nothing, one_of, state
from harness.world.losses import back, interrupted
from harness.world.phrases import ALICE_JOINED_LOBBY, JOINED_LOBBY, LOGGED_IN
from harness.world.world import World


@pytest.mark.scenario("OPEN-23", "RECONNECTING-5", phase="reconnecting", lasts_s=37)
@pytest.mark.parametrize("outage_s", [6.0, 32.0])
async def test_the_joined_channels_are_restored_and_no_others(world: World, outage_s: float) -> None:
    """In three channels, away, and one of them left meanwhile: back in the other two, within 30 s and after."""
    bob = await world.online("bob")
    alice = await world.online("alice", channels=["red", "green", "blue"])
    cut = await alice.link.cut()
    await world.until(5.0, after=cut.injected)  # 4.0 s: interrupted
    await alice.leave("green")
    await world.until(outage_s, after=cut.injected)
    await cut.heal()
    returned = await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-23"))
    await world.until(1.0, after=returned)
    for channel in ("red", "green", "blue"):
        await bob.get_members(channel)
    alice.saw(
        *LOGGED_IN,
        callback("onJoinSuccess", channel="red"),
        callback("onJoinSuccess", channel="green"),
        callback("onJoinSuccess", channel="blue"),
        interrupted("cut", cut),
        callback("onLeave", "OPEN-23", channel="green", code="OK"),
        back(cut, "OPEN-23", "RECONNECTING-5"),
        nothing("OPEN-23"),
    )
    bob.saw(
        *LOGGED_IN,
        answer("getMembers", "OPEN-23", members=["alice"]),
        answer("getMembers", "OPEN-23", members=[]),
        answer("getMembers", "OPEN-23", members=["alice"]),
    )


@pytest.mark.scenario("OPEN-23", "RECONNECTING-5", phase="reconnecting", lasts_s=39)
async def test_twenty_channels_are_restored(world: World) -> None:
    """In as many channels as there may be, and away for 32 s: back in each of them."""
    channels = [f"channel {number}" for number in range(1, 21)]
    bob = await world.online("bob")
    alice = await world.online("alice", channels=channels)
    cut = await alice.link.cut()
    await world.until(32.0, after=cut.injected)  # 4.0 s: interrupted; 30 s: off the list
    await cut.heal()
    returned = await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-5"))
    await world.until(1.0, after=returned)
    for channel in channels:
        await bob.get_members(channel)
    alice.saw(
        *LOGGED_IN,
        *(callback("onJoinSuccess", channel=channel) for channel in channels),
        interrupted("cut", cut),
        back(cut, "RECONNECTING-5"),
        nothing("OPEN-23"),
    )
    is_back = answer("getMembers", "OPEN-23", "RECONNECTING-5", members=["alice"])
    bob.saw(*LOGGED_IN, *(is_back for _ in channels))


@pytest.mark.scenario("OPEN-23", phase="reconnecting", lasts_s=12)
async def test_a_join_while_reconnecting_times_out_after_5_s(world: World) -> None:
    """join() without a way to the server waits, and fails after 5 s."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(4.5, after=cut.injected)  # 4.0 s: interrupted
    join = await alice.join("lobby")
    await world.until(6.0, after=join)
    alice.saw(
        *LOGGED_IN,
        interrupted("cut", cut),
        callback("onJoinFailure", "OPEN-23", channel="lobby", code="JOIN_CHANNEL_TIMEOUT").at(5.0, after=join),
        nothing("OPEN-23"),
    )


@pytest.mark.scenario("OPEN-23", phase="reconnecting", lasts_s=9)
async def test_a_join_while_reconnecting_waits_for_the_return(world: World) -> None:
    """join() without a way to the server, and the way comes back within its 5 s: it is carried out."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(4.5, after=cut.injected)  # 4.0 s: interrupted
    await alice.join("lobby")
    await world.until(6.0, after=cut.injected)
    await cut.heal()
    await alice.sees(callback("onJoinSuccess", "OPEN-23", channel="lobby"))
    alice.saw(
        *LOGGED_IN,
        interrupted("cut", cut),
        back(cut),
        callback("onJoinSuccess", "OPEN-23", channel="lobby"),
        nothing("OPEN-23"),
    )


@pytest.mark.scenario("OPEN-23", "OPEN-24", phase="reconnecting", lasts_s=37)
async def test_a_join_that_timed_out_is_not_carried_out_later(world: World) -> None:
    """A join that failed while away is over: back after 32 s, in no channel that the app does not know of."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(4.5, after=cut.injected)  # 4.0 s: interrupted
    await alice.join("lobby")
    await world.until(32.0, after=cut.injected)  # 9.5 s: the join has failed
    await cut.heal()
    returned = await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    await world.until(1.0, after=returned)
    alice.saw(
        *LOGGED_IN,
        interrupted("cut", cut),
        callback("onJoinFailure", "OPEN-23", channel="lobby", code="JOIN_CHANNEL_TIMEOUT"),
        back(cut),
        nothing("OPEN-23"),
    )
    bob.saw(*JOINED_LOBBY, nothing("OPEN-23", "OPEN-24"))


@pytest.mark.scenario("OPEN-23", lasts_s=4)
async def test_joining_twice_and_leaving_twice_are_refused(world: World) -> None:
    """A second join is ALREADY_JOINED, a second leave NOT_IN_CHANNEL; the first ones stand."""
    alice = await world.online("alice", channels=["lobby"])
    await alice.join("lobby")
    await world.sleep(0.2)
    await alice.leave("lobby")
    await alice.sees(callback("onLeave", "OPEN-23", channel="lobby", code="OK"))
    await alice.leave("lobby")
    await world.sleep(0.2)
    alice.saw(
        *JOINED_LOBBY,
        one_of(
            "OPEN-23",
            returned=(answer("join", code="ALREADY_JOINED"),),
            called_back=(callback("onJoinFailure", channel="lobby", code="ALREADY_JOINED"),),
        ),
        callback("onLeave", "OPEN-23", channel="lobby", code="OK"),
        one_of(
            "OPEN-23",
            returned=(answer("leave", code="NOT_IN_CHANNEL"),),
            called_back=(callback("onLeave", channel="lobby", code="NOT_IN_CHANNEL"),),
        ),
    )


@pytest.mark.scenario("OPEN-24", "RECONNECTING-8", phase="way back", lasts_s=38)
async def test_one_left_and_one_joined_however_many_attempts_fail(world: World) -> None:
    """The link comes up for moments and breaks in the handshake again and again: one absence, one Left, one Joined."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    broken = await alice.link.truncate(after_bytes=100)  # every attempt gets so far, and no farther
    await world.until(34.0, after=broken.injected)  # 30 s: left
    await broken.heal()
    await bob.sees(callback("onMemberJoined", "RECONNECTING-8", channel="lobby", member="alice"))
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED_LOBBY,
        callback("onMemberLeft", "OPEN-24", channel="lobby", member="alice"),
        callback("onMemberJoined", "RECONNECTING-8", channel="lobby", member="alice"),
        nothing("OPEN-24"),
    )


@pytest.mark.scenario("OPEN-26", phase="reconnecting", lasts_s=12)
async def test_an_observer_that_was_away_gets_no_replay(world: World) -> None:
    """Somebody comes, speaks and goes while the observer is away: it is told nothing afterwards, and asks."""
    bob = await world.online("bob", channels=["lobby"])
    cut = await bob.link.cut()
    carol = await world.online("carol", channels=["lobby"])
    dave = await world.online("dave", channels=["lobby"])
    await dave.send("anybody there?", channel="lobby")
    await carol.leave("lobby")
    await world.until(6.0, after=cut.injected)  # 4.0 s: interrupted
    await cut.heal()
    returned = await bob.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    await world.until(1.0, after=returned)
    await bob.get_members("lobby")
    bob.saw(
        *JOINED_LOBBY,
        interrupted("cut", cut),
        back(cut),
        nothing("OPEN-26"),
        answer("getMembers", "OPEN-26", members=["bob", "dave"]),
        nothing("OPEN-26"),
    )


@pytest.mark.scenario("OPEN-26", "OPEN-15", phase="reconnecting", lasts_s=12)
async def test_a_member_that_leaves_while_another_is_away(world: World) -> None:
    """Carol logs out while bob is away: alice is told at once, bob finds her gone when he asks."""
    alice = await world.online("alice", channels=["lobby"])
    bob = await world.online("bob", channels=["lobby"])
    carol = await world.online("carol", channels=["lobby"])
    cut = await bob.link.cut()
    await world.until(5.0, after=cut.injected)
    logout = await carol.logout()
    await world.until(1.0, after=logout)
    await cut.heal()
    returned = await bob.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    await world.until(0.5, after=returned)
    await bob.get_members("lobby")
    alice.saw(
        *JOINED_LOBBY,
        callback("onMemberJoined", channel="lobby", member="bob"),
        callback("onMemberJoined", channel="lobby", member="carol"),
        callback("onMemberLeft", "OPEN-15", channel="lobby", member="carol").at_once(after=logout),
        nothing("OPEN-15"),
    )
    bob.saw(
        *JOINED_LOBBY,
        callback("onMemberJoined", channel="lobby", member="carol"),
        interrupted("cut", cut),
        back(cut),
        answer("getMembers", "OPEN-26", members=["alice", "bob"]),
    )


@pytest.mark.scenario("OPEN-25", "RECONNECTING-6", phase="reconnecting", lasts_s=37)
@pytest.mark.parametrize("outage_s", [6.0, 32.0])
async def test_attributes_changed_while_away_are_what_counts(world: World, outage_s: float) -> None:
    """Changed while RECONNECTING: the server has the new ones after the return, within 30 s and after."""
    bob = await world.online("bob")
    alice = await world.online("alice")
    await alice.set_attributes(mood="calm", seat="12")
    cut = await alice.link.cut()
    await world.until(5.0, after=cut.injected)  # 4.0 s: interrupted
    await alice.set_attributes(mood="cross")
    await world.until(outage_s, after=cut.injected)
    await cut.heal()
    returned = await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-25"))
    await world.until(1.0, after=returned)
    await bob.get_attributes("alice")
    alice.saw(*LOGGED_IN, interrupted("cut", cut), back(cut, "OPEN-25"), nothing("OPEN-25"))
    bob.saw(*LOGGED_IN, answer("getAttributes", "OPEN-25", "RECONNECTING-6", attributes={"mood": "cross"}))


@pytest.mark.scenario("OPEN-25", phase="reconnecting", lasts_s=10)
async def test_attributes_are_kept_over_a_short_outage(world: World) -> None:
    """Back within 30 s: the server still has them, and the client's copy is the same."""
    bob = await world.online("bob")
    alice = await world.online("alice")
    await alice.set_attributes(mood="calm")
    cut = await alice.link.cut()
    await world.until(5.0, after=cut.injected)  # 4.0 s: interrupted
    await bob.get_attributes("alice")
    await cut.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-25"))
    await bob.get_attributes("alice")
    alice.saw(*LOGGED_IN, interrupted("cut", cut), back(cut, "OPEN-25"))
    kept = answer("getAttributes", "OPEN-25", attributes={"mood": "calm"})
    bob.saw(*LOGGED_IN, kept, kept)
