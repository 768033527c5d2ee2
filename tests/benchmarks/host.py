"""What the figures were measured on; no name of a machine is in it."""

from __future__ import annotations

import os
import platform
import re
import resource
from pathlib import Path


def describe() -> dict[str, str]:
    """Return the processor, the memory, the system and the interpreter."""
    found = re.search(r"(?m)^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = re.search(r"(?m)^MemTotal:\s*(\d+) kB$", Path("/proc/meminfo").read_text(encoding="utf-8"))
    assert memory is not None
    return {
        "processor": found[1] if found else platform.machine(),
        "processors": str(os.cpu_count()),
        "memory": f"{int(memory[1]) / 1024**2:.0f} GiB",
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "open files": str(resource.getrlimit(resource.RLIMIT_NOFILE)[0]),
    }


def load() -> str:
    """Return how busy the host is with other things: the mean of the last minute, and how many processors there are."""
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
