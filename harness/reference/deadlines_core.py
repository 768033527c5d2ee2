"""Deadlines that mostly move before they come: a heap that is put right only where an entry reaches its top.

A heartbeat moves a deadline and costs nothing here. The price is that the heap may name a time at which nothing turns
out to be due; it never names one that is too late, because a deadline may move later only.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush
from typing import Generic, Protocol, TypeVar


class Due(Protocol):
    """Something with a deadline."""

    def due_ns(self) -> int | None:
        """When it is due on the core's clock; None once it never will be again. May grow, must not shrink."""


T = TypeVar("T", bound=Due)

# Entries of what never comes due again are thrown out when they outnumber the rest, but not for so few.
_SWEEP_FROM = 1024


class Deadlines(Generic[T]):
    """The deadlines of many things, soonest first."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, T]] = []
        self._order = 0  # breaks ties, so that two things are never compared, and the one watched first comes first
        self._sweep_at = _SWEEP_FROM

    def watch(self, thing: T) -> None:
        """Keep an eye on a thing until it was due, or never will be."""
        due_ns = thing.due_ns()
        assert due_ns is not None
        if len(self._heap) >= self._sweep_at:
            self._sweep()
        self._push(due_ns, thing)

    def next_ns(self) -> int | None:
        """Return a time before which nothing is due, or None where nothing is watched."""
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: int) -> Iterator[T]:
        """Yield and forget what is due by now, soonest first; what is done with one may change what follows."""
        while self._heap and self._heap[0][0] <= now:
            _, _, thing = heappop(self._heap)
            due_ns = thing.due_ns()
            if due_ns is None:
                continue
            if due_ns > now:
                self._push(due_ns, thing)
            else:
                yield thing

    def _push(self, due_ns: int, thing: T) -> None:
        self._order += 1
        heappush(self._heap, (due_ns, self._order, thing))

    def _sweep(self) -> None:
        # In place: a sweep may come while pop_due is under way.
        self._heap[:] = [entry for entry in self._heap if entry[2].due_ns() is not None]
        heapify(self._heap)
        self._sweep_at = max(_SWEEP_FROM, 2 * len(self._heap))
