"""The real world: every person a process of its own, every link a proxy of a real Toxiproxy."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import Any, TypeVar

import msgspec

from harness.adapter.contract import UNSUPPORTED, Event, Hello, ServerConnections, ServerDelays
from harness.adapter.endpoint import Endpoint
from harness.adapter.handshake import Clock, greet
from harness.adapter.process import ContractProcess
from harness.clock import now_ns
from harness.errors import AdapterError, LinkproofError
from harness.reference import tokens
from harness.spec.timing import NS_PER_S
from harness.trace import Observation, What
from harness.world.engine import Fault, Link, OnCallback, OnFailure, Record, Returned
from harness.world.lab import Lab
from harness.world.means import NETNS
from harness.world.observed import observed
from harness.world.own_server import OwnServer
from harness.world.sockets import connections_of_network, connections_to
from proxies.breakable import BreakableLink
from proxies.topology import partition_people

_Told = TypeVar("_Told", ServerConnections, ServerDelays)


class RealClient:
    """A client under test in its process; its times are turned into the harness's."""

    def __init__(self, process: ContractProcess, hello: Hello, clock: Clock) -> None:
        self.process = process
        self.hello = hello
        self.clock_error_ns = clock.error_ns
        self._offset_ns = clock.offset_ns

    async def call(self, name: str, args: Mapping[str, Any]) -> Returned:
        """Call it.

        Raises:
            AdapterError: the process ended, broke the contract, or did not answer in time.
        """
        answer, arrived_ns = await self.process.request(name, args)
        return Returned(answer.at_ns - self._offset_ns, arrived_ns, answer.result, answer.error)


class RealEngine:
    """One scenario's processes and links, in the laboratory that the run shares.

    ``client_command`` takes the place of the laboratory's own, for this scenario alone; ``server_command`` gives it a
    server of its own even where it does not ask for one.
    """

    def __init__(
        self,
        lab: Lab,
        scenario: str,
        rank: int,
        *,
        client_command: tuple[str, ...] = (),
        server_command: tuple[str, ...] = (),
    ) -> None:
        self._lab = lab
        self._rank = rank
        self._client_command = client_command or lab.config.client_command
        self._server_command = server_command or lab.config.server_command
        self._needs_own_server = bool(server_command)
        self.app_id = lab.tenant(scenario)
        self._links: dict[str, BreakableLink] = {}
        self._own_server: OwnServer | None = None
        self._starting_server = asyncio.Lock()
        self._processes: dict[str, ContractProcess] = {}
        self._crashed: set[str] = set()
        self._on_failure: OnFailure | None = None

    def now_ns(self) -> int:
        """The monotonic time of this machine."""
        return now_ns()

    async def sleep_until(self, at_ns: int) -> None:
        """Wait until then."""
        await asyncio.sleep(max(0, at_ns - now_ns()) / NS_PER_S)

    async def own_server(self, record: Record, on_failure: OnFailure) -> OwnServer:
        """Start a server of this scenario's own; the links that are made from now on lead to it."""
        async with self._starting_server:
            if self._own_server is None:
                async with self._lab.gate.place(self._rank):
                    taken = await self._lab.places.servers.take(self.app_id)
                    words = (self._server_command, taken)
                    self._own_server = OwnServer(self._lab, self.app_id, *words, record, on_failure)
                    await self._own_server.start()
        return self._own_server

    async def open_link(self, person: str, record: Record, *, resettable: bool) -> Link:
        """Make a link of its own for a person."""
        if self._needs_own_server:
            await self.own_server(record, self._fail)
        async with self._lab.gate.place(self._rank) if self._lab.config.faults == NETNS else nullcontext():
            self._links[person] = await self._lab.links.open_link(
                f"{self.app_id}.{person}",
                self._own_server.address if self._own_server else self._lab.server.address,
                resettable=resettable,
                observer=lambda event: record(observed(person, event)),
            )
        return self._links[person]

    async def start_client(self, person: str, on_callback: OnCallback, on_failure: OnFailure) -> RealClient:
        """Start the command under test for a person, and have it make its client.

        Raises:
            AdapterError: it cannot be started, or breaks the contract.
        """
        self._on_failure = on_failure
        self._lab.alarm.tell(on_failure)
        clock = Clock(0, 0)
        place = self._lab.places.of_person(self._links[person])
        endpoint = Endpoint(
            *self._links[person].address, self.app_id, self._lab.keys.ca_file, self._lab.config.profile.scheme
        )

        def on_event(event: Event, arrived_ns: int) -> None:
            on_callback(event.event, event.args, event.at_ns - clock.offset_ns, arrived_ns)

        async with self._lab.gate.place(self._rank):
            process = await ContractProcess.start(
                person,
                endpoint.command(self._client_command),
                guard=self._lab.guard,
                log_path=self._lab.log_path(f"{self.app_id}.{person}"),
                on_event=on_event,
                on_failure=on_failure,
                env=endpoint.environment(place.environment(os.environ)),
                place=place,
            )
            self._processes[person] = process
            hello, clock = await greet(process)
        answer, _ = await process.request("create", msgspec.structs.asdict(endpoint.create()))
        if answer.error is not None:
            raise AdapterError(f"{person}: the adapter answered create with {answer.error!r}")
        return RealClient(process, hello, clock)

    async def count(self, person: str, uid: str) -> Mapping[str, int]:
        """Count a client's connections in the kernel, and its logins at the server."""
        counted = {}
        if person not in self._crashed:
            process, address = self._processes[person], self._links[person].address
            look = connections_of_network if process.has_own_network else connections_to
            # Not in the event loop: the kernel takes some 10 ms to list its sockets.
            counting = asyncio.to_thread(look, address, of_process=process.pid)
            counted["connections"] = await counting
        if self._own_server is None or self._own_server.is_answering:
            told = await self.ask_server("connections", {"uid": uid})
            if told is not None:
                counted["logins"] = self._told(told, "connections", ServerConnections).attempts
        return counted

    async def crash_client(self, person: str) -> None:
        """Kill a person's client."""
        self._crashed.add(person)
        await self._processes[person].kill()

    def partition(self, groups: Sequence[Sequence[str]]) -> Fault:
        """Cut every link that crosses from one group into another; the server is in the first."""
        return partition_people(self._links, groups)

    async def confirm_faults(self) -> None:
        """Have every link prove its faults, and what carries them that it is still there."""
        await self._lab.links.confirm()
        await asyncio.gather(*(link.confirm() for link in self._links.values()))

    def token(self, uid: str, expires_in_s: float | None) -> str:
        """Issue a token of this scenario's tenant."""
        return tokens.issue(self._lab.keys.secret, self.app_id, uid, expires_in_s)

    async def ask_server(
        self, call: str, args: Mapping[str, Any], *, of_tenant: bool = True
    ) -> Mapping[str, Any] | None:
        """Ask the server something, of this scenario's tenant if need be.

        Raises:
            HarnessError, AdapterError: the server does not answer, or answers with an error; the type says whose it is.
        """
        try:
            server = self._own_server.process if self._own_server else self._lab.server.process
            answer, _ = await server.request(call, {"app_id": self.app_id, **args} if of_tenant else args)
        except AdapterError as error:
            raise self._lab.config.of_server(error) from error
        if answer.error not in (None, UNSUPPORTED):
            raise self._lab.config.of_server(AdapterError(f"it answered {call} with {answer.error!r}"))
        return answer.result

    def _told(self, result: Mapping[str, Any], call: str, kind: type[_Told]) -> _Told:
        """Return what a server has answered, read as the contract has it."""
        try:
            return msgspec.convert(result, kind)
        except msgspec.ValidationError as error:
            raise self._lab.config.of_server(
                AdapterError(f"it answered {call} with {result!r}", why=str(error))
            ) from error

    async def delays(self, from_ns: int, to_ns: int) -> list[Observation]:
        """What the host, the harness and the server ran late in this span."""
        own = self._lab.delays.between(from_ns, to_ns)
        late = [_delay("harness", due, ran) for due, ran in own]
        if self._own_server is None:  # one that the scenario itself has stopped is late for another reason
            offset_ns = self._lab.server.clock.offset_ns
            span = {"from_ns": from_ns + offset_ns, "to_ns": to_ns + offset_ns}
            told = await self.ask_server("delays", span, of_tenant=False)
            theirs = self._told(told, "delays", ServerDelays).late if told is not None else []
            late += [_delay("server", due - offset_ns, ran - offset_ns) for due, ran in theirs]
        return [*self._lab.host.between(from_ns, to_ns), *late]

    def _fail(self, failure: LinkproofError) -> None:
        """A server that the scenario did not ask for has failed; without a client there is nobody to be told."""
        if self._on_failure is not None:
            self._on_failure(failure)

    async def close(self) -> None:
        """Stop every process of this scenario, then take its proxies away.

        Raises:
            LinkproofError: something could not be taken away; all the rest was.
        """
        if self._on_failure is not None:
            self._lab.alarm.forget(self._on_failure)
        stopping = [process.stop() for process in self._processes.values()]
        stopped = await asyncio.gather(*stopping, return_exceptions=True)
        closed = await asyncio.gather(*(link.close() for link in self._links.values()), return_exceptions=True)
        if self._own_server is not None:
            closed += await asyncio.gather(self._own_server.close(), return_exceptions=True)
        failures = [str(result) for result in (*stopped, *closed) if isinstance(result, BaseException)]
        if failures:
            raise LinkproofError(f"{self.app_id}: not everything could be taken away: {'; '.join(failures)}")


def _delay(source: str, due_ns: int, ran_ns: int) -> Observation:
    return Observation(due_ns, source, What.DELAY, "late", until_ns=ran_ns)
