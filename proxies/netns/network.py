"""The network of a run: a namespace for the servers, and for each person one with a wire to it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Final, Self, TypeVar

from harness.addresses import Address, refuses
from harness.errors import HostError
from proxies.breakable import BreakableLink, Observer
from proxies.netns.kernel import check_means, versions
from proxies.netns.link import WiredLink
from proxies.netns.namespaces import Namespace
from proxies.netns.wire import SERVERS, WIRES_MAX, Wire, lay_hub
from proxies.ports import FIRST_PORT, PortBlock

T = TypeVar("T")

# More threads than processors only wait for each other.
_WORKERS: Final = 2


class WiredNetwork:
    """All the links of a run. Nothing of it can be seen, or reached, from outside; nothing outside from within."""

    def __init__(self, hub: Namespace, version: int, description: str) -> None:
        self.host = SERVERS[version]
        self.description = description
        self._hub = hub
        self._version = version
        self._numbers = itertools.count(1)
        self._links: list[WiredLink] = []
        self._wires: list[Wire] = []  # also those of which nobody has a link, having been cancelled meanwhile
        self._ports = PortBlock(FIRST_PORT)
        self._quick = ThreadPoolExecutor(_WORKERS, thread_name_prefix="netns")
        self._slow = ThreadPoolExecutor(_WORKERS, thread_name_prefix="netns, slow")

    @classmethod
    async def open(cls, *, ipv6: bool) -> Self:
        """Make the servers' namespace.

        Raises:
            HostError: a program or a right is missing, or the kernel refuses.
        """
        check_means()
        version = 6 if ipv6 else 4
        return cls(await asyncio.to_thread(lay_hub, version), version, await asyncio.to_thread(versions))

    async def open_link(
        self, name: str, upstream: Address, *, resettable: bool = False, observer: Observer | None = None
    ) -> WiredLink:
        """Lay a wire for a person.

        Raises:
            HostError: the kernel refuses.
        """
        number = next(self._numbers)
        if number > WIRES_MAX:
            raise HostError(f"a run has no more than {WIRES_MAX} wires", mend="select fewer scenarios (-k)")
        wire = await self.run_slow(lambda: self._lay(number))
        link = WiredLink(
            name,
            wire,
            self,
            server=upstream,
            resettable=resettable,
            observer=observer,
            on_close=lambda: self._forget(link),
        )
        self._links.append(link)
        return link

    async def confirm(self) -> None:
        """Make sure that the servers' namespace can still be entered; nothing else carries the links.

        Raises:
            HostError: it cannot.
        """
        await self.run(self._check_hub)

    def take_port(self) -> int:
        """Take a port for a server of a scenario's own."""
        return self._ports.take()

    def give_back_port(self, port: int) -> None:
        """Let a port that was taken be used again."""
        self._ports.give_back(port)

    @property
    def entry(self) -> Sequence[str]:
        """What is put in front of a command that is to run where the servers are."""
        return self._hub.entry

    def entry_of(self, link: BreakableLink) -> Sequence[str]:
        """Return what is put in front of a command that is to run where a link begins."""
        assert isinstance(link, WiredLink)
        return link.wire.person.namespace.entry

    def refuses(self, address: Address) -> bool:
        """Whether nobody listens at an address of the servers."""
        with self._hub.entered():
            return refuses(address)

    # A cancellation ends the waiting alone: half done, or left undone, a call would leave something in the kernel.

    async def run(self, call: Callable[[], T]) -> T:
        """Run a call that says something to the kernel in one of the network's threads."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._quick, call))

    async def run_slow(self, call: Callable[[], T]) -> T:
        """Run a call that starts programs in another one, where no fault waits for it."""
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._slow, call))

    async def close(self) -> None:
        """Take away every wire that is left, and the servers' namespace."""
        try:
            for link in list(self._links):
                await link.close()
        finally:
            for threads in (self._quick, self._slow):
                threads.shutdown(wait=True)
            with ExitStack() as left:
                left.callback(self._hub.close)
                for wire in self._wires:
                    left.callback(wire.cut_off)

    def _lay(self, number: int) -> Wire:
        wire = Wire.lay(self._hub, number, self._version)
        self._wires.append(wire)
        return wire

    def _forget(self, link: WiredLink) -> None:
        self._links.remove(link)
        self._wires.remove(link.wire)

    def _check_hub(self) -> None:
        with self._hub.entered():
            return
