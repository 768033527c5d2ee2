"""How late an event loop does what is due: the harness's, in which the scenario acts, or the server's."""

from __future__ import annotations

import asyncio
from collections import deque

from harness.clock import now_ns
from harness.spec.timing import NS_PER_S

# Short enough to meet a stall of a few milliseconds, long enough to cost under 1 % of a core.
PERIOD_NS = 5_000_000
# Of each quarter of a second the worst sample is kept: fine enough to tell one moment of a scenario from another.
BUCKET_NS = 250_000_000
# No window reaches farther back than the longest scenario does.
KEPT_NS = 600 * NS_PER_S


class DelaySampler:
    """Asks the running event loop to be woken at known moments, and notes by how much it was woken late."""

    def __init__(self) -> None:
        self._worst: deque[tuple[int, int]] = deque(maxlen=KEPT_NS // BUCKET_NS)  # (due, ran), one a bucket
        self._task = asyncio.create_task(self._sample(), name="delay sampler")

    def latest_ns(self) -> int:
        """Return the worst delay of the last moments: the measure of the load right now."""
        return max((ran - due for due, ran in list(self._worst)[-2:]), default=0)

    def between(self, from_ns: int, to_ns: int) -> list[tuple[int, int]]:
        """Return the worst delay of each bucket in this span: when the loop was to be woken, and when it was."""
        return [(due, ran) for due, ran in self._worst if ran >= from_ns - BUCKET_NS and due <= to_ns]

    async def close(self) -> None:
        """Stop sampling."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _sample(self) -> None:
        bucket = -1
        while True:
            due = now_ns() + PERIOD_NS
            await asyncio.sleep(PERIOD_NS / NS_PER_S)
            ran = now_ns()
            if due // BUCKET_NS != bucket:
                bucket = due // BUCKET_NS
                self._worst.append((due, ran))
            elif ran - due > self._worst[-1][1] - self._worst[-1][0]:
                self._worst[-1] = (due, ran)
