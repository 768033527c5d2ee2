"""Connecting: taken, refused, without an answer, and without anybody there."""

from __future__ import annotations

import pytest

from harness.oracle.expect import any_order, callback, one_of, state
from harness.world.world import World

BEGINS = state("CONNECTING", "LOGIN")
TAKEN = any_order(callback("onLoginSuccess"), state("CONNECTED", "LOGIN_SUCCESS", "MQTT-3.1.4-5"))


@pytest.mark.scenario("MQTT-3.1.4-5", "MQTT-3.1.2-6", "MQTT-4.5.0-1", phase="login", lasts_s=2)
async def test_a_client_connects_and_messages_go_both_ways(world: World) -> None:
    """CONNECT, SUBSCRIBE and PUBLISH with QoS 1: nothing is lost, and nobody hears himself."""
    bob = await world.online("bob", channels=["lobby"])
    alice = await world.online("alice", channels=["lobby"])
    await alice.send("ping", channel="lobby")
    await bob.sees(callback("onMessageReceived", channel="lobby", member="alice", text="ping"))
    await bob.send("pong", channel="lobby")
    alice.saw(
        BEGINS,
        TAKEN,
        callback("onJoinSuccess", "MQTT-3.1.2-6", channel="lobby"),
        callback("onMessageReceived", "MQTT-4.5.0-1", channel="lobby", member="bob", text="pong"),
    )
    bob.saw(
        BEGINS,
        TAKEN,
        callback("onJoinSuccess", "MQTT-3.1.2-6", channel="lobby"),
        callback("onMemberJoined", channel="lobby", member="alice"),
        callback("onMessageReceived", "MQTT-4.5.0-1", channel="lobby", member="alice", text="ping"),
    )


@pytest.mark.scenario("MQTT-3.1.4-2", "MQTT-OPEN-3", phase="login", lasts_s=4)
async def test_a_password_that_is_wrong_is_refused(world: World) -> None:
    """CONNACK with 0x87 (Not authorized); whether the client tries again, the report says."""
    alice = await world.person("alice")
    login = await alice.login("a password that nobody has")
    await world.until(1.5, after=login)  # and 1 s of quiet: one more attempt, at 1 s, and the next not before 3 s
    refused = state("DISCONNECTED", "LOGIN_FAILURE", "MQTT-3.1.4-2")
    alice.saw(
        BEGINS,
        any_order(
            callback("onLoginFailure", "MQTT-3.1.4-2", code="NOT_AUTHORIZED"),
            refused.at_once(after=login),
        ),
        one_of("MQTT-OPEN-3", gives_up=(), tries_again=(BEGINS, state("DISCONNECTED", "LOGIN_FAILURE"))),
    )


@pytest.mark.scenario("MQTT-OPEN-1", phase="before TCP", lasts_s=5)
async def test_a_client_that_finds_nobody_tries_again(world: World) -> None:
    """The connection is refused, as by a host where no broker runs; the broker comes 2 s later."""
    alice = await world.person("alice")
    nobody = await alice.link.refuse()
    await alice.login()
    await world.until(2.0, after=nobody.injected)  # 0 s, 1 s: refused; 3 s: taken
    await nobody.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "MQTT-OPEN-1"))
    alice.saw(
        BEGINS,
        any_order(
            callback("onLoginSuccess"),
            state("CONNECTED", "LOGIN_SUCCESS", "MQTT-OPEN-1").at_once(after=nobody.healed, late="retry"),
        ),
    )


@pytest.mark.scenario("MQTT-3.2", "MQTT-OPEN-1", phase="handshake", lasts_s=13)
async def test_a_connack_that_never_comes_is_not_waited_for(world: World) -> None:
    """Connected to something that says nothing: given up after twice the keep alive at most, and tried again."""
    alice = await world.person("alice")
    silence = await alice.link.blackhole()
    login = await alice.login()
    gives_up = state("RECONNECTING", "LOGIN_TIMEOUT", "MQTT-3.2")
    await alice.sees(gives_up)
    await silence.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "MQTT-OPEN-1"), within_s=9.0)
    alice.saw(
        BEGINS,
        gives_up.within(0.0, 4.0, after=login),  # the profile's reasonable time: no client waits for it longer
        any_order(
            callback("onLoginSuccess"),
            state("CONNECTED", "LOGIN_SUCCESS", "MQTT-OPEN-1").at_once(after=silence.healed, late="retry"),
        ),
    )


@pytest.mark.scenario("MQTT-OPEN-1", phase="before TCP", lasts_s=13)
async def test_a_syn_that_is_not_answered_is_not_waited_for(world: World) -> None:
    """No answer to the SYN, as from a host that is off: an attempt is given up, and the next one begun."""
    alice = await world.person("alice")
    off = await alice.link.hang_connects()
    await alice.login()
    await world.until(5.0, after=off.injected)
    await off.heal()
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS", "MQTT-OPEN-1"), within_s=9.0)
    alice.saw(
        BEGINS,
        any_order(
            callback("onLoginSuccess"),
            state("CONNECTED", "LOGIN_SUCCESS", "MQTT-OPEN-1").at_once(after=off.healed, late="retry"),
        ),
    )
