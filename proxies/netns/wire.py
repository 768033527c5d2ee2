"""A person's wire: a pair of interfaces, one in the person's own namespace and one in that of the servers."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from harness.errors import HostError
from proxies.netns.kernel import tell
from proxies.netns.namespaces import Namespace
from proxies.netns.netlink import close_connections, set_group
from proxies.netns.rules import Treatment, set_up, stopped
from proxies.toxics import Direction

# Nobody else can see these: they exist inside the run's namespaces alone.
SERVERS: Final = {4: "10.99.0.1", 6: "fd99::1"}
_PEOPLE: Final = {4: ipaddress.ip_address("10.98.0.0"), 6: ipaddress.ip_address("fd98::")}
_PREFIX: Final = {4: 32, 6: 128}
WIRES_MAX: Final = 30_000  # each may have a second address, and 10.98 has no more
DEVICE: Final = "eth0"  # a person's
_SYSCTL: Final = Path("/proc/sys/net")


def address_of(number: int, version: int) -> str:
    """Return the address of a person; numbers above ``WIRES_MAX`` are second ones."""
    return str(_PEOPLE[version] + number)


@dataclass(frozen=True, slots=True)
class End:
    """One end of a wire, from which packets leave in one direction and at which they arrive in the other."""

    namespace: Namespace
    device: str


@dataclass(slots=True, eq=False)
class Wire:
    """What joins a person with the servers; nothing else leads to either."""

    number: int
    version: int  # of the internet protocol: 4 or 6
    person: End
    hub: End
    addresses: list[str]  # the person's, and first the one that it connects from
    _treatments: dict[End, Treatment] = field(default_factory=dict)

    @classmethod
    def lay(cls, hub: Namespace, number: int, version: int) -> Self:
        """Lay a wire from the servers' namespace to one that is made for it.

        Raises:
            HostError: the kernel refuses.
        """
        person = Namespace.create()
        try:
            wire = cls(number, version, End(person, DEVICE), End(hub, f"wire{number}"), [address_of(number, version)])
            with person.entered():
                quiet(version)
            pair = f"link add {wire.hub.device} type veth peer name {DEVICE} netns {person.path}"
            hub_end = [pair, *_heeding(wire.hub.device, version), f"link set {wire.hub.device} up"]
            tell(hub, ["ip", "-batch", "-"], "".join(f"{step}\n" for step in [*hub_end, wire.route(wire.address)]))
            wire._tell_person("link set lo up", wire.having(wire.address), f"link set {DEVICE} up", wire.way)
        except BaseException:
            person.close()
            raise
        return wire

    def sender(self, direction: Direction) -> End:
        """Return the end from which packets of a direction leave."""
        return self.person if direction is Direction.TO_SERVER else self.hub

    def receiver(self, direction: Direction) -> End:
        """Return the end at which packets of a direction arrive."""
        return self.hub if direction is Direction.TO_SERVER else self.person

    def arm(self, end: End) -> None:
        """Make sure that there are rules at an end; those of the servers' end are there from the beginning."""
        if end is self.person and end not in self._treatments:
            set_up(end.namespace)
            self._treatments[end] = Treatment.NONE

    def treatment(self, end: End) -> Treatment:
        """Return how packets that arrive at an end are treated."""
        return self._treatments.get(end, Treatment.NONE)

    def treat(self, end: End, treatment: Treatment) -> None:
        """Have packets that arrive at an end treated so."""
        set_group(end.namespace, end.device, treatment.value)
        self._treatments[end] = treatment

    def stopped(self, end: End) -> int:
        """Return how many packets were stopped when they arrived at an end."""
        return stopped(end.namespace).get(end.device, 0)

    def close_connections(self) -> int:
        """Have the kernel close what is connected, the servers' ends first: so it is the person who is told by an RST.

        Returns how many ends of connections were closed so.
        """
        return sum(
            close_connections(end.namespace, self.addresses, is_peer=end is self.hub) for end in (self.hub, self.person)
        )

    @property
    def address(self) -> str:
        """The address that the person connects from."""
        return self.addresses[0]

    @property
    def second_address(self) -> str:
        """The address that the person can move to."""
        return address_of(self.number + WIRES_MAX, self.version)

    @property
    def way(self) -> str:
        """The step by which the person finds the servers."""
        return f"route replace {SERVERS[self.version]} dev {DEVICE} src {self.address}"

    def set_down(self) -> None:
        """Take the person's network away; with that the kernel forgets the way to the servers."""
        self._tell_person(f"link set {DEVICE} down")

    def set_up(self) -> None:
        """Give it back, with the addresses, which IPv6 has lost."""
        self._tell_person(f"link set {DEVICE} up", *map(self.having, self.addresses), self.way)

    def make_known(self, address: str) -> None:
        """Let the servers find an address, whether anybody has it or not."""
        tell(self.hub.namespace, ["ip", "-batch", "-"], f"{self.route(address)}\n")

    def move(self, address: str) -> None:
        """Give the person another address in the place of the one it has; the servers do not find that any more."""
        before, self.addresses = self.address, [address]
        self._tell_person(
            self.having(address), self.way, self.having(before, verb="del"), self._dead_end(before, "add")
        )
        tell(self.hub.namespace, ["ip", "-batch", "-"], f"{self.route(before, verb='del')}\n")

    def give_back(self, address: str) -> None:
        """Let the person have an address that it had before, beside the one it has."""
        self.make_known(address)
        self._tell_person(self._dead_end(address, "del"), self.having(address))
        self.addresses.append(address)

    def shown(self) -> tuple[bool, set[str]]:
        """Return whether the person's interface is up, and which addresses it has."""
        told = json.loads(tell(self.person.namespace, ["ip", "-json", "addr", "show", "dev", DEVICE]))[0]
        return "UP" in told["flags"], {each["local"] for each in told["addr_info"] if each["scope"] == "global"}

    def having(self, address: str, *, verb: str = "replace") -> str:
        """Return the step by which the person gets an address, or loses it."""
        # IPv6 looks for others that have it already, for a second in which it cannot be used. Nobody has.
        alone = " nodad" if self.version == 6 and verb == "replace" else ""
        return f"addr {verb} {address}/{_PREFIX[self.version]} dev {DEVICE}{alone}"

    def route(self, address: str, *, verb: str = "replace") -> str:
        """Return the step by which the servers find a person's address, or no longer do."""
        return f"route {verb} {address}/{_PREFIX[self.version]} dev {self.hub.device} src {SERVERS[self.version]}"

    def _dead_end(self, address: str, verb: str) -> str:
        """Return the step by which what is sent from an address gets no further, or does again.

        Without it a connection of IPv6 goes on to send from an address that nobody has any more.
        """
        return f"rule {verb} from {address}/{_PREFIX[self.version]} blackhole"

    def _tell_person(self, *steps: str) -> None:
        tell(self.person.namespace, ["ip", f"-{self.version}", "-batch", "-"], "".join(f"{step}\n" for step in steps))

    def cut_off(self) -> None:
        """Take the wire away, with both its ends and everything on them."""
        try:
            tell(self.hub.namespace, ["ip", "link", "delete", self.hub.device])
        finally:
            self.person.namespace.close()


def lay_hub(version: int) -> Namespace:
    """Make the namespace of the servers; they have an address there that every wire leads to.

    Raises:
        HostError: the kernel refuses.
    """
    hub = Namespace.create()
    try:
        with hub.entered():
            quiet(version)
        alone = " nodad" if version == 6 else ""
        having = f"addr add {SERVERS[version]}/{_PREFIX[version]} dev lo{alone}"
        tell(hub, ["ip", "-batch", "-"], f"link set lo up\n{having}\n")
        set_up(hub)
    except BaseException:
        hub.close()
        raise
    return hub


def _heeding(device: str, version: int) -> list[str]:
    """Return the steps by which the servers' end of a wire answers whoever looks for the servers' address there.

    IPv4 answers for every address of the machine, on whichever interface it is; IPv6 for those of the interface alone.
    """
    return [f"addr add {SERVERS[version]}/{_PREFIX[version]} dev {device} nodad"] if version == 6 else []


def quiet(version: int) -> None:
    """In the namespace that the thread is in: have no interface speak by itself of what nobody asks for."""
    try:
        if version == 4:
            (_SYSCTL / "ipv6/conf/default/disable_ipv6").write_text("1")
        else:
            (_SYSCTL / "ipv6/conf/default/accept_ra").write_text("0")
            # Nor have it wait, before it can be used, until nobody has said to have the same address.
            (_SYSCTL / "ipv6/conf/default/accept_dad").write_text("0")
    except FileNotFoundError as error:
        if version == 6:
            raise HostError("this machine has no IPv6", why=str(error), mend="leave --ipv6 out") from error
