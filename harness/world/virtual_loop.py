"""An event loop whose time jumps to the next thing that is due: an hour passes in a moment, and every time is exact.

Two kinds of things are due. What asyncio itself has set (``sleep``, time-outs) counts in seconds, as floats. What the
simulated parts have set with ``call_at_ns`` counts in whole nanoseconds, and happens in the order of the times, then in
the order of the asking: so the same run gives the same order every time. Between two of them every task gets as far as
it can.
"""

from __future__ import annotations

import asyncio
import heapq
import selectors
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from harness.errors import HarnessError
from harness.spec.timing import NS_PER_S

T = TypeVar("T")

# Far from zero and from any machine's own clock: two clocks that are mixed up show at once.
START_NS = 5_000_000 * NS_PER_S


class Due:
    """Something that is to happen at a time, unless it is called off."""

    __slots__ = ("action", "at_ns")

    def __init__(self, at_ns: int, action: Callable[[], None]) -> None:
        self.at_ns = at_ns
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Call it off; too late is no error."""
        self.action = None


class _Timeline(selectors.BaseSelector):
    """Stands where the loop would wait for its sockets. There are none: nothing is waited for but time."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self._order = 0
        self._due: list[tuple[int, int, Due]] = []

    def put(self, due: Due) -> None:
        self._order += 1
        heapq.heappush(self._due, (due.at_ns, self._order, due))

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Let time pass until the next thing is due, and no longer than the loop's own next timer; then do it."""
        if timeout is not None and timeout <= 0:
            return []  # there are tasks that can go on right now
        while self._due and self._due[0][2].action is None:
            heapq.heappop(self._due)
        # Under a nanosecond is still later: without that the loop would come back for the same timer for ever.
        limit_ns = None if timeout is None else self.now_ns + max(1, round(timeout * NS_PER_S))
        if self._due and (limit_ns is None or self._due[0][0] <= limit_ns):
            at_ns, _, due = heapq.heappop(self._due)
            self.now_ns = max(self.now_ns, at_ns)
            action, due.action = due.action, None
            assert action is not None
            action()
        elif limit_ns is None:
            raise HarnessError("in virtual time everything waits for something that nobody will ever do")
        else:
            self.now_ns = limit_ns
        return []

    # The loop registers the socket that other threads would wake it by. There are no other threads.

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return selectors.SelectorKey(fileobj, 0, 0, None)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        raise KeyError(fileobj)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {}

    def close(self) -> None:
        self._due.clear()


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; ``now_ns`` is its time."""

    def __init__(self) -> None:
        self._timeline = _Timeline()
        super().__init__(self._timeline)

    def time(self) -> float:
        """Return the time that asyncio counts in: seconds since the start."""
        return (self._timeline.now_ns - START_NS) / NS_PER_S

    def now_ns(self) -> int:
        """Return the time, in nanoseconds."""
        return self._timeline.now_ns

    def call_at_ns(self, at_ns: int, action: Callable[[], None]) -> Due:
        """Have something done at a time; at once, after what is due already, where it has passed."""
        due = Due(max(at_ns, self._timeline.now_ns), action)
        self._timeline.put(due)
        return due

    async def sleep_until(self, at_ns: int) -> None:
        """Wait until then."""
        waiter: asyncio.Future[None] = self.create_future()
        due = self.call_at_ns(at_ns, lambda: None if waiter.done() else waiter.set_result(None))
        try:
            await waiter
        finally:
            due.cancel()


def now_ns() -> int:
    """Return the virtual time, from inside the loop."""
    return running_loop().now_ns()


def passed_s() -> float:
    """Return how many seconds have passed since the start, from inside the loop."""
    return (now_ns() - START_NS) / NS_PER_S


def running_loop() -> VirtualLoop:
    """Return the loop that runs this."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop), "virtual time passes in a VirtualLoop only"
    return loop


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time.

    Raises:
        HarnessError: it left tasks behind, or waited for what nobody will ever do.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:

        async def and_look_behind() -> T:
            result = await work
            # A task that was cancelled needs one turn of the loop to end.
            await asyncio.sleep(0)
            left = asyncio.all_tasks() - {asyncio.current_task()}
            if left:
                raise HarnessError(f"left behind in virtual time: {left}")
            return result

        return runner.run(and_look_behind())
