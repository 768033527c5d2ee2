"""RECONNECTING: away for more than 4 s, and all the ways back or out."""

from __future__ import annotations

import pytest

from harness.oracle.expect import answer, any_order, callback, nothing, one_of, state
from harness.world.phrases import LOGGED_IN
from harness.world.world import World

JOINED_LOBBY = (*LOGGED_IN, callback("onJoinSuccess", channel="lobby"))
ALICE_JOINED = callback("onMemberJoined", channel="lobby", member="alice")


@pytest.mark.scenario("RECONNECTING-1", phase="reconnecting", lasts_s=18)
async def test_it_keeps_trying_until_it_succeeds(world: World) -> None:
    """A quarter of a minute without any way to the server, and it still comes back as soon as there is one."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(15.0, after=cut.injected)  # 4.0 s: interrupted
    await cut.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-1"))
    alice.saw(
        *LOGGED_IN,
        state("RECONNECTING", "INTERRUPTED").at(4.0, after=cut.injected),
        state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-1").at_once(after=cut.healed, late="retry"),
        nothing("RECONNECTING-1"),
    )


@pytest.mark.scenario("RECONNECTING-4", phase="reconnecting", lasts_s=32)
async def test_back_within_30_s_nobody_sees_it_leave(world: World) -> None:
    """Back after 28 s: in its channel as if nothing had been, and the others were told nothing."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    alice.must_retry_within(1.5)
    cut = await alice.link.cut()
    await world.until(28.0, after=cut.injected)  # 4.0 s: interrupted
    await cut.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-4"))  # before 30 s
    await bob.send("welcome back", channel="lobby")
    await alice.sees(callback("onMessageReceived", channel="lobby", member="bob", text="welcome back"))
    alice.saw(
        *JOINED_LOBBY,
        state("RECONNECTING", "INTERRUPTED").at(4.0, after=cut.injected),
        state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-4").at_once(after=cut.healed, late="retry"),
        callback("onMessageReceived", "RECONNECTING-4", channel="lobby", member="bob", text="welcome back"),
    )
    bob.saw(*JOINED_LOBBY, ALICE_JOINED, nothing("RECONNECTING-4"))


@pytest.mark.scenario("RECONNECTING-5", "RECONNECTING-7", "RECONNECTING-8", phase="reconnecting", lasts_s=36)
async def test_back_after_30_s_the_others_saw_it_leave_and_join(world: World) -> None:
    """Back after 32 s: in its channel again; the others saw it leave at 30 s, and join when it came back."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    cut = await alice.link.cut()
    await world.until(32.0, after=cut.injected)  # 4.0 s: interrupted; 30 s: left
    await cut.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-5"))
    await bob.sees(callback("onMemberJoined", "RECONNECTING-8", channel="lobby", member="alice"))
    await bob.send("welcome back", channel="lobby")
    await alice.sees(callback("onMessageReceived", channel="lobby", member="bob", text="welcome back"))
    alice.saw(
        *JOINED_LOBBY,
        state("RECONNECTING", "INTERRUPTED").at(4.0, after=cut.injected),
        state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-5").at_once(after=cut.healed, late="retry"),
        callback("onMessageReceived", "RECONNECTING-5", channel="lobby", member="bob", text="welcome back"),
        nothing("RECONNECTING-5"),
    )
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED,
        callback("onMemberLeft", "RECONNECTING-7", channel="lobby", member="alice").at(
            30.0, after=cut.injected, early="heartbeat"
        ),
        callback("onMemberJoined", "RECONNECTING-8", channel="lobby", member="alice").at_once(
            after=cut.healed, late="retry"
        ),
        nothing("RECONNECTING-8"),
    )


@pytest.mark.scenario("RECONNECTING-6", phase="reconnecting", lasts_s=36)
async def test_back_after_30_s_the_attributes_are_on_the_server_again(world: World) -> None:
    """Back after 32 s: the server has forgotten the user, and is told the attributes anew."""
    bob = await world.online("bob")
    alice = await world.online("alice")
    await alice.set_attributes(mood="calm", seat="12")
    cut = await alice.link.cut()
    await world.until(32.0, after=cut.injected)  # 30 s: forgotten
    await bob.get_attributes("alice")
    await cut.heal()
    back = await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-6"))
    await world.until(1.0, after=back)  # they are sent after the login was answered
    await bob.get_attributes("alice")
    alice.saw(
        *LOGGED_IN,
        state("RECONNECTING", "INTERRUPTED").at(4.0, after=cut.injected),
        state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-6").at_once(after=cut.healed, late="retry"),
    )
    bob.saw(
        *LOGGED_IN,
        answer("getAttributes", attributes={}),
        answer("getAttributes", "RECONNECTING-6", attributes={"mood": "calm", "seat": "12"}),
    )


@pytest.mark.scenario("RECONNECTING-9", "OPEN-22", phase="reconnecting", lasts_s=14)
async def test_a_token_that_expires_meanwhile_switches_nothing(world: World) -> None:
    """The token expires 8 s after the login, while the client is away: onTokenExpired, and RECONNECTING as before."""
    alice = await world.person("alice")
    login = await alice.login(expires_in_s=8.0)
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    cut = await alice.link.cut()  # 4.0 s later: interrupted
    await world.until(10.0, after=login)  # 8.0 s: the token expires
    await cut.heal()  # from now on the server refuses it
    await world.until(13.0, after=login)
    expired = callback("onTokenExpired", "RECONNECTING-9")
    alice.saw(
        *LOGGED_IN,
        state("RECONNECTING", "INTERRUPTED").at(4.0, after=cut.injected),
        one_of(
            "OPEN-22",
            by_its_own_timer=(expired.within(8.0, 9.0, after=login),),
            by_the_refusal=(expired.at_once(after=cut.healed, late="retry"),),
        ),
        nothing("RECONNECTING-9"),
    )


@pytest.mark.scenario("RECONNECTING-10", phase="reconnecting", lasts_s=42)
async def test_it_stays_reconnecting_as_long_as_it_cannot(world: World) -> None:
    """Forty seconds of silence, well past every time-out there is: still RECONNECTING, and nothing else was said."""
    alice = await world.online("alice")
    loss = await alice.link.blackhole()
    await world.until(38.0, after=loss.injected)  # 4.0 s: interrupted
    alice.saw(
        *LOGGED_IN,
        state("RECONNECTING", "INTERRUPTED", "RECONNECTING-10").at(
            4.0, after=loss.injected, early="heartbeat", late="heartbeat"
        ),
        nothing("RECONNECTING-10", "OPEN-6"),  # above all no LOGIN_TIMEOUT
    )


@pytest.mark.scenario("RECONNECTING-11", "RECONNECTING-12", "RECONNECTING-1", phase="reconnecting", lasts_s=11)
async def test_logout_while_reconnecting_ends_it(world: World) -> None:
    """logout() while RECONNECTING is immediate and final: the link comes back, and the client does not."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(5.0, after=cut.injected)  # 4.0 s: interrupted
    logout = await alice.logout()
    await cut.heal()
    await world.until(3.0, after=cut.healed)  # time enough for an attempt that should not be
    alice.saw(
        *LOGGED_IN,
        state("RECONNECTING", "INTERRUPTED").at(4.0, after=cut.injected),
        any_order(
            callback("onLogout", "RECONNECTING-12", code="OK").at_once(after=logout),
            state("DISCONNECTED", "LOGOUT", "RECONNECTING-11").at_once(after=logout),
        ),
        nothing("RECONNECTING-1", "RECONNECTING-11"),
    )
