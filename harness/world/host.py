"""How late this host runs a process that is due, measured by a process that does nothing else.

The harness's own event loop is late for reasons of its own: it judges and reports while scenarios run. What happens in
the client, in Toxiproxy and in the server is late only as far as the host is. So a tiny process asks to be woken at
known moments throughout the run, and says of each quarter of a second by how much it was woken late at worst.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from typing import Self

from harness.delays import BUCKET_NS, KEPT_NS, PERIOD_NS
from harness.errors import HarnessError
from harness.guard import Guard
from harness.trace import Observation, What

# Run with -I -S: it needs nothing but a clock, and must not cost what it measures. It ends with its reader.
_PROGRAM = f"""
import sys, time
bucket, worst = -1, (0, 0)
ran = time.monotonic_ns()
while True:
    due = ran + {PERIOD_NS}  # from when it last ran: no moment in between goes unmeasured
    time.sleep(max(0, due - time.monotonic_ns()) / 1e9)
    ran = time.monotonic_ns()
    if due // {BUCKET_NS} != bucket:
        if bucket >= 0:
            print(*worst, flush=True)
        bucket, worst = due // {BUCKET_NS}, (due, ran)
    elif ran - due > worst[1] - worst[0]:
        worst = (due, ran)
"""


class HostSampler:
    """The process that is woken again and again, and what it said."""

    def __init__(self, process: asyncio.subprocess.Process, guard: Guard) -> None:
        self._process = process
        self._guard = guard
        self._worst: deque[tuple[int, int]] = deque(maxlen=KEPT_NS // BUCKET_NS)  # (due, ran), one a bucket
        self._reader = asyncio.create_task(self._read(), name="host sampler")

    @classmethod
    async def start(cls, guard: Guard) -> Self:
        """Start the process, under guard."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", "-c", _PROGRAM),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        guard.watch(process.pid)
        return cls(process, guard)

    def latest_ns(self) -> int:
        """Return the worst delay of the last moments: the load of the host right now."""
        return max((ran - due for due, ran in list(self._worst)[-2:]), default=0)

    def between(self, from_ns: int, to_ns: int) -> list[Observation]:
        """Return the worst delay of each quarter of a second in this span.

        Raises:
            HarnessError: the process has ended, so that nothing is known.
        """
        if self._reader.done():
            raise HarnessError("the process that measures the host's delays has ended")
        return [
            Observation(due, "host", What.DELAY, "late", until_ns=ran)
            for due, ran in self._worst
            if ran >= from_ns - BUCKET_NS and due <= to_ns
        ]

    async def close(self) -> None:
        """End the process."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._guard.release(self._process.pid)
        self._reader.cancel()
        await asyncio.wait({self._reader})

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            due, ran = line.split()
            self._worst.append((int(due), int(ran)))
