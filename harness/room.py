"""Room on the disk: where none is left, that is the host's fault and nobody else's."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from harness.errors import HostError

# A run is ended in order with so much left, before the adapters find that they cannot write any more either.
LEFT_BYTES_MIN: Final = 2**20
_NO_ROOM: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_MEND: Final = "make room (df -h says where), or name a --run-dir on another disk; TMPDIR too needs some"


def is_for_want_of_room(error: BaseException) -> bool:
    """Whether an error says that a disk, a quota or what a file may hold at most is full."""
    return isinstance(error, OSError) and error.errno in _NO_ROOM


def not_kept(error: OSError, what: Path | None = None) -> HostError:
    """Return the error for something that could not be written."""
    where = what or error.filename or "what was to be written"
    return HostError(
        f"{where} cannot be kept: {(error.strerror or str(error)).lower()}",
        why="a run is worth no more than the evidence that is kept of it",
        mend=_MEND,
    )


def too_little_left(folder: Path) -> HostError | None:
    """Return the error for a disk on which hardly any room is left; None where there is enough."""
    disk = os.statvfs(folder)
    left = disk.f_bavail * disk.f_frsize
    if disk.f_blocks == 0 or left >= LEFT_BYTES_MIN:  # a file system without blocks does not tell
        return None
    return HostError(
        f"no space left on the disk of {folder}: {left} bytes",
        why="neither the evidence nor the logs of the processes can be kept, and no client is to blame for that",
        mend=_MEND,
    )


@contextmanager
def room_is_the_hosts() -> Iterator[None]:
    """Turn an error for want of room into one that says whose fault it is.

    Raises:
        HostError: there was no room for something in the block.
    """
    try:
        yield
    except OSError as error:
        if not is_for_want_of_room(error):
            raise
        raise not_kept(error) from error
