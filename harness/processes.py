"""What the kernel says of a process."""

from __future__ import annotations

from pathlib import Path
from typing import Final

# By a signal such as SIGSTOP, and by a debugger.
STANDS_STILL: Final = ("T", "t")


def state_of(pid: int) -> str:
    """Return the state of a process, as ``ps`` has it: ``S``, ``R``, ``T``, ...

    Raises:
        OSError: there is no such process.
    """
    # Of /proc/PID/stat: the state is the first field after the name, which stands in brackets.
    text = Path(f"/proc/{pid}/stat").read_text()
    return text.rpartition(")")[2].split()[0]
