"""One process under the contract: start it, talk with it, stop it, and leave nothing of it behind."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

from harness.adapter import contract
from harness.adapter.child import Child, Place, ThisMachine
from harness.adapter.contract import Answer, ContractError, Event, Request
from harness.adapter.last_words import last_words
from harness.clock import now_ns
from harness.errors import AdapterError, LinkproofError
from harness.guard import Guard

CONTRACT_PAGE = "docs/adapter-contract.md"
ANSWER_S = 10.0  # twice the longest wait that the rules know inside one call (a join: 5 s)
FINISH_S = 2.0  # the contract's time to finish after the end of standard input
TERM_S = 1.0  # then SIGTERM, and so long until SIGKILL
# Between the end of its output and its own end, in whichever order: what it wrote last is read in far less.
END_S = 1.0
# No scenario comes near. An SDK that calls back in a loop, or with all that it has, would fill memory and evidence.
EVENTS_MAX = 20_000
OUTPUT_BYTES_MAX = 8 * 2**20

_WHAT_TO_DO = (
    'an adapter answers each request line by one line, {"id": 1, "at_ns": 123, "result": {}}, '
    f"until its standard input ends; see {CONTRACT_PAGE}"
)


class ContractProcess:
    """A child that speaks the contract on its standard input and output.

    Every failure of the child is one AdapterError, given to every waiting request and to ``on_failure``. Where the
    child was lost by what carries it, that is the HostError which says so.
    """

    def __init__(
        self,
        name: str,
        child: Child,
        log: IO[bytes],
        on_event: Callable[[Event, int], None],
        on_failure: Callable[[LinkproofError], None],
    ) -> None:
        self.name = name
        self._child = child
        self._log = log
        self._on_event = on_event
        self._on_failure = on_failure
        self._waiting: dict[int, asyncio.Future[tuple[Answer, int]]] = {}
        self._given_up: set[int] = set()  # requests that nobody waits for any more; an answer may still come
        self._last_id = 0
        self._events = 0
        self._output_bytes = 0
        self._cut_off = b""  # the beginning of a line that it ended in
        self._stopping = False
        self._outcome: str | None = None
        self._failure: LinkproofError | None = None
        self._reader = asyncio.create_task(self._read(), name=f"read {name}")
        self._watcher = asyncio.create_task(self._watch(), name=f"watch {name}")

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        guard: Guard,
        log_path: Path,
        on_event: Callable[[Event, int], None],
        on_failure: Callable[[LinkproofError], None],
        env: Mapping[str, str] | None = None,
        place: Place | None = None,
    ) -> Self:
        """Start a command as the leader of a process group of its own, under guard; its standard error goes to a log.

        With a place it is started there instead, which sees to the rest.

        Raises:
            AdapterError: the command cannot be started.
            HostError: nothing can be.
        """
        log = log_path.open("ab")  # appended to: LogLimit may cut it
        try:
            child = await (place or ThisMachine(guard)).start(name, command, log=log, env=env)
        except BaseException:  # a cancellation too
            log.close()
            raise
        return cls(name, child, log, on_event, on_failure)

    @property
    def pid(self) -> int:
        """The process id; on this machine that of its process group too."""
        return self._child.pid

    @property
    def proven_end(self) -> str:
        """What proves that it ended; to be asked after its end."""
        return self._child.proven_end

    @property
    def has_own_network(self) -> bool:
        """Whether it sees another network than this process does."""
        return self._child.has_own_network

    async def request(self, call: str, args: Mapping[str, Any], *, within_s: float = ANSWER_S) -> tuple[Answer, int]:
        """Send a request; return its answer and the time at which it arrived (monotonic nanoseconds).

        Raises:
            AdapterError: the process ended, broke the contract, or did not answer in time.
            HostError: what carries it has lost it.
        """
        if self._failure is not None:
            raise self._failure
        self._last_id += 1
        request = Request(self._last_id, call, dict(args))
        answered: asyncio.Future[tuple[Answer, int]] = asyncio.get_running_loop().create_future()
        self._waiting[request.id] = answered
        self._child.write(contract.encode(request))
        try:
            async with asyncio.timeout(within_s):
                return await answered
        except TimeoutError:
            raise AdapterError(
                f"{self.name}: no answer to {call!r} within {within_s:g} s; the process {self.pid} is still running",
                why="each request is answered, one that the adapter does not know with 'unsupported'",
                mend=self._mend(),
            ) from None
        finally:
            if self._waiting.pop(request.id, None) is not None:
                self._given_up.add(request.id)

    async def signal(self, number: signal.Signals) -> None:
        """Send a signal to it and to all that it has started."""
        await self._child.signal(number)

    async def suspend(self) -> str:
        """Have all of it stand still; returns what proved it."""
        return await self._child.suspend()

    async def resume(self) -> str:
        """Let it go on; returns what proved it."""
        return await self._child.resume()

    async def stop(self) -> str:
        """Ask it to finish by the end of its input, then by SIGTERM, then by SIGKILL; reap it and all its group.

        Returns what it took: 'finished', 'terminated' or 'killed'.
        """
        if self._outcome is not None:
            return self._outcome  # the group is gone, and its number may be another's by now
        self._stopping = True
        try:
            self._outcome = await self._end()
            return self._outcome
        finally:
            try:
                await self._child.remove()
            finally:
                await self._let_go()

    async def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._outcome is None:
            self._stopping = True
            await self._child.signal(signal.SIGKILL)
            await self.stop()

    async def _end(self) -> str:
        self._child.close_input()
        for outcome, sig, patience_s in (("finished", None, FINISH_S), ("terminated", signal.SIGTERM, TERM_S)):
            if sig is not None:
                await self._child.signal(sig)
            if await self._child.exits_within(patience_s):
                return outcome
        await self._child.signal(signal.SIGKILL)
        await self._child.exited.wait()
        return "killed"

    async def _let_go(self) -> None:
        """Close this end of the pipes, whoever holds the other ends."""
        for task in (self._reader, self._watcher):
            task.cancel()
        await asyncio.wait({self._reader, self._watcher})
        await self._child.close()
        self._log.close()
        for task in (self._reader, self._watcher):
            if not task.cancelled():
                task.result()  # an exception there is a mistake of ours, and not to be lost

    async def _read(self) -> None:
        stdout = self._child.stdout
        while self._failure is None:
            try:
                line = await stdout.readline()
            except ValueError:
                self._fail(f"a line of over {contract.LINE_BYTES_MAX} bytes on standard output", "no message is longer")
                break
            arrived_ns = now_ns()
            self._output_bytes += len(line)
            if self._output_bytes > OUTPUT_BYTES_MAX:
                self._fail(f"over {OUTPUT_BYTES_MAX} bytes on standard output", "no scenario gives occasion to so much")
                break
            if not line.endswith(b"\n"):
                self._cut_off = line
                if not await self._child.exits_within(END_S):
                    self._fail("it closed its standard output", "an adapter answers until its standard input ends")
                return
            try:
                message = contract.decode_from_adapter(line)
            except ContractError as error:
                self._fail(f"a line that the contract does not allow: {_shown(line)}", str(error))
            else:
                self._deliver(message, arrived_ns)
        while await stdout.read(contract.LINE_BYTES_MAX):
            pass  # of no use any more; but who writes into a full pipe does not end

    def _deliver(self, message: Answer | Event, arrived_ns: int) -> None:
        if isinstance(message, Event):
            self._events += 1
            if self._events > EVENTS_MAX:
                self._fail(f"it called back more than {EVENTS_MAX} times", "no scenario gives it occasion to")
            else:
                self._on_event(message, arrived_ns)
            return
        waiting = self._waiting.pop(message.id, None)
        if waiting is not None:
            if not waiting.done():
                waiting.set_result((message, arrived_ns))
        elif message.id not in self._given_up:
            was_made = 0 < message.id <= self._last_id
            found = "a second answer to request" if was_made else "an answer to a request that was never made,"
            self._fail(f"{found} {message.id}", "each request is answered once, with its own id")

    async def _watch(self) -> None:
        await self._child.exited.wait()
        await asyncio.wait({self._reader}, timeout=END_S)  # what it said last comes first
        found = f"it {self._child.end} while it was still needed"
        if self._cut_off:
            found += f", in the middle of the line {_shown(self._cut_off)}"
        if last := last_words(self._log):
            found += f"; its last words: {last}"
        self._fail(found, "an adapter runs until its standard input ends")

    def _fail(self, found: str, why: str) -> None:
        if self._stopping or self._failure is not None:
            return
        self._failure = self._child.lost or AdapterError(f"{self.name}: {found}", why=why, mend=self._mend())
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(self._failure)
        self._on_failure(self._failure)

    def _mend(self) -> str:
        return f"{_WHAT_TO_DO}; its standard error is in {self._log.name}"


def _shown(line: bytes) -> str:
    return line[:200].decode(errors="backslashreplace").rstrip("\n")
