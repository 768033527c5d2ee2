"""Keeps the logs of a run within a bound: a process may write without end on its standard error.

Each process writes its log itself, through a descriptor of its own. So what it writes costs the harness nothing, and a
harness that is late holds up nobody, as it would where it read that from a pipe. The bound is kept afterwards instead:
a log that has grown beyond it loses its middle, and says so where that was. Between two looks it can be larger.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Self

LOG_BYTES_MAX = 16 * 2**20  # what Toxiproxy writes in a run of the whole suite is a fifth of it
HEAD_BYTES = TAIL_BYTES = 2**20
LOOK_EVERY_S = 0.25


class LogLimit:
    """Looks after the logs in a folder; each of them is to be open for appending, or what is cut comes back as zeros.

    Used with ``async with``. At its end it looks once more, when nobody writes any longer.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._left_out: dict[str, int] = {}
        self._closing = asyncio.Event()

    def look(self) -> None:
        """Cut each log that is too long.

        Raises:
            OSError: one cannot be read, or not be written.
        """
        for entry in os.scandir(self._folder):
            if entry.stat().st_size > LOG_BYTES_MAX:
                self._cut(entry.path)

    def _cut(self, path: str) -> None:
        """Leave out the middle; the first lines say how it began, and the last ones how it ended."""
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
        try:
            size = os.fstat(descriptor).st_size
            tail = os.pread(descriptor, TAIL_BYTES, size - TAIL_BYTES)
            left_out = self._left_out.get(path, 0) + size - HEAD_BYTES - len(tail)
            said = f"\n[linkproof: {left_out} bytes are left out here; a log is kept up to {LOG_BYTES_MAX} bytes]\n"
            os.truncate(descriptor, HEAD_BYTES)
            os.write(descriptor, said.encode() + tail)
        finally:
            os.close(descriptor)
        self._left_out[path] = left_out

    async def _keep(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), LOOK_EVERY_S)
            await asyncio.to_thread(self.look)  # to give back what was cut may take the system a while

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep(), name="log limit")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._closing.set()
        await self._task
