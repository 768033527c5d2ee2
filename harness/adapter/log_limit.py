"""Keeps the logs of a run within a bound: a process may write without end on its standard error.

Each process writes its log itself, through a descriptor of its own. So what it writes costs the harness nothing, and a
harness that is late holds up nobody, as it would where it read that from a pipe. The bound is kept afterwards instead:
a log that has grown beyond it gives the room of its middle back to the disk, and loses it at the end of the run.
Between two looks it can be larger.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

LOG_BYTES_MAX: Final = 16 * 2**20  # what Toxiproxy writes in a run of the whole suite is a fifth of it
HEAD_BYTES: Final = 2**20
TAIL_BYTES: Final = 2**20
LOOK_EVERY_S: Final = 0.25

_BLOCK_BYTES: Final = 512  # in which stat counts, whatever the disk has
_KEEP_SIZE: Final = 0x01
_PUNCH_HOLE: Final = 0x02


class LogLimit:
    """Looks after the logs in a folder; each of them is to be open for appending.

    Used with ``async with``. At its end, when nobody writes any longer, each log says what was left out of it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._closing = asyncio.Event()

    def look(self) -> None:
        """Give back the room of the middle of each log that is too long. It reads as zeros until it is cut.

        Raises:
            OSError: one cannot be written.
        """
        for path in self._folder.iterdir():
            written = path.stat()
            if written.st_blocks * _BLOCK_BYTES > LOG_BYTES_MAX:
                try:
                    _give_back(path, HEAD_BYTES, written.st_size - TAIL_BYTES)
                except OSError as error:
                    if error.errno != errno.EOPNOTSUPP:
                        raise
                    self.cut()  # on a disk that knows no holes

    def cut(self) -> None:
        """Leave out the middle of each log that is too long; what is written meanwhile may be lost.

        Raises:
            OSError: one cannot be read, or not be written.
        """
        for path in self._folder.iterdir():
            if path.stat().st_size > LOG_BYTES_MAX:
                with path.open("r+b") as log:
                    size = log.seek(-TAIL_BYTES, os.SEEK_END) + TAIL_BYTES
                    tail = log.read()
                    left_out = size - HEAD_BYTES - TAIL_BYTES
                    log.truncate(HEAD_BYTES)
                    log.seek(HEAD_BYTES)
                    said = f"[linkproof: {left_out} bytes are left out here; a log is kept up to {LOG_BYTES_MAX} bytes]"
                    log.write(f"\n{said}\n".encode() + tail)

    async def _keep(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), LOOK_EVERY_S)
            await asyncio.to_thread(self.look)  # to give much back may take the system a while
        self.cut()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._keep(), name="log limit")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._closing.set()
        await self._task


def _give_back(path: Path, from_byte: int, to_byte: int) -> None:
    """Make a hole in a file, which takes no room: unlike a cut, it loses nothing that is being written meanwhile."""
    libc = ctypes.CDLL(None, use_errno=True)
    of_file = (ctypes.c_long(from_byte), ctypes.c_long(to_byte - from_byte))
    with path.open("r+b") as log:
        if libc.fallocate(log.fileno(), _PUNCH_HOLE | _KEEP_SIZE, *of_file) != 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code), str(path))
