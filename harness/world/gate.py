"""Admission: how many processes may be starting at once, and whose turn it is.

Starting a process costs a core for a good tenth of a second; a hundred at once would disturb every scenario that is
already being timed. So they start a few at a time, the longest scenarios' first, and not while the host is behind.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

# A host that runs things this late is given time to catch up before more is put on it.
BUSY_NS = 30_000_000
RECHECK_S = 0.02


class StartGate:
    """Lets in a few at a time, by rank: the lowest rank first, then in the order of asking."""

    def __init__(self, places: int, delay_ns: Callable[[], int]) -> None:
        self._free = places
        self._starting = 0  # of those who hold a place: who has gone ahead
        self._delay_ns = delay_ns
        self._order = itertools.count()
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def place(self, rank: int) -> AsyncIterator[None]:
        """Hold one of the places; waits for it."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (rank, next(self._order), turn))
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give_back()
            raise
        try:
            # Where nobody is starting the delay is not of our making, and waiting for it to pass may last for ever.
            while self._delay_ns() > BUSY_NS and self._starting:  # noqa: ASYNC110 - load gives no event
                await asyncio.sleep(RECHECK_S)
            self._starting += 1
            try:
                yield
            finally:
                self._starting -= 1
        finally:
            self._give_back()

    def _give_back(self) -> None:
        self._free += 1
        self._admit()

    def _admit(self) -> None:
        while self._free and self._queue:
            turn = heapq.heappop(self._queue)[2]
            if not turn.done():
                self._free -= 1
                turn.set_result(None)
