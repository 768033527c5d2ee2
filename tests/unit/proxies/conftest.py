"""A Toxiproxy API in memory that keeps what it is told, for tests of what is sent to it and in which order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests

from proxies import dead_connections
from proxies.api import Consumer, ProxyControl, RefusedError
from proxies.fault import FaultEvent
from proxies.link import Link

T = TypeVar("T")
# Nobody listens on port 1, so that a connect is refused.
REFUSING = ("127.0.0.1", 1)


class MemoryToxiproxy(Consumer):
    """Answers like the real one and remembers every call; `toxics` are in the order in which they were added."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1", 1)
        self.calls: list[tuple[str, str]] = []
        self.enabled = True
        self.toxics: list[dict[str, Any]] = []
        self.fail_next: RefusedError | None = None

    def changes(self) -> list[tuple[str, str]]:
        return [call for call in self.calls if call[0] != "GET"]

    def _call(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        self.calls.append((method, url))
        if method != "GET" and self.fail_next is not None:
            error, self.fail_next = self.fail_next, None
            raise error
        body = kwargs.get("json") or {}
        if "/toxics" in url:
            self._toxic(method, url.partition("/toxics")[2].strip("/"), body)
        elif method == "PATCH":
            self.enabled = body["enabled"]
        shown = {"name": "p", "listen": "127.0.0.1:1", "upstream": "u", "enabled": self.enabled, "toxics": self.toxics}
        return _response(shown)

    def _toxic(self, method: str, name: str, body: dict[str, Any]) -> None:
        if method == "POST":
            assert all(toxic["name"] != body["name"] for toxic in self.toxics)
            self.toxics.append(dict(body))
            return
        (toxic,) = (one for one in self.toxics if one["name"] == name)
        if method == "PATCH":
            toxic |= body
        else:
            self.toxics.remove(toxic)


class Inline:
    """Runs a call at once, where the real server takes a thread."""

    async def run(self, call: Callable[[], T]) -> T:
        return call()


class Bench:
    """One link over a Toxiproxy in memory."""

    def __init__(self, *, resettable: bool = False) -> None:
        self.api = MemoryToxiproxy()
        self.events: list[FaultEvent] = []
        self.proxy = ProxyControl(self.api, "p")
        self.link = Link(
            "alice",
            self.proxy,
            Inline(),
            address=REFUSING,
            upstream=REFUSING,
            resettable=resettable,
            observer=self.events.append,
        )


@pytest.fixture(scope="session", autouse=True)
def _empty_table() -> Iterator[None]:
    """No look into the kernel's table, which takes some milliseconds each time and shows what others have open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dead_connections, "_TABLE", Path("/dev/null"))
        yield


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture(scope="session")
def new_bench() -> type[Bench]:
    """For tests that need several, as those with many examples do."""
    return Bench


def _response(answer: object) -> requests.Response:
    response = requests.Response()
    response.status_code = 200
    response._content = json.dumps(answer).encode()
    return response
