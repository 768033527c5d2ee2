"""What ran late and by how much, kept so that the worst of any span is found without looking at all of it.

A trace has a dozen such measures for each of its seconds, and most of what is judged asks for those of its own span.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import accumulate


class Delays:
    """Delays in any order, each as when it was due and when it ran, in nanoseconds.

    Args:
        delays: all of them. One that ran before it was due was not late.
        kept: how many of the worst can be asked for.
    """

    def __init__(self, delays: Iterable[tuple[int, int]], *, kept: int = 1) -> None:
        ordered = sorted(delays)
        self._kept = kept
        self._due = [due for due, _ in ordered]
        self._ran = [ran for _, ran in ordered]
        self._ran_by = list(accumulate(self._ran, max))  # the latest of this one and of all before
        # A tree: each node has the worst of the two below it, and the leaves are the delays.
        leaves = [(max(0, ran - due),) for due, ran in ordered]
        self._tree: list[tuple[int, ...]] = [(), *([()] * (len(leaves) - 1)), *leaves]
        for node in range(len(leaves) - 1, 0, -1):
            self._tree[node] = self._worst_of(self._tree[2 * node] + self._tree[2 * node + 1])

    def worst(self, from_ns: int, to_ns: int) -> tuple[int, ...]:
        """Return how late things were that were due or ran in this span; the worst first, as many as are kept."""
        inside, end = bisect_left(self._due, from_ns), bisect_right(self._due, to_ns)
        # Those that were due before it, and ran in it.
        overdue = range(bisect_left(self._ran_by, from_ns), min(inside, end))
        found = [self._ran[index] - self._due[index] for index in overdue if self._ran[index] >= from_ns]
        node, last = inside + len(self._due), end + len(self._due)
        while node < last:
            if node % 2:
                found += self._tree[node]
                node += 1
            if last % 2:
                last -= 1
                found += self._tree[last]
            node, last = node // 2, last // 2
        return self._worst_of(tuple(found))

    def longest(self, from_ns: int, to_ns: int) -> int:
        """Return the worst delay of this span; 0 where there is none."""
        return next(iter(self.worst(from_ns, to_ns)), 0)

    def _worst_of(self, late: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(late, reverse=True)[: self._kept])
