"""Keep alive: 2 s. The client pings, and gives up a connection that does not answer; the broker, one that is silent."""

from __future__ import annotations

import pytest

from harness.oracle.expect import any_order, callback, nothing, state
from harness.world.engine import TO_CLIENT, TO_SERVER
from harness.world.world import World

LOGGED_IN = (
    state("CONNECTING", "LOGIN"),
    any_order(callback("onLoginSuccess"), state("CONNECTED", "LOGIN_SUCCESS")),
)
JOINED_LOBBY = (*LOGGED_IN, callback("onJoinSuccess", channel="lobby"))
ALICE_JOINED = callback("onMemberJoined", channel="lobby", member="alice")
INTERRUPTED = state("RECONNECTING", "INTERRUPTED", "MQTT-3.1.2.10")
ALICE_LEFT = callback("onMemberLeft", "MQTT-3.1.2-22", "MQTT-OPEN-5", channel="lobby", member="alice")


@pytest.mark.scenario("MQTT-3.1.2-20", "MQTT-3.12.4-1", lasts_s=14)
async def test_an_idle_connection_is_kept_alive(world: World) -> None:
    """Twelve seconds of nothing: without PINGREQ the broker would close it, without PINGRESP the client would."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    await world.sleep(12.0)  # 3 s: the broker's one and a half keep alives; 4 s: the client's two
    alice.saw(*JOINED_LOBBY, nothing("MQTT-3.1.2-20", "MQTT-3.12.4-1"))
    bob.saw(*JOINED_LOBBY, ALICE_JOINED, nothing("MQTT-3.1.2-20", "MQTT-3.12.4-1"))


@pytest.mark.scenario("MQTT-3.1.2.10", "MQTT-OPEN-1", lasts_s=14)
@pytest.mark.parametrize("kind", ["blackhole", "freeze"])
async def test_a_silent_loss_is_noticed_by_the_client(world: World, kind: str) -> None:
    """No PINGRESP: the client closes the connection, and comes back when the link does."""
    alice = await world.online("alice")
    loss = await (alice.link.blackhole(closes_on_heal=True) if kind == "blackhole" else alice.link.freeze())
    await alice.sees(INTERRUPTED)
    await loss.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "MQTT-OPEN-1"), within_s=9.0)
    alice.saw(
        *LOGGED_IN,
        # A PINGREQ that was just sent has a keep alive to be answered; the next one is sent a heartbeat later at most.
        INTERRUPTED.within(2.0, 3.0, after=loss.injected, late="heartbeat"),
        state("CONNECTED", "LOGIN_SUCCESS", "MQTT-OPEN-1").at_once(after=loss.healed, late="retry"),
    )


@pytest.mark.scenario("MQTT-3.1.2-22", "MQTT-OPEN-5", lasts_s=28)
@pytest.mark.parametrize("since_start_s", [8.0, 10.5])
async def test_a_silent_loss_is_noticed_by_the_broker(world: World, since_start_s: float) -> None:
    """Not heard for 3 s, one and a half keep alives: the broker closes, and 5 s later publishes the will.

    A freeze, for it holds the client's FIN too. Two moments in the life of a broker of its own: one that only looks at
    its clients every few seconds is in time by luck.
    """
    broker = await world.own_server()
    await broker.kill()
    started = await broker.start()
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    await world.until(since_start_s, after=started)
    await alice.send("the last word", channel="lobby")
    loss = await alice.link.freeze()
    await world.until(16.0, after=loss.injected)  # 3 s: closed; 8 s: the will; the rest is for a broker that is late
    alice.saw(*JOINED_LOBBY, INTERRUPTED)
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED,
        callback("onMessageReceived", channel="lobby", member="alice", text="the last word"),
        # A second more for each of the broker's two intervals, and each at once: OPEN-5.
        ALICE_LEFT.within(8.0, 10.4, after=loss.injected),
    )


@pytest.mark.scenario("MQTT-3.1.2-8", lasts_s=18)
async def test_a_client_that_dies_behind_a_half_open_connection_has_its_will(world: World) -> None:
    """The client dies, and its FIN is held back: to the broker it is only silent, and in the end it is closed."""
    await world.own_server()
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    await alice.link.half_open(TO_SERVER)
    killed = await world.crash(alice)
    await world.until(16.0, after=killed)  # when that is due is the scenario's above
    alice.saw(*JOINED_LOBBY)
    bob.saw(*JOINED_LOBBY, ALICE_JOINED, callback("onMemberLeft", "MQTT-3.1.2-8", channel="lobby", member="alice"))


@pytest.mark.scenario("MQTT-3.1.2.10", "MQTT-3.1.3-9", lasts_s=18)
async def test_a_client_that_hears_nothing_while_the_broker_hears_it(world: World) -> None:
    """One direction is silent: the client closes what the broker believes to work; back in time there is no will."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    loss = await alice.link.silence(TO_CLIENT)
    noticed = await alice.sees(INTERRUPTED)
    await loss.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"), within_s=4.0)  # the first attempt, 1 s later
    await world.until(8.0, after=noticed)  # 5 s: the will, if there were one
    alice.saw(
        *JOINED_LOBBY,
        INTERRUPTED.within(2.0, 3.0, after=loss.injected, late="heartbeat"),
        state("CONNECTED", "LOGIN_SUCCESS"),
    )
    bob.saw(*JOINED_LOBBY, ALICE_JOINED, nothing("MQTT-3.1.3-9"))


@pytest.mark.scenario("MQTT-OPEN-6", lasts_s=5)
async def test_a_freeze_of_one_second_is_noticed_by_nobody(world: World) -> None:
    """Shorter than the keep alive, and on the same connection: what was held is delivered, and nothing else happens."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    async with alice.link.freeze() as frozen:
        await bob.send("late", channel="lobby")
        await world.until(1.0, after=frozen.injected)
    await world.until(2.0, after=frozen.healed)
    late = callback("onMessageReceived", "MQTT-OPEN-6", channel="lobby", member="bob", text="late")
    alice.saw(*JOINED_LOBBY, late.at_once(after=frozen.healed), nothing("MQTT-OPEN-6"))
    bob.saw(*JOINED_LOBBY, ALICE_JOINED, nothing("MQTT-OPEN-6"))
