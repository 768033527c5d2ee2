"""What a server has counted, in the text format of Prometheus.

Totals alone: no label names a tenant, a user or a channel, so whoever reads them learns nothing of anybody. The format
is written here: the client library of Prometheus would take longer to import than all the rest of a server, and each
scenario with a server of its own starts one.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.reference.notes_core import Note, What
from harness.reference.server_core import ServerStats

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# By what was noted: the name, the label that says why (None: it has none), and what is counted.
_NOTED = {
    What.LOGIN: ("logins_total", "how", "Logins that were accepted."),
    What.REFUSED: ("logins_refused_total", "code", "Logins that were refused."),
    What.FAILED: ("requests_failed_total", "code", "Requests that were refused."),
    What.ENDED: ("sessions_ended_total", "why", "Sessions that ended."),
    What.CLOSED: ("connections_closed_total", "code", "Connections that the server closed."),
    What.LOST: ("connections_lost_total", None, "Connections that ended from the other side, or on the way."),
    What.DROPPED: ("connections_dropped_total", None, "Connections whose client did not read what it was sent."),
}


class Metrics:
    """Counts what happens. ``frames_in`` and ``frames_out`` are counted by the shell itself: they are hot."""

    def __init__(self) -> None:
        self.frames_in = 0
        self.frames_out = 0
        self._noted: Counter[tuple[What, str]] = Counter()

    def count(self, note: Note) -> None:
        """Count a note."""
        self._noted[note.what, note.why] += 1

    def exposition(self, stats: ServerStats, *, waiting_bytes: int) -> str:
        """Return everything as Prometheus reads it.

        Args:
            stats: how much there is now.
            waiting_bytes: what all clients together have not read yet.
        """
        return "".join(f"{line}\n" for line in self._lines(stats, waiting_bytes))

    def _lines(self, stats: ServerStats, waiting_bytes: int) -> Iterator[str]:
        yield from _gauge("linkproof_connections", "Connections that are open.", stats.connections)
        yield from _gauge("linkproof_sessions", "Users who are online.", stats.sessions)
        yield from _gauge("linkproof_tenants", "App ids that somebody has logged in to.", stats.tenants)
        yield from _gauge("linkproof_waiting_bytes", "What clients have not read yet.", waiting_bytes)
        yield from _counter("linkproof_frames_received_total", "Frames that came in.", self.frames_in)
        yield from _counter("linkproof_frames_sent_total", "Frames that went out.", self.frames_out)
        for what, (name, label, about) in _NOTED.items():
            by_why = {why: count for (noted, why), count in sorted(self._noted.items()) if noted is what}
            if label is None:
                yield from _counter(f"linkproof_{name}", about, sum(by_why.values()))
            else:
                yield from _labelled(f"linkproof_{name}", about, label, by_why)
        yield from _counter("process_cpu_seconds_total", "CPU time of the process.", time.process_time())
        yield from _gauge("process_resident_memory_bytes", "Memory of the process.", _resident_bytes())


def _head(name: str, about: str, kind: str) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"


def _gauge(name: str, about: str, value: int) -> Iterator[str]:
    yield from _head(name, about, "gauge")
    yield f"{name} {value}"


def _counter(name: str, about: str, value: float) -> Iterator[str]:
    yield from _head(name, about, "counter")
    yield f"{name} {value}"


def _labelled(name: str, about: str, label: str, values: Mapping[str, int]) -> Iterator[str]:
    # The values of labels are words of the server's own, and need no escaping.
    yield from _head(name, about, "counter")
    for value, count in values.items():
        yield f'{name}{{{label}="{value}"}} {count}'


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
