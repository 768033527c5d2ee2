from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from harness import scheduler
from harness.errors import HostError
from harness.scheduler import Job, side_by_side
from harness.world.virtual_loop import now_ns, passed_s, run

Body = Callable[[int], Coroutine[Any, Any, str]]


@pytest.fixture(autouse=True)
def _virtual_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "now_ns", now_ns)


class Stage:
    """Jobs that take as long as they say, and write down what becomes of them."""

    def __init__(self) -> None:
        self.log: list[str] = []

    def job(self, name: str, takes_s: float, *, lasts_s: float | None = None) -> Job[str]:
        async def body(rank: int) -> str:
            self.log.append(f"{name} has rank {rank}")
            try:
                await asyncio.sleep(takes_s)
            except asyncio.CancelledError:
                # To take everything away takes a moment too.
                await asyncio.sleep(1)
                self.log.append(f"{name} is cleaned up at {passed_s():g}")
                raise
            return name

        return Job(name, takes_s if lasts_s is None else lasts_s, body)


def failing(name: str, error: BaseException, takes_s: float = 0) -> Job[str]:
    async def body(_: int) -> str:
        await asyncio.sleep(takes_s)
        raise error

    return Job(name, takes_s, body)


async def play(*jobs: Job[str], at_once: int | None = None) -> list[tuple[str, float]]:
    """When each was handed over."""
    return [(job.name, passed_s()) async for job in side_by_side(jobs, at_once=at_once)]


def test_all_begin_at_once_and_each_is_handed_over_as_it_ends() -> None:
    stage = Stage()
    assert run(play(stage.job("b", 5), stage.job("a", 9), stage.job("c", 2))) == [("c", 2.0), ("b", 5.0), ("a", 9.0)]


def test_the_longest_starts_first_and_equals_in_the_order_given() -> None:
    stage = Stage()
    run(play(stage.job("b", 5), stage.job("a", 9), stage.job("c", 5), stage.job("d", 1)))
    assert stage.log == ["a has rank 0", "b has rank 1", "c has rank 2", "d has rank 3"]


def test_those_that_end_together_come_in_the_order_in_which_they_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "now_ns", itertools.count().__next__)

    async def all_at_once() -> list[str]:
        done = asyncio.Event()

        async def body(_: int) -> str:
            await done.wait()
            return ""

        jobs = [Job(name, lasts_s, body) for lasts_s, name in enumerate("abcdefgh")]
        asyncio.get_running_loop().call_later(3, done.set)
        return [job.name async for job in side_by_side(jobs)]

    assert "".join(run(all_at_once())) == "hgfedcba"


def test_a_job_knows_when_it_began_and_when_it_ended() -> None:
    stage = Stage()
    job = stage.job("a", 7)
    run(play(job))
    assert (job.ended_ns - job.started_ns, job.task.result()) == (7_000_000_000, "a")


def test_no_jobs_are_no_trouble() -> None:
    assert run(play()) == []


def test_an_error_of_a_job_stays_in_its_task_and_disturbs_no_other() -> None:
    stage, error = Stage(), ValueError("no")
    broken = failing("broken", error, takes_s=1)
    assert run(play(stage.job("a", 5), broken)) == [("broken", 1.0), ("a", 5.0)]
    assert broken.task.exception() is error
    assert broken.ended_ns - broken.started_ns == 1_000_000_000


async def leave_after_the_first(*jobs: Job[str]) -> float:
    async with aclosing(side_by_side(jobs)) as ended:
        async for _ in ended:
            break
    return passed_s()


def test_leaving_early_cancels_the_rest_and_waits_until_they_are_cleaned_up() -> None:
    stage = Stage()
    long, longer = stage.job("long", 50), stage.job("longer", 60)
    assert run(leave_after_the_first(stage.job("a", 2), long, longer)) == 3.0
    assert sorted(stage.log[3:]) == ["long is cleaned up at 3", "longer is cleaned up at 3"]
    assert long.task.cancelled()
    assert longer.task.cancelled()


def test_a_job_that_fails_while_it_is_cancelled_does_not_hide_why_it_was_left() -> None:
    async def body(_: int) -> str:
        try:
            await asyncio.sleep(50)
        finally:
            raise OSError("could not be taken away")

    async def leave(stubborn: Job[str], first: Job[str]) -> None:
        async with aclosing(side_by_side([stubborn, first])) as ended:
            async for job in ended:
                raise KeyError(job.name)

    stubborn = Job("stubborn", 50, body)
    with pytest.raises(KeyError, match="first"):
        run(leave(stubborn, Stage().job("first", 1)))
    assert isinstance(stubborn.task.exception(), OSError)


def test_whoever_waits_for_the_jobs_being_cancelled_cancels_them() -> None:
    stage = Stage()

    async def cancelled_at_4_s() -> float:
        playing = asyncio.create_task(play(stage.job("a", 50)))
        await asyncio.sleep(4)
        playing.cancel()
        await asyncio.wait({playing})
        assert playing.cancelled()
        return passed_s()

    assert run(cancelled_at_4_s()) == 5.0
    assert stage.log[1:] == ["a is cleaned up at 5"]


def test_where_only_so_many_may_run_at_once_the_others_follow_as_those_end_the_longest_first() -> None:
    stage = Stage()
    jobs = [stage.job("a", 9), stage.job("b", 5), stage.job("c", 2), stage.job("d", 1)]
    assert run(play(*jobs, at_once=2)) == [("b", 5.0), ("c", 7.0), ("d", 8.0), ("a", 9.0)]
    assert [(job.started_ns - jobs[0].started_ns) / 1e9 for job in jobs] == [0.0, 0.0, 5.0, 7.0]


def test_what_has_found_no_place_is_broken_off_without_beginning() -> None:
    stage = Stage()

    async def leave_early() -> None:
        async with aclosing(side_by_side([stage.job("a", 3), stage.job("b", 2), stage.job("c", 1)], at_once=1)) as jobs:
            async for job in jobs:
                assert job.name == "a"
                break

    run(leave_early())
    assert stage.log == ["a has rank 0", "b has rank 1", "b is cleaned up at 4"]


def test_of_several_that_failed_the_first_is_told_and_asyncio_complains_of_none() -> None:
    complaints: list[str] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
        jobs = [failing(name, HostError(f"{name}: no room"), takes_s=1) for name in "abc"]
        async with contextlib.aclosing(side_by_side(jobs)) as ended:
            async for job in ended:
                job.task.result()

    with pytest.raises(HostError, match="a: no room"):
        run(scenario())
    gc.collect()
    assert complaints == []


def test_a_mistake_of_ours_in_one_that_was_left_is_not_lost() -> None:
    complaints: list[str] = []

    async def scenario() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
        jobs = [failing("a", HostError("no room"), takes_s=1), failing("b", KeyError("b"), takes_s=1)]
        async with contextlib.aclosing(side_by_side(jobs)) as ended:
            async for job in ended:
                job.task.result()

    with pytest.raises(HostError):
        run(scenario())
    assert complaints == ["b failed"]
