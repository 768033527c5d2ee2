"""Calls at times when they make no sense: refused, and nothing else happens."""

from __future__ import annotations

import pytest

from harness.oracle.expect import answer, callback, nothing, one_of, state
from harness.world.losses import interrupted
from harness.world.phrases import LOGGED_IN, logged_out
from harness.world.world import World

# OPEN-12: said by the call itself or by the callback, not by both.
REFUSED = one_of(
    "OPEN-12",
    returned=(answer("login", code="ALREADY_LOGGED_IN"),),
    called_back=(callback("onLoginFailure", code="ALREADY_LOGGED_IN"),),
)


@pytest.mark.scenario("OPEN-12", phase="login", lasts_s=5)
async def test_login_while_connecting_is_refused(world: World) -> None:
    """A second login() while the first is under way: refused, and the first goes on."""
    alice = await world.person("alice")
    slow = await alice.link.freeze()
    await alice.login()
    await alice.sees(state("CONNECTING", "LOGIN"))
    await alice.login()
    await world.sleep(0.3)
    await slow.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-12"))
    alice.saw(LOGGED_IN[0], REFUSED, LOGGED_IN[1], nothing("OPEN-12"))


@pytest.mark.scenario("OPEN-12", lasts_s=4)
async def test_login_while_connected_is_refused(world: World) -> None:
    """login() while CONNECTED: refused, and no switch."""
    alice = await world.online("alice")
    await alice.login()
    alice.saw(*LOGGED_IN, REFUSED, nothing("OPEN-12"))


@pytest.mark.scenario("OPEN-12", phase="reconnecting", lasts_s=8)
async def test_login_while_reconnecting_is_refused(world: World) -> None:
    """login() while RECONNECTING: refused; the client comes back by itself or not at all."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(5.0, after=cut.injected)  # 4.0 s: interrupted
    await alice.login()
    alice.saw(*LOGGED_IN, interrupted("cut", cut), REFUSED, nothing("OPEN-12"))


@pytest.mark.scenario("OPEN-12", "ABORTED-1", phase="aborted", lasts_s=5)
async def test_login_while_aborted_is_refused(world: World) -> None:
    """login() while ABORTED: refused; it takes a logout() first."""
    first = await world.online("first", uid="alice")
    await world.online("second", uid="alice")
    await first.sees(state("ABORTED", "REMOTE_LOGIN"))
    await first.login()
    first.saw(*LOGGED_IN, state("ABORTED", "REMOTE_LOGIN"), REFUSED, nothing("OPEN-12", "ABORTED-1"))


@pytest.mark.scenario("OPEN-13", lasts_s=4)
async def test_a_third_login_in_a_second_is_too_often(world: World) -> None:
    """Three login() calls within a second: the third is TOO_OFTEN, and switches nothing."""
    alice = await world.online("alice")
    await alice.login()
    await alice.login()
    alice.saw(
        *LOGGED_IN,
        REFUSED,
        one_of(
            "OPEN-13",
            returned=(answer("login", code="TOO_OFTEN"),),
            called_back=(callback("onLoginFailure", code="TOO_OFTEN"),),
        ),
        nothing("OPEN-13"),
    )


@pytest.mark.scenario("OPEN-13", lasts_s=5)
async def test_a_third_login_after_a_second_is_not_too_often(world: World) -> None:
    """Two login() calls within a second, and a third one later: refused for the state alone."""
    alice = await world.online("alice")
    second = await alice.login()
    await world.until(1.5, after=second)
    await alice.login()
    alice.saw(
        *LOGGED_IN,
        REFUSED,
        one_of(
            "OPEN-13",
            returned=(answer("login", code="ALREADY_LOGGED_IN"),),
            called_back=(callback("onLoginFailure", code="ALREADY_LOGGED_IN"),),
        ),
        nothing("OPEN-13"),
    )


@pytest.mark.scenario("OPEN-13", phase="before TCP", lasts_s=3)
@pytest.mark.parametrize("wrong", ["token", "uid"])
async def test_a_login_with_bad_arguments_is_refused(world: World, wrong: str) -> None:
    """An empty token or an empty uid: INVALID_ARGUMENT, still DISCONNECTED."""
    alice = await world.person("alice")
    await alice.call(
        "login", token="" if wrong == "token" else world.token("alice"), uid="" if wrong == "uid" else "alice"
    )
    alice.saw(
        one_of(
            "OPEN-13",
            returned=(answer("login", code="INVALID_ARGUMENT"),),
            called_back=(callback("onLoginFailure", code="INVALID_ARGUMENT"),),
        ),
        nothing("OPEN-13"),
    )


@pytest.mark.scenario("OPEN-14", phase="login", lasts_s=4)
async def test_logout_while_connecting_is_refused(world: World) -> None:
    """logout() while a login is under way: USER_NOT_LOGGED_IN, and the login goes on."""
    alice = await world.person("alice")
    slow = await alice.link.freeze()
    await alice.login()
    await alice.sees(state("CONNECTING", "LOGIN"))
    await alice.logout()
    await world.sleep(0.3)
    await slow.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-14"))
    alice.saw(LOGGED_IN[0], answer("logout", "OPEN-14", code="USER_NOT_LOGGED_IN"), LOGGED_IN[1], nothing("OPEN-14"))


@pytest.mark.scenario("OPEN-14", phase="logout", lasts_s=4)
async def test_a_second_logout_is_refused(world: World) -> None:
    """logout() after the logout: USER_NOT_LOGGED_IN, and nothing is said twice."""
    alice = await world.online("alice")
    await alice.logout()
    await alice.sees(state("DISCONNECTED", "LOGOUT"))
    await alice.logout()
    alice.saw(
        *LOGGED_IN,
        logged_out("CONNECTED-6"),
        answer("logout", "OPEN-14", code="USER_NOT_LOGGED_IN"),
        nothing("OPEN-14"),
    )
