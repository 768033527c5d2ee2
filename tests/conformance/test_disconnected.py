"""DISCONNECTED: before the first login, and how it is left."""

from __future__ import annotations

import pytest

from harness.oracle.expect import answer, any_order, callback, nothing, state
from harness.world.world import World


@pytest.mark.scenario("DISCONNECTED-1", phase="before TCP", lasts_s=4)
async def test_the_first_state_is_disconnected(world: World) -> None:
    """Before login() nothing is said, and logout() is refused: there is nothing to log out of."""
    alice = await world.person("alice")
    await world.sleep(1.0)
    await alice.logout()
    alice.saw(answer("logout", "DISCONNECTED-1", code="USER_NOT_LOGGED_IN"), nothing("DISCONNECTED-1"))


@pytest.mark.scenario("DISCONNECTED-2", phase="before TCP", lasts_s=3)
async def test_login_switches_to_connecting(world: World) -> None:
    """The first callback of a login is the switch to CONNECTING, at once."""
    alice = await world.person("alice")
    login = await alice.login()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    alice.saw(
        state("CONNECTING", "LOGIN", "DISCONNECTED-2").at_once(after=login),
        any_order(callback("onLoginSuccess"), state("CONNECTED", "LOGIN_SUCCESS")),
    )
