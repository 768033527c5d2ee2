"""Whose containers these are: a label that tells a run which is still there from one that was killed."""

from __future__ import annotations

import os
from pathlib import Path

from harness.processes import stat_of

LABEL = "linkproof.owner"

_PROC = Path("/proc")


def this_process() -> str:
    """Return what identifies this process among all that this machine ever runs: boot, numbering, number, start."""
    return f"{_boot()} {_numbering()} {os.getpid()} {_start_of(os.getpid())}"


def is_gone(owner: str) -> bool:
    """Tell whether the process of a label has ended; False also where that cannot be seen from here."""
    try:
        boot, numbering, pid, start = owner.split()
    except ValueError:
        return False  # not a label of ours
    if boot != _boot():
        return True
    # In another container the same number is another process; whether that one runs is not ours to say.
    return numbering == _numbering() and _start_of(int(pid)) != start


def _boot() -> str:
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _numbering() -> str:
    return str((_PROC / "self/ns/pid").stat().st_ino)


def _start_of(pid: int) -> str:
    """Return when a process was started, in ticks since boot; nothing where there is none."""
    try:
        found = stat_of(pid)
    except OSError:
        return ""
    return "" if found.state == "Z" else found.started
