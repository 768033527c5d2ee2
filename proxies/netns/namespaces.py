"""Network namespaces without a name: each lives as long as somebody holds its file descriptor, or runs in it.

So nothing can be left behind. When a run ends, also by SIGKILL, its descriptors are closed by the kernel; its processes
are killed by its guard; and with the last of both the kernel takes the namespace away with every interface, address,
route and rule in it. The machine's own namespace is never touched.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Self

from harness.errors import HostError

_CLONE_NEWNET: Final = 0x4000_0000  # of include/uapi/linux/sched.h; os.setns and os.unshare came with Python 3.12
_OWN: Final = Path("/proc/thread-self/ns/net")
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class Namespace:
    """One network of its own, as the kernel sees it; to be closed."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def create(cls) -> Self:
        """Make a namespace with nothing in it but a loopback interface that is down.

        Raises:
            HostError: the kernel refuses.
        """
        with _coming_back():
            _call("unshare", _CLONE_NEWNET)
            return cls(os.open(_OWN, os.O_RDONLY))

    @property
    def path(self) -> str:
        """Where it can be entered as long as it is open, by this process's children too."""
        return f"/proc/{os.getpid()}/fd/{self._descriptor}"

    @property
    def entry(self) -> Sequence[str]:
        """What has a command run inside, put in front of it: its process id and pipes are as they are outside."""
        return ("nsenter", f"--net={self.path}", "--")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Put the calling thread inside: what it opens and starts meanwhile belongs there.

        Raises:
            HostError: the kernel refuses.
        """
        with _coming_back():
            _call("setns", self._descriptor, _CLONE_NEWNET)
            yield

    def close(self) -> None:
        """Let it go; the kernel takes it away when nobody runs in it any more."""
        os.close(self._descriptor)


@contextmanager
def _coming_back() -> Iterator[None]:
    """Have the calling thread in the end where it was at first."""
    home = os.open(_OWN, os.O_RDONLY)
    try:
        yield
    finally:
        try:
            _call("setns", home, _CLONE_NEWNET)
        finally:
            os.close(home)


def _call(name: str, *arguments: int) -> None:
    if getattr(_LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise HostError(
            f"the kernel refuses {name}() of a network namespace: {os.strerror(number)}",
            why="network namespaces need root, and a kernel with CONFIG_NET_NS",
            mend="run it as root, or leave --faults netns out",
        )
