"""How many clients the reference server holds, and what each costs it: memory, and time of its processor.

The server has one processor to itself, the load (load.py) another. Each size has a server of its own, which all log in
to; then they only send heartbeats, one each 2 s. A size holds where all got in, none was lost, and 99 of 100 heartbeats
were answered before the next one was due. Where the largest does not hold, the sizes between are tried.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.adapter.contract import SECRET_VARIABLE
from harness.world.lab import REFERENCE_SERVER
from tests.benchmarks.figures import Curve, Figure, Measured
from tests.benchmarks.load import Told

WHAT = "server: connections, memory and processor, by the number of heartbeating clients"
LIMIT_S = 1500.0
HEARTBEAT_S = 2.0
SIZES = ((1_000, 30.0), (5_000, 30.0), (10_000, 300.0))  # clients, and for how many seconds they stay
SIZES_QUICK = ((20, 0.5), (100, 0.5))
NARROWED = 3  # how often the sizes between are tried, where the largest does not hold
NARROWED_HOLD_S = 60.0
SETTLE_S = 5.0  # after the logins, until the memory is looked at
EVERY_S = 0.5  # the memory is looked at
GROWTH_MAX = 1.02  # memory that is flat to this is flat: the allocator gives back and takes in large pieces

_SECRET = "benchmarks-only-" * 2
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Held:
    """What came of one size; ``rss`` are bytes, ``cpu`` is the share of a processor while all were online."""

    clients: int
    told: Told
    rss_before: int
    rss_held: list[int]
    cpu: float

    @property
    def holds(self) -> bool:
        """Whether nobody was lost, and all were answered in time."""
        return self.told.online == self.clients and not self.told.lost and self.told.pong_ms.p99 < 1e3 * HEARTBEAT_S

    @property
    def bytes_each(self) -> float:
        """The memory that one connection costs."""
        return (self.rss_held[0] - self.rss_before) / max(1, self.told.online)

    @property
    def growth(self) -> float:
        """By how much the memory has grown while they were only there."""
        return self.rss_held[-1] / self.rss_held[0]

    @property
    def us_each(self) -> float:
        """The time of the server's processor for one heartbeat, in microseconds."""
        return 1e6 * self.cpu * self.told.held_s / max(1, self.told.pongs)


def measure(*, quick: bool) -> Measured:
    """Put one size after the other on the server."""
    sizes = SIZES_QUICK if quick else SIZES
    held = []
    for clients, hold_s in sizes:
        held.append(_hold(clients, hold_s))
        print(f"{clients}: {'holds' if held[-1].holds else f'does not hold: {_why_not(held[-1])}'}", file=sys.stderr)
        if not held[-1].holds:
            break
    if not held[-1].holds and len(held) > 1 and not quick:
        held += _narrow(held[-2].clients, held[-1].clients)
    holding = [each for each in held if each.holds]
    figures = [figure for each in held for figure in _figures(each)]
    most = max((each.clients for each in holding), default=0)
    stops = next((_why_not(each) for each in sorted(held, key=lambda each: each.clients) if not each.holds), "")
    figures.append(Figure("clients that are held", most, "", at_least=None if quick else 10_000, note=stops))
    if len(holding) > 1:
        figures += _growth(holding)
    return Measured(figures, _curves(sorted(holding, key=lambda each: each.clients)))


def _narrow(holds: int, fails: int) -> Iterator[Held]:
    for _ in range(NARROWED):
        held = _hold((holds + fails) // 200 * 100, NARROWED_HOLD_S)
        yield held
        holds, fails = (held.clients, fails) if held.holds else (holds, held.clients)


def _hold(clients: int, hold_s: float) -> Held:
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if clients + 100 > files:
        raise RuntimeError(f"{clients} connections need as many open files, and the limit is {files}: ulimit -n 20000")
    ours, theirs = _processors()
    with _server(ours) as (server, port):
        rss_before = _rss(server.pid)
        with _load(theirs, port, clients, hold_s) as load:
            assert load.stdout is not None
            load.stdout.readline()  # all are online
            rss = _Watch(server.pid)
            cpu_s, began = _cpu_s(server.pid), time.monotonic()
            last = load.stdout.readline()
            cpu = (_cpu_s(server.pid) - cpu_s) / (time.monotonic() - began)
            rss_held = rss.end()
    return Held(clients, msgspec.json.decode(last, type=Told), rss_before, rss_held, cpu)


def _processors() -> tuple[set[int], set[int]]:
    """Return those of the server and those of the load; one for both where there is no more."""
    own = sorted(os.sched_getaffinity(0))
    return {own[0]}, {own[-1]}


@contextmanager
def _server(processors: set[int]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    command = [*REFERENCE_SERVER, "--heartbeat-s", str(HEARTBEAT_S)]
    env = os.environ | {SECRET_VARIABLE: _SECRET}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            os.sched_setaffinity(child.pid, processors)
            child.stdin.write(b'{"id": 1, "call": "hello", "args": {}}\n')
            child.stdin.flush()
            url = str(msgspec.json.decode(child.stdout.readline())["result"]["url"])
            yield child, int(url.rpartition(":")[2])
        finally:
            child.kill()  # a stop says goodbye to each of ten thousand


@contextmanager
def _load(processors: set[int], port: int, clients: int, hold_s: float) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.benchmarks.load", "--port", str(port), "--clients", str(clients)]
    command += ["--heartbeat-s", str(HEARTBEAT_S), "--hold-s", str(hold_s), "--secret", _SECRET]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        try:
            os.sched_setaffinity(child.pid, processors)
            yield child
        finally:
            child.kill()


class _Watch:
    """Looks at the memory of a process again and again."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._seen: list[int] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory")
        self._thread.start()

    def _look(self) -> None:
        self._over.wait(SETTLE_S)
        while not self._over.wait(EVERY_S):
            self._seen.append(_rss(self._pid))

    def end(self) -> list[int]:
        """Return what was seen, the last look included."""
        self._over.set()
        self._thread.join()
        return [*self._seen, _rss(self._pid)]


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES


def _cpu_s(pid: int) -> float:
    """Return what a process of one thread has taken of its processor; finer than the ticks of /proc/PID/stat."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e9


def _why_not(held: Held) -> str:
    told = held.told
    found = f"{told.online} of {held.clients} got in; lost: {told.lost or 'none'}; "
    found += f"99 of 100 answers within {told.pong_ms.p99:.0f} ms; "
    return f"{found}the server took {held.cpu:.0%} of its processor, the load {told.cpu_s / told.held_s:.0%} of its own"


def _figures(held: Held) -> list[Figure]:
    name, told = f"{held.clients} clients", held.told
    flat = GROWTH_MAX if len(held.rss_held) > 100 else None
    return [
        Figure(f"{name}: lost in {told.held_s:.0f} s", held.clients - told.online + sum(told.lost.values()), ""),
        Figure(f"{name}: until all were online", told.opened_s, "s"),
        Figure(f"{name}: memory of one connection", held.bytes_each / 1024, "KiB"),
        Figure(f"{name}: memory at the end, against the beginning", held.growth, "x", at_most=flat),
        Figure(f"{name}: of the server's processor", 100 * held.cpu, "%"),
        Figure(f"{name}: of the processor, for a heartbeat", held.us_each, "us"),
        Figure(f"{name}: from a heartbeat to its answer, p99", told.pong_ms.p99, "ms", told.pong_ms),
        Figure(f"{name}: of the load's processor", 100 * told.cpu_s / told.held_s, "%"),
        Figure(f"{name}: heartbeats sent late by the load, p99", told.late_ms.p99, "ms", told.late_ms),
    ]


def _growth(holding: list[Held]) -> list[Figure]:
    least, most = (choose(holding, key=lambda each: each.clients) for choose in (min, max))
    sizes = f"{most.clients} against {least.clients} clients"
    return [
        Figure(f"memory of one connection, {sizes}", most.bytes_each / least.bytes_each, "x"),
        Figure(f"processor for a heartbeat, {sizes}", most.us_each / least.us_each, "x"),
    ]


def _curves(holding: list[Held]) -> list[Curve]:
    cpu = [(float(each.clients), 100 * each.cpu) for each in holding]
    rss = [(float(each.clients), each.rss_held[-1] / 1024**2) for each in holding]
    return [
        Curve("processor of the server", "clients", "% of a processor", cpu),
        Curve("memory of the server", "clients", "MiB", rss),
    ]
