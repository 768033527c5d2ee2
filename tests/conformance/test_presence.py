"""The 30 s: what others see of somebody who is away, on both sides of the boundary."""

from __future__ import annotations

import pytest

from harness.oracle.expect import answer, callback, nothing, one_of, state
from harness.world.losses import EVERY, UNHEARD, back, interrupted, left, lose
from harness.world.phrases import ALICE_JOINED_LOBBY, JOINED_LOBBY, LOGGED_IN
from harness.world.world import World


@pytest.mark.scenario("RECONNECTING-4", "RECONNECTING-2", "OPEN-9", phase="reconnecting", lasts_s=33)
@pytest.mark.parametrize("kind", EVERY)
async def test_back_after_28_s_nobody_was_told(world: World, kind: str) -> None:
    """Away for 28 s, by whatever loss: in its channel again, and the others saw nothing."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"], resettable=kind == "reset")
    alice.must_retry_within(1.5)
    loss = await lose(alice, kind)
    await world.until(28.0, after=loss.injected)  # 4 s: interrupted
    await loss.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-4"))  # before 30 s
    await bob.send("welcome back", channel="lobby")
    await alice.sees(callback("onMessageReceived", channel="lobby", member="bob", text="welcome back"))
    alice.saw(
        *JOINED_LOBBY,
        interrupted(kind, loss),
        back(loss, "RECONNECTING-4"),
        callback("onMessageReceived", "RECONNECTING-4", channel="lobby", member="bob", text="welcome back"),
    )
    bob.saw(*JOINED_LOBBY, ALICE_JOINED_LOBBY, nothing("RECONNECTING-2", "RECONNECTING-4", "OPEN-9", "OPEN-4"))


@pytest.mark.scenario(
    "RECONNECTING-5", "RECONNECTING-7", "RECONNECTING-8", "OPEN-8", "OPEN-24", phase="reconnecting", lasts_s=36
)
@pytest.mark.parametrize("kind", UNHEARD)
async def test_back_after_32_s_the_others_saw_it_leave_and_join(world: World, kind: str) -> None:
    """Away for 32 s, by whatever loss: one Left at 30 s, one Joined on the return, and no Joined for itself."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"], resettable=kind == "reset")
    loss = await lose(alice, kind)
    await world.until(32.0, after=loss.injected)  # 4 s: interrupted; 30 s: left
    await loss.heal()
    await bob.sees(callback("onMemberJoined", "RECONNECTING-8", channel="lobby", member="alice"), within_s=5.0)
    alice.saw(*JOINED_LOBBY, interrupted(kind, loss), back(loss, "RECONNECTING-5"), nothing("OPEN-24"))
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED_LOBBY,
        left(kind, loss, "RECONNECTING-7", "OPEN-8", channel="lobby", member="alice"),
        callback("onMemberJoined", "RECONNECTING-8", channel="lobby", member="alice").at_once(
            after=loss.healed, late="retry"
        ),
        nothing("OPEN-24"),
    )


@pytest.mark.scenario("CONNECTED-2", "OPEN-8", lasts_s=41)
@pytest.mark.parametrize("kind", ["silence_to_client", "freeze_to_client"])
async def test_a_server_that_still_hears_counts_from_the_last_it_heard(world: World, kind: str) -> None:
    """Only the way to the client is lost: the client gives the link up after 4 s, and the 30 s begin with its last."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    loss = await lose(alice, kind)
    await world.until(37.0, after=loss.injected)
    alice.saw(*JOINED_LOBBY, interrupted(kind, loss, "CONNECTED-2"))
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED_LOBBY,
        callback("onMemberLeft", "OPEN-8", channel="lobby", member="alice").within(
            30.0, 34.0, after=loss.injected, late="heartbeat"
        ),
    )


@pytest.mark.scenario("OPEN-10", phase="way back", lasts_s=34)
async def test_back_just_as_the_30_s_expire(world: World) -> None:
    """Back within the last moment of the 30 s: the others see nothing, or Left and then Joined, but no half of it."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    cut = await alice.link.cut()
    await world.until(29.6, after=cut.injected)
    await cut.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "OPEN-10"))
    alice.saw(*JOINED_LOBBY, interrupted("cut", cut), back(cut, "OPEN-10"))
    gone = callback("onMemberLeft", "OPEN-10", channel="lobby", member="alice")
    bob.saw(*JOINED_LOBBY, ALICE_JOINED_LOBBY, one_of("OPEN-10", kept=(), left_and_joined=(gone, ALICE_JOINED_LOBBY)))


@pytest.mark.scenario("OPEN-11", "GENERAL-4", lasts_s=35)
async def test_a_client_that_dies_is_interrupted_not_logged_out(world: World) -> None:
    """The process is killed: its connections close without a logout, and the user is presumed online for 30 s."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    death = await world.crash(alice)
    await world.until(28.0, after=death)
    await bob.query_online("alice")
    await world.until(32.0, after=death)  # 30 s: left
    await bob.query_online("alice")
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED_LOBBY,
        answer("queryOnline", "OPEN-11", online={"alice": True}),
        callback("onMemberLeft", "OPEN-11", channel="lobby", member="alice").at(30.0, after=death, early="heartbeat"),
        answer("queryOnline", "GENERAL-4", online={"alice": False}),
    )


@pytest.mark.scenario("OPEN-15", "CONNECTED-6", phase="logout", lasts_s=6)
async def test_a_logout_is_told_to_others_at_once(world: World) -> None:
    """A logout is no interruption: the others see it leave at once, not after 30 s."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    logout = await alice.logout()
    await bob.sees(callback("onMemberLeft", "OPEN-15", channel="lobby", member="alice"))
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED_LOBBY,
        callback("onMemberLeft", "OPEN-15", "CONNECTED-6", channel="lobby", member="alice").at_once(after=logout),
        nothing("OPEN-15"),
    )


@pytest.mark.scenario("RECONNECTING-2", "RECONNECTING-3", "RECONNECTING-7", "RECONNECTING-8", lasts_s=37)
async def test_all_members_of_a_channel_see_the_same(world: World) -> None:
    """A member who is away is on the list for 30 s; then it is not, and everybody else there was told, and is again."""
    bob = await world.online("bob", channels=["lobby"])
    carol = await world.online("carol", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    cut = await alice.link.cut()
    await world.until(28.0, after=cut.injected)  # 4.0 s: interrupted
    await bob.get_members("lobby")
    await world.until(32.0, after=cut.injected)  # 30 s: left
    await bob.get_members("lobby")
    await cut.heal()
    joined = callback("onMemberJoined", "RECONNECTING-8", channel="lobby", member="alice")
    await bob.sees(joined)
    await carol.sees(joined)
    gone = left("cut", cut, "RECONNECTING-7", channel="lobby", member="alice")
    again = joined.at_once(after=cut.healed, late="retry")
    bob.saw(
        *JOINED_LOBBY,
        callback("onMemberJoined", channel="lobby", member="carol"),
        ALICE_JOINED_LOBBY,
        answer("getMembers", "RECONNECTING-2", members=["alice", "bob", "carol"]),
        gone,
        answer("getMembers", "RECONNECTING-3", members=["bob", "carol"]),
        again,
    )
    carol.saw(*JOINED_LOBBY, ALICE_JOINED_LOBBY, gone, again)


@pytest.mark.scenario("RECONNECTING-7", "OPEN-24", lasts_s=35)
async def test_one_left_for_each_channel(world: World) -> None:
    """Away from two channels: the others of each see one Left there, and those of a third see nothing."""
    bob = await world.online("bob", channels=["blue"])
    carol = await world.online("carol", channels=["green"])
    dave = await world.online("dave", channels=["red"])
    alice = await world.online("alice", channels=["blue", "green"])
    cut = await alice.link.cut()
    await world.until(32.0, after=cut.injected)  # 30 s: left
    for friend, channel in ((bob, "blue"), (carol, "green")):
        friend.saw(
            *LOGGED_IN,
            callback("onJoinSuccess", channel=channel),
            callback("onMemberJoined", channel=channel, member="alice"),
            left("cut", cut, "RECONNECTING-7", "OPEN-24", channel=channel, member="alice"),
            nothing("OPEN-24"),
        )
    dave.saw(*LOGGED_IN, callback("onJoinSuccess", channel="red"), nothing("RECONNECTING-7"))
