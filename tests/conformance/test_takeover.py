"""Two instances of one uid: exactly one survives. And sessions that the system ends for good."""

from __future__ import annotations

import pytest

from harness.oracle.expect import answer, callback, nothing, state
from harness.world.losses import interrupted, lose
from harness.world.phrases import ALICE_JOINED_LOBBY, JOINED_LOBBY, LOGGED_IN, logged_out
from harness.world.world import World

KICKED = state("ABORTED", "REMOTE_LOGIN", "OPEN-20", "CONNECTED-5")
NEW_OWNER_HEARS = callback("onMessageReceived", "OPEN-19", "OPEN-20", channel="lobby", member="bob", text="hello")


@pytest.mark.scenario("OPEN-19", "CONNECTED-5", lasts_s=6)
async def test_a_takeover_leaves_the_channels_at_once(world: World) -> None:
    """The old instance is out of its channel at once, with one Left; the new one inherits no channel."""
    bob = await world.online("bob", channels=["lobby"])
    first = await world.online("first", uid="alice", channels=["lobby"])
    second = await world.person("second", uid="alice")
    takeover = await second.login()
    await second.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-19"))
    await world.until(1.0, after=takeover)
    await bob.get_members("lobby")
    first.saw(*JOINED_LOBBY, state("ABORTED", "REMOTE_LOGIN", "OPEN-19", "CONNECTED-5").at_once(after=takeover))
    second.saw(*LOGGED_IN, nothing("OPEN-19"))
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED_LOBBY,
        callback("onMemberLeft", "OPEN-19", channel="lobby", member="alice").at_once(after=takeover),
        answer("getMembers", "OPEN-19", members=["bob"]),
        nothing("OPEN-19"),
    )


@pytest.mark.scenario("OPEN-20", "CONNECTED-5", phase="grace", lasts_s=9)
@pytest.mark.parametrize("kind", ["cut", "blackhole", "freeze"])
async def test_a_takeover_in_the_grace_aborts_on_the_return(world: World, kind: str) -> None:
    """Taken over while the link is gone for 2 s: straight to ABORTED on the return, and the newcomer is not kicked."""
    first = await world.online("first", uid="alice")
    loss = await lose(first, kind)
    second = await world.online("second", uid="alice")
    await world.until(2.0, after=loss.injected)
    await loss.heal()
    await first.sees(KICKED)
    first.saw(*LOGGED_IN, KICKED.at_once(after=loss.healed, late="retry"), nothing("OPEN-20"))
    second.saw(*LOGGED_IN, nothing("OPEN-20"))


@pytest.mark.scenario("OPEN-20", "ABORTED-1", phase="reconnecting", lasts_s=12)
@pytest.mark.parametrize("kind", ["cut", "blackhole", "freeze"])
async def test_a_takeover_while_reconnecting_aborts_on_the_return(world: World, kind: str) -> None:
    """Taken over while RECONNECTING: never CONNECTED again, and the newcomer is not kicked."""
    first = await world.online("first", uid="alice")
    loss = await lose(first, kind)
    await world.until(5.0, after=loss.injected)  # 4.0 s: interrupted
    second = await world.online("second", uid="alice")
    await loss.heal()
    await first.sees(KICKED)
    first.saw(
        *LOGGED_IN, interrupted(kind, loss), KICKED.at_once(after=loss.healed, late="retry"), nothing("ABORTED-1")
    )
    second.saw(*LOGGED_IN, nothing("OPEN-20"))


@pytest.mark.scenario("OPEN-20", phase="reconnecting", lasts_s=10)
async def test_a_takeover_is_remembered_when_the_newcomer_has_left(world: World) -> None:
    """The newcomer logs in and out again while the first is away: the first was superseded all the same."""
    first = await world.online("first", uid="alice")
    cut = await first.link.cut()
    second = await world.online("second", uid="alice")
    await second.logout()
    await world.until(5.0, after=cut.injected)  # 4.0 s: interrupted
    await cut.heal()
    await first.sees(KICKED)
    first.saw(*LOGGED_IN, interrupted("cut", cut), KICKED.at_once(after=cut.healed, late="retry"), nothing("OPEN-20"))
    second.saw(*LOGGED_IN, logged_out("CONNECTED-6"))


@pytest.mark.scenario("OPEN-20", phase="reconnecting", lasts_s=37)
async def test_a_takeover_after_30_s_is_remembered_too(world: World) -> None:
    """The first is off the list when the newcomer logs in and out again: it was superseded all the same."""
    first = await world.online("first", uid="alice")
    cut = await first.link.cut()
    await world.until(32.0, after=cut.injected)  # 4.0 s: interrupted; 30 s: off the list
    second = await world.online("second", uid="alice")
    await second.logout()
    await cut.heal()
    await first.sees(KICKED)
    first.saw(*LOGGED_IN, interrupted("cut", cut), KICKED.at_once(after=cut.healed, late="retry"), nothing("OPEN-20"))
    second.saw(*LOGGED_IN, logged_out("CONNECTED-6"))


@pytest.mark.scenario("OPEN-20", "ABORTED-1", lasts_s=24)
async def test_two_instances_do_not_kick_each_other_for_ever(world: World) -> None:
    """One takeover, then 20 s: one kick, and no answer to it."""
    first = await world.online("first", uid="alice")
    second = await world.online("second", uid="alice")
    kicked = await first.sees(KICKED)
    await world.until(20.0, after=kicked)
    first.saw(*LOGGED_IN, KICKED, nothing("OPEN-20", "ABORTED-1"))
    second.saw(*LOGGED_IN, nothing("OPEN-20"))


@pytest.mark.scenario("OPEN-19", "OPEN-20", "OPEN-24", lasts_s=12)
async def test_the_new_owner_is_heard_after_the_takeover(world: World) -> None:
    """The new owner joins the channel: what was cleaned up behind the old one is not the new one's."""
    bob = await world.online("bob", channels=["lobby"])
    first = await world.online("first", uid="alice", channels=["lobby"])
    second = await world.online("second", uid="alice", channels=["lobby"])
    await first.sees(state("ABORTED", "REMOTE_LOGIN"))
    await world.sleep(5.0)
    await bob.send("hello", channel="lobby")
    await second.sees(NEW_OWNER_HEARS)
    second.saw(*JOINED_LOBBY, NEW_OWNER_HEARS)
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED_LOBBY,
        callback("onMemberLeft", "OPEN-24", channel="lobby", member="alice"),
        ALICE_JOINED_LOBBY,
        nothing("OPEN-24"),
    )


@pytest.mark.scenario("OPEN-17", "ABORTED-2", phase="aborted", lasts_s=6)
async def test_logout_while_aborted_leaves_the_new_owner_alone(world: World) -> None:
    """The kicked-out instance logs out: that is its own affair."""
    bob = await world.online("bob")
    first = await world.online("first", uid="alice")
    second = await world.online("second", uid="alice")
    await first.sees(state("ABORTED", "REMOTE_LOGIN"))
    await first.logout()
    await first.sees(state("DISCONNECTED", "LOGOUT", "OPEN-17"))
    await world.sleep(1.0)
    await bob.query_online("alice")
    first.saw(*LOGGED_IN, state("ABORTED", "REMOTE_LOGIN"), logged_out("OPEN-17", "ABORTED-2"), nothing("OPEN-17"))
    second.saw(*LOGGED_IN, nothing("OPEN-17"))
    bob.saw(*LOGGED_IN, answer("queryOnline", "OPEN-17", online={"alice": True}))


@pytest.mark.scenario("ABORTED-1", phase="aborted", lasts_s=12)
@pytest.mark.parametrize("kind", ["cut", "blackhole"])
async def test_an_outage_while_aborted_switches_nothing(world: World, kind: str) -> None:
    """The link of a kicked-out instance goes and comes: it has nothing to lose, and nothing to come back to."""
    first = await world.online("first", uid="alice")
    await world.online("second", uid="alice")
    await first.sees(state("ABORTED", "REMOTE_LOGIN"))
    loss = await lose(first, kind)
    await world.until(6.0, after=loss.injected)
    await loss.heal()
    await world.until(2.0, after=loss.healed)
    first.saw(*LOGGED_IN, state("ABORTED", "REMOTE_LOGIN"), nothing("ABORTED-1"))


@pytest.mark.scenario("OPEN-21", lasts_s=8)
async def test_a_ban_while_connected_aborts(world: World) -> None:
    """The system ends the session for good: ABORTED at once, off the list at once, and no way back by itself."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    ban = await world.ban("alice")
    await alice.sees(state("ABORTED", "BANNED_BY_SERVER", "OPEN-21"))
    await world.until(4.0, after=ban)
    alice.saw(*JOINED_LOBBY, state("ABORTED", "BANNED_BY_SERVER", "OPEN-21").at_once(after=ban), nothing("OPEN-21"))
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED_LOBBY,
        callback("onMemberLeft", "OPEN-21", channel="lobby", member="alice").at_once(after=ban),
    )


@pytest.mark.scenario("OPEN-21", phase="way back", lasts_s=9)
async def test_a_ban_while_reconnecting_aborts_on_the_return(world: World) -> None:
    """Banned while away: its next attempt is refused, and it gives up."""
    alice = await world.online("alice")
    cut = await alice.link.cut()
    await world.until(5.0, after=cut.injected)  # 4.0 s: interrupted
    await world.ban("alice")
    await cut.heal()
    banned = state("ABORTED", "BANNED_BY_SERVER", "OPEN-21")
    await alice.sees(banned)
    alice.saw(*LOGGED_IN, interrupted("cut", cut), banned.at_once(after=cut.healed, late="retry"), nothing("OPEN-21"))


@pytest.mark.scenario("OPEN-21", "CONNECTING-4", phase="login", lasts_s=4)
async def test_a_banned_user_cannot_log_in(world: World) -> None:
    """A login of a banned user is refused like any other that the server rejects."""
    alice = await world.person("alice")
    await world.ban("alice")
    await alice.login()
    await alice.sees(state("DISCONNECTED", "LOGIN_FAILURE", "CONNECTING-4", "OPEN-21"))
    alice.saw(
        state("CONNECTING", "LOGIN"),
        callback("onLoginFailure", "OPEN-21", code="REJECTED"),
        state("DISCONNECTED", "LOGIN_FAILURE", "CONNECTING-4", "OPEN-21"),
        nothing("OPEN-21"),
    )
