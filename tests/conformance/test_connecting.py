"""CONNECTING: a login that succeeds, that is refused, and that gets no answer."""

from __future__ import annotations

import pytest

from harness.oracle.expect import any_order, callback, nothing, state
from harness.world.world import World


@pytest.mark.scenario("CONNECTING-1", "CONNECTING-2", phase="login", lasts_s=3)
async def test_login_that_succeeds(world: World) -> None:
    """A login that succeeds gives onLoginSuccess and the switch to CONNECTED, once each."""
    alice = await world.person("alice")
    await alice.login()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2"))
    alice.saw(
        state("CONNECTING", "LOGIN"),
        any_order(callback("onLoginSuccess", "CONNECTING-1"), state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2")),
        nothing("CONNECTING-1", "CONNECTING-2"),
    )


@pytest.mark.scenario("CONNECTING-3", "CONNECTING-4", phase="login", lasts_s=3)
async def test_login_that_is_refused(world: World) -> None:
    """A login with a token that is none gives onLoginFailure and the switch back to DISCONNECTED, once each."""
    alice = await world.person("alice")
    await alice.login(token="not a token")
    await alice.sees(state("DISCONNECTED", "LOGIN_FAILURE", "CONNECTING-4"))
    alice.saw(
        state("CONNECTING", "LOGIN"),
        any_order(
            callback("onLoginFailure", "CONNECTING-3", code="INVALID_TOKEN"),
            state("DISCONNECTED", "LOGIN_FAILURE", "CONNECTING-4"),
        ),
        nothing("CONNECTING-3", "CONNECTING-4"),
    )


@pytest.mark.scenario("CONNECTING-5", phase="handshake", lasts_s=9)
async def test_login_not_through_within_6_s_times_out(world: World) -> None:
    """The link swallows everything: 6 s after the entry into CONNECTING the login has timed out."""
    alice = await world.person("alice")
    await alice.link.blackhole()
    await alice.login()
    connecting = await alice.sees(state("CONNECTING", "LOGIN"))
    await alice.sees(state("DISCONNECTED", "LOGIN_TIMEOUT", "CONNECTING-5"))  # 6.0 s: timed out
    alice.saw(
        state("CONNECTING", "LOGIN"),
        any_order(
            callback("onLoginFailure", "CONNECTING-5", code="TIMEOUT").at(6.0, after=connecting),
            state("DISCONNECTED", "LOGIN_TIMEOUT", "CONNECTING-5").at(6.0, after=connecting),
        ),
        nothing("CONNECTING-5"),
    )


@pytest.mark.scenario("CONNECTING-5", "CONNECTING-2", phase="handshake", lasts_s=9)
async def test_login_through_just_before_6_s_succeeds(world: World) -> None:
    """The link is held for 5.5 s and then lets go: the login is in time."""
    alice = await world.person("alice")
    freeze = await alice.link.freeze()
    await alice.login()
    connecting = await alice.sees(state("CONNECTING", "LOGIN"))
    await world.until(5.5, after=connecting)
    await freeze.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-5"))  # before 6.0 s
    alice.saw(
        state("CONNECTING", "LOGIN"),
        any_order(
            callback("onLoginSuccess", "CONNECTING-5").within(5.5, 6.0, after=connecting),
            state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2").within(5.5, 6.0, after=connecting),
        ),
        nothing("CONNECTING-5"),
    )
