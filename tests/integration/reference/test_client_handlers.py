"""Handlers of the reference client: what an app may do in them, and what it may do wrong."""

from __future__ import annotations

import asyncio
import logging

import pytest

from harness.errors import UsageError
from harness.reference.client import CallResult, RtmClient
from harness.reference.client_core import CallError
from harness.reference.client_effects_core import CALLBACK_NAMES
from harness.reference.server import Server, ServerConfig
from harness.spec.states import (
    LoginError,
    LogoutError,
)
from tests.integration.reference.client_shell_rig import APP, LOGGED_IN, LOGGED_OUT, SECRET, Seen, run, token, until


def test_every_call_is_legal_inside_every_callback() -> None:
    # centrifugal/centrifuge-js#391
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server, RtmClient(server.url, APP) as alice:
            seen = Seen(alice)
            lives = 0

            def call_everything(*_: object) -> None:
                alice.login(token("alice"), "alice")
                alice.join("arena")
                alice.leave("arena")
                alice.renew_token(token("alice", 61))

            for name in CALLBACK_NAMES:
                alice.on(name)(call_everything)

            @alice.on("onJoinSuccess")
            def log_out(_: str) -> None:
                nonlocal lives
                lives += 1
                assert alice.logout() is LogoutError.OK

            alice.login(token("alice"), "alice")
            await until(lambda: lives == 1)
            order = [event for event in seen.rest() if event[0] != "onRenewTokenResult"]
            assert order[:3] == LOGGED_IN
            # Its own login() in the handler of onLogout, before the switch was told, finds it logged out already.
            assert [event for event in order if event in LOGGED_OUT] == LOGGED_OUT

    run(test)


def test_logout_inside_the_first_callback_of_the_login_is_told_after_it() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server, RtmClient(server.url, APP) as alice:
            seen = Seen(alice)

            @alice.on("onLoginSuccess")
            def log_out() -> None:
                assert alice.logout() is LogoutError.OK

            alice.login(token("alice"), "alice")
            assert await seen.next(5) == [*LOGGED_IN, *LOGGED_OUT]
            await until(lambda: server.online(APP) == [])

    run(test)


def test_a_handler_that_raises_is_logged_and_breaks_nothing(caplog: pytest.LogCaptureFixture) -> None:
    # centrifugal/centrifuge-js#414
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server, RtmClient(server.url, APP) as alice:
            for name in CALLBACK_NAMES:

                @alice.on(name)
                def fail(*_: object, name: str = name) -> None:
                    raise ValueError(f"a plain handler of {name}")

                @alice.on(name)
                async def fail_later(*_: object, name: str = name) -> None:
                    raise ValueError(f"a coroutine of {name}")

            seen = Seen(alice)
            alice.login(token("alice"), "alice")
            assert await seen.next(3) == LOGGED_IN
            alice.join("lobby")
            assert await seen.next() == [("onJoinSuccess", "lobby")]
            alice.logout()
            assert await seen.next(2) == LOGGED_OUT
            await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR, logger="harness.reference.client"):
        run(test)
    failed = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    told = ["onLoginSuccess", *["onConnectionStateChanged"] * 3, "onJoinSuccess", "onLogout"]
    wanted = [f"{kind} of {name}" for name in told for kind in ("a plain handler", "a coroutine")]
    assert sorted(failed) == sorted(wanted)


def test_a_coroutine_handler_may_ask_the_server() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server, RtmClient(server.url, APP) as alice:
            answered: asyncio.Future[CallResult] = asyncio.get_running_loop().create_future()

            @alice.on("onLoginSuccess")
            async def ask() -> None:
                answered.set_result(await alice.query_online(["alice"]))

            alice.login(token("alice"), "alice")
            assert await answered == CallResult(CallError.OK, {"online": {"alice": True}})

    run(test)


def test_a_handler_may_close_the_client() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server:
            alice = RtmClient(server.url, APP)
            closed = asyncio.Event()

            @alice.on("onLoginSuccess")
            async def close() -> None:
                await alice.close()
                closed.set()

            alice.login(token("alice"), "alice")
            await closed.wait()
            await until(lambda: server.stats().connections == 0)
            assert alice.login(token("alice"), "alice") is LoginError.NOT_INITIALIZED

    run(test)


def test_there_is_no_other_callback() -> None:
    async def test() -> None:
        alice = RtmClient("ws://127.0.0.1:9", APP)
        with pytest.raises(UsageError, match="no callback is called 'onWhatever'"):
            alice.on("onWhatever")

    run(test)
