"""Where the two sides of a run are started: as processes of this machine, or each in a container of its own."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Protocol

from harness.adapter.child import Place, ThisMachine
from harness.addresses import Address, refuses
from harness.containers.child import ContainerChild, ContainerPlace
from harness.containers.engine import ContainerEngine, Limits, Network, open_engine
from harness.containers.holder import Held, Holders
from harness.containers.plug import ContainerPlug
from harness.containers.reach import check_reach
from harness.containers.sweep import COMMAND as SWEEP
from harness.errors import HostError
from harness.guard import Guard
from proxies.breakable import BreakableLink
from proxies.found import Found
from proxies.link import Link
from proxies.netns.network import WiredNetwork

# What 'docker compose build' makes of the reference.
REFERENCE_CLIENT_IMAGE = "linkproof-client"
REFERENCE_SERVER_IMAGE = "linkproof-server"


@dataclass(frozen=True, slots=True)
class Images:
    """The sides of a run that are images; an empty name is a command of this machine."""

    client: str = ""
    server: str = ""
    limits: Limits = field(default_factory=Limits)

    def __bool__(self) -> bool:
        return bool(self.client or self.server)


COMMANDS: Final = Images()  # both sides are commands of this machine


@dataclass(frozen=True, slots=True)
class ServerPlace:
    """Where one server is started, again and again, and what it is to listen on."""

    place: Place
    host: str
    options: tuple[str, ...]  # which say so
    held: Held | None = None
    refuses: Callable[[Address], bool] = refuses  # whether nobody listens at an address there; blocks for a moment


class ServerPlaces(Protocol):
    """Where servers are started."""

    async def take(self, part: str) -> ServerPlace:
        """Return a place for one more."""

    async def give_back(self, taken: ServerPlace) -> None:
        """It is needed no more."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where both sides of a run are started.

    Attributes:
        client: where clients are that have no link.
        servers: where servers are.
        link_host: what links listen on, where that is not this machine's loopback.
        images: of each side that is one, its id by its name.
        within: where a client is that a link begins at, if not where the others are.
    """

    client: Place
    servers: ServerPlaces
    link_host: str | None = None
    images: dict[str, dict[str, str]] = field(default_factory=dict)
    within: Callable[[BreakableLink], Place] | None = None

    def of_person(self, link: BreakableLink) -> Place:
        """Where the client is that a link begins at."""
        return self.client if self.within is None else self.within(link)


class PersonInContainer:
    """The container of a client that a link begins at; from its start on the link has its plug."""

    def __init__(self, engine: ContainerEngine, image: str, network: Network, link: BreakableLink) -> None:
        assert isinstance(link, Link)
        self._engine = engine
        self._network = network
        self._link = link
        self._place = ContainerPlace(engine, image, network.name)

    def environment(self, inherited: Mapping[str, str]) -> Mapping[str, str]:
        """As of any container."""
        return self._place.environment(inherited)

    async def start(
        self, name: str, command: Sequence[str], *, log: IO[bytes], env: Mapping[str, str] | None = None
    ) -> ContainerChild:
        """Start it, as in any container."""
        child = await self._place.start(name, command, log=log, env=env)
        self._link.plug = ContainerPlug(self._engine, child.id, self._network.name)
        return child


class ServersHere:
    """Servers are processes of this machine, all on one address."""

    def __init__(self, here: ServerPlace) -> None:
        self.here = here

    async def take(self, part: str) -> ServerPlace:  # noqa: ARG002 - they need no names
        """Return the one place."""
        return self.here

    async def give_back(self, taken: ServerPlace) -> None:
        """Nothing was taken."""


class ServersInContainers:
    """Each server is a container, on an address of its own."""

    def __init__(self, engine: ContainerEngine, image: str, network: Network, holders: Holders) -> None:
        self._engine = engine
        self._network = network
        self._image = image
        self._holders = holders

    async def take(self, part: str) -> ServerPlace:
        """Take an address for one."""
        held = await self._holders.hold(self._network, f"{part}.address")
        place = ContainerPlace(self._engine, self._image, f"container:{held.container}")
        return ServerPlace(place, held.host, ("--host", held.host), held)

    async def give_back(self, taken: ServerPlace) -> None:
        """Let go of the address."""
        assert taken.held is not None
        await self._holders.give_back(taken.held)


@asynccontextmanager
async def open_places(
    images: Images,
    guard: Guard,
    *,
    host: str,
    server_options: tuple[str, ...],
    find: Callable[[], Found],
    say: Callable[[str], None],
) -> AsyncIterator[Places]:
    """Make what the sides of a run are started in; it is taken away again in every case.

    Raises:
        HostError: there is no container engine or no such image, or the engine is on another machine.
    """
    client: Place = ThisMachine(guard)
    servers: ServerPlaces = ServersHere(ServerPlace(client, host, server_options))
    if not images:
        yield Places(client, servers)
        return
    link_host, ids, within = None, {}, None
    async with AsyncExitStack() as stack:
        guard.run_at_end(SWEEP)
        stack.callback(guard.need_not_run, SWEEP)
        engine = await stack.enter_async_context(open_engine(images.limits, say))
        if images.client:
            ids["client"] = {images.client: await engine.image(images.client)}
        if images.server:
            ids["server"] = {images.server: await engine.image(images.server)}
        holders = await Holders.open(engine, _binary(find()))
        if images.client:
            network = await engine.network("clients")
            client, link_host = ContainerPlace(engine, images.client, network.name), network.gateway
            within = functools.partial(PersonInContainer, engine, images.client, network)
            probe = await holders.hold(network, "probe", answers=True)
            await asyncio.to_thread(check_reach, network, probe)
            await holders.give_back(probe)
        if images.server:
            behind = await engine.network("servers")
            servers = ServersInContainers(engine, images.server, behind, holders)
        yield Places(client, servers, link_host, ids, within)


def wired_places(network: WiredNetwork, guard: Guard, server_options: tuple[str, ...]) -> Places:
    """Return where both sides are in a network of the run's own: servers at its hub, each person at a wire's end."""

    def within(link: BreakableLink) -> Place:
        return ThisMachine(guard, entry=network.entry_of(link))

    hub = ThisMachine(guard, entry=network.entry)
    servers = ServersHere(ServerPlace(hub, network.host, server_options, refuses=network.refuses))
    return Places(ThisMachine(guard), servers, within=within)


def _binary(found: Found) -> Path:
    if found.path is None:
        raise HostError(
            "a run with images needs a Toxiproxy binary, and a running Toxiproxy was named",
            mend="leave --toxiproxy out, unset LINKPROOF_TOXIPROXY, or give the path of a binary",
        )
    return found.path
