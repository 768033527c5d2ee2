"""Tokens that expire, and tokens that are renewed."""

from __future__ import annotations

import pytest

from harness.oracle.expect import any_order, callback, nothing, one_of, state
from harness.world.losses import back, interrupted
from harness.world.phrases import LOGGED_IN
from harness.world.world import World

EXPIRED = callback("onTokenExpired", "OPEN-22")


@pytest.mark.scenario("OPEN-22", lasts_s=7)
async def test_a_token_that_expires_while_connected_switches_nothing(world: World) -> None:
    """When it expires onTokenExpired comes, once; still CONNECTED."""
    alice = await world.person("alice")
    login = await alice.login(expires_in_s=2.0)
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    await world.until(5.0, after=login)
    alice.saw(*LOGGED_IN, EXPIRED.within(2.0, 2.5, after=login), nothing("OPEN-22"))


@pytest.mark.scenario("OPEN-22", lasts_s=8)
async def test_a_token_that_is_renewed_in_time_does_not_expire(world: World) -> None:
    """renewToken() before the expiry: its result is OK, and the old token's expiry is no news any more."""
    alice = await world.person("alice")
    login = await alice.login(expires_in_s=3.0)
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    token = world.token("alice")
    await alice.renew_token(token)
    await world.until(5.0, after=login)
    alice.saw(*LOGGED_IN, callback("onRenewTokenResult", "OPEN-22", token=token, code="OK"), nothing("OPEN-22"))


@pytest.mark.scenario("OPEN-22", lasts_s=9)
async def test_each_token_that_expires_is_told_once(world: World) -> None:
    """A token expires, and the one that took its place expires too: onTokenExpired for each, still CONNECTED."""
    alice = await world.person("alice")
    login = await alice.login(expires_in_s=2.0)
    await alice.sees(EXPIRED)
    token = world.token("alice", 3.0)
    renewal = await alice.renew_token(token)
    await world.until(5.0, after=renewal)
    alice.saw(
        *LOGGED_IN,
        EXPIRED.within(2.0, 2.5, after=login),
        callback("onRenewTokenResult", "OPEN-22", token=token, code="OK"),
        EXPIRED.within(3.0, 3.5, after=renewal),
        nothing("OPEN-22"),
    )


@pytest.mark.scenario("OPEN-22", "RECONNECTING-1", phase="way back", lasts_s=12)
async def test_a_renewed_token_is_the_one_that_it_comes_back_with(world: World) -> None:
    """Renewed while CONNECTED, the old token expires while away: the return is made with the new one."""
    alice = await world.person("alice")
    login = await alice.login(expires_in_s=3.0)
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    token = world.token("alice")
    await alice.renew_token(token)
    await alice.sees(callback("onRenewTokenResult", "OPEN-22", token=token, code="OK"))
    cut = await alice.link.cut()
    await world.until(6.0, after=login)  # 3.0 s: the old token has expired; 4.0 s after the cut: interrupted
    await cut.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-22", "RECONNECTING-1"))
    alice.saw(
        *LOGGED_IN,
        callback("onRenewTokenResult", "OPEN-22", token=token, code="OK"),
        interrupted("cut", cut),
        back(cut, "OPEN-22", "RECONNECTING-1"),
        nothing("OPEN-22"),
    )


@pytest.mark.scenario("OPEN-22", lasts_s=4)
@pytest.mark.parametrize(("token", "code"), [("nonsense", "INVALID_TOKEN"), ("expired", "TOKEN_EXPIRED")])
async def test_a_renewal_with_a_bad_token_says_so(world: World, token: str, code: str) -> None:
    """renewToken() with a token that is none, or has expired: said by its result, still CONNECTED."""
    alice = await world.online("alice")
    given = world.token("alice", -1.0) if token == "expired" else "nonsense"
    await alice.renew_token(given)
    await alice.sees(callback("onRenewTokenResult", "OPEN-22", token=given, code=code))
    alice.saw(*LOGGED_IN, callback("onRenewTokenResult", "OPEN-22", token=given, code=code), nothing("OPEN-22"))


@pytest.mark.scenario("OPEN-22", "OPEN-28", "RECONNECTING-9", phase="way back", lasts_s=17)
async def test_an_expired_token_keeps_it_reconnecting_until_it_is_renewed(world: World) -> None:
    """The way is free again and the token has expired: refused, and RECONNECTING; with a new token back at once."""
    alice = await world.person("alice")
    login = await alice.login(expires_in_s=3.0)
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    cut = await alice.link.cut()
    await world.until(5.5, after=cut.injected)  # 3 s after the login: expired; 4.0 s after the cut: interrupted
    await cut.heal()
    await world.until(6.0, after=cut.healed)  # refused again and again
    token = world.token("alice")
    renewal = await alice.renew_token(token)
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-22", "OPEN-28"))
    alice.saw(
        *LOGGED_IN,
        one_of(
            "OPEN-22",
            by_its_own_timer=(
                EXPIRED.within(3.0, 3.5, after=login),
                interrupted("cut", cut, "RECONNECTING-9", "OPEN-28"),
            ),
            by_the_refusal=(
                interrupted("cut", cut, "RECONNECTING-9", "OPEN-28"),
                EXPIRED.at_once(after=cut.healed, late="retry"),
            ),
        ),
        nothing("OPEN-28"),
        any_order(
            callback("onRenewTokenResult", "OPEN-22", token=token, code="OK"),
            state("CONNECTED", "LOGIN_SUCCESS", "OPEN-22", "OPEN-28").at_once(after=renewal),
        ),
        nothing("OPEN-22"),
    )
