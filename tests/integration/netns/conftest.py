"""A network of namespaces, a server in it that keeps every connection, and people who connect from their own."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.errors import HostError
from proxies import Fault, FaultEvent, Phase
from proxies.netns.kernel import check_means
from proxies.netns.link import WiredLink
from proxies.netns.network import WiredNetwork
from tests.integration.proxies.conftest import ARRIVAL_TIMEOUT_S, End, carries

REQUIRED = "LINKPROOF_TEST_NETNS"  # set to 'required' where missing means are to be a failure, as in CI
NO_ANSWER_S = 0.1  # an answer takes less than 1 ms
CONNECTED = "connected"
NAMESPACE = "net:["


@pytest.fixture(scope="session", autouse=True)
def need_netns() -> None:
    """All tests of this folder need root and the kernel's tools."""
    try:
        check_means()
    except HostError as error:
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(str(error), pytrace=False)
        pytest.skip(f"LEFT OUT, NO NETWORK NAMESPACES: nothing about --faults netns was tested. {error.found}")


@dataclass
class Rig:
    """What a test is given."""

    network: WiredNetwork
    upstream: tuple[str, int]
    accepted: asyncio.Queue[End]
    events: list[FaultEvent] = field(default_factory=list)
    ends: list[End] = field(default_factory=list)

    async def link(self, name: str = "alice") -> WiredLink:
        return await self.network.open_link(name, self.upstream, resettable=True, observer=self.events.append)

    def socket_at(self, link: WiredLink) -> socket.socket:
        """A socket of the person's own machine: it belongs to the namespace that it is made in."""
        with link.wire.person.namespace.entered():
            made = socket.socket(socket.AF_INET6 if ":" in self.network.host else socket.AF_INET)
        made.setblocking(False)
        return made

    async def connect(self, link: WiredLink) -> tuple[End, End]:
        """A new connection over the link: the client's end and the server's."""
        async with asyncio.timeout(ARRIVAL_TIMEOUT_S):
            return await self.met(await self.begin(link))

    async def begin(self, link: WiredLink) -> socket.socket:
        """The client's end of a new connection."""
        made = self.socket_at(link)
        try:
            await asyncio.get_running_loop().sock_connect(made, link.address)
        except BaseException:
            made.close()
            raise
        return made

    async def met(self, connected: socket.socket) -> tuple[End, End]:
        """Both ends of a connection, of which the client's has just been made."""
        async with asyncio.timeout(ARRIVAL_TIMEOUT_S):
            client = End(*await asyncio.open_connection(sock=connected))
            server = await self.accepted.get()
        self.ends += [client, server]
        return client, server

    async def tries(self, link: WiredLink) -> str:
        """What becomes of a new connect: it is there, or the name of an error."""
        with self.socket_at(link) as made:
            try:
                async with asyncio.timeout(ARRIVAL_TIMEOUT_S):
                    await asyncio.get_running_loop().sock_connect(made, link.address)
            except TimeoutError:
                raise  # which is an OSError too
            except OSError as error:
                return errno.errorcode[error.errno or 0]
            self.ends.append(await self.accepted.get())
            return CONNECTED

    async def is_unanswered(self, link: WiredLink) -> bool:
        """Whether a new connect is neither there nor refused."""
        with self.socket_at(link) as made:
            try:
                async with asyncio.timeout(NO_ANSWER_S):
                    await asyncio.get_running_loop().sock_connect(made, link.address)
            except TimeoutError:
                return True
        return False

    async def works(self, link: WiredLink) -> bool:
        """Whether a new connection carries bytes both ways."""
        return await carries(*await self.connect(link))


async def how_it_ends(end: End) -> str:
    """``EOF``, the name of an error, or what came instead."""
    async with asyncio.timeout(ARRIVAL_TIMEOUT_S):
        try:
            return (await end.reader.read(65_536)).decode() or "EOF"
        except OSError as error:
            return errno.errorcode[error.errno or 0]


@asynccontextmanager
async def lasting(rig: Rig, fault: Fault) -> AsyncIterator[Fault]:
    """Make a fault and heal it; it takes effect within the time that is told, and the observer is told the same."""
    began_ns, told = time.monotonic_ns(), len(rig.events)
    async with fault:
        made = rig.events[told]
        assert began_ns <= made.t0_ns < made.t1_ns <= time.monotonic_ns()
        assert (made.phase, made.proof, made.visible) == (Phase.INJECTED, fault.proof, fault.visible)
        assert (fault.injected.t0_ns, fault.injected.t1_ns) == (made.t0_ns, made.t1_ns)
        yield fault
        healing_ns = time.monotonic_ns()
    assert fault.healed is not None
    assert healing_ns <= fault.healed.t0_ns < fault.healed.t1_ns <= time.monotonic_ns()
    assert rig.events[-1].phase == Phase.HEALED
    assert re.match(r"it was in place \(.+\), and was taken away: .+", rig.events[-1].proof)


Scenario = Callable[[Rig], Awaitable[None]]
RunInRig = Callable[[Scenario], None]


@pytest.fixture
def run_in_rig() -> RunInRig:
    """Runs an async scenario in a network of its own, of IPv4; nothing of it may be left."""
    return lambda scenario: play(scenario, ipv6=False)


@pytest.fixture(params=[False, True], ids=["IPv4", "IPv6"])
def run_in_each_rig(request: pytest.FixtureRequest) -> RunInRig:
    """The same, once in a network of each version."""
    return lambda scenario: play(scenario, ipv6=request.param)


def play(scenario: Scenario, *, ipv6: bool) -> None:
    before = held()

    async def run() -> None:
        async with new_rig(ipv6=ipv6) as rig:
            await scenario(rig)

    asyncio.run(run())
    assert held() == before


@asynccontextmanager
async def new_rig(*, ipv6: bool) -> AsyncIterator[Rig]:
    accepted: asyncio.Queue[End] = asyncio.Queue()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait(End(reader, writer))

    network = await WiredNetwork.open(ipv6=ipv6)
    listener = None
    rig = Rig(network, (network.host, 0), accepted)
    try:
        with network._hub.entered():
            listening = socket.create_server(
                (network.host, 0), family=socket.AF_INET6 if ipv6 else socket.AF_INET, backlog=100
            )
        listener = await asyncio.start_server(accept, sock=listening)
        rig.upstream = (network.host, listening.getsockname()[1])
        yield rig
    finally:
        while not accepted.empty():
            rig.ends.append(accepted.get_nowait())
        for end in rig.ends:
            end.writer.transport.abort()
        if listener is not None:
            listener.close()
        await network.close()


def held() -> tuple[list[str], int]:
    """The network namespaces that this process holds or has a thread in, and how many descriptors it has open."""
    within = targets(task / "ns/net" for task in Path("/proc/self/task").iterdir())
    files = targets(list(Path("/proc/self/fd").iterdir()))
    return sorted({*within, *(file for file in files if file.startswith(NAMESPACE))}), len(files)


def targets(links: Iterable[Path]) -> list[str]:
    """Where these lead to, but for those of what has ended since it was listed."""
    found = []
    for each in links:
        with contextlib.suppress(FileNotFoundError):
            found.append(str(each.readlink()))
    return found
