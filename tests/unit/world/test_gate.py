from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from harness.world.gate import BUSY_NS, RECHECK_S, StartGate
from harness.world.virtual_loop import passed_s, run


class Door:
    """A gate, and who came through it and when."""

    def __init__(self, places: int, delay_ns: Callable[[], int] = lambda: 0) -> None:
        self.gate = StartGate(places, delay_ns)
        self.log: list[str] = []
        self.inside = 0
        self.inside_most = 0

    async def visit(self, name: str, rank: int, stays_s: float = 1.0) -> None:
        async with self.gate.place(rank):
            self.log.append(f"{passed_s():g} {name}")
            self.inside += 1
            self.inside_most = max(self.inside, self.inside_most)
            try:
                await asyncio.sleep(stays_s)
            finally:
                self.inside -= 1

    def send(self, name: str, rank: int = 0, stays_s: float = 1.0) -> asyncio.Task[None]:
        return asyncio.create_task(self.visit(name, rank, stays_s), name=name)


def through(visit: Callable[[Door], Awaitable[None]], door: Door) -> list[str]:
    async def all_of_it() -> list[str]:
        await visit(door)
        return door.log

    return run(all_of_it())


def test_only_so_many_are_inside_at_once() -> None:
    async def visit(door: Door) -> None:
        await asyncio.gather(*(door.send(str(number)) for number in range(7)))

    door = Door(3)
    assert [entry[0] for entry in through(visit, door)] == ["0", "0", "0", "1", "1", "1", "2"]
    assert door.inside_most == 3


def test_those_who_wait_come_in_by_their_rank_and_then_in_the_order_of_asking() -> None:
    async def visit(door: Door) -> None:
        await asyncio.gather(*(door.send(name, rank) for name, rank in [("x", 9), ("a", 2), ("b", 1), ("c", 2)]))

    assert through(visit, Door(1)) == ["0 x", "1 b", "2 a", "3 c"]


def test_who_gives_up_waiting_is_passed_over() -> None:
    async def visit(door: Door) -> None:
        first, second, third = door.send("a"), door.send("b"), door.send("c")
        await asyncio.sleep(0.5)
        second.cancel()
        await asyncio.wait({first, second, third})
        assert second.cancelled()

    assert through(visit, Door(1)) == ["0 a", "1 c"]


def test_who_is_cancelled_inside_gives_the_place_back() -> None:
    async def visit(door: Door) -> None:
        first, second = door.send("a", stays_s=100), door.send("b")
        await asyncio.sleep(3)
        first.cancel()
        await asyncio.wait({first, second})

    assert through(visit, Door(1)) == ["0 a", "3 b"]


def test_who_is_cancelled_in_the_moment_of_being_let_in_gives_the_place_back() -> None:
    async def visit(door: Door) -> None:
        async def hold() -> None:
            async with door.gate.place(0):
                await asyncio.sleep(1)
            second.cancel()  # who has been let in by now, and has had no time to notice

        first = asyncio.create_task(hold())
        await asyncio.sleep(0)
        second, third = door.send("b"), door.send("c")
        await asyncio.wait({first, second, third})
        assert second.cancelled()

    assert through(visit, Door(1)) == ["1 c"]


def test_an_error_inside_gives_the_place_back_and_comes_out() -> None:
    async def visit(door: Door) -> None:
        async def fail() -> None:
            async with door.gate.place(0):
                raise OSError("no such program")

        with pytest.raises(OSError, match="no such program"):
            await fail()
        await door.send("b")

    assert through(visit, Door(1)) == ["0 b"]


def test_while_the_host_is_behind_nobody_joins_those_who_are_starting() -> None:
    async def visit(door: Door) -> None:
        await asyncio.gather(*(door.send(name) for name in "abc"))

    door = Door(3, lambda: BUSY_NS + 1)
    log = through(visit, door)
    assert door.inside_most == 1
    assert [entry[-1] for entry in log] == ["a", "b", "c"]
    assert float(log[2].split()[0]) <= 2 + 2 * RECHECK_S


def test_a_host_that_is_just_not_behind_holds_nobody_back() -> None:
    async def visit(door: Door) -> None:
        await asyncio.gather(*(door.send(name) for name in "abc"))

    assert through(visit, Door(3, lambda: BUSY_NS)) == ["0 a", "0 b", "0 c"]


def test_once_the_host_has_caught_up_the_others_come_in() -> None:
    async def visit(door: Door) -> None:
        await asyncio.gather(*(door.send(name, stays_s=5) for name in "ab"))

    log = through(visit, Door(2, lambda: 0 if passed_s() >= 1 else BUSY_NS + 1))
    assert log[0] == "0 a"
    assert 1 <= float(log[1].split()[0]) <= 1 + RECHECK_S


def test_who_is_cancelled_while_the_host_is_behind_gives_the_place_back() -> None:
    async def visit(door: Door) -> None:
        first, second, third = door.send("a", stays_s=2), door.send("b"), door.send("c", 5)
        await asyncio.sleep(1)
        second.cancel()
        await asyncio.wait({first, second, third})
        await door.send("d")

    assert [entry[-1] for entry in through(visit, Door(2, lambda: BUSY_NS + 1))] == ["a", "c", "d"]
