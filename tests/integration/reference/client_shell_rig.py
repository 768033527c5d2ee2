"""What the tests of the client's shell share: a tenant, what a client calls back, and a test that leaves no task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from harness.reference.client import RtmClient
from harness.reference.client_effects_core import CALLBACK_NAMES
from harness.reference.tokens import issue
from harness.spec.states import LogoutError, Reason, State

SECRET = "0123456789abcdef0123456789abcdef"
APP = "app"

CONNECTING = ("onConnectionStateChanged", State.CONNECTING, Reason.LOGIN)
CONNECTED = ("onConnectionStateChanged", State.CONNECTED, Reason.LOGIN_SUCCESS)
RECONNECTING = ("onConnectionStateChanged", State.RECONNECTING, Reason.INTERRUPTED)
LOGGED_IN = [CONNECTING, ("onLoginSuccess",), CONNECTED]
LOGGED_OUT = [("onLogout", LogoutError.OK), ("onConnectionStateChanged", State.DISCONNECTED, Reason.LOGOUT)]


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test to its end, and hold that it has left no task behind."""

    async def whole() -> None:
        await asyncio.wait_for(test(), 20)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(whole())


def token(uid: str, expires_in_s: float = 60.0) -> str:
    return issue(SECRET, APP, uid, expires_in_s)


class Seen:
    """What a client calls back, in order."""

    def __init__(self, client: RtmClient) -> None:
        self._queue: asyncio.Queue[tuple[object, ...]] = asyncio.Queue()
        for name in CALLBACK_NAMES:
            client.on(name)(lambda *args, name=name: self._queue.put_nowait((name, *args)))

    async def next(self, count: int = 1) -> list[tuple[object, ...]]:
        return [await self._queue.get() for _ in range(count)]

    def rest(self) -> list[tuple[object, ...]]:
        return [self._queue.get_nowait() for _ in range(self._queue.qsize())]


async def until(is_so: Callable[[], bool]) -> None:
    """Give the others their turn until something is so; the test's own time-out is the limit."""
    while not is_so():  # noqa: ASYNC110 - there is nothing to wait for: the server does not report to a test
        await asyncio.sleep(0.005)
