"""CONNECTED: online to others, watched by heartbeats, and the ways out."""

from __future__ import annotations

import pytest

from harness.oracle.expect import answer, any_order, callback, nothing, state
from harness.world.phrases import LOGGED_IN
from harness.world.world import World


@pytest.mark.scenario("CONNECTED-1", lasts_s=4)
async def test_a_logged_in_user_is_online_to_others(world: World) -> None:
    """Somebody else finds the user on the online list, and nobody who is not there."""
    await world.online("alice")
    bob = await world.online("bob")
    await bob.query_online("alice", "nobody")
    bob.saw(*LOGGED_IN, answer("queryOnline", "CONNECTED-1", online={"alice": True, "nobody": False}))


@pytest.mark.scenario("CONNECTED-2", lasts_s=34)
async def test_a_silent_loss_is_noticed_on_both_sides(world: World) -> None:
    """No FIN, no RST, only silence: the client notices by its heartbeat, and so does the system."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    loss = await alice.link.blackhole()
    await world.until(31.5, after=loss.injected)  # 4 s: interrupted; 30 s: off the list
    alice.saw(
        *LOGGED_IN,
        callback("onJoinSuccess", channel="lobby"),
        state("RECONNECTING", "INTERRUPTED", "CONNECTED-2").at(
            4.0, after=loss.injected, early="heartbeat", late="heartbeat"
        ),
    )
    bob.saw(
        *LOGGED_IN,
        callback("onJoinSuccess", channel="lobby"),
        callback("onMemberJoined", channel="lobby", member="alice"),
        callback("onMemberLeft", "CONNECTED-2", channel="lobby", member="alice").at(
            30.0, after=loss.injected, early="heartbeat"
        ),
    )


@pytest.mark.scenario("CONNECTED-3", lasts_s=7)
async def test_a_visible_loss_interrupts_after_4_s(world: World) -> None:
    """The connection is closed in sight: RECONNECTING 4 s later, not sooner and not later."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(4.5, after=cut.injected)  # 4.0 s: interrupted
    alice.saw(*LOGGED_IN, state("RECONNECTING", "INTERRUPTED", "CONNECTED-3").at(4.0, after=cut.injected))


@pytest.mark.scenario("CONNECTED-5", lasts_s=5)
async def test_another_instance_of_the_uid_kicks_this_one_out(world: World) -> None:
    """A second instance logs in: the first is out at once, and the second knows nothing of it."""
    first = await world.online("first", uid="alice")
    second = await world.person("second", uid="alice")
    takeover = await second.login()
    await first.sees(state("ABORTED", "REMOTE_LOGIN", "CONNECTED-5"))
    await second.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    first.saw(
        *LOGGED_IN,
        state("ABORTED", "REMOTE_LOGIN", "CONNECTED-5").at_once(after=takeover),
        nothing("CONNECTED-5"),
    )
    second.saw(*LOGGED_IN, nothing("CONNECTED-5"))


@pytest.mark.scenario("CONNECTED-6", phase="logout", lasts_s=5)
async def test_logout_disconnects(world: World) -> None:
    """logout() while CONNECTED: DISCONNECTED at once, and off the online list at once."""
    alice = await world.online("alice")
    bob = await world.online("bob")
    logout = await alice.logout()
    await alice.sees(state("DISCONNECTED", "LOGOUT", "CONNECTED-6"))
    await world.until(1.0, after=logout)
    await bob.query_online("alice")
    alice.saw(
        *LOGGED_IN,
        any_order(
            callback("onLogout", code="OK"), state("DISCONNECTED", "LOGOUT", "CONNECTED-6").at_once(after=logout)
        ),
        nothing("CONNECTED-6"),
    )
    bob.saw(*LOGGED_IN, answer("queryOnline", "CONNECTED-6", online={"alice": False}))
