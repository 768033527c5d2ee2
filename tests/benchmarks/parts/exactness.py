"""By how much a time that linkproof measures is off: an adapter (emitter.py) calls back at moments that are known.

Four such adapters run in a laboratory as any client does; their clocks are ahead by hours. What the trace would hold is
compared with the moment that the adapter was told beforehand: so the error has in it how late the host woke the
adapter, how well the clocks were compared, and nothing else. Once nothing else runs, and once beside so many worlds,
each with a reference client of its own whose link is cut for 5 s again and again.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from harness.clock import now_ns
from harness.errors import LinkproofError
from harness.oracle.expect import state
from harness.spec.timing import NS_PER_S
from harness.trace import Observation
from harness.world.lab import Lab, LabConfig, open_lab
from harness.world.play import Play
from harness.world.real import RealEngine
from harness.world.world import Title, World
from tests.benchmarks.emitter import Schedule
from tests.benchmarks.figures import Figure, Measured, median, p99

WHAT = "exactness: how far a measured time is from the true one"
LIMIT_S = 420.0
EMITTERS = 4
PERIOD_NS = 37_000_000  # no multiple of anything that runs beside it
LASTS_S, LASTS_QUICK_S = 30.0, 0.5
WORLDS, WORLDS_QUICK = 200, 4
OUTAGE_S = 5.0
BETWEEN_S = 3.0
ONLINE_S = 180.0  # within which all worlds are there, on a slow host
IDLE_MAX_MS, BUSY_MAX_MS = 5.0, 20.0


class Heard:
    """What was heard of the emitters, in milliseconds, until so many callbacks have come."""

    def __init__(self, count: int) -> None:
        self.error: list[float] = []  # of the measured time, against the moment that was told
        self.clock: list[float] = []  # of the comparison of the clocks alone
        self.delay: list[float] = []  # from the callback until the harness had read it
        self._count = count
        self.complete: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def hear(self, _name: str, args: Mapping[str, Any], at_ns: int, arrived_ns: int) -> None:
        """Take one callback; its time is the one that would be judged."""
        due_ns, stamped_ns = int(args["peer"]), int(args["text"])
        self.error.append(abs(at_ns - due_ns) / 1e6)
        self.clock.append(abs(at_ns - stamped_ns) / 1e6)
        self.delay.append((arrived_ns - stamped_ns) / 1e6)
        if len(self.error) == self._count:
            self.complete.set_result(None)

    def fail(self, error: LinkproofError) -> None:
        """One of them cannot go on."""
        if not self.complete.done():
            self.complete.set_exception(error)


def measure(*, quick: bool) -> Measured:
    """Listen to the emitters, alone and in company."""
    lasts_s, worlds = (LASTS_QUICK_S, WORLDS_QUICK) if quick else (LASTS_S, WORLDS)
    idle, busy = asyncio.run(_listen_twice(lasts_s, worlds))
    # A quick run looks whether it works, on whatever else the host is doing.
    idle_max, busy_max = (None, None) if quick else (IDLE_MAX_MS, BUSY_MAX_MS)
    return Measured(
        [*_figures("idle", idle, idle_max), *_figures(f"{worlds} worlds", busy, busy_max)],
    )


def _figures(when: str, heard: Heard, at_most: float | None) -> list[Figure]:
    return [
        p99(f"{when}: error of a measured time, p99", heard.error, "ms", at_most=at_most),
        median(f"{when}: error of a measured time, p50", heard.error, "ms"),
        Figure(f"{when}: error of a measured time, the largest", max(heard.error), "ms"),
        p99(f"{when}: of which the comparison of clocks, p99", heard.clock, "ms"),
        p99(f"{when}: until the harness has read it, p99", heard.delay, "ms"),
    ]


async def _listen_twice(lasts_s: float, worlds: int) -> tuple[Heard, Heard]:
    with tempfile.TemporaryDirectory(prefix="linkproof-bench-") as folder:
        async with open_lab(LabConfig(Path(folder))) as lab:
            idle = await _listen(lab, lasts_s)
            async with _company(lab, worlds):
                busy = await _listen(lab, lasts_s)
    return idle, busy


async def _listen(lab: Lab, lasts_s: float) -> Heard:
    """Have some emitters call back for so long, and hear them."""
    count = round(lasts_s * NS_PER_S / PERIOD_NS)
    heard = Heard(EMITTERS * count)
    command = (sys.executable, "-m", "tests.benchmarks.emitter")
    engines = [RealEngine(lab, f"emitter-{number}", 0, client_command=command) for number in range(EMITTERS)]
    try:
        for number, engine in enumerate(engines):
            await engine.open_link("emitter", _not_kept, resettable=False)
            client = await engine.start_client("emitter", heard.hear, heard.fail)
            first_ns = now_ns() + NS_PER_S // 2 + number * PERIOD_NS // EMITTERS
            schedule = msgspec.json.encode(Schedule(first_ns, PERIOD_NS, count)).decode()
            await client.call("login", {"token": schedule, "uid": "emitter"})
        async with asyncio.timeout(3 * lasts_s + 10):
            await heard.complete
    finally:
        await asyncio.gather(*(engine.close() for engine in engines))
    return heard


@asynccontextmanager
async def _company(lab: Lab, worlds: int) -> AsyncIterator[None]:
    """Have so many worlds play, each of them there before the first word; they are taken away afterwards."""
    arrived = asyncio.Semaphore(0)

    async def body(world: World) -> None:
        alice = await world.online("alice")
        arrived.release()
        while True:
            async with alice.link.cut():
                await world.sleep(OUTAGE_S)
            await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"), within_s=60.0)
            await world.sleep(BETWEEN_S)

    def play(number: int) -> asyncio.Task[list[Observation]]:
        name = f"world-{number}"
        return asyncio.create_task(Play(Title(name, ()), RealEngine(lab, name, 1)).run(body, limit_s=3600.0))

    playing = [play(number) for number in range(worlds)]
    try:
        async with asyncio.timeout(ONLINE_S):
            for _ in range(worlds):
                await arrived.acquire()
        yield
        ended = [task for task in playing if task.done()]
        if ended:
            last = ended[0].result()[-1]
            raise RuntimeError(f"{len(ended)} worlds did not play to the end: {last.name} {last.args}")
    finally:
        for task in playing:
            task.cancel()
        await asyncio.wait(playing)


def _not_kept(_observation: Observation) -> None:
    """What is done to the emitters' links is nothing."""
