"""A self-test that is broken off closes what it has, and what comes in while it does so."""

from __future__ import annotations

import asyncio
from typing import cast

from proxies.selftest import _EchoServer


class Writer:
    """While it is closed, another connection brings its first line."""

    def __init__(self, echo: _EchoServer, *later: str) -> None:
        self._echo = echo
        self._later = later
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True

    async def wait_closed(self) -> None:
        for name in self._later:
            self._echo.writers[name] = cast("asyncio.StreamWriter", writers.setdefault(name, Writer(self._echo)))


writers: dict[str, Writer] = {}


def test_closing_it_closes_what_comes_in_meanwhile() -> None:
    async def scenario() -> None:
        echo = _EchoServer()
        await echo.start("127.0.0.1")
        writers["cut"] = Writer(echo, "freeze", "delay")
        echo.writers["cut"] = cast("asyncio.StreamWriter", writers["cut"])
        await echo.close()

    asyncio.run(scenario())
    assert {name: writer.is_closed for name, writer in writers.items()} == {"cut": True, "freeze": True, "delay": True}
