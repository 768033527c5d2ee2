"""How long a command, the reference client's agent and the reference server take to start.

Each is started again and again, in turn with an empty Python, so that what disturbs one disturbs all. Of the agent and
the server the time is that to the answer to ``hello``. The time of a processor is what the kernel charged for the whole
life of the process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness.adapter.contract import SECRET_VARIABLE
from harness.world.lab import REFERENCE_CLIENT, REFERENCE_SERVER
from tests.benchmarks.figures import Figure, Measured, median

WHAT = "start-up: the command line, the agent, the server"
LIMIT_S = 180.0
ROUNDS, ROUNDS_QUICK = 20, 1

_HELLO = b'{"id": 1, "call": "hello", "args": {}}\n'
EMPTY = "an empty Python"


@dataclass(frozen=True)
class Started:
    """A command, and what its starts have taken."""

    name: str
    command: tuple[str, ...]
    is_asked: bool = False
    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it once, until it has said hello or has ended by itself; it has ended afterwards."""
        began = time.perf_counter()
        env = os.environ | {SECRET_VARIABLE: "0" * 32}
        child = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
        assert child.stdin is not None
        assert child.stdout is not None
        with child.stdin, child.stdout:
            if self.is_asked:
                child.stdin.write(_HELLO)
                child.stdin.flush()
                child.stdout.readline()
                self.wall_ms.append(1e3 * (time.perf_counter() - began))
                child.stdin.close()
            child.stdout.read()
            # Not child.wait(): only here the kernel says what this one process has cost.
            _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            raise RuntimeError(f"{' '.join(self.command)} ended with {child.returncode}")
        if not self.is_asked:
            self.wall_ms.append(1e3 * (time.perf_counter() - began))
        self.cpu_ms.append(1e3 * (usage.ru_utime + usage.ru_stime))


def measure(*, quick: bool) -> Measured:
    """Start each in turn, so many times."""
    line = (str(Path(sys.executable).with_name("linkproof")),)
    everyone = [
        Started(EMPTY, (sys.executable, "-c", "pass")),
        Started("linkproof --version", (*line, "--version")),
        Started("linkproof certify --help", (*line, "certify", "--help")),
        Started("agent", REFERENCE_CLIENT, is_asked=True),
        Started("server", REFERENCE_SERVER, is_asked=True),
    ]
    for each in everyone:
        each.start()  # what is not in memory yet is read once, and not counted
        each.wall_ms.clear()
        each.cpu_ms.clear()
    for _ in range(ROUNDS_QUICK if quick else ROUNDS):
        for each in everyone:
            each.start()
    return Measured([figure for each in everyone for figure in _figures(each, everyone[0])])


def _figures(each: Started, empty: Started) -> list[Figure]:
    until = "to its hello" if each.is_asked else "to its end"
    wall, cpu = (
        median(f"{each.name}, {until}", each.wall_ms, "ms"),
        median(f"{each.name}, processor", each.cpu_ms, "ms"),
    )
    ratio = cpu.value / median("", empty.cpu_ms, "ms").value
    more = [] if each is empty else [Figure(f"{each.name}, processor, against {EMPTY}", ratio, "x")]
    return [wall, cpu, *more]
