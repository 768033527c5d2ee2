"""What all scenarios of a run share: what makes the faults, one server, one guard, and the measure of the host."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.adapter.child import Place
from harness.adapter.contract import CONTRACT_VERSION, Event, Hello, ServerHello
from harness.adapter.endpoint import Endpoint
from harness.adapter.handshake import Clock, compare_clocks, greet
from harness.adapter.log_limit import LOOK_EVERY_S, LogLimit
from harness.adapter.process import ContractProcess
from harness.addresses import Address, family_of, written
from harness.delays import DelaySampler
from harness.errors import AdapterError, HarnessError, HostError, LinkproofError
from harness.guard import Guard
from harness.orphans import orphans_ended
from harness.room import too_little_left
from harness.spec.profiles import RTM_1_0, Profile
from harness.world.gate import StartGate
from harness.world.host import HostSampler
from harness.world.keys import Keys, new_keys
from harness.world.means import NETNS, TOXIPROXY
from harness.world.places import (
    COMMANDS,
    REFERENCE_SERVER_IMAGE,
    Images,
    Places,
    ServerPlace,
    open_places,
    wired_places,
)
from proxies.binary import find
from proxies.links import Links
from proxies.netns.network import WiredNetwork
from proxies.netns.wire import SERVERS
from proxies.selftest import self_test
from proxies.server import ToxiproxyServer

REFERENCE_CLIENT = (sys.executable, "-m", "harness.reference")  # agent.py, started quickly
REFERENCE_SERVER = (sys.executable, "-m", "harness.reference.server_control")
IPV4, IPV6 = "127.0.0.1", "::1"
SERVER_NAME = "the server"  # of its processes, in errors
SERVER_PAGE = "docs/server-contract.md"
HEARTBEAT_MIN_S = 0.01  # of the wire
APP_ID_LENGTH_MAX = 40  # with a person's name it is the name of a proxy, and of a log


@dataclass(frozen=True, slots=True)
class LabConfig:
    """What a run is made with."""

    logs: Path
    client_command: tuple[str, ...] = REFERENCE_CLIENT
    toxiproxy: str | None = None  # an address or a binary; found or installed where None
    say: Callable[[str], None] = field(default=lambda _: None)
    server_command: tuple[str, ...] = REFERENCE_SERVER
    tls: bool = False
    ipv6: bool = False
    profile: Profile = RTM_1_0
    images: Images = COMMANDS
    faults: str = TOXIPROXY

    @property
    def server_is_reference(self) -> bool:
        """Whether the server is our own."""
        if self.images.server:
            return self.images.server == REFERENCE_SERVER_IMAGE
        return self.server_command == REFERENCE_SERVER

    @property
    def host(self) -> str:
        """What servers and links listen on."""
        if self.faults == NETNS:
            return SERVERS[6 if self.ipv6 else 4]
        return IPV6 if self.ipv6 else IPV4

    @property
    def scheme(self) -> str:
        """The scheme of every url."""
        return f"{self.profile.scheme}s" if self.tls else self.profile.scheme

    def server_options(self) -> tuple[str, ...]:
        """What is added to the command of every server."""
        return ("--host", self.host) if self.host != IPV4 else ()

    def of_server(self, error: LinkproofError) -> LinkproofError:
        """Return a failure of the server, laid on whoever made it: on us, where it is the reference."""
        if not isinstance(error, AdapterError):
            return error  # the machine has failed, under a server of whoever's
        if not self.server_is_reference:
            # Both speak the same lines, and what is said of an adapter has the client's page in mind.
            found, why, mend = (
                text.replace("adapter-contract.md", "server-contract.md")
                .replace("an adapter", "a server")
                .replace("the adapter", "the server")
                for text in (error.found.removeprefix(f"{SERVER_NAME}: "), error.why, error.mend)
            )
            return AdapterError(f"the server under test: {found}", why=why, mend=mend or f"see {SERVER_PAGE}")
        return HarnessError(f"the reference server failed: {error.found}", why=error.why)


class Alarm:
    """Tells the scenarios that play when something that they share has failed: none of them can be judged then."""

    def __init__(self) -> None:
        self._failure: LinkproofError | None = None
        self._listeners: set[Callable[[LinkproofError], None]] = set()

    def tell(self, listener: Callable[[LinkproofError], None]) -> None:
        """Have somebody told; at once where it has happened already."""
        self._listeners.add(listener)
        if self._failure is not None:
            listener(self._failure)

    def forget(self, listener: Callable[[LinkproofError], None]) -> None:
        """Have them told no more."""
        self._listeners.discard(listener)

    def sound(self, failure: LinkproofError) -> None:
        """It has failed; the first failure is the one that is told."""
        if self._failure is None:
            self._failure = failure
            for listener in list(self._listeners):
                listener(failure)


class SharedServer:
    """The server that all scenarios share but those that ask for one of their own."""

    def __init__(self, process: ContractProcess, hello: ServerHello, address: Address, clock: Clock) -> None:
        self.process = process
        self.hello = hello
        self.address = address
        self.clock = clock


class Lab:
    """The shared parts of a run, while it lasts."""

    def __init__(
        self,
        config: LabConfig,
        guard: Guard,
        host: HostSampler,
        delays: DelaySampler,
        links: Links,
        server: SharedServer,
        keys: Keys,
        client: Hello,
        made_by: str,
        alarm: Alarm,
        places: Places,
    ) -> None:
        self.config = config
        self.guard = guard
        self.host = host
        self.delays = delays
        self.links = links
        self.server = server
        self.keys = keys
        self.client = client
        self.made_by = made_by  # the faults: which Toxiproxy, or which programs
        self.alarm = alarm
        self.places = places
        # Two on each core: while one computes, the other waits for its process to say hello.
        # A container is started by the engine, which needs all of them for that.
        at_once = 1 if config.images else 2 * (os.cpu_count() or 1)
        self.gate = StartGate(at_once, host.latest_ns)
        self._numbers = itertools.count(1)

    def tenant(self, scenario: str) -> str:
        """Return an app id of its own for a scenario, with which it meets no other."""
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", scenario.rpartition("::")[2].removeprefix("test_"))
        return f"{next(self._numbers)}-{readable}"[:APP_ID_LENGTH_MAX].rstrip("-.")

    def server_environment(self, taken: ServerPlace) -> dict[str, str]:
        """Return what a server of this run is started with."""
        return self.keys.server_environment(taken.place.environment(os.environ))

    def log_path(self, name: str) -> Path:
        """Where a process of this run writes its standard error."""
        return self.config.logs / f"{name}.log"


@asynccontextmanager
async def open_lab(config: LabConfig) -> AsyncIterator[Lab]:
    """Start what the scenarios of a run share; everything is ended again in every case.

    Raises:
        HostError: there is no Toxiproxy to be had, no such address on this machine, or no right to a network.
        ToxiproxyError: it does not start, or does not do what the faults rely on.
        AdapterError: the implementation under test cannot be started, or its adapter breaks the contract.
    """
    config.logs.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        network = await _open_network(config, stack)
        guard = stack.enter_context(Guard())
        stack.enter_context(orphans_ended())
        await stack.enter_async_context(LogLimit(config.logs))
        keys = stack.enter_context(new_keys(guard, tls=config.tls))
        alarm = Alarm()
        watching = asyncio.create_task(_watch_room(config.logs, alarm), name="watch the room on the disk")
        stack.push_async_callback(_ended, watching)
        places = await stack.enter_async_context(_open_places(config, guard, network))
        server = await _start_server(config, guard, keys, alarm, await places.servers.take("server"))
        stack.push_async_callback(server.process.stop)
        endpoint = Endpoint(*server.address, "hello", keys.ca_file, config.profile.scheme)
        client = await _try_client(config, guard, endpoint, places.client)
        _check_heartbeat(config, server.hello, client)
        links: Links | None = network
        made_by = network.description if network else ""
        if links is None:
            links, made_by = await _open_toxiproxy(config, guard, alarm, places, stack)
        host = await HostSampler.start(guard)
        stack.push_async_callback(host.close)
        delays = DelaySampler()
        stack.push_async_callback(delays.close)
        yield Lab(config, guard, host, delays, links, server, keys, client, made_by, alarm, places)


async def _open_network(config: LabConfig, stack: AsyncExitStack) -> WiredNetwork | None:
    """Make the network of a run that has one of its own; make sure of the loopback interface for any other."""
    if config.faults != NETNS:
        _check_address(config.host)
        return None
    network = await WiredNetwork.open(ipv6=config.ipv6)
    stack.push_async_callback(network.close)
    return network


def _open_places(config: LabConfig, guard: Guard, network: WiredNetwork | None) -> AbstractAsyncContextManager[Places]:
    """Make what both sides are started in."""
    if network is not None:
        return nullcontext(wired_places(network, guard, config.server_options()))
    return open_places(
        config.images,
        guard,
        host=config.host,
        server_options=config.server_options(),
        find=lambda: find(config.toxiproxy, say=config.say),
        say=config.say,
    )


async def _open_toxiproxy(
    config: LabConfig, guard: Guard, alarm: Alarm, places: Places, stack: AsyncExitStack
) -> tuple[ToxiproxyServer, str]:
    """Start a Toxiproxy, and try what the faults rely on; returns it, and which one it is."""
    found = find(config.toxiproxy, say=config.say)
    log_path = config.logs / "toxiproxy.log"
    link_host = IPV6 if config.ipv6 else places.link_host  # as a rule where its API is
    toxiproxy = await ToxiproxyServer.open(found, guard=guard, log_path=log_path, link_host=link_host)
    stack.push_async_callback(toxiproxy.close)
    report = await self_test(toxiproxy)
    config.say(f"Toxiproxy does what the faults rely on ({report.total_ms:.0f} ms)")
    stack.push_async_callback(_ended, asyncio.create_task(_watch(toxiproxy, alarm), name="watch Toxiproxy"))
    return toxiproxy, f"{found.version}, {found.origin}: {found.path or found.address}"


def _check_address(host: str) -> None:
    address = (host, 0)
    try:
        with socket.socket(family_of(address)) as probe:
            probe.bind(address)
    except OSError as error:
        raise HostError(
            f"this machine has no {host}: {error.strerror}",
            why="servers, links and clients of a run meet on the loopback interface",
            mend="bring it up (for IPv6: sysctl net.ipv6.conf.lo.disable_ipv6=0), or leave --ipv6 out",
        ) from error


async def _try_client(config: LabConfig, guard: Guard, endpoint: Endpoint, place: Place) -> Hello:
    """Hold the first conversation with the implementation under test once, before anything else depends on it.

    There is no link yet. A command that names its server is told the server itself, which the client does not connect
    to: it is not asked to create.
    """
    process = await ContractProcess.start(
        "the client under test",
        endpoint.command(config.client_command),
        guard=guard,
        log_path=config.logs / "hello.log",
        on_event=_no_event,
        on_failure=_raised_to_the_caller,
        env=endpoint.environment(place.environment(os.environ)),
        place=place,
    )
    try:
        hello, _ = await greet(process)
        return hello
    finally:
        await process.stop()


def _check_heartbeat(config: LabConfig, server: ServerHello, client: Hello) -> None:
    """Refuse a server under test that asks its clients for another heartbeat than they are judged by."""
    is_under_test = config.profile.has_reference and not config.server_is_reference
    if is_under_test and not HEARTBEAT_MIN_S <= server.heartbeat_s <= client.heartbeat_s:
        why = f"the reference clients are judged by one of {client.heartbeat_s:g} s"
        mend = f"ask for {client.heartbeat_s:g} s; see {SERVER_PAGE}"
        error = AdapterError(f"it asks for a heartbeat of {server.heartbeat_s:g} s", why=why, mend=mend)
        raise config.of_server(error)


async def _watch(toxiproxy: ToxiproxyServer, alarm: Alarm) -> None:
    alarm.sound(await toxiproxy.failed())


async def _watch_room(folder: Path, alarm: Alarm) -> None:
    while True:
        if (failure := too_little_left(folder)) is not None:
            alarm.sound(failure)
            return
        await asyncio.sleep(LOOK_EVERY_S)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


async def _start_server(config: LabConfig, guard: Guard, keys: Keys, alarm: Alarm, taken: ServerPlace) -> SharedServer:
    async with AsyncExitStack() as until_greeted:
        try:
            process = await ContractProcess.start(
                SERVER_NAME,
                [*config.server_command, *taken.options],
                guard=guard,
                log_path=config.logs / "server.log",
                on_event=_no_event,
                on_failure=lambda error: alarm.sound(config.of_server(error)),
                env=keys.server_environment(taken.place.environment(os.environ)),
                place=taken.place,
            )
            until_greeted.push_async_callback(process.stop)
            hello, address = await greet_server(process, config)
            if taken.held is not None and address[0] != taken.host:
                why = f"it was started with {' '.join(taken.options)}"
                raise AdapterError(f"it says that it listens on {written(address)}", why=why)
            server = SharedServer(process, hello, address, await compare_clocks(process))
        except AdapterError as error:
            raise config.of_server(error) from error
        until_greeted.pop_all()
        return server


async def greet_server(process: ContractProcess, config: LabConfig) -> tuple[ServerHello, Address]:
    """Return what a server says of itself, and where it is to be reached.

    Raises:
        AdapterError: it does not answer, or not as the contract says.
    """
    answer, _ = await process.request("hello", {})
    try:
        hello = msgspec.convert(answer.result, ServerHello)
    except msgspec.ValidationError as error:
        raise AdapterError(f"it answered hello with {answer.error or answer.result!r}", why=str(error)) from error
    address = _address_in(hello.url, config)
    if hello.contract != CONTRACT_VERSION or address is None:
        expected = f"contract {CONTRACT_VERSION}, and a url such as {config.scheme}://{written((config.host, 8080))}"
        raise AdapterError(f"it answered hello with {answer.result!r}", why=f"expected {expected}")
    return hello, address


def _address_in(url: str, config: LabConfig) -> Address | None:
    """Return where a server says that it is, unless that is not what it was asked to be."""
    host = r"\[(.+)\]" if config.ipv6 else r"([^][:/]+)"
    found = re.fullmatch(rf"{config.scheme}://{host}:(\d+)", url)
    return (found[1], int(found[2])) if found is not None else None


def _no_event(event: Event, arrived_ns: int) -> None:
    """Neither the server nor a client that was only greeted calls back; what they say then is of no account."""


def _raised_to_the_caller(failure: LinkproofError) -> None:
    """Whoever waits for an answer is told of it; there is nobody else."""
