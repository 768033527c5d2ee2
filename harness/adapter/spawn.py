"""Starts a command as a child that is spoken to over its pipes, and tells its end from the end of those."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Mapping, Sequence
from typing import IO

from harness.adapter.contract import LINE_BYTES_MAX
from harness.errors import AdapterError, HostError

# Not the command's fault: the machine has no more descriptors, processes or memory to give.
_OF_THE_HOST = (errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM)


class Ends(asyncio.subprocess.SubprocessStreamProtocol):
    """Tells the end of a process from the end of its pipes, which a process of its own may hold open for ever."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(limit=LINE_BYTES_MAX, loop=loop)
        self.exited = asyncio.Event()
        self.closed = asyncio.Event()

    def process_exited(self) -> None:
        """It has ended, and was reaped."""
        super().process_exited()
        self.exited.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """All its pipes are closed as well."""
        super().connection_lost(exc)
        self.closed.set()

    async def exits_within(self, seconds: float) -> bool:
        """Wait for its end; False where that does not come in time."""
        return await happens_within(self.exited, seconds)


async def happens_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event; False where it does not come in time."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def spawn(
    name: str, command: Sequence[str], *, log: IO[bytes], env: Mapping[str, str] | None = None
) -> tuple[asyncio.SubprocessTransport, Ends]:
    """Start a command as the leader of a process group of its own; its standard error goes to the log.

    Raises:
        AdapterError: the command cannot be started.
        HostError: nothing can be.
    """
    loop = asyncio.get_running_loop()
    try:
        return await loop.subprocess_exec(
            lambda: Ends(loop),
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            start_new_session=True,
            env=env,
        )
    except OSError as error:
        if error.errno in _OF_THE_HOST:
            raise HostError(
                f"{name}: no process can be started any more: {error.strerror}",
                mend="see linkproof doctor; raise the limit (ulimit -n, ulimit -u), or play fewer scenarios (-k)",
            ) from error
        raise AdapterError(
            f"{name}: cannot start {command[0]!r}: {error.strerror or error}",
            why="it is started as it stands, without a shell",
            mend="check the path, and that it may be executed",
        ) from error
