"""OPEN-18: every call is legal from inside every callback, and a callback that raises breaks nothing."""

from __future__ import annotations

import pytest

from harness.oracle.expect import callback, nothing, state
from harness.world.losses import back, interrupted
from harness.world.phrases import JOINED_LOBBY, LOGGED_IN, logged_out, login_failed
from harness.world.world import World

EACH_CALLBACK = (
    "onConnectionStateChanged",
    "onLoginFailure",
    "onLoginSuccess",
    "onJoinSuccess",
    "onMemberJoined",
    "onMessageReceived",
    "onMessageReceivedFromPeer",
    "onMemberLeft",
    "onTokenExpired",
    "onRenewTokenResult",
    "onLeave",
    "onLogout",
)


@pytest.mark.scenario("OPEN-18", lasts_s=11, phase="traffic")
@pytest.mark.parametrize("raising", EACH_CALLBACK)
async def test_a_callback_that_raises_breaks_nothing(world: World, raising: str) -> None:
    """A life with every callback there is, and one of them raises: the life goes on as if it had not."""
    bob = await world.online("bob")  # first: alice's token is short-lived, and starting a process takes its time
    alice = await world.person("alice")
    await alice.raises_in(raising)
    await alice.login(token="none")
    await alice.sees(state("DISCONNECTED", "LOGIN_FAILURE"))
    await alice.login(expires_in_s=4.0)
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-18"))
    await alice.join("lobby")
    await alice.sees(callback("onJoinSuccess", "OPEN-18", channel="lobby"))
    await bob.join("lobby")
    await bob.sees(callback("onJoinSuccess", channel="lobby"))
    await bob.send("to all", channel="lobby")
    await bob.send("to you", peer="alice")
    await alice.sees(callback("onMessageReceivedFromPeer", "OPEN-18", peer="bob", text="to you"))
    await bob.leave("lobby")
    await alice.sees(callback("onTokenExpired", "OPEN-18"))
    token = world.token("alice")
    await alice.renew_token(token)
    await alice.sees(callback("onRenewTokenResult", "OPEN-18", token=token, code="OK"))
    await alice.leave("lobby")
    await alice.sees(callback("onLeave", "OPEN-18", channel="lobby", code="OK"))
    await alice.logout()
    await alice.sees(state("DISCONNECTED", "LOGOUT", "OPEN-18"))
    alice.saw(
        state("CONNECTING", "LOGIN"),
        login_failed("INVALID_TOKEN", "LOGIN_FAILURE"),
        *LOGGED_IN,
        callback("onJoinSuccess", channel="lobby"),
        callback("onMemberJoined", channel="lobby", member="bob"),
        callback("onMessageReceived", channel="lobby", member="bob", text="to all"),
        callback("onMessageReceivedFromPeer", peer="bob", text="to you"),
        callback("onMemberLeft", channel="lobby", member="bob"),
        callback("onTokenExpired"),
        callback("onRenewTokenResult", token=token, code="OK"),
        callback("onLeave", channel="lobby", code="OK"),
        logged_out("OPEN-18"),
        nothing("OPEN-18"),
    )


@pytest.mark.scenario("OPEN-18", "OPEN-23", lasts_s=12, phase="reconnecting")
async def test_a_join_failure_that_raises_breaks_nothing(world: World) -> None:
    """The callback of a join that failed while RECONNECTING raises: the client still comes back."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(4.5, after=cut.injected)  # 4.0 s: interrupted
    await alice.raises_in("onJoinFailure")
    join = await alice.join("lobby")
    await world.until(5.5, after=join)  # 5.0 s: the join has failed
    await cut.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-18"))
    alice.saw(
        *LOGGED_IN,
        interrupted("cut", cut),
        callback("onJoinFailure", "OPEN-23", channel="lobby", code="JOIN_CHANNEL_TIMEOUT"),
        back(cut, "OPEN-18"),
        nothing("OPEN-18"),
    )


@pytest.mark.scenario("OPEN-18", "RECONNECTING-11", lasts_s=10, phase="reconnecting")
async def test_logout_from_inside_the_interruption_is_final(world: World) -> None:
    """The app logs out from inside the callback of the switch to RECONNECTING: no attempt survives that."""
    alice = await world.online("alice")
    await alice.reacts("onConnectionStateChanged", "logout")
    cut = await alice.link.cut()
    await world.until(5.0, after=cut.injected)  # 4.0 s: interrupted, and logged out
    await cut.heal()
    await world.until(2.0, after=cut.healed)
    alice.saw(
        *LOGGED_IN,
        interrupted("cut", cut),
        logged_out("OPEN-18", "RECONNECTING-11"),
        nothing("OPEN-18", "RECONNECTING-11"),
    )


@pytest.mark.scenario("OPEN-18", "CONNECTED-6", lasts_s=5, phase="logout")
async def test_logout_from_inside_a_join(world: World) -> None:
    """The app logs out from inside the callback of its join."""
    alice = await world.online("alice")
    await alice.reacts("onJoinSuccess", "logout")
    await alice.join("lobby")
    await alice.sees(state("DISCONNECTED", "LOGOUT", "OPEN-18"))
    alice.saw(*JOINED_LOBBY, logged_out("OPEN-18", "CONNECTED-6"), nothing("OPEN-18"))


@pytest.mark.scenario("OPEN-18", "GENERAL-3", lasts_s=5, phase="logout")
async def test_login_from_inside_the_logout(world: World) -> None:
    """The app logs in again from inside the callback of the switch that its logout made."""
    alice = await world.online("alice")
    await alice.reacts("onConnectionStateChanged", "login", uid="alice", token=world.token("alice"))
    await alice.logout()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-18"))
    alice.saw(*LOGGED_IN, logged_out("OPEN-18"), *LOGGED_IN, nothing("GENERAL-3", "OPEN-18"))


@pytest.mark.scenario("OPEN-18", "CONNECTING-5", lasts_s=11, phase="login")
async def test_login_from_inside_the_time_out(world: World) -> None:
    """The app logs in again from inside the switch that the time-out made: the second login has 6 s of its own."""
    alice = await world.person("alice")
    loss = await alice.link.blackhole()
    await alice.login()
    await alice.sees(state("CONNECTING", "LOGIN"))
    await alice.reacts("onConnectionStateChanged", "login", uid="alice", token=world.token("alice"))
    await alice.sees(state("DISCONNECTED", "LOGIN_TIMEOUT", "CONNECTING-5"))
    await loss.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-18"))
    alice.saw(
        state("CONNECTING", "LOGIN"),
        login_failed("TIMEOUT", "LOGIN_TIMEOUT", "CONNECTING-5"),
        *LOGGED_IN,
        nothing("OPEN-18"),
    )


@pytest.mark.scenario("OPEN-18", "OPEN-23", lasts_s=9, phase="way back")
async def test_join_from_inside_the_return(world: World) -> None:
    """The app joins a channel from inside the switch that the return made."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(5.0, after=cut.injected)  # 4.0 s: interrupted
    await alice.reacts("onConnectionStateChanged", "join", channel="lobby")
    await cut.heal()
    await alice.sees(callback("onJoinSuccess", "OPEN-18", channel="lobby"))
    alice.saw(
        *LOGGED_IN,
        interrupted("cut", cut),
        back(cut, "OPEN-18"),
        callback("onJoinSuccess", "OPEN-18", "OPEN-23", channel="lobby"),
        nothing("OPEN-18"),
    )


@pytest.mark.scenario("OPEN-18", lasts_s=5, phase="traffic")
async def test_send_from_inside_a_message(world: World) -> None:
    """The app answers a message from inside the callback that brought it."""
    alice = await world.online("alice")
    bob = await world.online("bob")
    await alice.reacts("onMessageReceivedFromPeer", "sendToPeer", peer="bob", text="pong")
    await bob.send("ping", peer="alice")
    await bob.sees(callback("onMessageReceivedFromPeer", "OPEN-18", peer="alice", text="pong"))
    alice.saw(*LOGGED_IN, callback("onMessageReceivedFromPeer", peer="bob", text="ping"), nothing("OPEN-18"))
    bob.saw(*LOGGED_IN, callback("onMessageReceivedFromPeer", "OPEN-18", peer="alice", text="pong"))


@pytest.mark.scenario("OPEN-18", "OPEN-17", lasts_s=6, phase="aborted")
async def test_logout_from_inside_the_kick(world: World) -> None:
    """The app logs out from inside the callback that told it of the kick."""
    first = await world.online("first", uid="alice")
    await first.reacts("onConnectionStateChanged", "logout")
    second = await world.online("second", uid="alice")
    await first.sees(state("DISCONNECTED", "LOGOUT", "OPEN-17"))
    first.saw(*LOGGED_IN, state("ABORTED", "REMOTE_LOGIN"), logged_out("OPEN-17", "OPEN-18"), nothing("OPEN-18"))
    second.saw(*LOGGED_IN, nothing("OPEN-17"))
