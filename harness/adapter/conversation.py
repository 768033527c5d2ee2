"""A conversation with an adapter of which each line is written down and looked at, and none is taken on trust.

Unlike ContractProcess it goes on after what is wrong: whoever writes an adapter wants to see all of it at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, NamedTuple, Self

from harness.adapter import contract
from harness.adapter.contract import CALLBACKS, Answer, ContractError, Event, Request
from harness.adapter.last_words import last_words
from harness.adapter.process import ANSWER_S, CONTRACT_PAGE, FINISH_S
from harness.adapter.spawn import Ends, spawn
from harness.clock import now_ns
from harness.guard import Guard, kill_group

_KINDS: dict[str, type] = {"string": str, "number": int}
_READ_AHEAD_S = 0.2  # for what a child wrote last before it ended
_READ_BYTES = 64 * 1024
SHOWN_BYTES = 200


class Kind(StrEnum):
    """What a line of the record tells."""

    BEGUN = "begun"
    SENT = "sent"
    CAME = "came"
    WRONG = "wrong"
    NOTE = "note"


class Entry(NamedTuple):
    """A line of the record; ``page`` is where to read on."""

    kind: Kind
    text: str
    page: str


@dataclass
class Outcome:
    """What became of one check."""

    name: str
    page: str
    is_reached: bool = True
    wrong: int = 0
    notes: int = 0


class Record:
    """All that was sent, came and is wrong, check by check; told line by line as it comes about."""

    def __init__(self, tell: Callable[[Entry], None]) -> None:
        self.outcomes: list[Outcome] = []
        self._tell = tell

    def begin(self, name: str, anchor: str) -> None:
        """Begin a check: what follows belongs to it."""
        self.outcomes.append(Outcome(name, f"{CONTRACT_PAGE}#{anchor}"))
        self._say(Kind.BEGUN, name)

    def skip(self, name: str, anchor: str) -> None:
        """Note a check that there was no way to."""
        self.outcomes.append(Outcome(name, f"{CONTRACT_PAGE}#{anchor}", is_reached=False))

    def sent(self, line: bytes) -> None:
        """A line to the adapter."""
        self._say(Kind.SENT, shown(line))

    def came(self, line: bytes) -> None:
        """A line from it."""
        self._say(Kind.CAME, shown(line))

    def wrong(self, text: str) -> None:
        """Something that the contract does not allow."""
        self.outcomes[-1].wrong += 1
        self._say(Kind.WRONG, text)

    def note(self, text: str) -> None:
        """Something that is allowed, and worth a look."""
        self.outcomes[-1].notes += 1
        self._say(Kind.NOTE, text)

    def _say(self, kind: Kind, text: str) -> None:
        self._tell(Entry(kind, text, self.outcomes[-1].page))


class SilenceError(Exception):
    """The adapter answers no more, which is on record: what is left of the conversation cannot be held."""


class Stamp(NamedTuple):
    """A time that the adapter gave, and between which two times of this machine's clock it has to lie."""

    what: str
    at_ns: int
    earliest_ns: int
    latest_ns: int


class Conversation:
    """One process of an adapter, and what is said with it."""

    name = "the adapter"

    def __init__(
        self, transport: asyncio.SubprocessTransport, ends: Ends, guard: Guard, log: IO[bytes], record: Record
    ) -> None:
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.stamps: list[Stamp] = []
        self._transport = transport
        self._ends = ends
        self._guard = guard
        self._log = log
        self._record = record
        self._process = asyncio.subprocess.Process(transport, ends, asyncio.get_running_loop())
        self._begun_ns = now_ns()
        self._last_id = 0
        self._sent_ns: dict[int, int] = {}
        self._waiting: dict[int, asyncio.Future[tuple[Answer, int]]] = {}
        self._is_finishing = False
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls, command: Sequence[str], *, guard: Guard, log_path: Path, record: Record, env: Mapping[str, str]
    ) -> Self:
        """Start a process of the adapter.

        Raises:
            AdapterError: the command cannot be started.
            HostError: nothing can be.
        """
        log = log_path.open("ab")
        try:
            transport, ends = await spawn(cls.name, command, log=log, env=guard.marked(env))
        except BaseException:  # a cancellation too
            log.close()
            raise
        guard.watch(transport.get_pid())
        return cls(transport, ends, guard, log, record)

    # -------------------------------------------------------------------------------------------------------- requests

    def send(self, call: str, args: Mapping[str, Any], *, request_id: int | None = None) -> int:
        """Send a request without waiting for its answer; return its id."""
        self._last_id = max(self._last_id + 1, request_id or 0)
        request = Request(request_id or self._last_id, call, dict(args))
        self._waiting[request.id] = asyncio.get_running_loop().create_future()
        self._sent_ns[request.id] = now_ns()
        line = contract.encode(request)
        self._record.sent(line)
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        return request.id

    async def answer(self, request_id: int) -> tuple[Answer, int]:
        """Wait for the answer to a request; return it with the time at which it arrived.

        Raises:
            SilenceError: there is none in time, or the process has ended.
        """
        waiting = self._waiting[request_id]
        ended: asyncio.Future[Any] = asyncio.create_task(self._ends.exited.wait())
        try:
            first = asyncio.FIRST_COMPLETED
            await asyncio.wait({_any(waiting), ended}, timeout=ANSWER_S, return_when=first)
            if ended.done():
                await asyncio.wait({_any(waiting), self._reader}, timeout=_READ_AHEAD_S, return_when=first)
        finally:
            ended.cancel()
        if waiting.done():
            return waiting.result()
        if self._ends.exited.is_set():
            self._record.wrong(f"it {self.how_it_ended()} while it was still needed{self._last_words()}")
        else:
            self._record.wrong(f"request {request_id} was not answered within {ANSWER_S:g} s")
        raise SilenceError

    async def request(self, call: str, args: Mapping[str, Any]) -> tuple[Answer, int]:
        """Send a request and wait for its answer.

        Raises:
            SilenceError: there is none in time, or the process has ended.
        """
        return await self.answer(self.send(call, args))

    async def event(self, *names: str, within_s: float) -> Event | None:
        """Wait for the next event of one of these names; None where none comes in time. Others are passed over."""
        try:
            async with asyncio.timeout(within_s):
                while (event := await self.events.get()).event not in names:
                    pass
        except TimeoutError:
            return None
        return event

    # ------------------------------------------------------------------------------------------------------------- end

    async def finish(self) -> None:
        """End its input, and look how it takes that; then nothing of it is left."""
        self._is_finishing = True
        assert self._process.stdin is not None
        self._process.stdin.close()
        begun_ns = now_ns()
        if not await self._ends.exits_within(FINISH_S):
            self._record.wrong(f"it still ran {FINISH_S:g} s after the end of its standard input")
        else:
            await asyncio.wait({self._reader}, timeout=_READ_AHEAD_S)
            took = f"{(now_ns() - begun_ns) / 1e9:.2f} s after the end of its input"
            if self._transport.get_returncode() != 0:
                self._record.note(f"it {self.how_it_ended()}, {took}")
            if kill_group(self._transport.get_pid(), 0):
                self._record.note("it left processes of its own behind")
        await self.kill()

    async def kill(self) -> None:
        """Be rid of it, and of all that it started. Idempotent."""
        if self._log.closed:
            return
        kill_group(self._transport.get_pid())
        await self._ends.exited.wait()
        self._guard.release(self._transport.get_pid())
        self._reader.cancel()
        await asyncio.wait({self._reader})
        assert self._process.stdin is not None
        if self._process.stdin.transport.get_write_buffer_size():
            self._process.stdin.transport.abort()  # close() would wait until somebody has read it
        self._transport.close()
        await self._ends.closed.wait()
        self._log.close()
        if not self._reader.cancelled():
            self._reader.result()  # an exception there is a mistake of ours, and not to be lost

    def how_it_ended(self) -> str:
        """Say how the process ended."""
        code = self._transport.get_returncode()
        assert code is not None
        return f"ended by signal {-code}" if code < 0 else f"exited with code {code}"

    def _last_words(self) -> str:
        last = last_words(self._log)
        return f"; its last words: {last}" if last else ""

    # ---------------------------------------------------------------------------------------------------- what comes in

    async def _read(self) -> None:
        async for line in self._lines():
            arrived_ns = now_ns()
            self._record.came(line)
            if not line.endswith(b"\n"):
                self._record.wrong("its output ended in the middle of this line")
                break
            try:
                message = contract.decode_from_adapter(line)
            except ContractError as error:
                self._record.wrong(f"a line that the contract does not allow: {error}")
            else:
                self._take(message, arrived_ns)
        if not self._is_finishing and not await self._ends.exits_within(_READ_AHEAD_S):
            self._record.wrong("it closed its standard output; an adapter answers until its standard input ends")

    async def _lines(self) -> AsyncIterator[bytes]:
        """Each line of its output, the last one perhaps without an end; one that is too long is passed over."""
        assert self._process.stdout is not None
        rest, is_too_long = b"", False
        while chunk := await self._process.stdout.read(_READ_BYTES):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if is_too_long:
                    is_too_long = False  # that was the rest of it, and is on record
                elif len(line) >= contract.LINE_BYTES_MAX:
                    self._too_long()
                else:
                    yield line + b"\n"
            if is_too_long:
                rest = b""
            elif len(rest) >= contract.LINE_BYTES_MAX:
                self._too_long()
                rest, is_too_long = b"", True
        if rest:
            yield rest

    def _too_long(self) -> None:
        self._record.wrong(f"a line of over {contract.LINE_BYTES_MAX} bytes on standard output")

    def _take(self, message: Answer | Event, arrived_ns: int) -> None:
        if isinstance(message, Event):
            self._look_at(message)
            self.stamps.append(Stamp(message.event, message.at_ns, self._begun_ns, arrived_ns))
            self.events.put_nowait(message)
            return
        waiting = self._waiting.get(message.id)
        if waiting is None:
            self._record.wrong(f"request {message.id} was never made")
        elif waiting.done():
            self._record.wrong(f"request {message.id} was answered before")
        else:
            what = f"the answer to request {message.id}"
            self.stamps.append(Stamp(what, message.at_ns, self._sent_ns[message.id], arrived_ns))
            waiting.set_result((message, arrived_ns))

    def _look_at(self, event: Event) -> None:
        for name, kind in CALLBACKS[event.event].items():
            value = event.args[name]
            if not isinstance(value, _KINDS[kind]) or isinstance(value, bool):
                self._record.wrong(f"{event.event}: {name!r} is {value!r}, expected a {kind}")


def _any(future: asyncio.Future[tuple[Answer, int]]) -> asyncio.Future[Any]:
    return future  # asyncio.wait() is typed for futures of one kind


def shown(line: bytes) -> str:
    """Return a line as it is shown: not at its whole length, and without its end."""
    text = line[:SHOWN_BYTES].decode(errors="backslashreplace").rstrip("\n")
    return text if len(line) <= SHOWN_BYTES else f"{text}... ({len(line)} bytes)"
