"""A program in a container of its own, spoken to over the engine's attached streams."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

import docker.errors

from harness.adapter.contract import LINE_BYTES_MAX
from harness.adapter.spawn import happens_within
from harness.containers.engine import GONE, ContainerEngine, create, remove
from harness.errors import AdapterError, HostError

_HEADER_BYTES = 8  # which stream, three bytes of nothing, the length: see the engine's API, "Attach to a container"
_STDOUT = 1
_CANNOT_START = (400, 500)  # what the engine answers to a start where the image's command is none
_SIGNALLED = 128  # and the signal's number: the code of a process that a signal has ended


@dataclass(frozen=True, slots=True)
class _Started:
    """A container that runs: its first process, as this machine counts, and our end of its streams."""

    id: str
    pid: int
    stream: socket.socket


class ContainerPlace:
    """Programs are started each in a container of its own, made from one image."""

    def __init__(self, engine: ContainerEngine, image: str, network_mode: str) -> None:
        self._engine = engine
        self._image = image
        self._network_mode = network_mode

    def environment(self, inherited: Mapping[str, str]) -> Mapping[str, str]:  # noqa: ARG002 - a Place has it
        """Nothing: what holds on this machine holds in no container."""
        return {}

    async def start(
        self, name: str, command: Sequence[str], *, log: IO[bytes], env: Mapping[str, str] | None = None
    ) -> ContainerChild:
        """Start the image with these words in the place of its own; returns when it runs.

        Raises:
            AdapterError: what the image is to run cannot be started.
            HostError: the engine did not do it.
        """
        starting = asyncio.ensure_future(self._engine.call(lambda: self._start(name, command, dict(env or {}))))
        try:
            started = await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait({starting})
            if not starting.cancelled() and starting.exception() is None:
                starting.result().stream.close()
                await self._engine.call(lambda: remove(self._engine, starting.result().id))
            raise
        reader, writer = await asyncio.open_connection(sock=started.stream, limit=LINE_BYTES_MAX)
        return ContainerChild(self._engine, started.id, started.pid, reader, writer, log)

    def _start(self, name: str, command: Sequence[str], env: dict[str, str]) -> _Started:
        """Make, attach, start; in a thread."""
        engine, api = self._engine, self._engine.api
        container = create(engine, name, self._image, network_mode=self._network_mode, command=command, environment=env)
        try:
            stream = _attached(api.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}))
            try:
                api.start(container)
                return _Started(container, api.inspect_container(container)["State"]["Pid"], stream)
            except BaseException:
                stream.close()
                raise
        except BaseException as error:
            remove(engine, container)
            if isinstance(error, docker.errors.APIError) and error.status_code in _CANNOT_START:
                raise AdapterError(
                    f"{name}: cannot start {self._image!r}: {error.explanation}",
                    why="its ENTRYPOINT and CMD are to start something that speaks the contract",
                    mend=f"try it: docker run --rm --interactive {self._image}",
                ) from error
            raise


class ContainerChild:
    """One container while it lasts."""

    has_own_network = True

    def __init__(
        self,
        engine: ContainerEngine,
        container: str,
        pid: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        log: IO[bytes],
    ) -> None:
        self._engine = engine
        self.id = container
        self.pid = pid
        self.stdout = asyncio.StreamReader(limit=LINE_BYTES_MAX)
        self.exited = asyncio.Event()
        self.end = ""
        self.lost: HostError | None = None
        self._writer = writer
        self._is_paused = False
        self._reading = asyncio.create_task(self._read(reader, log), name=f"streams of {container[:12]}")
        self._watching = asyncio.create_task(self._watch(), name=f"end of {container[:12]}")

    @property
    def proven_end(self) -> str:
        """What the engine told."""
        return f"the engine says that the container {self.id[:12]} {self.end}"

    def write(self, data: bytes) -> None:
        """Write to its standard input."""
        self._writer.write(data)

    def close_input(self) -> None:
        """End its standard input; the engine hands that on."""
        if not self._writer.transport.is_closing():
            self._writer.write_eof()

    async def exits_within(self, seconds: float) -> bool:
        """Wait for its end; False where that does not come in time."""
        return await happens_within(self.exited, seconds)

    async def signal(self, number: signal.Signals) -> None:
        """Send a signal to its first process; SIGKILL ends all of them."""
        if self._is_paused and number == signal.SIGKILL:
            await self.resume()  # the engine kills none that stands still
        await self._ask(lambda: self._engine.api.kill(self.id, int(number)))

    async def suspend(self) -> str:
        """Have the engine pause it: the kernel takes connections, and nobody answers."""
        self._is_paused = True
        await self._engine.call(lambda: self._engine.api.pause(self.id))
        return await self._status("paused")

    async def resume(self) -> str:
        """Have the engine let it go on."""
        if not self._is_paused:
            return "it did not stand still"
        await self._ask(lambda: self._engine.api.unpause(self.id))
        self._is_paused = False
        return await self._status("running")

    async def remove(self) -> None:
        """Remove the container."""
        await self._engine.call(lambda: remove(self._engine, self.id))

    async def close(self) -> None:
        """Close our end of its streams."""
        self._watching.cancel()
        self._writer.transport.abort()
        await asyncio.wait({self._reading, self._watching})
        for task in (self._reading, self._watching):
            if not task.cancelled():
                task.result()  # an exception there is a mistake of ours, and not to be lost

    async def _ask(self, ask: Callable[[], object]) -> None:
        """Ask something of it that may have ended meanwhile."""
        try:
            await self._engine.call(ask)
        except HostError as error:
            cause = error.__cause__
            if not isinstance(cause, docker.errors.APIError) or cause.status_code not in GONE:
                raise

    async def _status(self, wanted: str) -> str:
        status = (await self._inspect())["Status"]
        if status != wanted:
            raise HostError(f"the container {self.id[:12]} was to be {wanted}, and the engine says {status!r}")
        return f"the engine says that the container {self.id[:12]} is {status!r}"

    async def _inspect(self) -> dict[str, Any]:
        told: dict[str, Any] = await self._engine.call(lambda: self._engine.api.inspect_container(self.id))
        return told["State"]  # type: ignore[no-any-return]

    async def _read(self, reader: asyncio.StreamReader, log: IO[bytes]) -> None:
        """Take the two streams apart that come as one."""
        try:
            while True:
                header = await reader.readexactly(_HEADER_BYTES)
                piece = await reader.readexactly(int.from_bytes(header[4:]))
                if header[0] == _STDOUT:
                    self.stdout.feed_data(piece)
                else:
                    log.write(piece)
                    log.flush()  # its last words are read from there
        except (asyncio.IncompleteReadError, ConnectionError):
            await self._look_after()  # before anybody takes the end of its output for its own doing
            self.stdout.feed_eof()

    async def _watch(self) -> None:
        """Wait for the end of its first process, with which all others end, and ask how that came."""
        await _ended(self.pid)
        try:
            self.end = await self._asked_end()
        except HostError as error:
            self._lose(error)
        self.exited.set()

    async def _asked_end(self) -> str:
        told = await self._engine.call(lambda: self._engine.api.wait(self.id))
        code = told["StatusCode"]
        end = f"ended by signal {code - _SIGNALLED}" if code > _SIGNALLED else f"exited with code {code}"
        if code and (await self._inspect())["OOMKilled"]:
            end += f", for more than {self._engine.limits.memory} of memory"
        return end

    async def _look_after(self) -> None:
        """Find out whether its output has ended because there is no engine any more to hand it on."""
        if not self.exited.is_set():
            try:
                await self._engine.call(self._engine.api.ping)
            except HostError as error:
                self._lose(error)

    def _lose(self, error: HostError) -> None:
        self.end = "was lost by the container engine"
        self.lost = HostError(
            f"the container {self.id[:12]} was lost: {error.found}",
            why="an engine that is stopped, or crashes, in mid-run takes its containers with it",
            mend="see its log (journalctl --unit docker), start it, and play again",
        )


async def _ended(pid: int) -> None:
    """Wait until a process that is no child of ours has ended."""
    if pid == 0:
        return  # the engine has seen its end already
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, lambda: None if ended.done() else ended.set_result(None))
    try:
        await ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _attached(hijacked: Any) -> socket.socket:
    """Return the connection that the engine has turned into a stream, as a socket of our own."""
    stream = socket.socket(fileno=os.dup(hijacked.fileno()))
    # What docker-py holds of it is closed by way of the answer that it came with, where there is one.
    getattr(hijacked, "_response", hijacked).close()
    stream.setblocking(False)
    return stream
