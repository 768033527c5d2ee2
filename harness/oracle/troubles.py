"""Whatever stood between a client and its server: faults of its link, and what was done to the server.

A long trace has thousands of them, and most of what is judged asks for those of its own span. So they are kept in the
order in which they began, beside when all that began until then had ended.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from harness.spec.timing import ns
from harness.trace import Observation, What

FOR_EVER_NS = 2**63 - 1

_HEALING = "healing of "
# What is done to a server, and what takes it back. A start also ends a standstill: that life is over.
_SERVER_OUTAGES = {
    "server kill": ("server start",),
    "server stop": ("server start",),
    "server suspend": ("server resume", "server start"),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that may stand between a client and its server: from no sooner than, to no later than (nanoseconds)."""

    name: str
    from_ns: int
    to_ns: int
    done: Observation


class Troubles:
    """All troubles of one person.

    Attributes:
        all: in the order in which they began.
    """

    def __init__(self, troubles: Iterable[Trouble]) -> None:
        self.all = sorted(troubles, key=lambda each: each.from_ns)
        self._from = [each.from_ns for each in self.all]
        self._over = list(accumulate((each.to_ns for each in self.all), max))  # this one, and all before

    def during(self, from_ns: int, to_ns: int) -> list[Trouble]:
        """Return those that were there in this span, some time between its ends."""
        there = self.all[bisect_right(self._over, from_ns) : bisect_left(self._from, to_ns)]
        return [each for each in there if each.to_ns > from_ns]

    def alone(self, apart_ns: int) -> Iterator[Trouble]:
        """Yield each that no other is beside, and before which all was over for so long."""
        for index, each in enumerate(self.all):
            is_first = index == 0 or self._over[index - 1] + apart_ns < each.from_ns
            if is_first and bisect_right(self._from, each.to_ns) == index + 1:
                yield each

    def outages(self, back_ns: int, by_ns: int) -> Iterator[tuple[int, int]]:
        """Yield when a client can have been cut off, the latest first: troubles that began by then, as they were.

        Each lasts until the client must be back after it. Those that leave no time to be back in between are one.
        """
        end = bisect_right(self._from, by_ns)
        to_ns = 0
        for index in reversed(range(end)):
            to_ns = max(to_ns, self._over[index] + back_ns)
            if index == 0 or self._from[index] > self._over[index - 1] + back_ns:
                yield self._from[index], to_ns
                to_ns = 0


def link_troubles(observations: Sequence[Observation]) -> list[Trouble]:
    """Return each fault on a link: two of one name are never there at once."""
    found: list[Trouble] = []
    healed_ns: dict[str, int] = {}  # of each name the next healing
    for seen in reversed(observations):
        if seen.what is not What.FAULT:
            continue
        if seen.name.startswith(_HEALING):
            healed_ns[seen.name.removeprefix(_HEALING)] = _end_ns(seen)
        else:
            to_ns = healed_ns.get(seen.name)
            until_ns = FOR_EVER_NS if to_ns is None else to_ns + _still_under_way_ns(seen)
            found.append(Trouble(seen.name, seen.at_ns, until_ns, seen))
    return found[::-1]


def server_troubles(trace: Sequence[Observation]) -> list[Trouble]:
    """Return each time without a server."""
    found: list[Trouble] = []
    undone: dict[str, int] = {}  # by what was done to the server, when something next takes it back
    for deed in reversed(trace):
        if deed.what is What.SERVER:
            undone |= {outage: _end_ns(deed) for outage, ends in _SERVER_OUTAGES.items() if deed.name in ends}
            if deed.name in _SERVER_OUTAGES:
                found.append(Trouble(deed.name, deed.at_ns, undone.get(deed.name, FOR_EVER_NS), deed))
    return found[::-1]


def _end_ns(seen: Observation) -> int:
    return seen.at_ns if seen.until_ns is None else seen.until_ns


def _still_under_way_ns(fault: Observation) -> int:
    """How long after the healing the last byte arrives that was sent before."""
    return ns(float(fault.args.get("parameters", {}).get("delay_s", 0.0)))
