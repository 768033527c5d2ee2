"""Whatever carries an implementation under the contract: a process of this machine, or one in a container."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from typing import IO, Protocol

from harness.adapter.spawn import Ends, spawn
from harness.clock import now_ns
from harness.errors import HarnessError, HostError
from harness.guard import Guard, kill_group
from harness.processes import stat_of

STOP_NS = 1_000_000_000  # a process that is not stopped by then was not on any processor for a whole second


class Child(Protocol):
    """One program that is spoken to on its standard input and output, and all that it has started."""

    stdout: asyncio.StreamReader
    exited: asyncio.Event  # it has ended

    @property
    def pid(self) -> int:
        """Its process id, as this machine counts."""

    @property
    def has_own_network(self) -> bool:
        """Whether it sees another network than this process does."""

    @property
    def end(self) -> str:
        """How it ended: ``exited with code 3``; to be asked after its end."""

    @property
    def proven_end(self) -> str:
        """What proves that it ended; to be asked after its end."""

    @property
    def lost(self) -> HostError | None:
        """Why nothing can be said of it any more, where that is so; it is not to be blamed for its silence then."""

    def write(self, data: bytes) -> None:
        """Write to its standard input."""

    def close_input(self) -> None:
        """End its standard input."""

    async def exits_within(self, seconds: float) -> bool:
        """Wait for its end; False where that does not come in time."""

    async def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to all that it has started."""

    async def suspend(self) -> str:
        """Have all of it stand still; returns what proved it."""

    async def resume(self) -> str:
        """Let it go on, where it stands still; returns what proved it."""

    async def remove(self) -> None:
        """Take away what is left of it after its end."""

    async def close(self) -> None:
        """Close this end of its pipes, whoever holds the other ends."""


class Place(Protocol):
    """Where programs are started: on this machine as a rule, or in containers."""

    def environment(self, inherited: Mapping[str, str]) -> Mapping[str, str]:
        """Return what a program inherits there."""

    async def start(
        self, name: str, command: Sequence[str], *, log: IO[bytes], env: Mapping[str, str] | None = None
    ) -> Child:
        """Start a program; its standard error goes to the log.

        Raises:
            AdapterError: it cannot be started.
            HostError: nothing can be.
        """


class ThisMachine:
    """Programs are started here, each as the leader of a process group of its own, under guard.

    With an entry, words that are put in front of each command, they see another network than this process does.
    """

    def __init__(self, guard: Guard, *, entry: Sequence[str] = ()) -> None:
        self._guard = guard
        self._entry = tuple(entry)

    def environment(self, inherited: Mapping[str, str]) -> Mapping[str, str]:
        """All of it."""
        return inherited

    async def start(
        self, name: str, command: Sequence[str], *, log: IO[bytes], env: Mapping[str, str] | None = None
    ) -> ProcessChild:
        """Start a command as it stands, without a shell."""
        transport, ends = await spawn(name, [*self._entry, *command], log=log, env=self._guard.marked(env))
        child = ProcessChild(transport, ends, self._guard, has_own_network=bool(self._entry))
        self._guard.watch(child.pid)
        return child


class ProcessChild:
    """A process group of this machine."""

    lost = None  # the kernel does not lose any

    def __init__(
        self, transport: asyncio.SubprocessTransport, ends: Ends, guard: Guard, *, has_own_network: bool
    ) -> None:
        self.has_own_network = has_own_network
        self._transport = transport
        self._ends = ends
        self._guard = guard
        process = asyncio.subprocess.Process(transport, ends, asyncio.get_running_loop())
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin = process.stdin
        self.stdout = process.stdout
        self.exited = ends.exited
        self.pid = process.pid

    @property
    def end(self) -> str:
        """How it ended."""
        code = self._transport.get_returncode()
        assert code is not None
        return f"ended by signal {-code}" if code < 0 else f"exited with code {code}"

    @property
    def proven_end(self) -> str:
        """What the kernel told."""
        return f"the process {self.pid} was reaped: it {self.end}"

    def write(self, data: bytes) -> None:
        """Write to its standard input."""
        self._stdin.write(data)

    def close_input(self) -> None:
        """End its standard input."""
        self._stdin.close()

    async def exits_within(self, seconds: float) -> bool:
        """Wait for its end; False where that does not come in time."""
        return await self._ends.exits_within(seconds)

    async def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group."""
        kill_group(self.pid, number)

    async def suspend(self) -> str:
        """Send SIGSTOP, and wait until the kernel has stopped it, which it does when the process is next to run."""
        kill_group(self.pid, signal.SIGSTOP)
        deadline_ns = now_ns() + STOP_NS
        while (state := stat_of(self.pid).state) != "T":
            if now_ns() > deadline_ns:
                raise HarnessError(f"the process {self.pid} was sent SIGSTOP and is still in state {state!r}")
            await asyncio.sleep(0.001)
        return "the kernel says that it is in state 'T'"

    async def resume(self) -> str:
        """Send SIGCONT, which does no harm to one that runs."""
        kill_group(self.pid, signal.SIGCONT)
        return "SIGCONT was delivered"

    async def remove(self) -> None:
        """Kill whatever it started itself and left behind."""
        kill_group(self.pid)
        self._guard.release(self.pid)

    async def close(self) -> None:
        """Close this end of its pipes."""
        if self._stdin.transport.get_write_buffer_size():
            self._stdin.transport.abort()  # close() would wait until somebody has read it
        self._transport.close()
        await self._ends.closed.wait()
