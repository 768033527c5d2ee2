"""A real Toxiproxy, a server that keeps every connection it accepts, and the two ends of a connection."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.guard import Guard
from proxies import Found, Link, Observer, ToxiproxyServer, find

# What is to arrive takes 1 ms; what is not to arrive is waited for in vain for 50 times that.
ARRIVAL_TIMEOUT_S = 5.0
SILENCE_S = 0.05


@dataclass
class End:
    """One end of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def gets(self, data: bytes) -> bool:
        async with asyncio.timeout(ARRIVAL_TIMEOUT_S):
            return await self.reader.readexactly(len(data)) == data

    async def how_it_ends(self) -> str:
        """``EOF``, ``RST``, or what came instead."""
        async with asyncio.timeout(ARRIVAL_TIMEOUT_S):
            try:
                return (await self.reader.read(65_536)).decode() or "EOF"
            except ConnectionResetError:
                return "RST"

    async def is_silent(self) -> bool:
        try:
            async with asyncio.timeout(SILENCE_S):
                await self.reader.read(1)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        self.writer.close()


@dataclass
class Rig:
    """What a test is given."""

    server: ToxiproxyServer
    upstream: tuple[str, int]
    accepted: asyncio.Queue[End]
    ends: list[End] = field(default_factory=list)

    async def link(self, name: str = "alice", *, resettable: bool = False, observer: Observer | None = None) -> Link:
        return await self.server.open_link(name, self.upstream, resettable=resettable, observer=observer)

    async def connect(self, link: Link) -> tuple[End, End]:
        """A new connection through the link: the client's end and the server's."""
        async with asyncio.timeout(ARRIVAL_TIMEOUT_S):
            client = End(*await asyncio.open_connection(*link.address))
            server = await self.accepted.get()
        self.ends += [client, server]
        return client, server

    async def is_refused(self, link: Link) -> bool:
        try:
            End(*await asyncio.open_connection(*link.address)).close()
        except ConnectionRefusedError:
            return True
        return False

    async def works(self, link: Link) -> bool:
        """Whether a new connection carries bytes both ways."""
        client, server = await self.connect(link)
        return await carries(client, server)


async def carries(client: End, server: End) -> bool:
    client.send(b"ping")
    server.send(b"pong")
    return await server.gets(b"ping") and await client.gets(b"pong")


Scenario = Callable[[Rig], Awaitable[None]]
RunInRig = Callable[[Scenario], None]


@pytest.fixture(scope="session")
def found() -> Found:
    return find()


@pytest.fixture
def run_in_rig(found: Found, tmp_path: Path) -> RunInRig:
    """Runs an async scenario with a Toxiproxy and a server of its own."""

    return _runner(found, tmp_path, "127.0.0.1")


@pytest.fixture
def run_in_rig_of_ipv6(found: Found, tmp_path: Path) -> RunInRig:
    """The same, with server and links on ::1."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"this host has no ::1: {error}")
    return _runner(found, tmp_path, "::1")


def _runner(found: Found, tmp_path: Path, host: str) -> RunInRig:
    async def run(scenario: Scenario) -> None:
        async with new_rig(found, tmp_path / "toxiproxy.log", host=host) as rig:
            await scenario(rig)

    return lambda scenario: asyncio.run(run(scenario))


@asynccontextmanager
async def new_rig(found: Found, log_path: Path, *, host: str) -> AsyncIterator[Rig]:
    accepted: asyncio.Queue[End] = asyncio.Queue()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait(End(reader, writer))

    listener = await asyncio.start_server(accept, host, 0)
    port = listener.sockets[0].getsockname()[1]
    with Guard() as guard:
        async with await ToxiproxyServer.open(found, guard=guard, log_path=log_path, link_host=host) as server:
            rig = Rig(server, (host, port), accepted)
            yield rig
            for end in rig.ends:
                end.close()
    listener.close()
    while not accepted.empty():
        accepted.get_nowait().close()
