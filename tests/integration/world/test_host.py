"""The process that measures the host: what it reports, and what its end means."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from harness.clock import now_ns
from harness.delays import BUCKET_NS
from harness.errors import HarnessError
from harness.guard import Guard
from harness.trace import What
from harness.world.host import HostSampler

REPORTED_S = 10.0  # a report comes every quarter of a second


def run(test: Callable[[HostSampler], Awaitable[None]]) -> int:
    """Run a test with a sampler; returns its process, which must be reaped by then, as its task must have ended."""

    async def whole() -> int:
        with Guard() as guard:
            sampler = await HostSampler.start(guard)
            try:
                await test(sampler)
            finally:
                await sampler.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return sampler._process.pid

    pid = asyncio.run(whole())
    assert not Path(f"/proc/{pid}").exists()
    return pid


async def reported(sampler: HostSampler, *, after_ns: int) -> None:
    """Wait until it has spoken of something after this."""
    async with asyncio.timeout(REPORTED_S):
        while not any(ran > after_ns for _, ran in sampler._worst):  # noqa: ASYNC110 - a line read gives no event
            await asyncio.sleep(0.01)


def test_it_reports_the_worst_of_each_quarter_of_a_second() -> None:
    async def test(sampler: HostSampler) -> None:
        began_ns = now_ns()
        await reported(sampler, after_ns=began_ns + 2 * BUCKET_NS)
        found = sampler.between(began_ns, now_ns())
        assert len(found) >= 2
        for each in found:
            assert (each.source, each.what) == ("host", What.DELAY)
            assert each.until_ns is not None
            assert each.at_ns < each.until_ns
        buckets = [each.at_ns // BUCKET_NS for each in found]
        assert buckets == sorted(set(buckets))
        assert sampler.latest_ns() == max((each.until_ns or 0) - each.at_ns for each in found[-2:])

    run(test)


def test_it_speaks_only_of_the_span_that_it_is_asked_for() -> None:
    async def test(sampler: HostSampler) -> None:
        began_ns = now_ns()
        assert sampler.latest_ns() == 0
        await reported(sampler, after_ns=began_ns)
        assert sampler.between(began_ns, now_ns())
        assert sampler.between(began_ns - 60_000_000_000, began_ns - 30_000_000_000) == []
        assert sampler.between(now_ns() + 30_000_000_000, now_ns() + 60_000_000_000) == []

    run(test)


def test_a_process_that_stood_still_was_late_by_that() -> None:
    async def test(sampler: HostSampler) -> None:
        began_ns = now_ns()
        await reported(sampler, after_ns=began_ns)
        os.kill(sampler._process.pid, signal.SIGSTOP)
        stopped_ns = now_ns()
        await asyncio.sleep(0.3)
        os.kill(sampler._process.pid, signal.SIGCONT)
        await reported(sampler, after_ns=stopped_ns + BUCKET_NS)
        assert max((each.until_ns or 0) - each.at_ns for each in sampler.between(stopped_ns, now_ns())) > 200_000_000

    run(test)


def test_where_it_has_died_nothing_is_known_and_the_harness_is_to_blame() -> None:
    async def test(sampler: HostSampler) -> None:
        os.kill(sampler._process.pid, signal.SIGKILL)
        await asyncio.wait({sampler._reader}, timeout=REPORTED_S)
        with pytest.raises(HarnessError, match="the process that measures the host's delays has ended"):
            sampler.between(0, now_ns())

    run(test)


def test_it_ends_also_where_it_stands_still() -> None:
    async def test(sampler: HostSampler) -> None:
        os.kill(sampler._process.pid, signal.SIGSTOP)

    pid = run(test)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
