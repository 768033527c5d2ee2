"""Faults below TCP, which no proxy can make: packets that are dropped, a network that is gone, a change of address.

Played by ``--faults netns``; what needs a network that can be taken away is played with images too.
"""

from __future__ import annotations

import pytest

from harness.oracle.expect import any_order, callback, nothing, one_of, state
from harness.world.losses import DROPS, back, interrupted, left, lose
from harness.world.phrases import ALICE_JOINED_LOBBY, JOINED_LOBBY, LOGGED_IN
from harness.world.world import World

CONNECTING = state("CONNECTING", "LOGIN", "DISCONNECTED-2")


@pytest.mark.scenario("CONNECTED-3", "OPEN-1", "GENERAL-2", needs="drop", lasts_s=9)
@pytest.mark.parametrize("kind", DROPS)
async def test_dropped_packets_interrupt(world: World, kind: str) -> None:
    """No packet comes through, both ways or one: the kernel sends again in vain, and 4 s later the client says so."""
    alice = await world.online("alice")
    loss = await lose(alice, kind)
    await world.until(5.0, after=loss.injected)  # 4.0 s: interrupted
    await loss.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "GENERAL-2"))
    alice.saw(*LOGGED_IN, interrupted(kind, loss, "CONNECTED-3", "OPEN-1", "OPEN-4"), back(loss, "GENERAL-2"))


@pytest.mark.scenario("CONNECTED-4", "OPEN-2", needs="drop", phase="grace", lasts_s=8)
@pytest.mark.parametrize("kind", DROPS)
async def test_a_second_of_dropped_packets_switches_nothing(world: World, kind: str) -> None:
    """TCP sends again, or the client finds another connection: nobody is told, and messages arrive again."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    alice.must_retry_within(2.0)  # or there would be no loss left to speak of
    loss = await lose(alice, kind)
    await world.until(1.0, after=loss.injected)
    await loss.heal()
    await world.until(4.5, after=loss.injected)
    await bob.send("are you there?", channel="lobby")
    heard = callback("onMessageReceived", "OPEN-2", channel="lobby", member="bob", text="are you there?")
    await alice.sees(heard)
    alice.saw(*JOINED_LOBBY, nothing("CONNECTED-4"), heard, nothing("CONNECTED-4"))
    bob.saw(*JOINED_LOBBY, ALICE_JOINED_LOBBY, nothing("OPEN-2"))


@pytest.mark.scenario("CONNECTING-5", "OPEN-5", needs="drop", phase="before TCP", lasts_s=9)
@pytest.mark.parametrize("kind", DROPS)
async def test_a_login_whose_packets_are_dropped_times_out_after_6_s(world: World, kind: str) -> None:
    """Not even the handshake of TCP is answered: 6 s, whatever is retried meanwhile."""
    alice = await world.person("alice")
    await lose(alice, kind)
    await alice.login()
    connecting = await alice.sees(CONNECTING)
    await alice.sees(state("DISCONNECTED", "LOGIN_TIMEOUT", "CONNECTING-5"))  # 6.0 s: timed out
    alice.saw(
        CONNECTING,
        any_order(
            callback("onLoginFailure", "CONNECTING-5", code="TIMEOUT").at(6.0, after=connecting),
            state("DISCONNECTED", "LOGIN_TIMEOUT", "CONNECTING-5", "OPEN-5").at(6.0, after=connecting),
        ),
        nothing("OPEN-5"),
    )


@pytest.mark.scenario("CONNECTED-3", "OPEN-1", "GENERAL-2", needs="unplug", lasts_s=9)
async def test_a_network_that_is_gone_interrupts(world: World) -> None:
    """The plug is pulled, and put in again: RECONNECTING after 4 s, though each connect fails at once; then back."""
    alice = await world.online("alice")
    loss = await lose(alice, "unplug")
    await world.until(5.0, after=loss.injected)  # 4.0 s: interrupted
    await loss.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "GENERAL-2"))
    alice.saw(*LOGGED_IN, interrupted("unplug", loss, "CONNECTED-3", "OPEN-1"), back(loss, "GENERAL-2"))


@pytest.mark.scenario("OPEN-8", "OPEN-24", needs="unplug", lasts_s=38)
async def test_without_a_network_for_32_s_the_others_saw_it_leave_and_join(world: World) -> None:
    """Nobody told the server: it finds out by itself after 30 s, tells the others once, and once when it is over."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    loss = await lose(alice, "unplug")
    await world.until(32.0, after=loss.injected)
    await loss.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    await bob.sees(ALICE_JOINED_LOBBY)
    alice.saw(*JOINED_LOBBY, interrupted("unplug", loss), back(loss), nothing("OPEN-24"))
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED_LOBBY,
        left("unplug", loss, "OPEN-8", channel="lobby", member="alice"),
        callback("onMemberJoined", "OPEN-24", channel="lobby", member="alice").at_once(after=loss.healed, late="retry"),
        nothing("OPEN-24"),
    )


@pytest.mark.scenario("CONNECTED-3", "OPEN-8", needs="change_address", lasts_s=12)
async def test_a_change_of_address_is_no_new_login(world: World) -> None:
    """From a cell to a wireless network: the old connection is dead, and nobody said so. The session goes on.

    The client may find out within the 4 s, or be interrupted and come back. For the others it was there all the time.
    """
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    moved = await alice.link.change_address()
    await world.until(9.0, after=moved.injected)
    await bob.send("still there?", channel="lobby")
    heard = callback("onMessageReceived", channel="lobby", member="bob", text="still there?")
    await alice.sees(heard)
    alice.saw(
        *JOINED_LOBBY,
        one_of(
            "CONNECTED-3",
            unnoticed=(heard,),
            interrupted=(
                interrupted("change_address", moved, "CONNECTED-3"),
                state("CONNECTED", "LOGIN_SUCCESS", "CONNECTED-3").within(4.0, 9.0, after=moved.injected),
                heard,
            ),
        ),
        nothing("CONNECTED-3"),
    )
    bob.saw(*JOINED_LOBBY, ALICE_JOINED_LOBBY, nothing("OPEN-8"))
