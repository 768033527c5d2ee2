"""GENERAL: what holds in every state."""

from __future__ import annotations

import pytest

from harness.oracle.expect import answer, nothing, state
from harness.world.phrases import LOGGED_IN, logged_out
from harness.world.world import World


@pytest.mark.scenario("GENERAL-1", lasts_s=8)
async def test_each_switch_calls_back_exactly_once(world: World) -> None:
    """A whole life: login, outage, return, logout. One callback for each switch, and none between."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(5.0, after=cut.injected)  # 4.0 s: interrupted
    await cut.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "GENERAL-1"))
    await alice.logout()
    alice.saw(
        *LOGGED_IN,
        state("RECONNECTING", "INTERRUPTED", "GENERAL-1").at(4.0, after=cut.injected),
        state("CONNECTED", "LOGIN_SUCCESS", "GENERAL-1").at_once(after=cut.healed, late="retry"),
        logged_out("GENERAL-1"),
        nothing("GENERAL-1"),
    )


@pytest.mark.scenario("GENERAL-2", "GENERAL-3", phase="way back", lasts_s=9)
async def test_an_interruption_is_handled_without_the_app(world: World) -> None:
    """The app calls login() once and then nothing: the client comes back by itself, and tells of no second login."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(6.0, after=cut.injected)  # 4.0 s: interrupted
    await cut.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "GENERAL-2"))
    alice.saw(
        *LOGGED_IN,
        state("RECONNECTING", "INTERRUPTED").at(4.0, after=cut.injected),
        state("CONNECTED", "LOGIN_SUCCESS", "GENERAL-2").at_once(after=cut.healed, late="retry"),
        nothing("GENERAL-3"),  # above all no onLoginSuccess
    )


@pytest.mark.scenario("GENERAL-4", "RECONNECTING-2", "RECONNECTING-3", lasts_s=35)
async def test_online_list_keeps_a_lost_user_for_30_s(world: World) -> None:
    """Others still find a lost user on the online list after 28 s, and no longer after 32 s."""
    alice = await world.online("alice")
    bob = await world.online("bob")
    cut = await alice.link.cut()
    await world.until(28.0, after=cut.injected)
    await bob.query_online("alice")
    await world.until(32.0, after=cut.injected)  # 30 s: taken off the list
    await bob.query_online("alice")
    alice.saw(*LOGGED_IN, state("RECONNECTING", "INTERRUPTED").at(4.0, after=cut.injected))
    bob.saw(
        *LOGGED_IN,
        answer("queryOnline", "RECONNECTING-2", online={"alice": True}),
        answer("queryOnline", "GENERAL-4", "RECONNECTING-3", online={"alice": False}),
    )
