"""How long it takes from the call of a fault until it is there, with so many links through one Toxiproxy.

The links are real, each with a connection to a server in this process that sends back what it gets. A cut is there
when the client is told of the end of its connection. A freeze is there when nothing comes back any more of what the
client sends each millisecond: the last that came back says when. Each is done to one link among all, again and again,
and the cut to all of them at once, as a partition does it.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.guard import Guard
from proxies.binary import find
from proxies.fault import Fault
from proxies.link import Link
from proxies.server import ToxiproxyServer
from tests.benchmarks.figures import Curve, Figure, Measured, median, p99

WHAT = "faults: from the call to the effect, by the number of links"
LIMIT_S = 240.0
LINKS, LINKS_QUICK = (1, 100, 500), (1, 8)
TIMES, TIMES_QUICK = 50, 3
ALL_AT_ONCE, ALL_AT_ONCE_QUICK = 5, 1
BEAT_S = 0.001
FLOWS_S = 0.05  # before a freeze, and after its call has returned
PATIENCE_S = 20.0

_STAMP = struct.Struct("d")


class Echo(asyncio.Protocol):
    """The server's end."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(data)


class End(asyncio.Protocol):
    """The client's end: when it was told of its end, and what came back last."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.returned_at = 0.0
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        whole = len(data) // _STAMP.size * _STAMP.size
        self._rest = data[whole:]
        if whole:
            (self.returned_at,) = _STAMP.unpack_from(data, whole - _STAMP.size)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - by a FIN or an RST, it is over
        if not self.ended.done():
            self.ended.set_result(time.monotonic())

    async def beat(self) -> None:
        """Send the time again and again."""
        while not self.transport.is_closing():
            self.transport.write(_STAMP.pack(time.monotonic()))
            await asyncio.sleep(BEAT_S)


@dataclass
class Joined:
    """A link with a connection through it."""

    link: Link
    end: End

    @classmethod
    async def make(cls, link: Link) -> Joined:
        """Connect through a link."""
        _, end = await asyncio.get_running_loop().create_connection(End, *link.address)
        return cls(link, end)


def measure(*, quick: bool) -> Measured:
    """Break links among more and more of them."""
    return asyncio.run(_measure(LINKS_QUICK if quick else LINKS, quick=quick))


async def _measure(counts: tuple[int, ...], *, quick: bool) -> Measured:
    times, at_once = (TIMES_QUICK, ALL_AT_ONCE_QUICK) if quick else (TIMES, ALL_AT_ONCE)
    figures: list[Figure] = []
    for count in counts:
        async with _joined(count) as all_of_them:
            turns = itertools.cycle(all_of_them)
            cuts = [await _cut([next(turns)]) for _ in range(times)]
            freezes = [await _freeze(next(turns)) for _ in range(times)]
            parted = [await _cut(all_of_them) for _ in range(at_once)]
        name = f"{count} links" if count > 1 else "1 link"
        figures += [
            median(f"{name}: a cut of one, p50", cuts, "ms"),
            p99(f"{name}: a cut of one, p99", cuts, "ms"),
            median(f"{name}: a freeze of one, p50", freezes, "ms"),
            p99(f"{name}: a freeze of one, p99", freezes, "ms"),
            median(f"{name}: a cut of all at once, until the last", parted, "ms"),
        ]
    by_name = {figure.name: figure.value for figure in figures}
    names = [f"{count} links" if count > 1 else "1 link" for count in counts]
    curves = [
        Curve(
            kind,
            "links",
            "ms",
            [(count, by_name[f"{name}: {kind}"]) for count, name in zip(counts, names, strict=True)],
        )
        for kind in ("a cut of one, p50", "a freeze of one, p50", "a cut of all at once, until the last")
    ]
    most, least = names[-1], names[0]
    figures += [
        Figure(f"{kind}: {most} against {least}", by_name[f"{most}: {kind}"] / by_name[f"{least}: {kind}"], "x")
        for kind in ("a cut of one, p50", "a freeze of one, p50")
    ]
    return Measured(figures, curves)


@asynccontextmanager
async def _joined(count: int) -> AsyncIterator[list[Joined]]:
    loop = asyncio.get_running_loop()
    echo = await loop.create_server(Echo, "127.0.0.1", 0)
    upstream = echo.sockets[0].getsockname()
    with tempfile.TemporaryDirectory(prefix="linkproof-bench-") as folder, Guard() as guard:
        server = await ToxiproxyServer.open(find(), guard=guard, log_path=Path(folder) / "toxiproxy.log")
        try:
            links = [await server.open_link(f"link-{number}", upstream) for number in range(count)]
            yield [await Joined.make(link) for link in links]
        finally:
            await server.close()
            echo.close()


async def _cut(joined: list[Joined]) -> float:
    """Return how many milliseconds it took until the last of these connections had ended; all are there again."""
    asked = time.monotonic()
    faults = [each.link.cut() for each in joined]
    await asyncio.gather(*(_there(fault) for fault in faults))
    async with asyncio.timeout(PATIENCE_S):
        ended = [await each.end.ended for each in joined]
    await asyncio.gather(*(fault.heal() for fault in faults))
    for each in joined:
        each.end = (await Joined.make(each.link)).end
    return 1e3 * (max(ended) - asked)


async def _there(fault: Fault) -> None:
    await fault


async def _freeze(joined: Joined) -> float:
    """Return how many milliseconds after the call the last was sent that still came back."""
    beating = asyncio.create_task(joined.end.beat())
    await asyncio.sleep(FLOWS_S)
    asked = time.monotonic()
    async with joined.link.freeze():
        await asyncio.sleep(FLOWS_S)
        last = joined.end.returned_at
    beating.cancel()
    await asyncio.wait({beating})
    return max(0.0, 1e3 * (last - asked))
