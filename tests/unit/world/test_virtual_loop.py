from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.world import virtual_loop
from harness.world.virtual_loop import START_NS, now_ns, passed_s, run, running_loop
from tests.unit.world.virtual_rig import S, passed_ns, virtually, wait, wait_until

DAY_S = 24 * 3600


@given(delays_ns=st.lists(st.integers(-3, 3) | st.integers(0, 10 * S), max_size=20))
def test_what_is_due_happens_in_the_order_of_the_times_and_then_of_the_asking(delays_ns: list[int]) -> None:
    happened: list[tuple[int, int]] = []

    async def body() -> None:
        for number, delay_ns in enumerate(delays_ns):
            # Bound now: the variable will have gone on.
            running_loop().call_at_ns(now_ns() + delay_ns, lambda it=number: happened.append((passed_ns(), it)))  # type: ignore[misc]
        await wait(11 * S)

    run(body())
    # What has passed already is due now, and not in the past.
    assert happened == sorted((max(0, delay_ns), number) for number, delay_ns in enumerate(delays_ns))


@virtually
async def test_what_an_action_asks_for_at_its_own_time_comes_after_what_was_asked_for_before() -> None:
    loop, happened = running_loop(), list[str]()

    def first() -> None:
        happened.append("first")
        loop.call_at_ns(now_ns() - 1, lambda: happened.append(f"third, after {passed_ns()}"))

    loop.call_at_ns(START_NS + 5, first)
    loop.call_at_ns(START_NS + 5, lambda: happened.append("second"))
    await wait_until(6)
    assert happened == ["first", "second", "third, after 5"]


@given(times_ns=st.lists(st.integers(0, 10**6) | st.integers(0, 10**16), max_size=10))
def test_a_wait_ends_at_its_exact_nanosecond(times_ns: list[int]) -> None:
    async def body() -> list[int]:
        ended = []
        for time_ns in sorted(times_ns):
            await wait_until(time_ns)
            ended.append(passed_ns())
        return ended

    assert run(body()) == sorted(times_ns)


@virtually
async def test_waiting_for_what_has_passed_takes_no_time() -> None:
    await wait_until(5)
    await wait_until(3)
    assert passed_ns() == 5


@pytest.mark.parametrize("seconds", [0.001, 0.1, 0.5, 4.0, 30.0, 3 * DAY_S])
@virtually
async def test_a_sleep_of_asyncio_lasts_as_long_as_it_says(seconds: float) -> None:
    await asyncio.sleep(seconds)
    assert passed_ns() == round(seconds * S)
    assert passed_s() == seconds


@given(sleeps_s=st.lists(st.floats(0, 1000, allow_subnormal=False), max_size=10))
def test_sleeps_of_asyncio_add_up_to_within_a_nanosecond_each(sleeps_s: list[float]) -> None:
    async def body() -> int:
        for seconds in sleeps_s:
            await asyncio.sleep(seconds)
        return passed_ns()

    # Its clock is a float: one nanosecond is what a sleep may be rounded by, and one that it may come early.
    assert abs(run(body()) - sum(round(each * S) for each in sleeps_s)) <= 2 * len(sleeps_s)


@virtually
async def test_a_timeout_of_asyncio_comes_at_its_time_and_not_before() -> None:
    async with asyncio.timeout(2.5):
        await asyncio.sleep(2.4)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2.5):
            await asyncio.Event().wait()
    assert passed_ns() == round(4.9 * S)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.Event().wait(), timeout=0.1)
    assert passed_ns() == 5 * S


@virtually
async def test_sleeps_of_asyncio_and_exact_times_come_in_one_order() -> None:
    happened: list[str] = []

    async def sleeps(seconds: float) -> None:
        await asyncio.sleep(seconds)
        happened.append(f"sleep {seconds:g}")

    for at_ns in (3 * S, S):
        running_loop().call_at_ns(START_NS + at_ns, lambda it=at_ns: happened.append(f"due {it // S}"))  # type: ignore[misc]
    await asyncio.gather(sleeps(2), sleeps(4))
    assert happened == ["due 1", "sleep 2", "due 3", "sleep 4"]


@pytest.mark.parametrize("waits_first_s", [0, 3])
def test_waiting_for_what_nobody_will_ever_do_is_an_error(waits_first_s: int) -> None:
    async def body() -> None:
        await asyncio.sleep(waits_first_s)
        await asyncio.Event().wait()

    with pytest.raises(HarnessError, match="everything waits for something that nobody will ever do"):
        run(body())


def test_a_task_that_is_left_behind_is_an_error_by_its_name() -> None:
    async def body() -> None:
        asyncio.create_task(asyncio.sleep(1), name="forgotten")  # noqa: RUF006 - that is what is shown here

    with pytest.raises(HarnessError, match=r"left behind in virtual time: .*forgotten"):
        run(body())


@virtually
async def test_a_task_that_was_cancelled_just_before_the_end_is_not_left_behind() -> None:
    task = asyncio.create_task(asyncio.sleep(1))
    await asyncio.sleep(0)
    assert task.cancel()


def test_what_the_work_returns_and_raises_comes_out() -> None:
    async def returns() -> str:
        return "done"

    async def fails() -> None:
        raise ZeroDivisionError("halved by nothing")

    assert run(returns()) == "done"
    with pytest.raises(ZeroDivisionError, match="halved by nothing"):
        run(fails())


@virtually
async def test_what_is_called_off_never_happens_and_no_time_passes_for_it() -> None:
    happened: list[str] = []
    loop = running_loop()
    first = loop.call_at_ns(START_NS + 1, lambda: happened.append("first"))
    loop.call_at_ns(START_NS + 2, lambda: happened.append("second"))
    third = loop.call_at_ns(START_NS + 9, lambda: happened.append("third"))
    for due in (first, first, third):
        due.cancel()
    await wait_until(4)
    assert happened == ["second"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await asyncio.Event().wait()
    assert passed_ns() == 4 + S


@virtually
async def test_calling_off_what_has_happened_is_no_error() -> None:
    happened: list[str] = []
    due = running_loop().call_at_ns(START_NS + 1, lambda: happened.append("it"))
    await wait_until(2)
    due.cancel()
    assert happened == ["it"]


def test_an_action_may_call_off_what_is_due_at_the_same_time() -> None:
    happened: list[str] = []

    async def body() -> None:
        loop = running_loop()
        loop.call_at_ns(START_NS + 2, lambda: later.cancel())
        later = loop.call_at_ns(START_NS + 2, lambda: happened.append("never"))
        await wait_until(3)

    run(body())
    assert happened == []


def test_a_wait_that_was_given_up_leaves_nothing_behind_that_is_due() -> None:
    times: list[int] = []

    async def body() -> None:
        task = asyncio.create_task(wait(1000 * S))
        await wait(S)
        task.cancel()
        try:
            await asyncio.Event().wait()
        finally:
            times.append(passed_ns())

    with pytest.raises(HarnessError, match="nobody will ever do"):
        run(body())
    assert times == [S]


@given(turns=st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_between_two_things_that_are_due_every_task_gets_as_far_as_it_can(turns: list[int]) -> None:
    happened: list[str] = []

    async def worker(number: int, woken: asyncio.Event) -> None:
        await woken.wait()
        for turn in range(turns[number]):
            happened.append(f"{number}.{turn} at {passed_ns()}")
            await asyncio.sleep(0)
        happened.append(f"{number} is done at {passed_ns()}")

    async def body() -> None:
        events = [asyncio.Event() for _ in turns]
        tasks = [asyncio.create_task(worker(number, event)) for number, event in enumerate(events)]
        for event in events:
            running_loop().call_at_ns(START_NS + 7, event.set)  # all of them in the same nanosecond
        await asyncio.gather(*tasks)

    run(body())
    in_turn = ([*(f"{it}.{turn}" for turn in range(count)), f"{it} is done"] for it, count in enumerate(turns))
    assert happened == [f"{text} at 7" for text in itertools.chain(*in_turn)]


def test_every_run_begins_at_the_same_time() -> None:
    async def body() -> tuple[int, float]:
        begun = now_ns(), passed_s()
        await asyncio.sleep(5)
        return begun

    assert run(body()) == run(body()) == (START_NS, 0.0)


def test_virtual_time_passes_in_its_own_loop_only() -> None:
    async def body() -> None:
        virtual_loop.now_ns()

    with pytest.raises(AssertionError, match="passes in a VirtualLoop only"):
        asyncio.run(body())
