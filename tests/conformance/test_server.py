"""The server itself goes away: killed, stopped, standing still, and back with nothing of its former life."""

from __future__ import annotations

import pytest

from harness.oracle.expect import answer, any_order, callback, nothing, one_of, state
from harness.world.phrases import ALICE_JOINED_LOBBY, JOINED_LOBBY, LOGGED_IN
from harness.world.world import World

INTERRUPTED = state("RECONNECTING", "INTERRUPTED", "OPEN-27")
BACK = state("CONNECTED", "LOGIN_SUCCESS", "OPEN-27")


@pytest.mark.scenario("OPEN-27", "CONNECTED-3", lasts_s=10)
@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_a_server_that_ends_is_an_interruption(world: World, end: str) -> None:
    """Killed or stopped in order, and started again after 5 s: interrupted after 4 s, and back; not a kick."""
    server = await world.own_server()
    alice = await world.online("alice")
    ended = await (server.kill() if end == "kill" else server.stop())
    await world.until(5.0, after=ended)  # 4.0 s: interrupted
    started = await server.start()
    await alice.sees(BACK)
    alice.saw(
        *LOGGED_IN,
        state("RECONNECTING", "INTERRUPTED", "OPEN-27", "CONNECTED-3").at(4.0, after=ended),
        BACK.at_once(after=started, late="retry"),
        nothing("OPEN-27"),
    )


@pytest.mark.scenario("OPEN-27", "CONNECTED-4", phase="grace", lasts_s=9)
async def test_a_server_that_is_restarted_at_once_interrupts_nobody(world: World) -> None:
    """Killed and started again right away: within the 4 s, so nothing switches, though its sessions are gone."""
    server = await world.own_server()
    alice = await world.online("alice")
    killed = await server.kill()
    await server.start()
    await world.until(2.5, after=killed)  # later, and nobody could be back within the 4 s
    await world.until(5.0, after=killed)
    alice.saw(*LOGGED_IN, nothing("CONNECTED-4", "OPEN-27"))


@pytest.mark.scenario("OPEN-27", "OPEN-25", "OPEN-23", phase="way back", lasts_s=14)
async def test_a_restarted_server_is_told_channels_and_attributes_again(world: World) -> None:
    """Its sessions are gone: every client is in its channels again and has its attributes there, by its own doing."""
    server = await world.own_server()
    alice = await world.online("alice", channels=["lobby"])
    bob = await world.online("bob", channels=["lobby"])
    await alice.set_attributes(mood="calm")
    killed = await server.kill()
    await world.until(5.0, after=killed)  # 4.0 s: interrupted
    await server.start()
    await alice.sees(BACK)
    await bob.sees(BACK)
    await world.sleep(2.0)
    await bob.get_members("lobby")
    await bob.get_attributes("alice")
    await bob.send("all there?", channel="lobby")
    await alice.sees(callback("onMessageReceived", "OPEN-27", channel="lobby", member="bob", text="all there?"))
    members = answer("getMembers", "OPEN-27", "OPEN-23", members=["alice", "bob"])
    attributes = answer("getAttributes", "OPEN-25", attributes={"mood": "calm"})
    # Who comes back first sees the other one join; which of them that is, nobody can say.
    bob.saw(
        *JOINED_LOBBY,
        INTERRUPTED,
        BACK,
        one_of("OPEN-27", saw_the_other_join=(ALICE_JOINED_LOBBY,), was_second=()),
        members,
        attributes,
        nothing("OPEN-27"),
    )


@pytest.mark.scenario("CONNECTED-3", "OPEN-1", lasts_s=12)
async def test_a_server_that_stands_still_interrupts_after_4_s(world: World) -> None:
    """Its process stands still for 6 s: connections are accepted, and nobody answers. Back when it goes on."""
    server = await world.own_server()
    alice = await world.online("alice")
    halt = await server.suspend()
    await world.until(6.0, after=halt)  # 4.0 s: interrupted
    resumed = await server.resume()
    await alice.sees(BACK)
    alice.saw(
        *LOGGED_IN,
        state("RECONNECTING", "INTERRUPTED", "CONNECTED-3", "OPEN-1").at(
            4.0, after=halt, early="heartbeat", late="heartbeat"
        ),
        BACK.at_once(after=resumed, late="retry"),
        nothing("CONNECTED-3"),
    )


@pytest.mark.scenario("CONNECTED-4", phase="grace", lasts_s=8)
async def test_a_server_that_stands_still_for_2_s_interrupts_nobody(world: World) -> None:
    """Two seconds without an answer are no interruption."""
    server = await world.own_server()
    alice = await world.online("alice")
    halt = await server.suspend()
    await world.until(2.0, after=halt)
    await server.resume()
    await world.until(5.0, after=halt)
    alice.saw(*LOGGED_IN, nothing("CONNECTED-4"))


@pytest.mark.scenario("CONNECTING-5", "OPEN-5", phase="handshake", lasts_s=9)
async def test_a_login_at_a_server_that_stands_still_times_out(world: World) -> None:
    """Accepted, then silence: the login has its 6 s and no more."""
    server = await world.own_server()
    alice = await world.person("alice")
    await server.suspend()
    await alice.login()
    connecting = await alice.sees(state("CONNECTING", "LOGIN"))
    timed_out = state("DISCONNECTED", "LOGIN_TIMEOUT", "CONNECTING-5", "OPEN-5")
    await alice.sees(timed_out)
    alice.saw(
        state("CONNECTING", "LOGIN"),
        any_order(
            callback("onLoginFailure", "CONNECTING-5", code="TIMEOUT").at(6.0, after=connecting),
            timed_out.at(6.0, after=connecting),
        ),
    )


@pytest.mark.scenario("CONNECTED-3", "CONNECTED-2", lasts_s=9)
async def test_a_dead_server_behind_a_half_open_link_interrupts_after_4_s(world: World) -> None:
    """The server is dead and the link does not say so: only the heartbeat can tell."""
    server = await world.own_server()
    alice = await world.online("alice")
    await alice.link.half_open()
    killed = await server.kill()
    await world.until(5.0, after=killed)  # 4.0 s: interrupted
    alice.saw(
        *LOGGED_IN,
        state("RECONNECTING", "INTERRUPTED", "CONNECTED-3", "CONNECTED-2").at(
            4.0, after=killed, early="heartbeat", late="heartbeat"
        ),
    )


@pytest.mark.scenario("OPEN-2", "CONNECTED-4", phase="grace", lasts_s=9)
async def test_a_connection_that_stays_silent_is_replaced_within_the_4_s(world: World) -> None:
    """The server is another one behind a half-open link: the old connection stays silent, and a new one is found."""
    server = await world.own_server()
    alice = await world.online("alice")
    alice.must_retry_within(1.5)  # it takes a heartbeat or two before there is anything to retry
    await alice.link.half_open()
    killed = await server.kill()
    await server.start()
    await world.until(2.0, after=killed)  # later, and nobody could be back within the 4 s
    await world.until(6.0, after=killed)  # 4.0 s: nothing
    alice.saw(*LOGGED_IN, nothing("OPEN-2", "CONNECTED-4"))


@pytest.mark.scenario("OPEN-27", "OPEN-28", phase="way back", lasts_s=14)
async def test_many_clients_coming_back_at_once_make_no_storm(world: World) -> None:
    """Six clients lose their server at the same moment: all come back, each with a few attempts and no more."""
    server = await world.own_server()
    people = [await world.online(f"user-{number}") for number in range(6)]
    killed = await server.kill()
    await world.until(5.0, after=killed)  # 4.0 s: interrupted
    await server.start()
    for person in people:
        await person.sees(BACK)
        person.saw(*LOGGED_IN, INTERRUPTED, BACK, nothing("OPEN-28"))
