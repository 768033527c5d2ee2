"""The asyncio shell of the reference client, against the real server over loopback."""

from __future__ import annotations

import asyncio
import time

import pytest

from harness.errors import UsageError
from harness.reference.client import CallResult, RtmClient
from harness.reference.client_core import CallError
from harness.reference.server import Server, ServerConfig
from harness.spec.states import (
    JoinChannelError,
    LeaveChannelError,
    LoginError,
    LogoutError,
    Reason,
    RenewTokenError,
    State,
)
from harness.spec.timing import Timing
from tests.integration.reference.client_shell_rig import (
    APP,
    CONNECTED,
    CONNECTING,
    LOGGED_IN,
    LOGGED_OUT,
    RECONNECTING,
    SECRET,
    Seen,
    run,
    token,
    until,
)


def test_a_whole_life() -> None:
    async def test() -> None:
        async with (
            Server(ServerConfig(secret=SECRET)) as server,
            RtmClient(server.url, APP) as alice,
            RtmClient(server.url, APP) as bob,
        ):
            of_alice, of_bob = Seen(alice), Seen(bob)
            assert alice.state is State.DISCONNECTED
            assert alice.login(token("alice"), "alice") is LoginError.OK
            assert bob.login(token("bob"), "bob") is LoginError.OK
            assert await of_alice.next(3) == LOGGED_IN
            assert await of_bob.next(3) == LOGGED_IN
            assert alice.join("lobby") is JoinChannelError.OK
            assert await of_alice.next() == [("onJoinSuccess", "lobby")]
            assert bob.join("lobby") is JoinChannelError.OK
            assert await of_bob.next() == [("onJoinSuccess", "lobby")]
            assert await of_alice.next() == [("onMemberJoined", "lobby", "bob")]
            assert await alice.get_members("lobby") == CallResult(CallError.OK, {"members": ["alice", "bob"]})
            assert await alice.send_to_channel("lobby", "hi") == CallResult(CallError.OK, {})
            assert await alice.send_to_peer("bob", "psst") == CallResult(CallError.OK, {})
            assert await of_bob.next(2) == [
                ("onMessageReceived", "lobby", "alice", "hi"),
                ("onMessageReceivedFromPeer", "alice", "psst"),
            ]
            assert (await alice.set_attributes({"a": "1", "b": "1"})).code is CallError.OK
            assert (await alice.add_attributes({"c": "1"})).code is CallError.OK
            assert (await alice.delete_attributes(["a"])).code is CallError.OK
            assert (await bob.get_attributes("alice")).values == {"attributes": {"b": "1", "c": "1"}}
            assert (await bob.query_online(["alice", "eve"])).values == {"online": {"alice": True, "eve": False}}
            assert alice.renew_token(token("alice", 61)) is RenewTokenError.OK
            assert (await of_alice.next())[0][2] is RenewTokenError.OK
            assert bob.leave("lobby") is LeaveChannelError.OK
            assert await of_bob.next() == [("onLeave", "lobby", LeaveChannelError.OK)]
            assert await of_alice.next() == [("onMemberLeft", "lobby", "bob")]
            assert alice.logout() is LogoutError.OK
            assert of_alice.rest() == LOGGED_OUT
            await until(lambda: server.online(APP) == ["bob"])  # at once, not after 30 s: it was told
            assert of_bob.rest() == []

    run(test)


def test_a_message_as_long_as_it_may_be_arrives_whole() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server, RtmClient(server.url, APP) as alice:
            seen = Seen(alice)
            alice.login(token("alice"), "alice")
            await seen.next(3)
            text = "ä" * (32 * 1024 - 100)
            assert (await alice.send_to_peer("alice", text)).code is CallError.OK
            assert await seen.next() == [("onMessageReceivedFromPeer", "alice", text)]

    run(test)


def test_a_server_that_dies_and_comes_back() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as first:
            alice = RtmClient(first.url, APP)
            seen = Seen(alice)
            alice.login(token("alice"), "alice")
            await seen.next(3)
            alice.join("lobby")
            await seen.next()
            await asyncio.sleep(0.6)  # so that the link has proved itself
            port = first.port
        lost = time.monotonic()
        assert await seen.next() == [RECONNECTING]
        assert time.monotonic() - lost == pytest.approx(4.0, abs=0.25)
        async with Server(ServerConfig(secret=SECRET, port=port)) as second:
            assert await seen.next() == [CONNECTED]
            assert (await alice.get_members("lobby")).values == {"members": ["alice"]}
            assert second.connections_of(APP, "alice") == 1
            assert second.attempts_of(APP, "alice") == 1
            assert seen.rest() == []
            await alice.close()
        assert seen.rest() == []

    run(test)


def test_a_refused_login_is_a_failure_at_once() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server, RtmClient(server.url, APP) as alice:
            seen = Seen(alice)
            assert alice.login("no token", "alice") is LoginError.OK
            assert await seen.next(3) == [
                CONNECTING,
                ("onLoginFailure", LoginError.INVALID_TOKEN),
                ("onConnectionStateChanged", State.DISCONNECTED, Reason.LOGIN_FAILURE),
            ]

    run(test)


def test_a_second_instance_ends_the_first() -> None:
    async def test() -> None:
        async with (
            Server(ServerConfig(secret=SECRET)) as server,
            RtmClient(server.url, APP) as first,
            RtmClient(server.url, APP) as second,
        ):
            of_first, of_second = Seen(first), Seen(second)
            first.login(token("alice"), "alice")
            await of_first.next(3)
            second.login(token("alice"), "alice")
            assert await of_first.next() == [("onConnectionStateChanged", State.ABORTED, Reason.REMOTE_LOGIN)]
            assert await of_second.next(3) == LOGGED_IN
            assert first.logout() is LogoutError.OK
            assert first.login(token("alice"), "alice") is LoginError.OK
            assert (await of_first.next(5))[2:] == LOGGED_IN
            assert await of_second.next() == [("onConnectionStateChanged", State.ABORTED, Reason.REMOTE_LOGIN)]

    run(test)


# ---------------------------------------------------------------------------------------------------------- endings


def test_after_its_end_a_client_is_not_initialized() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server:
            alice = RtmClient(server.url, APP)
            seen = Seen(alice)
            alice.login(token("alice"), "alice")
            await seen.next(3)
            await alice.close()
            await alice.close()
            assert alice.login(token("alice"), "alice") is LoginError.NOT_INITIALIZED
            assert alice.logout() is LogoutError.NOT_INITIALIZED
            assert alice.renew_token("token") is RenewTokenError.NOT_INITIALIZED
            assert alice.join("lobby") is JoinChannelError.NOT_INITIALIZED
            assert alice.leave("lobby") is LeaveChannelError.NOT_INITIALIZED
            assert await alice.get_members("lobby") == CallResult(CallError.NOT_INITIALIZED, {})
            await until(lambda: server.stats().connections == 0)
            assert server.online(APP) == ["alice"]  # OPEN-11: not a logout
            assert seen.rest() == []

    run(test)


def test_what_waits_for_an_answer_at_the_end_fails() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server:
            alice = RtmClient(server.url, APP)
            seen = Seen(alice)
            alice.login(token("alice"), "alice")
            await seen.next(3)
            asking, given_up = alice.get_members("lobby"), alice.get_members("arena")
            given_up.cancel()
            await alice.close()
            assert await asking == CallResult(CallError.FAILURE, {})
            assert given_up.cancelled()

    run(test)


def test_an_answer_that_nobody_waits_for_any_more_is_dropped() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server, RtmClient(server.url, APP) as alice:
            seen = Seen(alice)
            alice.login(token("alice"), "alice")
            await seen.next(3)
            asking = alice.get_members("lobby")
            asking.cancel()
            assert (await alice.get_members("arena")).code is CallError.OK

    run(test)


def test_a_logout_right_before_the_end_still_reaches_the_server() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server:
            alice = RtmClient(server.url, APP)
            seen = Seen(alice)
            alice.login(token("alice"), "alice")
            await seen.next(3)
            alice.logout()
            began = time.monotonic()
            await alice.close()
            assert time.monotonic() - began < 0.5
            await until(lambda: server.online(APP) == [])

    run(test)


@pytest.mark.parametrize("url", ["http://host", "ws:///path", "ws://host:99999", "ws://[half", "nonsense"])
def test_a_url_of_no_server_is_refused(url: str) -> None:
    async def test() -> None:
        with pytest.raises(UsageError, match="is not the url of a server"):
            RtmClient(url, APP)

    run(test)


def test_the_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server, RtmClient(server.url, APP) as alice:
            seen = Seen(alice)
            alice.login(token("alice"), "alice")
            assert await seen.next(3) == LOGGED_IN

    run(test)


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:9", "ws://localhost:9", "wss://127.0.0.1:9", f"ws://{'h' * 70}.invalid:9"]
)
def test_a_server_that_is_not_there_is_tried_until_the_login_times_out(url: str) -> None:
    async def test() -> None:
        async with RtmClient(url, APP, timing=Timing(login_s=0.5)) as alice:
            seen = Seen(alice)
            alice.login(token("alice"), "alice")
            assert await seen.next(3) == [
                CONNECTING,
                ("onLoginFailure", LoginError.TIMEOUT),
                ("onConnectionStateChanged", State.DISCONNECTED, Reason.LOGIN_TIMEOUT),
            ]

    run(test)
