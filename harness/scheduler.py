"""Runs scenarios side by side in one event loop, the longest first, and hands each over as it ends.

Scenarios wait; they hardly compute. So all of them are begun at once, and a run lasts little longer than its longest
scenario. What does compute, the start of their processes, is admitted by the world's gate in the order given here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from harness.clock import now_ns
from harness.errors import LinkproofError

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Job(Generic[T]):
    """One scenario to run; ``lasts_s`` is about how long it takes."""

    name: str
    lasts_s: float
    run: Callable[[int], Coroutine[Any, Any, T]]  # given its rank: 0 is to start first
    started_ns: int = 0
    ended_ns: int = 0
    task: asyncio.Task[T] = field(init=False)


async def side_by_side(jobs: Iterable[Job[T]], *, at_once: int | None = None) -> AsyncGenerator[Job[T], None]:
    """Run all jobs, or so many at once; yield each when it has ended. Leaving early cancels the rest and waits."""
    ordered = sorted(jobs, key=lambda job: -job.lasts_s)
    places = asyncio.Semaphore(len(ordered) if at_once is None else at_once)
    of_task: dict[asyncio.Task[T], Job[T]] = {}
    for rank, job in enumerate(ordered):
        job.task = asyncio.create_task(_timed(job, rank, places), name=job.name)
        of_task[job.task] = job
    running = set(of_task)
    try:
        while running:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            # A set has no order: of those that ended at one moment the first of the list is the first.
            for job in sorted((of_task[task] for task in of_task if task in done), key=lambda each: each.ended_ns):
                yield job
    finally:
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        _put_away(of_task)


def _put_away(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Look at how each task ended, or asyncio would complain of those that nobody looked at.

    An error that says whose fault it is had all of them leave, and who left is told of the first.
    """
    for task in tasks:
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, LinkproofError):
            context = {"message": f"{task.get_name()} failed", "exception": error, "task": task}
            asyncio.get_running_loop().call_exception_handler(context)


async def _timed(job: Job[T], rank: int, places: asyncio.Semaphore) -> T:
    async with places:
        job.started_ns = now_ns()
        try:
            return await job.run(rank)
        finally:
            job.ended_ns = now_ns()
