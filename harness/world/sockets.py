"""How many connections a client really has: counted in the kernel, whatever its SDK says.

Linux only, like the rest of the real world. A client shares the harness's network, where its connections are told from
those of others by who holds them; or it has a network to itself, as in a container, where all are its own.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from harness.addresses import Address, family_of
from harness.clock import now_ns

_ESTABLISHED = "01"  # of include/net/tcp_states.h
_PROC = Path("/proc")
LOOKS_FOR_ANY = 3  # that a list misses a socket happens once in some hundred times
SHARED_NS = 100_000_000  # who asks has seen a whole second of quiet before
_MAPPED = "0000000000000000FFFF0000"  # ::ffff:0:0/96, as the kernel writes it


class _Tables:
    """The kernel's lists of TCP sockets. They take some 10 ms of a core to make: those who ask together share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: list[str] = []
        self._read_ns = 0

    def lines(self) -> list[str]:
        """Return the lists as they were no longer than ``SHARED_NS`` ago."""
        with self._lock:
            if now_ns() - self._read_ns > SHARED_NS:
                # A runtime that opens IPv6 sockets for everything (Java's) has IPv4 addresses mapped into those.
                text = (_PROC / "net" / "tcp").read_text() + _text(_PROC / "net" / "tcp6")
                self._lines, self._read_ns = text.splitlines(), now_ns()
            return self._lines

    def forget(self) -> None:
        """Have the next one who asks get lists made anew."""
        with self._lock:
            self._read_ns = 0


_tables = _Tables()


def connections_to(address: Address, *, of_process: int) -> int:
    """Return how many established TCP connections a process and its descendants have to an address."""
    wanted = {inode for pid in _family(of_process) for inode in _sockets_of(pid)}
    # The kernel makes its list piece by piece. One that changes meanwhile may have a socket in it twice, or miss one.
    for _ in range(LOOKS_FOR_ANY):
        found = wanted & set(_connected_to(address, _tables.lines()))
        if found:
            return len(found)
        _tables.forget()
    return 0


def connections_of_network(address: Address, *, of_process: int) -> int:
    """Return how many established TCP connections there are to an address in the network that a process sees."""
    found: set[str] = set()
    for _ in range(LOOKS_FOR_ANY):
        lines = [line for table in ("tcp", "tcp6") for line in _text(_PROC / f"{of_process}/net/{table}").splitlines()]
        found = set(_connected_to(address, lines))
        if found:
            break
    return len(found)


def _connected_to(address: Address, lines: list[str]) -> Iterator[str]:
    """Yield the inode of each socket that is connected to an address."""
    remote = _listed(address)
    for line in lines:
        if remote in line:
            fields = line.split()
            if fields[2] in (remote, _MAPPED + remote) and fields[3] == _ESTABLISHED:
                yield fields[9]


def _listed(address: Address) -> str:
    """Return it as the kernel writes it: hexadecimal words of 32 bits, each in the machine's (little-endian) order."""
    octets = socket.inet_pton(family_of(address), address[0])
    words = (octets[at : at + 4][::-1] for at in range(0, len(octets), 4))
    return b"".join(words).hex().upper() + f":{address[1]:04X}"


def _family(pid: int) -> Iterator[int]:
    """Yield a process and all its descendants, as far as they are still there."""
    yield pid
    for thread in _present(_PROC / str(pid) / "task"):
        for child in _text(thread / "children").split():
            yield from _family(int(child))


def _sockets_of(pid: int) -> Iterator[str]:
    """Yield the inode of each socket that a process has open."""
    for descriptor in _present(_PROC / str(pid) / "fd"):
        with contextlib.suppress(OSError):  # it was closed while it was looked at
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                yield target[len("socket:[") : -1]


def _present(folder: Path) -> list[Path]:
    """Return what is in a folder of a process; nothing where the process has ended, or is not ours."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""
