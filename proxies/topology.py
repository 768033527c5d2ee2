"""The links of a scenario by name, each with the two ends it joins, and what cuts groups of ends off each other."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType, TracebackType
from typing import Final, Self

from harness.errors import UsageError
from proxies.breakable import BreakableLink
from proxies.fault import Fault, Interval

# The faults that part groups; each holds a link as a whole.
_EFFECTS: Final = MappingProxyType(
    {
        "blackhole": BreakableLink.blackhole,
        "cut": BreakableLink.cut,
        "refuse": BreakableLink.refuse,
        "freeze": BreakableLink.freeze,
    }
)


@dataclass(frozen=True, slots=True)
class Edge:
    """One link and the names of its two ends."""

    link: BreakableLink
    client: str
    server: str


class Topology:
    """Named links; ``topology.partition([{"alice", "server"}, {"bob"}])`` cuts bob off."""

    def __init__(self) -> None:
        self._edges: dict[str, Edge] = {}

    @property
    def edges(self) -> Mapping[str, Edge]:
        """Every link by its name."""
        return MappingProxyType(self._edges)

    @property
    def ends(self) -> frozenset[str]:
        """The names of all ends."""
        return frozenset(end for edge in self._edges.values() for end in (edge.client, edge.server))

    def add(self, link: BreakableLink, *, client: str, server: str) -> None:
        """Say which two ends a link joins.

        Raises:
            UsageError: a link of that name is known already, or both ends are the same.
        """
        if link.name in self._edges:
            raise UsageError(
                f"there are two links {link.name!r}", mend="each link of a topology has a name of its own."
            )
        if client == server:
            raise UsageError(f"link {link.name!r} joins {client!r} with itself")
        self._edges[link.name] = Edge(link, client, server)

    def link(self, name: str) -> BreakableLink:
        """The link of that name.

        Raises:
            UsageError: there is none.
        """
        if name not in self._edges:
            raise UsageError(
                f"there is no link {name!r}", mend=f"there are: {', '.join(sorted(self._edges)) or 'none'}"
            )
        return self._edges[name].link

    def partition(self, groups: Collection[Collection[str]], *, effect: str = "blackhole") -> Partition:
        """Cut the groups off each other: the fault on each link that crosses them, all at once.

        Args:
            groups: every end in exactly one of them.
            effect: blackhole, freeze, cut or refuse.

        Raises:
            UsageError: an end is unknown, in two groups or in none, or no link crosses the groups.
        """
        if effect not in _EFFECTS:
            raise UsageError(f"{effect!r} does not part groups", mend=f"one of: {', '.join(sorted(_EFFECTS))}")
        group_of = self._group_of(groups)
        crossing = [edge.link for edge in self._edges.values() if group_of[edge.client] != group_of[edge.server]]
        if not crossing:
            raise UsageError("no link crosses the groups, so that this partition would do nothing")
        return Partition(crossing, effect, groups)

    def _group_of(self, groups: Collection[Collection[str]]) -> dict[str, int]:
        group_of: dict[str, int] = {}
        for number, group in enumerate(groups):
            if isinstance(group, str):
                raise UsageError(f"the group {group!r} is a string", mend=f"write {{{group!r}}}")
            for end in group:
                if end not in self.ends:
                    raise UsageError(f"there is no end {end!r}", mend=f"there are: {', '.join(sorted(self.ends))}")
                if group_of.setdefault(end, number) != number:
                    raise UsageError(f"{end!r} is in two groups")
        missing = sorted(self.ends - set(group_of))
        if missing:
            raise UsageError(f"{', '.join(map(repr, missing))} is in no group", mend="put each end into one group.")
        return group_of


_SERVER: Final = "server"  # the end that the links of all people share


def partition_people(links: Mapping[str, BreakableLink], groups: Sequence[Sequence[str]]) -> Partition:
    """Cut people off each other who each have a link to one server, by their names; it is in the first group.

    Raises:
        UsageError: as of ``Topology.partition``.
    """
    topology = Topology()
    for person, link in links.items():
        topology.add(link, client=person, server=_SERVER)
    first, *others = groups
    return topology.partition([[*first, _SERVER], *others])


class Partition:
    """One fault on several links at once; awaited or entered like a single one.

    Attributes:
        effect: what is done to each link, such as ``blackhole``.
        links: the names of the links.
        groups: what was parted.
    """

    def __init__(self, links: Collection[BreakableLink], effect: str, groups: Collection[Collection[str]]) -> None:
        self.effect = effect
        self.links = tuple(link.name for link in links)
        self.groups = tuple(frozenset(group) for group in groups)
        self._links = tuple(links)
        self._faults: tuple[Fault, ...] = ()

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The fault on each link."""
        if not self._faults:
            raise UsageError("the partition has not taken effect", mend="await it: `await topology.partition(...)`")
        return self._faults

    @property
    def injected(self) -> Interval:
        """From right before the first link's call to right after the last one's."""
        return _joint([fault.injected for fault in self.faults])

    @property
    def healed(self) -> Interval | None:
        """The same for the healing; None until every link is healed."""
        healed = [fault.healed for fault in self.faults if fault.healed is not None]
        return _joint(healed) if len(healed) == len(self.faults) else None

    @property
    def visible(self) -> bool:
        """Whether the ends are told by a FIN or an RST."""
        return self.faults[0].visible

    @property
    def proof(self) -> str:
        """What proved each fault."""
        return "; ".join(f"{fault.link}: {fault.proof}" for fault in self.faults)

    async def heal(self) -> None:
        """Heal every link at once.

        Raises:
            UsageError: it was not begun, or was healed before.
            ToxiproxyError: a link had healed by itself; the others are healed all the same.
        """
        if not any(fault.active for fault in self.faults):
            raise UsageError("the partition was healed before, or ended with its links")
        await _all_of([fault.heal() for fault in self.faults if fault.active])

    async def _inject(self) -> Self:
        if self._faults:
            raise UsageError("the partition was injected before", mend="make a new one: `topology.partition(...)`")
        faults = tuple(_EFFECTS[self.effect](link) for link in self._links)
        self._faults = faults
        try:
            await _all_of([_injected(fault) for fault in faults])
        except BaseException:
            await _all_of([fault.heal() for fault in faults if fault.active])
            raise
        return self

    def __await__(self) -> Generator[object, None, Self]:
        return self._inject().__await__()

    async def __aenter__(self) -> Self:
        return await self._inject()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if any(fault.active for fault in self._faults):
            await self.heal()


async def _injected(fault: Fault) -> None:
    await fault


async def _all_of(actions: Collection[Coroutine[object, object, None]]) -> None:
    """Run all to their ends side by side, and only then raise the first error."""
    outcomes = await asyncio.gather(*actions, return_exceptions=True)
    for outcome in outcomes:
        if outcome is not None:
            raise outcome


def _joint(intervals: Collection[Interval]) -> Interval:
    return Interval(min(one.t0_ns for one in intervals), max(one.t1_ns for one in intervals))
