"""The 4 s: every kind of loss, on both sides of the boundary."""

from __future__ import annotations

import pytest

from harness.oracle.expect import callback, nothing, state
from harness.world.losses import EVERY, back, healed_in_time_s, interrupted, lose
from harness.world.phrases import ALICE_JOINED_LOBBY, JOINED_LOBBY, LOGGED_IN
from harness.world.world import World


@pytest.mark.scenario("CONNECTED-3", "OPEN-1", "GENERAL-2", lasts_s=9)
@pytest.mark.parametrize("kind", EVERY)
async def test_a_loss_of_more_than_4_s_interrupts(world: World, kind: str) -> None:
    """RECONNECTING 4 s after the loss, whatever kind it is; and back when it is healed."""
    alice = await world.online("alice", resettable=kind == "reset")
    loss = await lose(alice, kind)
    await world.until(5.0, after=loss.injected)  # 4.0 s: interrupted
    await loss.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "GENERAL-2"))
    alice.saw(*LOGGED_IN, interrupted(kind, loss, "CONNECTED-3", "OPEN-1", "OPEN-4"), back(loss, "GENERAL-2"))


@pytest.mark.scenario("CONNECTED-4", "OPEN-2", "OPEN-4", phase="grace", lasts_s=8)
@pytest.mark.parametrize("kind", EVERY)
async def test_a_loss_recovered_within_3_5_s_switches_nothing(world: World, kind: str) -> None:
    """Gone, and back before the 4 s are over: neither the app nor anybody else is told, and messages arrive again."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"], resettable=kind == "reset")
    alice.must_retry_within(2.0)  # or there would be no loss left to speak of
    loss = await lose(alice, kind)
    await world.until(healed_in_time_s(alice, kind), after=loss.injected)
    await loss.heal()
    await world.until(4.5, after=loss.injected)
    await bob.send("are you there?", channel="lobby")
    await alice.sees(callback("onMessageReceived", "OPEN-2", channel="lobby", member="bob", text="are you there?"))
    alice.saw(
        *LOGGED_IN,
        callback("onJoinSuccess", channel="lobby"),
        nothing("CONNECTED-4"),
        callback("onMessageReceived", "OPEN-2", channel="lobby", member="bob", text="are you there?"),
        nothing("CONNECTED-4", "OPEN-4"),
    )
    bob.saw(
        *LOGGED_IN,
        callback("onJoinSuccess", channel="lobby"),
        callback("onMemberJoined", channel="lobby", member="alice"),
        nothing("OPEN-2"),
    )


@pytest.mark.scenario("CONNECTED-3", "OPEN-1", lasts_s=9)
async def test_a_delay_of_more_than_4_s_is_a_silent_loss(world: World) -> None:
    """Everything arrives, 5 s late: for a client that counts heartbeats that is a loss."""
    alice = await world.online("alice")
    slow = await alice.link.delay(5.0)
    await world.until(5.0, after=slow.injected)  # 4.0 s: interrupted
    alice.saw(*LOGGED_IN, interrupted("delay", slow, "CONNECTED-3", "OPEN-1"))


@pytest.mark.scenario("CONNECTED-4", "CONNECTED-2", lasts_s=11)
@pytest.mark.parametrize("delay_s", [0.1, 0.4, 0.75, 1.5])
async def test_a_slow_link_is_no_loss(world: World, delay_s: float) -> None:
    """Round trips under and over the heartbeat, but far under 4 s: slow is not lost."""
    alice = await world.online("alice")
    slow = await alice.link.delay(delay_s)
    await world.until(8.0, after=slow.injected)
    alice.saw(*LOGGED_IN, nothing("CONNECTED-4", "CONNECTED-2"))


@pytest.mark.scenario("CONNECTED-4", "CONNECTED-2", lasts_s=9)
async def test_a_trickle_is_no_loss(world: World) -> None:
    """A kilobyte a second: enough for heartbeats."""
    alice = await world.online("alice")
    thin = await alice.link.trickle(rate_kb_per_s=1)
    await world.until(6.0, after=thin.injected)
    alice.saw(*LOGGED_IN, nothing("CONNECTED-4", "CONNECTED-2"))


@pytest.mark.scenario("CONNECTED-2", "GENERAL-1", lasts_s=36)
async def test_an_idle_link_is_kept(world: World) -> None:
    """Nobody says anything for 33 s, longer than every time-out: nothing happens, because heartbeats do."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    await world.sleep(33.0)
    alice.saw(*LOGGED_IN, callback("onJoinSuccess", channel="lobby"), nothing("CONNECTED-2", "GENERAL-1"))
    bob.saw(
        *LOGGED_IN,
        callback("onJoinSuccess", channel="lobby"),
        callback("onMemberJoined", channel="lobby", member="alice"),
        nothing("CONNECTED-2"),
    )


@pytest.mark.scenario("CONNECTED-2", "OPEN-8", phase="traffic", lasts_s=37)
async def test_a_flood_of_over_30_s_does_not_put_off_heartbeats(world: World) -> None:
    """Messages come five times a second for 33 s: heartbeats go out all the same, or the server would drop it."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    texts = [f"message {number}" for number in range(165)]
    for text in texts:
        await bob.send(text, channel="lobby")
        await world.sleep(0.2)
    alice.saw(
        *JOINED_LOBBY,
        *(callback("onMessageReceived", channel="lobby", member="bob", text=text) for text in texts),
        nothing("CONNECTED-2"),
    )
    bob.saw(*JOINED_LOBBY, ALICE_JOINED_LOBBY, nothing("OPEN-8"))  # 30 s without a packet, and it would have left


@pytest.mark.scenario("CONNECTED-3", "CONNECTED-2", phase="traffic", lasts_s=11)
@pytest.mark.parametrize("kind", ["cut", "blackhole", "freeze"])
async def test_a_loss_under_traffic_interrupts(world: World, kind: str) -> None:
    """The link fails while messages fly both ways: the 4 s are the same, and no message comes twice."""
    alice = await world.online("alice", channels=["lobby"])
    bob = await world.online("bob", channels=["lobby"])
    for number in range(5):
        await alice.send(f"ping {number}", channel="lobby")
        await bob.send(f"pong {number}", channel="lobby")
        await alice.sees(callback("onMessageReceived", channel="lobby", member="bob", text=f"pong {number}"))
    loss = await lose(alice, kind)
    await world.until(5.0, after=loss.injected)  # 4.0 s: interrupted
    await loss.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    alice.saw(
        *LOGGED_IN,
        callback("onJoinSuccess", channel="lobby"),
        callback("onMemberJoined", channel="lobby", member="bob"),
        *(callback("onMessageReceived", channel="lobby", member="bob", text=f"pong {n}") for n in range(5)),
        interrupted(kind, loss, "CONNECTED-3", "CONNECTED-2"),
        back(loss),
    )


@pytest.mark.scenario("CONNECTED-2", "CONNECTED-4", phase="grace", lasts_s=14)
async def test_a_heartbeat_pending_at_the_cut_does_not_strike_later(world: World) -> None:
    """Cut with a heartbeat unanswered, back at once, then idle: the old heartbeat must not end the new link."""
    alice = await world.online("alice")
    silence = await alice.link.blackhole(closes_on_heal=True)
    await world.until(1.0, after=silence.injected)  # heartbeats are pending
    await silence.heal()
    await world.until(9.0, after=silence.healed)
    alice.saw(*LOGGED_IN, nothing("CONNECTED-2", "CONNECTED-4"))
