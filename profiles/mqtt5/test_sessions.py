"""Sessions, of which the broker keeps what is subscribed and what was sent for 10 s after the connection is closed."""

from __future__ import annotations

import pytest

from harness.oracle.expect import any_order, callback, nothing, state
from harness.world.world import World

LOGGED_IN = (
    state("CONNECTING", "LOGIN"),
    any_order(callback("onLoginSuccess"), state("CONNECTED", "LOGIN_SUCCESS")),
)
JOINED_LOBBY = (*LOGGED_IN, callback("onJoinSuccess", channel="lobby"))
ALICE_JOINED = callback("onMemberJoined", channel="lobby", member="alice")
INTERRUPTED = state("RECONNECTING", "INTERRUPTED")
BACK = state("CONNECTED", "LOGIN_SUCCESS", "MQTT-OPEN-1")


@pytest.mark.scenario(
    "MQTT-3.1.2-5", "MQTT-3.1.2-23", "MQTT-3.2.2-3", "MQTT-4.5.0-1", "MQTT-4.6.0-6", "MQTT-3.1.3-9", lasts_s=10
)
async def test_back_before_the_session_expires(world: World) -> None:
    """Back after 3 s: subscribed as before, and the messages of the meantime come, in their order. No will."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    cut = await alice.link.cut()
    await alice.sees(INTERRUPTED)
    for text in ("one", "two", "three"):
        await bob.send(text, channel="lobby")
    await world.until(2.0, after=cut.injected)  # 1 s: an attempt that fails; 3 s: the one that does not
    await cut.heal()
    await alice.sees(BACK)
    await world.until(7.5, after=cut.injected)  # 5 s: the will, if there were one
    kept = ("MQTT-3.1.2-5", "MQTT-3.1.2-23", "MQTT-4.5.0-1", "MQTT-4.6.0-6")
    alice.saw(
        *JOINED_LOBBY,
        INTERRUPTED.at_once(after=cut.injected),
        BACK.at_once(after=cut.healed, late="retry"),
        callback("onMessageReceived", *kept, channel="lobby", member="bob", text="one"),
        callback("onMessageReceived", *kept, channel="lobby", member="bob", text="two"),
        callback("onMessageReceived", *kept, channel="lobby", member="bob", text="three"),
        nothing("MQTT-3.2.2-3"),  # an onJoinSuccess would say that Session Present was 0
    )
    bob.saw(*JOINED_LOBBY, ALICE_JOINED, nothing("MQTT-3.1.3-9"))


@pytest.mark.scenario("MQTT-4.1.0-2", "MQTT-3.1.2-6", "MQTT-3.2.2-3", phase="reconnecting", lasts_s=19)
async def test_back_after_the_session_has_expired(world: World) -> None:
    """Back after 15 s: the session is gone, with what was subscribed and with the message; so it is joined anew."""
    await world.own_server()
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    cut = await alice.link.cut()
    await alice.sees(INTERRUPTED)
    await bob.send("too early", channel="lobby")
    await world.until(12.0, after=cut.injected)  # 5 s: the will; 10 s: the session ends; 15 s: the next attempt
    await cut.heal()
    await alice.sees(BACK)
    await world.until(16.5, after=cut.injected)
    alice.saw(
        *JOINED_LOBBY,
        INTERRUPTED.at_once(after=cut.injected),
        BACK.at_once(after=cut.healed, late="retry"),
        callback("onJoinSuccess", "MQTT-3.2.2-3", "MQTT-3.1.2-6", channel="lobby"),
        nothing("MQTT-4.1.0-2"),
    )
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED,
        callback("onMemberLeft", "MQTT-3.1.2-8", channel="lobby", member="alice").within(5.0, 6.2, after=cut.injected),
        callback("onMemberJoined", "MQTT-3.1.2-6", channel="lobby", member="alice"),
    )


@pytest.mark.scenario("MQTT-3.1.2-5", "MQTT-3.1.2-8", "MQTT-3.2.2-3", phase="reconnecting", lasts_s=11)
async def test_back_between_the_will_and_the_end_of_the_session(world: World) -> None:
    """Back after 7 s: the will was published, and the session is there all the same."""
    await world.own_server()
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    cut = await alice.link.cut()
    await alice.sees(INTERRUPTED)
    await bob.send("kept", channel="lobby")
    await world.until(6.5, after=cut.injected)  # 3 s: an attempt that fails; 7 s: the one that does not
    await cut.heal()
    await alice.sees(BACK)
    await world.until(8.5, after=cut.injected)
    alice.saw(
        *JOINED_LOBBY,
        INTERRUPTED.at_once(after=cut.injected),
        BACK.at_once(after=cut.healed, late="retry"),
        callback("onMessageReceived", "MQTT-3.1.2-5", channel="lobby", member="bob", text="kept"),
        nothing("MQTT-3.2.2-3"),
    )
    bob.saw(
        *JOINED_LOBBY,
        ALICE_JOINED,
        callback("onMemberLeft", "MQTT-3.1.2-8", channel="lobby", member="alice").within(5.0, 6.2, after=cut.injected),
        callback("onMemberJoined", channel="lobby", member="alice"),
    )


@pytest.mark.scenario("MQTT-3.1.2-5", "MQTT-3.1.3-9", lasts_s=10)
async def test_a_second_client_goes_on_with_the_session(world: World) -> None:
    """Another device of the same ClientID, while the first one is cut off: it has what was subscribed. No will."""
    await world.own_server()
    bob = await world.online("bob", channels=["lobby"])
    old = await world.online("old", uid="alice", channels=["lobby"])
    cut = await old.link.cut()
    new = await world.online("new", uid="alice")
    await bob.send("hello", channel="lobby")
    await world.until(7.5, after=cut.injected)  # 5 s: the will, if there were one
    old.saw(*JOINED_LOBBY, INTERRUPTED)
    hears = callback("onMessageReceived", "MQTT-3.1.2-5", channel="lobby", member="bob", text="hello")
    new.saw(*LOGGED_IN, hears)
    bob.saw(*JOINED_LOBBY, ALICE_JOINED, nothing("MQTT-3.1.3-9"))


@pytest.mark.scenario("MQTT-3.1.4-3", "MQTT-OPEN-2", lasts_s=5)
async def test_a_client_that_was_taken_over_is_told_and_stays_away(world: World) -> None:
    """The old client gets 0x8E. Two that each took their session back would push each other out for ever."""
    old = await world.online("old", uid="alice")
    new = await world.person("new", uid="alice")
    takeover = await new.login()
    told = state("ABORTED", "REMOTE_LOGIN", "MQTT-3.1.4-3")
    await old.sees(told)
    await world.until(2.5, after=takeover)
    old.saw(*LOGGED_IN, told.at_once(after=takeover), nothing("MQTT-OPEN-2"))
    new.saw(*LOGGED_IN, nothing("MQTT-OPEN-2"))
