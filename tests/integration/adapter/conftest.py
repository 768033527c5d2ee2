"""Starts small children under the contract, and looks for what they left behind."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from harness.adapter.contract import Event
from harness.adapter.process import ContractProcess
from harness.errors import AdapterError, LinkproofError
from harness.guard import Guard

GONE_S = 5.0
# What each child begins with: it reads requests and answers them, and does something unpleasant in between.
PRELUDE = """
import json, os, signal, subprocess, sys, time
def read():
    line = sys.stdin.readline()
    return json.loads(line) if line else sys.exit(0)
def write(**fields):
    print(json.dumps(fields), flush=True)
def answer(request, **result):
    write(id=request["id"], at_ns=time.monotonic_ns(), result=result)
def event(name, **args):
    write(event=name, at_ns=time.monotonic_ns(), args=args)
"""


def wait_until(come: Callable[[], bool], what: str, *, within_s: float = GONE_S) -> None:
    deadline = time.monotonic() + within_s
    while not come():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.01)


def processes_of_group(group: int) -> list[int]:
    """The processes of a group that still run; one that only waits to be reaped by init does not."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            state, _, pgrp = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(pgrp) == group and state != "Z":
                found.append(int(entry.name))
    return found


class Nursery:
    """Starts children; each gets a log of its own."""

    def __init__(self, guard: Guard, folder: Path) -> None:
        self.events: list[Event] = []
        self.failures: list[LinkproofError] = []
        self.log_path = folder / "child.log"
        self.started: list[ContractProcess] = []
        self._guard = guard

    async def start(self, program: str) -> ContractProcess:
        """Start a Python program."""
        return await self.start_command(sys.executable, "-I", "-S", "-c", PRELUDE + program)

    async def start_command(self, *command: str) -> ContractProcess:
        process = await ContractProcess.start(
            "alice",
            command,
            guard=self._guard,
            log_path=self.log_path,
            on_event=lambda event, _: self.events.append(event),
            on_failure=self.failures.append,
        )
        self.started.append(process)
        return process

    async def failure_of(
        self, process: ContractProcess, call: str = "hello", *, within_s: float = 10.0
    ) -> AdapterError:
        """Ask for something in vain; returns the one error, which names what was found, why, and the mend."""
        with pytest.raises(AdapterError) as raised:
            await process.request(call, {}, within_s=within_s)
        error = raised.value
        assert str(error).startswith("adapter: alice: ")
        assert error.why
        assert "docs/adapter-contract.md" in error.mend
        assert str(self.log_path) in error.mend
        return error


Test = Callable[[Nursery], Awaitable[None]]
RunInNursery = Callable[[Test], None]


@pytest.fixture
def run_in_nursery(tmp_path: Path) -> Iterator[RunInNursery]:
    """Runs an async test; afterwards no task, no process of a child's group and no descriptor may be left."""

    async def run(test: Test) -> None:
        with Guard() as guard:
            nursery = Nursery(guard, tmp_path)
            try:
                await test(nursery)
            finally:
                for process in nursery.started:
                    await process.kill()
            assert asyncio.all_tasks() == {asyncio.current_task()}
            for process in nursery.started:
                _check_gone(process.pid)

    before = _open_files()
    yield lambda test: asyncio.run(run(test))
    assert _open_files() == before


def _check_gone(group: int) -> None:
    wait_until(lambda: not processes_of_group(group), f"group {group} is gone")
    assert not Path(f"/proc/{group}").exists(), "it was not reaped"


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
