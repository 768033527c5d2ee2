"""Waits until Toxiproxy has noticed which of the connections that it held have died meanwhile.

When a hold is released, Toxiproxy writes what it held, also to clients that have long gone. Such a write fails, and the
connection is taken off the list a moment later. A toxic that is changed in that moment waits for the connection, which
waits for the change to be over: both stand still for good, and with them every call for this proxy. Nothing in the API
tells when the moment has passed; but the kernel shows the sockets whose other end has closed.
"""

from __future__ import annotations

from pathlib import Path

_CLOSE_WAIT = "08"  # of include/net/tcp_states.h
_TABLE = Path("/proc/net/tcp")
_TABLE_OF_IPV6 = Path("/proc/net/tcp6")
# The kernel takes some milliseconds for each look, and Toxiproxy some microseconds for what is waited for.
_LOOKS_MAX = 10


def await_dead_connections(listen: str) -> None:
    """Look until the half-closed connections of a listener (``host:port``) are the same twice in a row."""
    table = _TABLE_OF_IPV6 if listen.startswith("[") else _TABLE
    local = f":{int(listen.rpartition(':')[2]):04X}"
    before: frozenset[str] | None = None
    for _ in range(_LOOKS_MAX):
        now = _half_closed(table, local)
        if now == before:
            return
        before = now


def _half_closed(table: Path, local: str) -> frozenset[str]:
    rows = (line.split() for line in table.read_text().splitlines() if local in line)
    return frozenset(row[2] for row in rows if row[1].endswith(local) and row[3] == _CLOSE_WAIT)
