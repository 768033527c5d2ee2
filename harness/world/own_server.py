"""A server of a scenario's own: one that may be killed, stopped and started again without disturbing the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from harness.adapter.contract import Event
from harness.adapter.process import ContractProcess
from harness.addresses import written
from harness.clock import now_ns
from harness.errors import AdapterError, HarnessError
from harness.spec.timing import NS_PER_S
from harness.trace import Observation, What
from harness.world.engine import Moment, OnFailure
from harness.world.lab import SERVER_NAME, Lab, greet_server
from harness.world.places import ServerPlace

STOP_NS = NS_PER_S  # a process that is not stopped by then was not on any processor for a whole second


class OwnServer:
    """The process of one scenario's server, and what can be done to it. Each deed is recorded with its proof."""

    def __init__(
        self,
        lab: Lab,
        name: str,
        command: tuple[str, ...],
        taken: ServerPlace,
        record: Callable[[Observation], None],
        on_failure: OnFailure,
    ) -> None:
        self._lab = lab
        self._command = command
        self._taken = taken
        self._name = name
        self._record = record
        self._on_failure = lambda error: on_failure(lab.config.of_server(error))
        self._lives = 0
        self._suspended = False
        self._process: ContractProcess | None = None
        self.address = (taken.host, lab.links.take_port())

    @property
    def is_answering(self) -> bool:
        """Whether it runs, and does not stand still."""
        return self._process is not None and not self._suspended

    @property
    def process(self) -> ContractProcess:
        """The running process.

        Raises:
            HarnessError: there is none at the moment.
        """
        if self._process is None:
            raise HarnessError("the scenario asks something of a server that it has killed or stopped")
        return self._process

    async def start(self) -> Moment:
        """Start it (again), on the same port and with nothing of its former life."""
        began_ns = now_ns()
        self._lives += 1
        self._process = await ContractProcess.start(
            SERVER_NAME,
            [*self._command, *self._taken.options, "--port", str(self.address[1])],
            guard=self._lab.guard,
            log_path=self._log_path(),
            on_event=_no_event,
            on_failure=self._on_failure,
            env=self._lab.server_environment(self._taken),
            place=self._taken.place,
        )
        self._suspended = False  # also where its former life ended while it stood still
        try:
            _, address = await greet_server(self._process, self._lab.config)
            if address != self.address:
                why = f"it was started with --port {self.address[1]}"
                raise AdapterError(f"it says that it listens on {written(address)}", why=why)
        except AdapterError as error:
            raise self._lab.config.of_server(error) from error
        return self._put_down("server start", began_ns, f"it answered, as process {self._process.pid}")

    async def kill(self) -> Moment:
        """Have it end without a word, as a crash does."""
        began_ns = now_ns()
        process = self.process
        await process.kill()
        self._process = None
        return self._put_down("server kill", began_ns, f"{process.proven_end}, and {await self._proven_gone()}")

    async def stop(self) -> Moment:
        """Have it end in order: it closes its connections first."""
        began_ns = now_ns()
        process = self.process
        outcome = await process.stop()
        self._process = None
        if outcome != "finished":
            raise self._lab.config.of_server(AdapterError(f"it was to end in order, and had to be {outcome}"))
        return self._put_down("server stop", began_ns, f"{process.proven_end}, and {await self._proven_gone()}")

    async def suspend(self) -> Moment:
        """Have it stand still (SIGSTOP, or pause): connections are accepted by the kernel, and nobody answers."""
        began_ns = now_ns()
        self._suspended = True
        return self._put_down("server suspend", began_ns, await self.process.suspend())

    async def resume(self) -> Moment:
        """Let it go on."""
        began_ns = now_ns()
        proof = await self.process.resume()
        self._suspended = False
        return self._put_down("server resume", began_ns, proof)

    async def close(self) -> None:
        """End it, whatever was done to it."""
        if self._process is not None:
            await self._process.resume()  # one that stands still cannot finish
            await self._process.stop()
        self._lab.links.give_back_port(self.address[1])
        await self._lab.places.servers.give_back(self._taken)

    def _log_path(self) -> Path:
        return self._lab.log_path(f"{self._name}.server{self._lives}")

    def _put_down(self, deed: str, began_ns: int, proof: str) -> Moment:
        moment = Moment(began_ns, now_ns())
        details = {"proof": proof}
        self._record(Observation(began_ns, "server", What.SERVER, deed, details, until_ns=moment.t1_ns))
        return moment

    async def _proven_gone(self) -> str:
        """Wait until nobody listens any more: what the process had started was killed with it, and may still end."""
        deadline_ns = now_ns() + STOP_NS
        while not self._taken.refuses(self.address):
            if now_ns() > deadline_ns:
                raise HarnessError(f"the server is gone, and somebody else listens on its port {self.address[1]}")
            await asyncio.sleep(0.02)
        return f"a connect to port {self.address[1]} was refused"


def _no_event(event: Event, arrived_ns: int) -> None:
    """A server does not call back."""
