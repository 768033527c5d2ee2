"""What the processes of a run leave behind comes to this process, and is ended with the run.

A process that an adapter starts in a session of its own is in no group that is known here, and survives its parent.
Linux gives such an orphan to the nearest ancestor that has asked for it, and this process asks. It is the second net:
the guard finds by their environment those that have kept it, also when this process is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from harness.errors import HostError
from harness.processes import stat_of

_PR_SET_CHILD_SUBREAPER: Final = 36
_PR_GET_CHILD_SUBREAPER: Final = 37


@contextlib.contextmanager
def orphans_ended() -> Iterator[None]:
    """Adopt what is left behind in the block, and end it after the block. All that we start in it has ended by then.

    Raises:
        HostError: the system does not do that.
    """
    before = _children()
    was_asked = ctypes.c_int()
    _prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(was_asked))
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        # Those of an orphan that was ended come to us in their turn.
        while orphans := _children() - before:
            for pid in orphans:
                _end(pid)
        _prctl(_PR_SET_CHILD_SUBREAPER, was_asked.value)


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):  # whoever started it was quicker to reap it
        os.waitpid(pid, 0)


def _children() -> set[int]:
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if stat_of(int(entry.name)).parent == os.getpid():
                found.add(int(entry.name))
    return found


def _prctl(option: int, value: object) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        raise HostError(
            f"this system does not give orphans to linkproof: {os.strerror(ctypes.get_errno())}",
            why="without that, what an adapter leaves behind would outlive the run",
            mend="run on Linux 3.4 or newer",
        )
