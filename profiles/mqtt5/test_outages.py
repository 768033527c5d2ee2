"""The broker or the link goes and comes: the client tries again after 1 s, then after 2, 4, 4, ... s."""

from __future__ import annotations

import pytest

from harness.oracle.expect import any_order, callback, nothing, state
from harness.world.world import World

LOGGED_IN = (
    state("CONNECTING", "LOGIN"),
    any_order(callback("onLoginSuccess"), state("CONNECTED", "LOGIN_SUCCESS")),
)
JOINED_LOBBY = (*LOGGED_IN, callback("onJoinSuccess", channel="lobby"))
INTERRUPTED = state("RECONNECTING", "INTERRUPTED")
BACK = state("CONNECTED", "LOGIN_SUCCESS", "MQTT-OPEN-1")


@pytest.mark.scenario("MQTT-OPEN-1", "MQTT-3.2.2-3", lasts_s=8)
@pytest.mark.parametrize("deed", ["kill", "stop"])
async def test_a_broker_that_is_started_again_has_forgotten_the_session(world: World, deed: str) -> None:
    """Killed, or ended in order; it keeps nothing on disk. The client is back, and joins anew."""
    broker = await world.own_server()
    alice = await world.online("alice", channels=["lobby"])
    ended = await (broker.kill() if deed == "kill" else broker.stop())
    await world.until(2.0, after=ended)  # 1 s: refused; 3 s: taken
    started = await broker.start()
    await alice.sees(BACK)
    again = callback("onJoinSuccess", "MQTT-3.2.2-3", channel="lobby")
    await alice.sees(again)
    alice.saw(
        *JOINED_LOBBY,
        INTERRUPTED.at_once(after=ended),
        BACK.at_once(after=started, late="retry"),
        again.at_once(after=started, late="retry"),
    )


@pytest.mark.scenario("MQTT-3.1.2.10", "MQTT-OPEN-1", lasts_s=16)
async def test_a_broker_that_stands_still_is_given_up(world: World) -> None:
    """Connected, and no answer to a ping: the client closes, and is back when the broker goes on."""
    broker = await world.own_server()
    alice = await world.online("alice")
    still = await broker.suspend()
    noticed = state("RECONNECTING", "INTERRUPTED", "MQTT-3.1.2.10")
    await alice.sees(noticed)
    goes_on = await broker.resume()
    await alice.sees(BACK, within_s=9.0)
    alice.saw(
        *LOGGED_IN,
        noticed.within(2.0, 3.0, after=still, late="heartbeat"),
        BACK.at_once(after=goes_on, late="retry"),
    )


@pytest.mark.scenario("MQTT-OPEN-4", "MQTT-OPEN-1", phase="reconnecting", lasts_s=17)
async def test_attempts_that_fail_grow_apart(world: World) -> None:
    """Attempts after 1, 3, 7, 11 s, then 15 s: one that tried every second would be back before 13 s."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(11.5, after=cut.injected)
    await cut.heal()
    back = state("CONNECTED", "LOGIN_SUCCESS", "MQTT-OPEN-1", "MQTT-OPEN-4")
    await alice.sees(back)
    alice.saw(
        *LOGGED_IN, INTERRUPTED.at_once(after=cut.injected), back.within(1.5, 0.2, after=cut.healed, late="retry")
    )


@pytest.mark.scenario("MQTT-OPEN-1", "MQTT-3.1.3-9", phase="way back", lasts_s=20)
async def test_a_link_that_flaps(world: World) -> None:
    """Three times 2 s down and 2 s up: back each time by the attempt after 3 s, and no will."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    flap = await alice.link.flap(period_s=4.0, count=3)
    await flap.finished()
    await world.until(14.5, after=flap.injected)  # 13 s: the will of the third cut, if there were one
    alice.saw(*JOINED_LOBBY, INTERRUPTED, BACK, INTERRUPTED, BACK, INTERRUPTED, BACK)
    joined = callback("onMemberJoined", channel="lobby", member="alice")
    bob.saw(*JOINED_LOBBY, joined, nothing("MQTT-3.1.3-9"))


@pytest.mark.scenario("MQTT-OPEN-1", phase="traffic", lasts_s=8)
async def test_what_is_sent_while_the_link_is_cut_arrives_when_it_is_back(world: World) -> None:
    """The client keeps what it could not send, which it says (4, no connection), and sends it on the way back."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    cut = await alice.link.cut()
    await alice.sees(INTERRUPTED)
    await alice.send("kept", channel="lobby")
    await cut.heal()
    kept = callback("onMessageReceived", "MQTT-OPEN-1", channel="lobby", member="alice", text="kept")
    await bob.sees(kept)
    alice.saw(*JOINED_LOBBY, INTERRUPTED, callback("sendToChannel", code=4), BACK)
    joined = callback("onMemberJoined", channel="lobby", member="alice")
    bob.saw(*JOINED_LOBBY, joined, kept.at_once(after=cut.healed, late="retry"))
