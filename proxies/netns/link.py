"""One link over a wire of its own, broken by the kernel itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from proxies.breakable import BreakableLink, Observer
from proxies.effects import Effect
from proxies.fault import Interval
from proxies.netns.faults import check_means_for, measure_of
from proxies.netns.measures import Measure
from proxies.netns.wire import Wire

T = TypeVar("T")


class Runner(Protocol):
    """What a link needs of its network: to run a blocking call beside the event loop."""

    async def run(self, call: Callable[[], T]) -> T:
        """Run it in a worker thread; one that takes no longer than a message to the kernel."""

    async def run_slow(self, call: Callable[[], T]) -> T:
        """Run it where it keeps no fault waiting."""


class WiredLink(BreakableLink):
    """A link without anything in between: the client's own TCP connection reaches the server."""

    def __init__(
        self,
        name: str,
        wire: Wire,
        runner: Runner,
        *,
        server: tuple[str, int],
        resettable: bool,
        observer: Observer | None,
        on_close: Callable[[], None],
    ) -> None:
        super().__init__(name, address=server, upstream=server, resettable=resettable, observer=observer)
        self.wire = wire
        self._runner = runner
        self._measures: dict[Effect, Measure] = {}
        self._on_close = on_close
        self._busy = threading.Lock()  # a call goes on in its thread when whoever waited for it has been cancelled

    def now_ns(self) -> int:
        """The monotonic time of this machine."""
        return time.monotonic_ns()

    def _check_means(self, recipe: Effect) -> None:
        check_means_for(recipe, self.wire)

    async def _make(self, recipe: Effect) -> tuple[Interval, str]:
        measure = self._measures[recipe] = measure_of(recipe, self.wire)
        await self._alone(measure.prepare, self._runner.run_slow)
        return await self._alone(lambda: _take(measure), self._runner.run)

    async def _unmake(self, recipe: Effect) -> tuple[Interval, str]:
        measure = self._measures[recipe]
        healed, was = await self._alone(lambda: _lift(measure), self._runner.run)
        left = await self._alone(measure.clear, self._runner.run_slow)
        del self._measures[recipe]
        return healed, f"it was in place ({was}), and was taken away: {left}"

    async def _confirm(self, recipe: Effect) -> None:
        await self._alone(self._measures[recipe].check, self._runner.run)

    async def _delete(self) -> None:
        await self._alone(self._cut_off, self._runner.run_slow)

    def _cut_off(self) -> None:
        self._on_close()
        for measure in self._measures.values():
            measure.dispose()
        self.wire.cut_off()

    async def _alone(self, call: Callable[[], T], run: Callable[[Callable[[], T]], Awaitable[T]]) -> T:
        def locked() -> T:
            with self._busy:
                return call()

        return await run(locked)


def _take(measure: Measure) -> tuple[Interval, str]:
    t0_ns = time.monotonic_ns()
    measure.take()
    t1_ns = time.monotonic_ns()
    return Interval(t0_ns, t1_ns), measure.check()


def _lift(measure: Measure) -> tuple[Interval, str]:
    was = measure.check()
    t0_ns = time.monotonic_ns()
    measure.lift()
    t1_ns = time.monotonic_ns()
    return Interval(t0_ns, t1_ns), was
