"""How many observations the judge reads in a second, and how that grows with the length of a trace.

The traces are played in virtual time, so they are those of real cores: two people in a channel, one of whom is frozen
out again and again, sends messages, and is seen to leave and to come back after each tenth time. What a run measures of
its host is put in as often as a real one has it, four times a second from each of three. A short one is judged often.
"""

from __future__ import annotations

import sys
import time

from harness.oracle.expect import state
from harness.oracle.judge import judge
from harness.oracle.verdict import Verdict
from harness.trace import Observation, What
from harness.world.virtual import VirtualConfig, play_virtually
from harness.world.world import Person, Title, World
from tests.benchmarks.figures import Curve, Figure, Measured, median

WHAT = "judge: observations a second, and its growth from 10^3 to 10^6"
LIMIT_S = 900.0
SIZES, SIZES_QUICK = (1_000, 10_000, 100_000, 1_000_000), (1_000, 4_000)
ENOUGH = 20_000  # observations to judge in all for one size, where it is shorter than that
GROWTH_MAX = 1.5  # of the time for one observation, over three powers of ten
BUCKET_NS = 250_000_000
LONG_EACH = 10  # so many outages are short, then one is long


def measure(*, quick: bool) -> Measured:
    """Judge longer and longer traces."""
    figures, points = [], []
    for size in SIZES_QUICK if quick else SIZES:
        trace = _trace(size)
        samples = [_judge_us(trace) for _ in range(max(1, ENOUGH // size))]
        figure = median(f"{len(trace)} observations: for each of them", samples, "us")
        figures += [figure, Figure(f"{len(trace)} observations: in a second", 1e6 / figure.value, "/s")]
        points.append((float(len(trace)), figure.value))
        print(figure, file=sys.stderr)
    growth = points[-1][1] / points[0][1]
    sizes = f"{points[-1][0]:.0f} against {points[0][0]:.0f}"
    at_most = None if quick else GROWTH_MAX
    figures.append(Figure(f"time for an observation, {sizes}", growth, "x", at_most=at_most))
    return Measured(figures, [Curve("time of the judge for an observation", "observations", "us", points)])


def _judge_us(trace: list[Observation]) -> float:
    began = time.process_time()
    judgement = judge(trace)
    took_s = time.process_time() - began
    if judgement.verdict is not Verdict.PASS:
        raise RuntimeError(f"the trace is no good: {judgement.verdict}: {judgement.reason}")
    return 1e6 * took_s / len(trace)


def _trace(size: int) -> list[Observation]:
    """Return a trace of about so many observations."""
    rounds = 1
    while True:
        trace = _played(rounds)
        if len(trace) * 2 > size:
            return trace if len(trace) >= size else _played(round(rounds * size / len(trace)))
        rounds = max(rounds + 1, min(rounds * 8, round(rounds * size / len(trace))))


def _played(rounds: int) -> list[Observation]:
    async def body(world: World) -> None:
        bob = await world.online("bob", channels=["lobby"])
        alice = await world.online("alice", channels=["lobby"])
        for number in range(1, rounds + 1):
            await _outage(world, alice, 35.0 if number % LONG_EACH == 0 else 5.0)
            for _ in range(5):
                await alice.send("hello", channel="lobby")
        await bob.get_members("lobby")
        world.rules_alone()

    trace = play_virtually(Title("benchmark", ("RECONNECTING-1",)), body, limit_s=1e9, config=VirtualConfig())
    begin_ns, end_ns = trace[0].at_ns, trace[-1].at_ns
    late = [
        Observation(at_ns, source, What.DELAY, "late", until_ns=at_ns + 1_000_000)
        for source in ("host", "harness", "server")
        for at_ns in range(begin_ns, end_ns, BUCKET_NS)
    ]
    return [trace[0], *late, *trace[1:]]


async def _outage(world: World, alice: Person, lasts_s: float) -> None:
    async with alice.link.freeze() as frozen:
        await world.until(lasts_s, after=frozen.injected)
    await alice.sees(state("CONNECTED", "LOGIN_SUCCESS"))
    await world.sleep(2.0)
