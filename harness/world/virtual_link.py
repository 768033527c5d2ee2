"""A link of a virtual world: the words and the recipes of a real one, carried out on a simulated network."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol

from harness.spec.timing import ns
from harness.world.virtual_loop import Due, VirtualLoop
from harness.world.virtual_net import HOP_NS, Circuit, End, Toxics
from harness.world.virtual_server import VirtualServer
from proxies.breakable import BreakableLink, Observer
from proxies.effects import Effect
from proxies.fault import Interval
from proxies.gates import Cut, HangConnects
from proxies.recipes import ClosingBlackhole, ToxicRecipe
from proxies.toxics import Direction, ToxicSpec

# A call of Toxiproxy's API, about as long as a real one; what it does happens in the middle of it.
CALL_NS = 1_000_000
# When the kernel repeats a SYN without an answer, counted from the first: the pauses double.
SYN_REPEATED_S = (1.0, 3.0, 7.0, 15.0, 31.0, 63.0)
_BYTES_PER_KB = 1000


class Gate(Enum):
    """What becomes of a connect."""

    OPEN = auto()
    REFUSING = auto()
    HANGING = auto()


class Caller(End, Protocol):
    """A client's socket on its way to a connection."""

    def connected(self, circuit: Circuit) -> None:
        """The connect has succeeded."""

    def refused(self) -> None:
        """The connect has failed."""


class VirtualLink(BreakableLink):
    """A link to a server, with every connection that was made through it."""

    def __init__(
        self, name: str, loop: VirtualLoop, server: VirtualServer, *, number: int, resettable: bool, observer: Observer
    ) -> None:
        super().__init__(
            name, address=("virtual", number), upstream=("virtual", 0), resettable=resettable, observer=observer
        )
        self._loop = loop
        self._server = server
        self._gate = Gate.OPEN
        self._toxics = {direction: Toxics() for direction in Direction}
        self._circuits: list[Circuit] = []

    # --------------------------------------------------------------------------------------------------- connections

    def connect(self, caller: Caller) -> Connecting:
        """Begin to connect a client."""
        return Connecting(self._loop, self, caller)

    @property
    def gate(self) -> Gate:
        """What becomes of a connect at this moment."""
        return self._gate

    def establish(self, caller: Caller) -> None:
        """The proxy accepts a client, and connects to the server for it."""
        circuit = Circuit(
            self._loop,
            caller,
            self._server,
            to_server=self._toxics[Direction.TO_SERVER],
            to_client=self._toxics[Direction.TO_CLIENT],
        )
        self._circuits = [each for each in self._circuits if not each.is_over]
        self._circuits.append(circuit)
        caller.connected(circuit)
        if not self._server.accept(circuit):
            circuit.server_closes()  # nobody is there, so nobody is told
            circuit.sever()  # Toxiproxy accepts, and hangs up when it cannot reach the server

    # -------------------------------------------------------------------------------------------------------- faults

    def now_ns(self) -> int:
        """The virtual time."""
        return self._loop.now_ns()

    async def _make(self, recipe: Effect) -> tuple[Interval, str]:
        return await self._called(lambda: self._apply(recipe)), "simulated"

    async def _unmake(self, recipe: Effect) -> tuple[Interval, str]:
        return await self._called(lambda: self._take_away(recipe)), "simulated"

    async def _confirm(self, recipe: Effect) -> None:
        """A simulated fault cannot go away by itself."""

    async def _delete(self) -> None:
        self._gate = Gate.REFUSING
        self._sever_all()

    async def _called(self, deed: Callable[[], None]) -> Interval:
        began_ns = self._loop.now_ns()
        self._loop.call_at_ns(began_ns + CALL_NS // 2, deed)
        await self._loop.sleep_until(began_ns + CALL_NS)
        return Interval(began_ns, began_ns + CALL_NS)

    def _apply(self, recipe: Effect) -> None:
        match recipe:
            case Cut():
                self._gate = Gate.REFUSING
                self._sever_all()
                if isinstance(recipe, HangConnects):  # its listener takes the port a moment later
                    self._loop.call_at_ns(self._loop.now_ns() + CALL_NS // 2, self._hang)
            case ToxicRecipe():
                self._switch(recipe, on=True)

    def _take_away(self, recipe: Effect) -> None:
        match recipe:
            case Cut():
                self._gate = Gate.OPEN
            case ToxicRecipe():
                self._switch(recipe, on=False)
                if isinstance(recipe, ClosingBlackhole):
                    self._sever_all()

    def _hang(self) -> None:
        self._gate = Gate.HANGING

    def _switch(self, recipe: ToxicRecipe, *, on: bool) -> None:
        for toxic in recipe.toxics:
            _set(self._toxics[toxic.direction], toxic, on=on)
        for circuit in list(self._circuits):
            circuit.to_server.changed()
            circuit.to_client.changed()

    def _sever_all(self) -> None:
        circuits, self._circuits = self._circuits, []
        for circuit in circuits:
            circuit.sever()


class Connecting:
    """A connect on its way: its SYN, and the repetitions of that as long as nobody answers."""

    def __init__(self, loop: VirtualLoop, link: VirtualLink, caller: Caller) -> None:
        self._loop = loop
        self._link = link
        self._caller = caller
        self._began_ns = loop.now_ns()
        self._repeated = 0
        self._due: Due = loop.call_at_ns(self._began_ns + HOP_NS, self._syn)

    def give_up(self) -> None:
        """The client wants it no more."""
        self._due.cancel()

    def _syn(self) -> None:
        match self._link.gate:
            case Gate.OPEN:
                self._link.establish(self._caller)
            case Gate.REFUSING:
                self._caller.refused()
            case Gate.HANGING if self._repeated == len(SYN_REPEATED_S):
                self._caller.refused()  # ETIMEDOUT, in fact
            case Gate.HANGING:
                at_ns = self._began_ns + ns(SYN_REPEATED_S[self._repeated]) + HOP_NS
                self._repeated += 1
                self._due = self._loop.call_at_ns(at_ns, self._syn)


def _set(toxics: Toxics, toxic: ToxicSpec, *, on: bool) -> None:
    """Switch one toxic on or off; see ``proxies.toxics`` for what there is."""
    value = next(iter(toxic.attributes.values()), 0)
    match toxic.kind:
        case "timeout":
            toxics.is_dropping = on
        case "slow_close":
            toxics.holds_fin = on
        case "latency":
            toxics.delay_ns = toxic.attributes["latency"] * 1_000_000 if on else 0
        case "bandwidth" if value == 0:
            toxics.is_holding = on
        case "bandwidth":
            toxics.bytes_per_s = value * _BYTES_PER_KB if on else 0
        case "limit_data":
            toxics.bytes_max = value if on else None
        case _:
            raise NotImplementedError(f"the simulated network has no toxic {toxic.kind!r}")
