"""The will, which is published 5 s after the connection is closed, unless the client is back or has said goodbye.

Each has a broker of its own: what is timed is this will, and no other stands in its way.
"""

from __future__ import annotations

import pytest

from harness.oracle.expect import any_order, callback, nothing, state
from harness.world.world import World

LOGGED_IN = (
    state("CONNECTING", "LOGIN"),
    any_order(callback("onLoginSuccess"), state("CONNECTED", "LOGIN_SUCCESS")),
)
JOINED_LOBBY = (*LOGGED_IN, callback("onJoinSuccess", channel="lobby"))
ALICE_JOINED = callback("onMemberJoined", channel="lobby", member="alice")


@pytest.mark.scenario("MQTT-3.1.2-8", "MQTT-3.1.2-10", "MQTT-OPEN-5", lasts_s=14)
async def test_a_crash_has_its_will_once(world: World) -> None:
    """The client's process is killed: the will after 5 s, and not again when the session ends after 10 s."""
    await world.own_server()
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    killed = await world.crash(alice)
    await world.until(12.5, after=killed)
    alice.saw(*JOINED_LOBBY)
    will = callback("onMemberLeft", "MQTT-3.1.2-8", "MQTT-OPEN-5", channel="lobby", member="alice")
    bob.saw(*JOINED_LOBBY, ALICE_JOINED, will.within(5.0, 6.2, after=killed), nothing("MQTT-3.1.2-10"))


@pytest.mark.scenario("MQTT-3.14.4-3", phase="logout", lasts_s=9)
async def test_a_goodbye_has_no_will(world: World) -> None:
    """DISCONNECT with 0x00: the will is discarded."""
    await world.own_server()
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    goodbye = await alice.logout()
    await world.until(7.5, after=goodbye)
    alice.saw(*JOINED_LOBBY, any_order(callback("onLogout", code="OK"), state("DISCONNECTED", "LOGOUT")))
    bob.saw(*JOINED_LOBBY, ALICE_JOINED, nothing("MQTT-3.14.4-3"))


@pytest.mark.scenario("MQTT-3.1.3-9", "MQTT-3.1.2-8", phase="way back", lasts_s=20)
async def test_a_will_that_was_averted_begins_anew(world: World) -> None:
    """Back in time there is no will; lost for a second time there is one, 5 s after that."""
    await world.own_server()
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    first = await alice.link.cut()
    await world.until(0.5, after=first.injected)  # 1 s: the first attempt
    await first.heal()
    back = state("CONNECTED", "LOGIN_SUCCESS", "MQTT-OPEN-1")
    await alice.sees(back)
    await world.until(4.0, after=first.injected)
    second = await alice.link.cut()
    await world.until(7.0, after=second.injected)  # 5 s after the first: nothing; 5 s after the second: the will
    lost = state("RECONNECTING", "INTERRUPTED")
    alice.saw(*JOINED_LOBBY, lost, back.at_once(after=first.healed, late="retry"), lost)
    will = callback("onMemberLeft", "MQTT-3.1.2-8", "MQTT-3.1.3-9", channel="lobby", member="alice")
    bob.saw(*JOINED_LOBBY, ALICE_JOINED, will.within(5.0, 6.2, after=second.injected))


@pytest.mark.scenario("MQTT-3.1.2-8", lasts_s=12)
async def test_each_will_comes_in_its_own_time(world: World) -> None:
    """Two clients die 3 s apart: the second will does not hold up the first."""
    await world.own_server()
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    carol = await world.online("carol", channels=["lobby"])
    first = await world.crash(alice)
    await world.until(3.0, after=first)
    second = await world.crash(carol)
    await world.until(7.5, after=second)
    carol_joined = callback("onMemberJoined", channel="lobby", member="carol")
    alice.saw(*JOINED_LOBBY, carol_joined)
    carol.saw(*JOINED_LOBBY)
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED,
        carol_joined,
        callback("onMemberLeft", "MQTT-3.1.2-8", channel="lobby", member="alice").within(5.0, 6.2, after=first),
        callback("onMemberLeft", "MQTT-3.1.2-8", channel="lobby", member="carol").within(5.0, 6.2, after=second),
    )
