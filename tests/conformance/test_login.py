"""The 6 s: logins that are refused, that hang, that are slow, and that come through in the last moment."""

from __future__ import annotations

import pytest

from harness.oracle.expect import answer, any_order, callback, nothing, one_of, state
from harness.world.engine import TO_CLIENT
from harness.world.losses import lose
from harness.world.phrases import LOGGED_IN, login_failed
from harness.world.world import World

HANGING = (
    "hang_connects",
    "truncate",
    "blackhole",
    "blackhole_until_closed",
    "freeze",
    "silence_to_server",
    "silence_to_client",
    "freeze_to_server",
    "freeze_to_client",
)
CONNECTING = state("CONNECTING", "LOGIN")


@pytest.mark.scenario("CONNECTING-5", "OPEN-5", phase="handshake", lasts_s=9)
@pytest.mark.parametrize("kind", HANGING)
async def test_a_login_that_hangs_times_out_after_6_s(world: World, kind: str) -> None:
    """Whatever it is that keeps the login from coming through: 6 s, whatever is retried meanwhile."""
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


@pytest.mark.scenario("OPEN-5", phase="before TCP", lasts_s=9)
async def test_a_refused_port_is_retried_or_reported(world: World) -> None:
    """Nobody listens: retried until the time-out, or reported as a failure; never anything else."""
    alice = await world.person("alice")
    await alice.link.refuse()
    await alice.login()
    connecting = await alice.sees(CONNECTING)
    await world.until(6.5, after=connecting)
    timed_out = state("DISCONNECTED", "LOGIN_TIMEOUT", "OPEN-5").at(6.0, after=connecting)
    alice.saw(
        CONNECTING,
        one_of(
            "OPEN-5",
            retried=(callback("onLoginFailure", code="TIMEOUT"), timed_out),
            reported=(
                callback("onLoginFailure", code="UNKNOWN"),
                state("DISCONNECTED", "LOGIN_FAILURE").within(0.0, 6.0, after=connecting),
            ),
        ),
    )


@pytest.mark.scenario("CONNECTING-2", "OPEN-5", phase="handshake", lasts_s=9)
@pytest.mark.parametrize("kind", ["cut", *HANGING])
async def test_a_login_that_gets_through_within_5_5_s_succeeds(world: World, kind: str) -> None:
    """The way is free again early enough for one more attempt: the login is retried inside its 6 s, and succeeds."""
    alice = await world.person("alice")
    alice.must_retry_within(1.5)
    loss = await lose(alice, kind)
    await alice.login()
    connecting = await alice.sees(CONNECTING)
    await world.until(5.5 - alice.retry_s, after=connecting)
    await loss.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2", "OPEN-5"))  # before 5.5 s
    alice.saw(
        CONNECTING,
        any_order(
            callback("onLoginSuccess", "OPEN-5"),
            state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2", "OPEN-4").within(4.0, 5.7, after=connecting),
        ),
        nothing("OPEN-5"),
    )


@pytest.mark.scenario("OPEN-7", "CONNECTING-5", phase="handshake", lasts_s=13)
@pytest.mark.parametrize("kind", ["freeze", "freeze_to_client", "freeze_to_server"])
async def test_a_success_after_the_time_out_leaves_no_ghost(world: World, kind: str) -> None:
    """The answer is held until 6.5 s: the login has failed by then, and nobody is online because of it."""
    bob = await world.online("bob")
    alice = await world.person("alice")
    freeze = await lose(alice, kind)
    await alice.login()
    connecting = await alice.sees(CONNECTING)
    await world.until(6.5, after=connecting)  # 6.0 s: timed out
    await freeze.heal()
    await world.until(2.0, after=freeze.healed)
    await bob.query_online("alice")
    alice.saw(CONNECTING, login_failed("TIMEOUT", "LOGIN_TIMEOUT", "CONNECTING-5"), nothing("OPEN-7"))
    bob.saw(*LOGGED_IN, answer("queryOnline", "OPEN-7", online={"alice": False}))


@pytest.mark.scenario("CONNECTING-2", "OPEN-5", phase="handshake", lasts_s=8)
async def test_a_slow_handshake_is_given_its_6_s(world: World) -> None:
    """Each way takes 0.6 s: whatever has to be said before a login is through, that is in time."""
    alice = await world.person("alice")
    await alice.link.delay(0.6)
    await alice.login()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2"))
    alice.saw(*LOGGED_IN, nothing("OPEN-5"))


@pytest.mark.scenario("CONNECTING-5", "OPEN-7", phase="login", lasts_s=15)
async def test_a_handshake_that_is_too_slow_times_out(world: World) -> None:
    """Each way takes two seconds: the answer comes after 8 s, to a login that has timed out after 6 s."""
    bob = await world.online("bob")
    alice = await world.person("alice")
    await alice.link.delay(2.0)
    await alice.login()
    connecting = await alice.sees(CONNECTING)
    await world.until(12.0, after=connecting)  # 6.0 s: timed out; by 10 s all that was sent has arrived
    await bob.query_online("alice")
    alice.saw(CONNECTING, login_failed("TIMEOUT", "LOGIN_TIMEOUT", "CONNECTING-5"), nothing("OPEN-7"))
    bob.saw(*LOGGED_IN, answer("queryOnline", "OPEN-7", online={"alice": False}))


@pytest.mark.scenario("CONNECTING-2", phase="handshake", lasts_s=7)
async def test_a_login_over_a_trickle_succeeds(world: World) -> None:
    """A kilobyte a second is enough to log in."""
    alice = await world.person("alice")
    await alice.link.trickle(rate_kb_per_s=1)
    await alice.login()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2"))
    alice.saw(*LOGGED_IN, nothing("CONNECTING-2"))


@pytest.mark.scenario("OPEN-5", "CONNECTING-2", phase="login", lasts_s=8)
@pytest.mark.parametrize("after_bytes", [50, 200, 300])
async def test_a_link_that_breaks_while_connecting_is_retried(world: World, after_bytes: int) -> None:
    """Broken in the upgrade, or in the middle of the login's answer: retried inside the 6 s, never RECONNECTING."""
    alice = await world.person("alice")
    broken = await alice.link.truncate(after_bytes=after_bytes, direction=TO_CLIENT)
    await alice.login()
    connecting = await alice.sees(CONNECTING)
    await world.until(2.0, after=connecting)
    await broken.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2", "OPEN-5"))
    alice.saw(*LOGGED_IN, nothing("OPEN-5"))


@pytest.mark.scenario("OPEN-5", "CONNECTING-2", phase="login", lasts_s=8)
@pytest.mark.parametrize("kind", ["cut", "reset"])
async def test_a_connection_that_is_closed_while_connecting_is_retried(world: World, kind: str) -> None:
    """The link hangs with a login on it, and is then closed in sight: the next attempt gets through."""
    alice = await world.person("alice", resettable=kind == "reset")
    slow = await alice.link.delay(0.8)
    await alice.login()
    connecting = await alice.sees(CONNECTING)
    await world.until(1.0, after=connecting)
    loss = await lose(alice, kind)
    await slow.heal()
    await world.until(2.0, after=connecting)
    await loss.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2", "OPEN-5"))
    alice.saw(*LOGGED_IN, nothing("OPEN-5"))


@pytest.mark.scenario("OPEN-6", "CONNECTING-3", "CONNECTING-4", phase="login", lasts_s=4)
@pytest.mark.parametrize(("token", "code"), [("expired", "TOKEN_EXPIRED"), ("of bob", "NOT_AUTHORIZED")])
async def test_a_token_that_the_server_rejects_fails_at_once(world: World, token: str, code: str) -> None:
    """A token that has expired, or that is somebody else's: LOGIN_FAILURE at once, not after 6 s."""
    alice = await world.person("alice")
    login = await alice.login(token=world.token("alice", -1.0) if token == "expired" else world.token("bob"))
    await alice.sees(state("DISCONNECTED", "LOGIN_FAILURE", "CONNECTING-4"))
    alice.saw(
        CONNECTING,
        any_order(
            callback("onLoginFailure", "CONNECTING-3", code=code),
            state("DISCONNECTED", "LOGIN_FAILURE", "CONNECTING-4", "OPEN-6").at_once(after=login),
        ),
        nothing("OPEN-6"),
    )


@pytest.mark.scenario("CONNECTING-2", "CONNECTING-5", phase="handshake", lasts_s=11)
async def test_a_login_after_a_time_out_succeeds(world: World) -> None:
    """A login that timed out leaves nothing behind that would keep the next one from succeeding."""
    alice = await world.person("alice")
    loss = await alice.link.blackhole()
    await alice.login()
    await alice.sees(state("DISCONNECTED", "LOGIN_TIMEOUT", "CONNECTING-5"))
    await loss.heal()
    await alice.login()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2"))
    alice.saw(CONNECTING, login_failed("TIMEOUT", "LOGIN_TIMEOUT", "CONNECTING-5"), *LOGGED_IN, nothing("CONNECTING-2"))


@pytest.mark.scenario("CONNECTING-2", "CONNECTING-4", phase="login", lasts_s=4)
async def test_a_login_after_a_failure_succeeds(world: World) -> None:
    """A login that was refused leaves nothing behind either."""
    alice = await world.person("alice")
    await alice.login(token="not a token")
    await alice.sees(state("DISCONNECTED", "LOGIN_FAILURE", "CONNECTING-4"))
    await alice.login()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "CONNECTING-2"))
    alice.saw(
        CONNECTING, login_failed("INVALID_TOKEN", "LOGIN_FAILURE", "CONNECTING-4"), *LOGGED_IN, nothing("CONNECTING-2")
    )
