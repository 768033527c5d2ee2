"""What the app is made to do inside a callback: one call, or an exception, once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.reference.client import RtmClient
from tests.unit.reference.test_agent import Desk, run

LOGIN = {"token": "t", "uid": "alice"}
SWITCHED = ("onConnectionStateChanged", {"state": 2, "reason": 1})
Test = Callable[[Desk], Coroutine[Any, Any, None]]


def with_client(test: Test) -> None:
    """Run a test at an agent whose client has nobody to connect to."""

    async def whole(desk: Desk) -> None:
        desk.ask("create", url="ws://127.0.0.1:9", app_id="app")
        await test(desk)

    run(whole)


def reacts(desk: Desk, callback: str, call: str, **args: object) -> None:
    assert desk.ask("react", callback=callback, call=call, args=args)["result"] == {"code": 0}


class Sdk:
    """In the place of the client: puts down each call, and how many lines had been written by then."""

    def __init__(self, desk: Desk) -> None:
        self.calls: list[tuple[str, tuple[object, ...], int]] = []
        self._desk = desk
        desk.agent._client = cast(RtmClient, self)

    def __getattr__(self, name: str) -> Callable[..., int]:
        def call(*args: object) -> int:
            self.calls.append((name, args, len(self._desk.lines)))
            return 0

        return call

    async def close(self) -> None:
        """There is nothing to close."""

    def says(self, name: str, *values: object) -> None:
        self._desk.agent._called_back(name, *values)


def test_a_call_is_made_from_inside_the_callback_after_that_was_reported() -> None:
    async def test(desk: Desk) -> None:
        sdk = Sdk(desk)
        reacts(desk, "onMessageReceivedFromPeer", "sendToPeer", peer="bob", text="pong")
        sdk.says("onMessageReceivedFromPeer", "bob", "ping")
        assert desk.events() == [("onMessageReceivedFromPeer", {"peer": "bob", "text": "ping"})]
        assert sdk.calls == [("send_to_peer", ("bob", "pong"), 2)]
        assert (
            len(desk.lines) == 2
        )  # the answer to react and the event: what is called from inside is answered to nobody

    run(test)


def test_it_happens_once() -> None:
    async def test(desk: Desk) -> None:
        sdk = Sdk(desk)
        reacts(desk, "onTokenExpired", "logout")
        sdk.says("onTokenExpired")
        sdk.says("onTokenExpired")
        assert len(desk.events()) == 2
        assert [name for name, _, _ in sdk.calls] == ["logout"]

    run(test)


def test_it_happens_once_also_where_the_call_brings_about_the_same_callback_at_once() -> None:
    async def test(desk: Desk) -> None:
        sdk = Sdk(desk)
        desk.agent._client = cast(
            RtmClient, SimpleNamespace(logout=lambda: sdk.says("onTokenExpired"), close=sdk.close)
        )
        reacts(desk, "onTokenExpired", "logout")
        sdk.says("onTokenExpired")
        assert len(desk.events()) == 2

    run(test)


def test_each_callback_has_a_reaction_of_its_own_and_the_last_that_was_asked_for() -> None:
    async def test(desk: Desk) -> None:
        sdk = Sdk(desk)
        reacts(desk, "onLogout", "join", channel="never")
        reacts(desk, "onLogout", "join", channel="hall")
        reacts(desk, "onTokenExpired", "renewToken", token="t")
        sdk.says("onLoginSuccess")
        assert sdk.calls == []
        sdk.says("onTokenExpired")
        sdk.says("onLogout", 0)
        assert [call[:2] for call in sdk.calls] == [("renew_token", ("t",)), ("join", ("hall",))]

    run(test)


@pytest.mark.parametrize(
    ("call", "args", "said"),
    [
        ("", {}, "AskedForError: the harness asked for an exception in onConnectionStateChanged"),
        ("fly", {}, "RequestError: unsupported"),
        ("join", {}, "RequestError: join takes ['channel'], not []"),
    ],
)
def test_an_exception_inside_is_logged_and_breaks_nothing(
    caplog: pytest.LogCaptureFixture, call: str, args: dict[str, object], said: str
) -> None:
    async def test(desk: Desk) -> None:
        reacts(desk, "onConnectionStateChanged", call, **args)
        assert desk.ask("login", **LOGIN)["result"] == {"code": 0}
        assert desk.events() == [SWITCHED]
        assert desk.ask("login", **LOGIN)["result"] == {"code": 8}  # it is still at its first

    with caplog.at_level(logging.WARNING):
        with_client(test)
    (record,) = caplog.records
    assert record.getMessage() == "a handler of onConnectionStateChanged failed"
    assert said in caplog.text
    caplog.clear()


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"callback": "onFire", "call": "logout", "args": {}}, "react: no callback is called 'onFire'"),
        ({"callback": "login", "call": "logout", "args": {}}, "react: no callback is called 'login'"),
        ({"callback": "onLogout"}, "react: Object missing required field `call`"),
        ({"callback": "onLogout", "call": 5}, "react: Expected `str`, got `int` - at `$.call`"),
        ({"callback": "onLogout", "call": "join", "args": []}, "react: Expected `object`, got `array` - at `$.args`"),
    ],
)
def test_a_reaction_that_cannot_be_is_an_error_of_whoever_asked(args: dict[str, Any], error: str) -> None:
    async def test(desk: Desk) -> None:
        assert desk.ask("react", **args)["error"] == error

    with_client(test)


def test_a_reaction_may_be_asked_for_before_there_is_a_client() -> None:
    async def test(desk: Desk) -> None:
        reacts(desk, "onTokenExpired", "logout")
        sdk = Sdk(desk)
        sdk.says("onTokenExpired")
        assert [name for name, _, _ in sdk.calls] == ["logout"]

    run(test)
