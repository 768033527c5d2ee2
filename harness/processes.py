"""What the kernel says of a process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

# By a signal such as SIGSTOP, and by a debugger.
STANDS_STILL: Final = ("T", "t")


@dataclass(frozen=True, slots=True)
class Stat:
    """What proc(5) calls the status of a process.

    Attributes:
        state: as ``ps`` has it: ``S``, ``R``, ``T``, ``Z``, ...
        parent: the process id of its parent.
        started: when it was started, in ticks since boot.
    """

    state: str
    parent: int
    started: str


def stat_of(pid: int) -> Stat:
    """Return the status of a process.

    Raises:
        OSError: there is no such process.
    """
    # The fields that can be told apart begin after the name, which stands in brackets and may have anything in it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Stat(fields[0], int(fields[1]), fields[19])
