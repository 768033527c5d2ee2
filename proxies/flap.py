"""A link that goes down and up on a schedule."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from types import TracebackType
from typing import Self

from harness.errors import UsageError
from proxies.fault import Fault, FaultOwner, Interval
from proxies.gates import Cut


class Flap:
    """Cuts a link `count` times: at 0, 1, 2 ... periods after the first cut, each healed half a period later.

    The schedule is absolute: a cut that comes late does not move those after it. Each cut and each healing is
    proven and told to the observer like that of any other fault. Awaiting or entering it makes the first cut.

    Attributes:
        effect: ``flap``.
        visible: True; the ends are told of each cut.
        faults: the cuts so far.
        healed: when `heal` was called and the link was up for good, or None.
    """

    effect = "flap"
    visible = True

    def __init__(self, owner: FaultOwner, *, period_s: float, count: int) -> None:
        if period_s <= 0 or count < 1:
            raise UsageError(f"a flap needs a period above 0 s and 1 cut or more, not {period_s!r} s and {count!r}")
        self.faults: list[Fault] = []
        self.healed: Interval | None = None
        self._owner = owner
        self._period_s = period_s
        self._count = count
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def link(self) -> str:
        """The link's name."""
        return self._owner.name

    @property
    def injected(self) -> Interval:
        """When the first cut took effect."""
        return self._first().injected

    @property
    def proof(self) -> str:
        """What proved the first cut."""
        return self._first().proof

    @property
    def active(self) -> bool:
        """Whether it was begun and not yet healed."""
        return self._task is not None and self.healed is None and not self._owner.closed

    async def finished(self) -> None:
        """Wait until the last cut has been healed; raises what stopped the schedule."""
        self._first()
        assert self._task is not None
        await asyncio.shield(self._task)

    async def heal(self) -> None:
        """Stop the schedule and leave the link up.

        Raises:
            UsageError: it was not begun, or was healed before.
            ToxiproxyError: a cut or a healing failed, now or earlier in the schedule.
        """
        self._first()
        if self.healed is not None:
            raise UsageError(f"flap of link {self.link} was healed before")
        self._stop.set()
        await self.finished()
        self.healed = self.faults[-1].healed

    def _first(self) -> Fault:
        if self._task is None:
            raise UsageError(f"flap of link {self.link} has not begun", mend="await it: `await link.flap(...)`")
        return self.faults[0]

    async def _begin(self) -> Self:
        if self.faults:
            raise UsageError(f"flap of link {self.link} was begun before", mend="make a new one: `link.flap(...)`")
        await self._cut()
        self._task = asyncio.create_task(self._run(), name=f"flap of {self.link}")
        return self

    async def _run(self) -> None:
        start_ns = self.injected.t1_ns
        for cycle in range(self._count):
            if cycle:
                await self._cut()
            await self._wait_until(start_ns, cycle + 0.5)
            if self.faults[-1].active:  # the link may have been closed meanwhile
                await self.faults[-1].heal()
            last = cycle + 1 == self._count or self._owner.closed
            if last or await self._wait_until(start_ns, cycle + 1) or self._owner.closed:
                return

    async def _cut(self) -> None:
        parameters = {"period_s": self._period_s, "count": self._count, "cycle": len(self.faults) + 1}
        fault = Fault(self._owner, Cut(self.effect, self._owner.address, parameters))
        self.faults.append(fault)
        await fault

    async def _wait_until(self, start_ns: int, periods: float) -> bool:
        """Wait for that moment of the schedule; True at once when the schedule is stopped."""
        wait_s = self._period_s * periods - (self._owner.now_ns() - start_ns) / 1e9
        try:
            await asyncio.wait_for(self._stop.wait(), timeout=max(0.0, wait_s))
        except TimeoutError:
            return False
        return True

    def __await__(self) -> Generator[object, None, Self]:
        return self._begin().__await__()

    async def __aenter__(self) -> Self:
        return await self._begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self.active:
            await self.heal()
