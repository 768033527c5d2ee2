"""Proves, for the very Toxiproxy process that a run will use, that each recipe does what the suite relies on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from harness.errors import LinkproofError, ToxiproxyError
from proxies.link import Link
from proxies.server import ToxiproxyServer
from proxies.toxics import Direction

# What is to arrive arrives within 1 ms on an idle machine; only a fault can take this long.
_ARRIVAL_TIMEOUT_S: Final = 3.0
# What is not to arrive is waited for in vain; long enough for 50 arrivals one after the other.
_SILENCE_S: Final = 0.05
_DELAY_S: Final = 0.1
_MOST_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class RecipeCheck:
    """What was found of one recipe.

    Attributes:
        name: the effect that was tried.
        ok: whether it does what it says.
        measured_ms: milliseconds from the start of the check to its end.
        detail: what was seen.
    """

    name: str
    ok: bool
    measured_ms: float
    detail: str


@dataclass(frozen=True, slots=True)
class SelfTestReport:
    """What was found of all recipes, in the order of CHECKS."""

    checks: tuple[RecipeCheck, ...]
    total_ms: float


class _BrokenError(Exception):
    """A recipe does not do what it says; says what was seen instead."""


class _EchoServer:
    """Sends back what it gets, from the second line on; the first line says which check the connection is of."""

    def __init__(self) -> None:
        self.received: dict[str, bytes] = {}
        self.writers: dict[str, asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self._news = asyncio.Event()

    async def start(self, host: str) -> tuple[str, int]:
        self._server = await asyncio.start_server(self._serve, host, 0)
        return host, self._server.sockets[0].getsockname()[1]

    async def expect(self, name: str, data: bytes) -> None:
        """Wait until the connection of that check has brought exactly this."""
        try:
            async with asyncio.timeout(_ARRIVAL_TIMEOUT_S):
                while self.received[name] != data:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError as error:
            raise _BrokenError(f"the server was to get {data!r}, and got {self.received[name]!r}") from error

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        while self.writers:  # where the test is broken off, connections still come in meanwhile
            _, writer = self.writers.popitem()
            await _close(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            name = (await reader.readline()).decode().strip()
            self.received[name] = b""
            self.writers[name] = writer
            while data := await reader.read(_MOST_BYTES):
                self.received[name] += data
                self._news.set()
                writer.write(data)
        except ConnectionError:
            pass  # which several of the faults are there to cause
        await _close(writer)


class _End:
    """The client's end of one check."""

    def __init__(self, name: str, link: Link, server: _EchoServer) -> None:
        self.name = name
        self.link = link
        self.server = server
        self._writer: asyncio.StreamWriter | None = None

    async def connect(self) -> None:
        """Connect anew, and see a byte come back."""
        await self.close()
        self._reader, self._writer = await asyncio.open_connection(*self.link.address)
        self.send(self.name.encode() + b"\n")
        await self.expect_echo(b"0")

    def send(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)

    async def expect_echo(self, data: bytes) -> None:
        self.send(data)
        await self.expect(data)

    async def expect(self, data: bytes) -> None:
        got = b""
        try:
            async with asyncio.timeout(_ARRIVAL_TIMEOUT_S):
                while len(got) < len(data) and (more := await self._reader.read(_MOST_BYTES)):
                    got += more
        except (TimeoutError, ConnectionError) as error:
            raise _BrokenError(f"{data!r} was to arrive, and {got!r} came before {error!r}") from error
        if got != data:
            raise _BrokenError(f"{data!r} was to arrive, and {got!r} came")

    async def expect_silence(self) -> None:
        try:
            async with asyncio.timeout(_SILENCE_S):
                got = await self._reader.read(_MOST_BYTES)
        except TimeoutError:
            return
        except ConnectionError as error:
            raise _BrokenError(f"nothing was to arrive, and {error!r} came") from error
        raise _BrokenError(f"nothing was to arrive, and {got or 'EOF'!r} came")

    async def expect_end(self, *, by_reset: bool = False) -> None:
        try:
            async with asyncio.timeout(_ARRIVAL_TIMEOUT_S):
                got = await self._reader.read(_MOST_BYTES)
        except ConnectionError:
            return
        except TimeoutError as error:
            raise _BrokenError("the connection was to end, and did not") from error
        if got or by_reset:
            raise _BrokenError(
                f"the connection was to end{' by a reset' if by_reset else ''}, and {got or 'EOF'!r} came"
            )

    async def expect_refusal(self) -> None:
        try:
            _, writer = await asyncio.open_connection(*self.link.address)
        except ConnectionRefusedError:
            return
        await _close(writer)
        raise _BrokenError("a connect was to be refused, and was accepted")

    async def close(self) -> None:
        if self._writer is not None:
            await _close(self._writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    # How it ended is no news; but an end by a reset that nobody asks for is printed by asyncio as one that was missed.
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def self_test(server: ToxiproxyServer) -> SelfTestReport:
    """Try every recipe, each on a link of its own, side by side; takes some 0.3 s.

    Raises:
        ToxiproxyError: a recipe does not do what the suite relies on; names each that does not.
    """
    began_s = time.monotonic()
    echo = _EchoServer()
    address = await echo.start(server.link_host)
    try:
        checks = await asyncio.gather(*(_checked(server, echo, address, name) for name in CHECKS))
    finally:
        await echo.close()
    broken = [check for check in checks if not check.ok]
    if broken:
        raise ToxiproxyError(
            f"this Toxiproxy does not do what is relied on: {', '.join(check.name for check in broken)}",
            why="; ".join(f"{check.name}: {check.detail}" for check in broken),
            mend="use the pinned version (`linkproof toxiproxy which` tells what is used) on an idle machine.",
        )
    return SelfTestReport(tuple(checks), (time.monotonic() - began_s) * 1000)


async def _checked(server: ToxiproxyServer, echo: _EchoServer, address: tuple[str, int], name: str) -> RecipeCheck:
    began_s = time.monotonic()
    link = await server.open_link(f"self-test {name}", address, resettable=name == "reset")
    end = _End(name, link, echo)
    try:
        await end.connect()
        detail, ok = await CHECKS[name](end), True
    except (_BrokenError, LinkproofError, OSError) as error:
        detail, ok = str(error), False
    finally:
        await end.close()
        await link.close()
    return RecipeCheck(name, ok, (time.monotonic() - began_s) * 1000, detail)


async def _cut(end: _End) -> str:
    async with end.link.cut():
        await end.expect_end()
        await end.expect_refusal()
    await end.connect()
    return "the connection ended, connects were refused, and were served again after healing"


async def _reset(end: _End) -> str:
    async with end.link.reset():
        await end.expect_end(by_reset=True)
    return "the connection ended by a reset"


async def _hang_connects(end: _End) -> str:
    async with end.link.hang_connects() as fault:
        await end.expect_end()
    await end.connect()
    return fault.proof


async def _blackhole(end: _End) -> str:
    async with end.link.blackhole():
        end.send(b"lost")
        await end.expect_silence()
    await end.expect_echo(b"kept")
    return "what was sent in it was lost, and the same connection went on after healing"


async def _blackhole_that_closes(end: _End) -> str:
    async with end.link.blackhole(closes_on_heal=True):
        end.send(b"lost")
        await end.expect_silence()
    await end.expect_end()
    return "what was sent in it was lost, and healing ended the connection"


async def _freeze(end: _End) -> str:
    async with end.link.freeze():
        for byte in b"123":
            end.send(bytes([byte]))
        await end.expect_silence()
    await end.expect(b"123")
    return "what was sent in it was held, and arrived in order on the same connection after the thaw"


async def _silence(end: _End) -> str:
    async with end.link.silence(Direction.TO_CLIENT):
        end.send(b"heard")
        await end.expect_silence()
        await end.server.expect(end.name, b"0heard")
    await end.expect_echo(b"kept")
    return "the server heard the client, the client heard nothing, and the connection went on after healing"


async def _half_open(end: _End) -> str:
    async with end.link.half_open():
        await end.expect_echo(b"passes")
        end.server.writers[end.name].close()
        await end.expect_silence()
    await end.expect_end()
    return "bytes passed, the client was not told of the server's close, and was told after healing"


async def _delay(end: _End) -> str:
    async with end.link.delay(_DELAY_S, Direction.TO_SERVER):
        took_s = await _timed(end.expect_echo(b"late"))
    if took_s < _DELAY_S:
        raise _BrokenError(f"a round trip was to take {_DELAY_S} s, and took {took_s:.3f} s")
    return f"a round trip took {took_s:.4f} s of {_DELAY_S} s"


async def _trickle(end: _End) -> str:
    async with end.link.trickle(rate_kb_per_s=1, direction=Direction.TO_CLIENT):
        took_s = await _timed(end.expect_echo(bytes(150)))
    # The first 0.1 s worth of bytes, 100 here, leaves after 0.1 s.
    if took_s < 0.1:
        raise _BrokenError(f"150 bytes were to take 0.1 s at 1 kB/s or more, and took {took_s:.3f} s")
    return f"150 bytes took {took_s:.3f} s at 1 kB/s"


async def _truncate(end: _End) -> str:
    async with end.link.truncate(after_bytes=3):
        end.send(b"abcdef")
        await end.expect(b"abc")
        await end.expect_end()
    return "3 of 6 bytes arrived, and the connection ended"


async def _timed(action: Awaitable[None]) -> float:
    began_s = time.monotonic()
    await action
    return time.monotonic() - began_s


CHECKS: Final[Mapping[str, Callable[[_End], Awaitable[str]]]] = MappingProxyType(
    {
        "cut": _cut,
        "reset": _reset,
        "hang_connects": _hang_connects,
        "blackhole": _blackhole,
        "blackhole that closes": _blackhole_that_closes,
        "freeze": _freeze,
        "silence": _silence,
        "half_open": _half_open,
        "delay": _delay,
        "trickle": _trickle,
        "truncate": _truncate,
    }
)
