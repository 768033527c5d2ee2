"""ABORTED: kicked out, and back only by the app's own doing."""

from __future__ import annotations

import pytest

from harness.oracle.expect import any_order, callback, nothing, state
from harness.world.phrases import LOGGED_IN, logged_out
from harness.world.world import World


@pytest.mark.scenario("ABORTED-1", phase="aborted", lasts_s=13)
async def test_a_kicked_out_instance_stays_aborted(world: World) -> None:
    """Ten seconds after the kick the first instance is still out, and the second was left alone."""
    first = await world.online("first", uid="alice")
    second = await world.online("second", uid="alice")
    kicked = await first.sees(state("ABORTED", "REMOTE_LOGIN", "ABORTED-1"))
    await world.until(10.0, after=kicked)
    first.saw(*LOGGED_IN, state("ABORTED", "REMOTE_LOGIN"), nothing("ABORTED-1"))
    second.saw(*LOGGED_IN, nothing("ABORTED-1"))


@pytest.mark.scenario("ABORTED-2", phase="aborted", lasts_s=6)
async def test_logout_and_login_bring_it_back(world: World) -> None:
    """The app logs the kicked-out instance out and in again: it is back, and the other one is out."""
    first = await world.online("first", uid="alice")
    second = await world.online("second", uid="alice")
    await first.sees(state("ABORTED", "REMOTE_LOGIN"))
    await first.logout()
    await first.sees(state("DISCONNECTED", "LOGOUT", "ABORTED-2"))
    await first.login()
    await first.sees(state("CONNECTED", "LOGIN_SUCCESS", "ABORTED-2"))
    await second.sees(state("ABORTED", "REMOTE_LOGIN"))
    first.saw(
        *LOGGED_IN,
        state("ABORTED", "REMOTE_LOGIN"),
        logged_out("ABORTED-2"),
        state("CONNECTING", "LOGIN", "ABORTED-2"),
        any_order(callback("onLoginSuccess", "ABORTED-2"), state("CONNECTED", "LOGIN_SUCCESS", "ABORTED-2")),
        nothing("ABORTED-2"),
    )
    second.saw(*LOGGED_IN, state("ABORTED", "REMOTE_LOGIN"), nothing("ABORTED-2"))
