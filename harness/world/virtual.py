"""The virtual world: the same scenarios over the same cores, in virtual time and over a simulated network.

Nothing in it is real but the cores and the scenario, so it certifies nothing. It takes milliseconds where the real
world takes minutes, and the same seed gives the same trace, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.errors import HarnessError
from harness.reference.client_core import ClientCore
from harness.reference.server_core import ServerCore
from harness.spec.timing import ns
from harness.trace import Observation, What
from harness.world.engine import Fault, Link, Moment, OnCallback, OnFailure, Record
from harness.world.observed import observed
from harness.world.play import Play, Scenario
from harness.world.virtual_client import MakeClientCore, VirtualClient, make_core
from harness.world.virtual_link import CALL_NS, VirtualLink
from harness.world.virtual_loop import run, running_loop
from harness.world.virtual_server import MakeServerCore, VirtualServer, token_for
from harness.world.world import Title
from proxies.topology import partition_people

APP_ID = "virtual"
SERVER = "server"  # the source of what was done to it
START_NS = 20_000_000  # what a process takes to start where nothing else is to be done


@dataclass(frozen=True, slots=True)
class VirtualConfig:
    """What a virtual world is made of. The cores have the signatures of the reference's."""

    seed: int = 0
    client_core: MakeClientCore = ClientCore
    server_core: MakeServerCore = ServerCore


class VirtualEngine:
    """One scenario's cores and links. To be made in a running ``VirtualLoop``."""

    def __init__(self, config: VirtualConfig) -> None:
        self._config = config
        self._loop = running_loop()
        self._server = VirtualServer(self._loop, config.server_core)
        self._server.start()
        self._links: dict[str, VirtualLink] = {}
        self._clients: dict[str, VirtualClient] = {}
        self._crashed: set[str] = set()

    def now_ns(self) -> int:
        """The virtual time."""
        return self._loop.now_ns()

    async def sleep_until(self, at_ns: int) -> None:
        """Wait until then."""
        await self._loop.sleep_until(at_ns)

    async def own_server(self, record: Record, on_failure: OnFailure) -> VirtualOwnServer:
        """Return the server, for deeds: in this world every scenario has its own."""
        self._server.on_failure = on_failure
        await self._loop.sleep_until(self.now_ns() + START_NS)
        return VirtualOwnServer(self._server, record)

    async def open_link(self, person: str, record: Record, *, resettable: bool) -> Link:
        """Make a link for a person."""
        self._links[person] = VirtualLink(
            person,
            self._loop,
            self._server,
            number=len(self._links) + 1,
            resettable=resettable,
            observer=lambda event: record(observed(person, event)),
        )
        return self._links[person]

    async def start_client(self, person: str, on_callback: OnCallback, on_failure: OnFailure) -> VirtualClient:
        """Make a client for a person."""
        self._server.on_failure = on_failure
        await self._loop.sleep_until(self.now_ns() + START_NS)
        core = make_core(self._config.client_core, APP_ID, person, self._config.seed)
        client = VirtualClient(self._loop, self._links[person], core, on_callback=on_callback, on_failure=on_failure)
        self._clients[person] = client
        return client

    async def count(self, person: str, uid: str) -> Mapping[str, int]:
        """Count a client's connections, and the logins of its user at the server."""
        counted = {}
        if person not in self._crashed:
            counted["connections"] = self._clients[person].connections
        if self._server.core is not None and not self._server.is_suspended:
            counted["logins"] = self._server.core.attempts_of(APP_ID, uid)
        return counted

    async def crash_client(self, person: str) -> None:
        """Kill a person's client."""
        await self._loop.sleep_until(self.now_ns() + CALL_NS)
        self._crashed.add(person)
        self._clients[person].end()

    def partition(self, groups: Sequence[Sequence[str]]) -> Fault:
        """Cut every link that crosses from one group into another; the server is in the first."""
        return partition_people(self._links, groups)

    async def confirm_faults(self) -> None:
        """Have every link prove its faults."""
        for link in self._links.values():
            await link.confirm()

    def token(self, uid: str, expires_in_s: float | None) -> str:
        """Issue a token of this scenario's tenant."""
        return token_for(APP_ID, uid, None if expires_in_s is None else self.now_ns() + ns(expires_in_s))

    async def ask_server(self, call: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have the server do something.

        Raises:
            HarnessError: it does not run, or does not know the call.
        """
        await self._loop.sleep_until(self.now_ns() + CALL_NS)
        core = self._server.core
        if core is None or self._server.is_suspended:
            raise HarnessError(f"the server is asked for {call} in vain: it does not run")
        match call:
            case "ban":
                self._server.ban(APP_ID, args["uid"])
            case "unban":
                core.unban(APP_ID, args["uid"])
            case _:
                raise HarnessError(f"the server of the virtual world does not know {call!r}")
        return {}

    async def delays(self, _from_ns: int, _to_ns: int) -> list[Observation]:
        """Nothing runs late where time waits for everybody."""
        return []

    async def close(self) -> None:
        """End everything."""
        for client in self._clients.values():
            client.end()
        for link in self._links.values():
            await link.close()


class VirtualOwnServer:
    """What a scenario can do to its server; each deed is recorded. What a real one could not do is a HarnessError."""

    def __init__(self, server: VirtualServer, record: Record) -> None:
        self._server = server
        self._record = record
        self._loop = running_loop()

    async def kill(self) -> Moment:
        """Have it end without a word."""
        self._check_running()
        return await self._done("server kill", self._server.kill)

    async def stop(self) -> Moment:
        """Have it end in order."""
        self._check_running()
        if self._server.is_suspended:
            raise HarnessError("a server that stands still cannot end in order", mend="resume it before, or kill it")
        began_ns = self._loop.now_ns()
        await self._server.stop()
        return self._put_down("server stop", began_ns)

    async def start(self) -> Moment:
        """Start it again."""
        if self._server.is_running:
            raise HarnessError("the scenario starts a server that runs", mend="kill or stop it before")
        return await self._done("server start", self._server.start)

    async def suspend(self) -> Moment:
        """Have it stand still."""
        self._check_running()
        return await self._done("server suspend", self._server.suspend)

    async def resume(self) -> Moment:
        """Let it go on."""
        self._check_running()
        return await self._done("server resume", self._server.resume)

    def _check_running(self) -> None:
        if not self._server.is_running:
            raise HarnessError("the scenario asks something of a server that it has killed or stopped")

    async def _done(self, name: str, deed: Callable[[], None]) -> Moment:
        began_ns = self._loop.now_ns()
        self._loop.call_at_ns(began_ns + CALL_NS // 2, deed)
        await self._loop.sleep_until(began_ns + CALL_NS)
        return self._put_down(name, began_ns)

    def _put_down(self, name: str, began_ns: int) -> Moment:
        moment = Moment(began_ns, self._loop.now_ns())
        details = {"proof": "simulated"}
        self._record(Observation(began_ns, SERVER, What.SERVER, name, details, until_ns=moment.t1_ns))
        return moment


def play_virtually(title: Title, scenario: Scenario, *, limit_s: float, config: VirtualConfig) -> list[Observation]:
    """Play one scenario in a virtual time of its own, and return its trace.

    Raises:
        HarnessError: it waits for what nobody will ever do.
    """

    async def play() -> list[Observation]:
        return await Play(title, VirtualEngine(config)).run(scenario, limit_s=limit_s)

    return run(play())
