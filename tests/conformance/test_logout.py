"""logout() in every phase of a connection: local, immediate and final."""

from __future__ import annotations

import pytest

from harness.oracle.expect import callback, nothing, state
from harness.world.losses import interrupted, left, lose
from harness.world.phrases import ALICE_JOINED_LOBBY, JOINED_LOBBY, LOGGED_IN, logged_out_at_once
from harness.world.world import World


@pytest.mark.scenario("RECONNECTING-11", "RECONNECTING-12", "OPEN-16", phase="reconnecting", lasts_s=10)
@pytest.mark.parametrize("kind", ["cut", "blackhole", "freeze", "hang_connects"])
async def test_logout_while_reconnecting_is_immediate_and_final(world: World, kind: str) -> None:
    """No way to the server, and the app logs out: at once, and no attempt comes after it when the way is free."""
    alice = await world.online("alice")
    loss = await lose(alice, kind)
    await world.until(5.0, after=loss.injected)  # 4.0 s: interrupted
    logout = await alice.logout()
    await loss.heal()
    await world.until(2.0, after=loss.healed)
    alice.saw(
        *LOGGED_IN,
        interrupted(kind, loss),
        logged_out_at_once(logout, "RECONNECTING-11", "RECONNECTING-12"),
        nothing("OPEN-16"),
    )


@pytest.mark.scenario("CONNECTED-6", "OPEN-15", phase="grace", lasts_s=8)
@pytest.mark.parametrize("kind", ["cut", "blackhole", "freeze"])
async def test_logout_in_the_grace_is_immediate_and_final(world: World, kind: str) -> None:
    """Logged out a second after the loss: it never gets to RECONNECTING."""
    alice = await world.online("alice")
    loss = await lose(alice, kind)
    await world.until(1.0, after=loss.injected)
    logout = await alice.logout()
    await world.until(6.0, after=loss.injected)  # 4.0 s: nothing
    alice.saw(*LOGGED_IN, logged_out_at_once(logout, "CONNECTED-6", "OPEN-15"), nothing("CONNECTED-6"))


@pytest.mark.scenario("CONNECTED-6", "OPEN-16", phase="logout", lasts_s=35)
async def test_a_logout_that_does_not_get_through_leaves_a_ghost_for_30_s(world: World) -> None:
    """The link is lost in the logout: the client is out at once, the others see one Left within 30 s."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    loss = await alice.link.freeze()
    logout = await alice.logout()
    await world.until(32.0, after=loss.injected)  # 30 s: left
    alice.saw(*JOINED_LOBBY, logged_out_at_once(logout, "CONNECTED-6"), nothing("OPEN-16"))
    bob.saw(*JOINED_LOBBY, ALICE_JOINED_LOBBY, left("freeze", loss, "OPEN-16", channel="lobby", member="alice"))


@pytest.mark.scenario("OPEN-16", "OPEN-24", phase="logout", lasts_s=11)
async def test_a_new_login_retires_the_ghost(world: World) -> None:
    """Logged out while RECONNECTING, then logged in again: one Left for the ghost, and it is in no channel."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    cut = await alice.link.cut()
    await world.until(5.0, after=cut.injected)  # 4.0 s: interrupted
    logout = await alice.logout()
    await cut.heal()
    login = await alice.login()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-16"))
    await bob.sees(callback("onMemberLeft", "OPEN-16", channel="lobby", member="alice"))
    await world.until(2.0, after=login)
    alice.saw(
        *JOINED_LOBBY, interrupted("cut", cut), logged_out_at_once(logout, "OPEN-16"), *LOGGED_IN, nothing("OPEN-16")
    )
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED_LOBBY,
        callback("onMemberLeft", "OPEN-16", channel="lobby", member="alice").at_once(after=login),
        nothing("OPEN-24"),
    )


@pytest.mark.scenario("OPEN-16", "GENERAL-3", phase="logout", lasts_s=12)
async def test_an_old_link_that_closes_late_does_not_disturb_the_new_life(world: World) -> None:
    """Logout and login while the old link hangs; what comes of the old link afterwards concerns nobody."""
    alice = await world.online("alice")
    freeze = await alice.link.freeze()
    await world.until(5.0, after=freeze.injected)  # 4.0 s: interrupted; attempts hang
    logout = await alice.logout()
    await alice.login()
    await freeze.heal()  # what was held is delivered now, and the old connections close, into the new life
    connected = await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "GENERAL-3"))
    await world.until(5.0, after=connected)
    alice.saw(
        *LOGGED_IN,
        interrupted("freeze", freeze),
        logged_out_at_once(logout, "OPEN-16"),
        *LOGGED_IN,
        nothing("GENERAL-3"),
    )
