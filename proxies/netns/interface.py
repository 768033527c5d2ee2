"""What is done to a person's own interface, as when a plug is pulled or a machine moves into another network."""

from __future__ import annotations

from harness.errors import HostError
from proxies.netns.measures import Measure
from proxies.netns.wire import DEVICE, Wire


class Unplug(Measure):
    """The interface is down: nothing comes or goes, and there is no way to anywhere."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def take(self) -> None:
        """Set it down."""
        self._wire.set_down()

    def check(self) -> str:
        """Ask the kernel whether it is down."""
        is_up, _ = self._wire.shown()
        if is_up:
            raise HostError(f"{DEVICE} is up, and was to be down", why="something else has set it up")
        return f"{DEVICE} is down"

    def lift(self) -> None:
        """Set it up, with its addresses and the way to the servers."""
        self._wire.set_up()

    def clear(self) -> str:
        """Ask the kernel whether it is up."""
        is_up, _ = self._wire.shown()
        if not is_up:
            raise HostError(f"{DEVICE} was set up, and is down")
        return f"{DEVICE} is up"


class Move(Measure):
    """The person has another address in place of its first one, to which the servers find no way any more."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._first = wire.address
        self._second = wire.second_address

    def prepare(self) -> None:
        """Let the servers find the second address, which nobody has yet."""
        self._wire.make_known(self._second)

    def take(self) -> None:
        """Give the person the second address, and take the first away."""
        self._wire.move(self._second)

    def check(self) -> str:
        """Ask the kernel which addresses there are."""
        self._expect({self._second})
        return f"{DEVICE} has {self._second}, and {self._first} is gone"

    def lift(self) -> None:
        """Give the first address back, beside the second: what is connected from either lives."""
        self._wire.give_back(self._first)

    def clear(self) -> str:
        """Say which addresses there are."""
        self._expect({self._first, self._second})
        return f"{DEVICE} has {self._first} too"

    def _expect(self, addresses: set[str]) -> None:
        _, found = self._wire.shown()
        if found != addresses:
            raise HostError(
                f"{DEVICE} was to have {_listed(addresses)}, and has {_listed(found)}",
                why="something else has changed this run's namespaces",
            )


def _listed(addresses: set[str]) -> str:
    return " and ".join(sorted(addresses)) or "no address"
