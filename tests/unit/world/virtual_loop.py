"""An event loop whose time jumps to the next timer: hours pass in a moment, and every time in a test is exact."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

NS_PER_S = 1_000_000_000
# Far from zero and from the machine's own clock: times that are mixed up show at once.
START_NS = 5_000_000 * NS_PER_S


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing but time, and that not for long."""

    def __init__(self) -> None:
        super().__init__()
        self.passed_ns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if not found and timeout is None:
            raise AssertionError("everything waits for something that nobody will ever do")
        if not found and timeout is not None:
            self.passed_ns += max(0, round(timeout * NS_PER_S))
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; ``now_ns`` is its time."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed_ns / NS_PER_S

    def now_ns(self) -> int:
        return START_NS + self._jumping.passed_ns


def now_ns() -> int:
    """The virtual time, from inside the loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop.now_ns()


def passed_s() -> float:
    """How much virtual time has passed."""
    return (now_ns() - START_NS) / NS_PER_S


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time; nothing may be left behind."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:

        async def and_look_behind() -> T:
            result = await work
            # A task that was cancelled needs one turn of the loop to end.
            await asyncio.sleep(0)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            assert not left, f"left behind: {left}"
            return result

        return runner.run(and_look_behind())
