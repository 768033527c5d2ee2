"""What all scenarios of a run share: one Toxiproxy, one server, one guard, and the measure of the host."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.adapter.contract import Event, Hello
from harness.adapter.handshake import greet
from harness.adapter.process import ContractProcess
from harness.delays import DelaySampler
from harness.errors import AdapterError, HarnessError, LinkproofError
from harness.guard import Guard
from harness.world.gate import StartGate
from harness.world.host import HostSampler
from proxies.binary import find
from proxies.selftest import self_test
from proxies.server import ToxiproxyServer

REFERENCE_CLIENT = (sys.executable, "-m", "harness.reference.agent")
REFERENCE_SERVER = (sys.executable, "-m", "harness.reference.server_control")
APP_ID_LENGTH_MAX = 40  # with a person's name it is the name of a proxy, and of a log


@dataclass(frozen=True, slots=True)
class LabConfig:
    """What a run is made with."""

    logs: Path
    client_command: tuple[str, ...] = REFERENCE_CLIENT
    toxiproxy: str | None = None  # an address or a binary; found or installed where None
    say: Callable[[str], None] = field(default=lambda _: None)


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


class Lab:
    """The shared parts of a run, while it lasts."""

    def __init__(
        self,
        config: LabConfig,
        guard: Guard,
        host: HostSampler,
        delays: DelaySampler,
        toxiproxy: ToxiproxyServer,
        server: ContractProcess,
        server_address: tuple[str, int],
        secret: str,
        client: Hello,
        toxiproxy_found: str,
        alarm: Alarm,
    ) -> None:
        self.config = config
        self.guard = guard
        self.host = host
        self.delays = delays
        self.toxiproxy = toxiproxy
        self.server = server
        self.server_address = server_address
        self.secret = secret
        self.client = client
        self.toxiproxy_found = toxiproxy_found
        self.alarm = alarm
        # Two on each core: while one computes, the other waits for its process to say hello.
        self.gate = StartGate(2 * (os.cpu_count() or 1), host.latest_ns)
        self._numbers = itertools.count(1)

    def tenant(self, scenario: str) -> str:
        """Return an app id of its own for a scenario, with which it meets no other."""
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", scenario.rpartition("::")[2].removeprefix("test_"))
        return f"{next(self._numbers)}-{readable}"[:APP_ID_LENGTH_MAX].rstrip("-.")

    def log_path(self, name: str) -> Path:
        """Where a process of this run writes its standard error."""
        return self.config.logs / f"{name}.log"


@asynccontextmanager
async def open_lab(config: LabConfig) -> AsyncIterator[Lab]:
    """Start what the scenarios of a run share; everything is ended again in every case.

    Raises:
        HostError: there is no Toxiproxy to be had.
        ToxiproxyError: it does not start, or does not do what the faults rely on.
        AdapterError: the implementation under test cannot be started, or its adapter breaks the contract.
    """
    config.logs.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        guard = stack.enter_context(Guard())
        client = await _try_client(config, guard)
        found = find(config.toxiproxy, say=config.say)
        toxiproxy = await ToxiproxyServer.open(found, guard=guard, log_path=config.logs / "toxiproxy.log")
        stack.push_async_callback(toxiproxy.close)
        report = await self_test(toxiproxy)
        config.say(f"Toxiproxy does what the faults rely on ({report.total_ms:.0f} ms)")
        secret = secrets.token_hex(16)
        alarm = Alarm()
        server, address = await _start_server(config, guard, secret, alarm)
        stack.push_async_callback(server.stop)
        if toxiproxy.pid is not None:
            stack.push_async_callback(_ended, asyncio.create_task(_watch(toxiproxy, alarm), name="watch Toxiproxy"))
        host = await HostSampler.start(guard)
        stack.push_async_callback(host.close)
        delays = DelaySampler()
        stack.push_async_callback(delays.close)
        description = f"{found.version}, {found.origin}: {found.path or found.address}"
        yield Lab(config, guard, host, delays, toxiproxy, server, address, secret, client, description, alarm)


async def _try_client(config: LabConfig, guard: Guard) -> Hello:
    """Hold the first conversation with the implementation under test once, before anything else depends on it."""
    process = await ContractProcess.start(
        "the client under test",
        config.client_command,
        guard=guard,
        log_path=config.logs / "hello.log",
        on_event=_no_event,
        on_failure=_raised_to_the_caller,
    )
    try:
        hello, _ = await greet(process)
        return hello
    finally:
        await process.stop()


async def _watch(toxiproxy: ToxiproxyServer, alarm: Alarm) -> None:
    alarm.sound(await toxiproxy.died())


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


async def _start_server(
    config: LabConfig, guard: Guard, secret: str, alarm: Alarm
) -> tuple[ContractProcess, tuple[str, int]]:
    def fail(error: LinkproofError) -> None:
        alarm.sound(HarnessError(f"the reference server failed: {error.found}", why=error.why))

    process = await ContractProcess.start(
        "the server",
        REFERENCE_SERVER,
        guard=guard,
        log_path=config.logs / "server.log",
        on_event=_no_event,
        on_failure=fail,
        env={**os.environ, "LINKPROOF_SECRET": secret},
    )
    try:
        answer, _ = await process.request("hello", {})
        host, port = (answer.result or {})["url"].rpartition("/")[2].rsplit(":", 1)
    except BaseException as error:
        await process.stop()
        if isinstance(error, AdapterError):
            raise HarnessError(f"the reference server does not start: {error.found}", why=error.why) from error
        raise
    return process, (host, int(port))


def _no_event(event: Event, arrived_ns: int) -> None:
    """Neither the server nor a client that was only greeted calls back; what they say then is of no account."""


def _raised_to_the_caller(failure: LinkproofError) -> None:
    """Whoever waits for an answer is told of it; there is nobody else."""
