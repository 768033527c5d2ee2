"""One link between a client and a server: one proxy, and the faults that it can be given, by their effect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

from harness.errors import ToxiproxyError, UsageError
from proxies import gates, recipes
from proxies.api import ProxyControl
from proxies.fault import Fault, FaultEvent, Interval, Phase
from proxies.flap import Flap
from proxies.recipes import Recipe
from proxies.toxics import BOTH, Direction

T = TypeVar("T")
Observer = Callable[[FaultEvent], None]


class Engine(Protocol):
    """What a link needs of its server: to run a blocking call beside the event loop."""

    async def run(self, call: Callable[[], T]) -> T:
        """Run it in a worker thread; ToxiproxyError where the server has died."""


class Link:
    """One link; clients connect to `address` and reach `upstream` through it.

    A fault is made when it is awaited or entered with ``async with``. Two faults that would hold the same direction,
    or would both close the whole link, cannot be active at once; a whole-link fault and a fault in a direction can.

    Attributes:
        name: what the scenario calls it.
        address: host and port where the client connects.
        upstream: host and port of the server.
        resettable: whether `reset` can be used; ends of such a link are told of every close by an RST.
    """

    def __init__(
        self,
        name: str,
        proxy: ProxyControl,
        engine: Engine,
        *,
        address: tuple[str, int],
        upstream: tuple[str, int],
        resettable: bool = False,
        observer: Observer | None = None,
        on_close: Callable[[Link], None] | None = None,
    ) -> None:
        self.name = name
        self.address = address
        self.upstream = upstream
        self.resettable = resettable
        self._proxy = proxy
        self._engine = engine
        self._observer = observer
        self._on_close = on_close
        self._active: list[Fault] = []
        self._lock = asyncio.Lock()
        self._uncertain: str | None = None
        self._closed = False

    # -- the whole link ---------------------------------------------------------------------------------------------

    def cut(self) -> Fault:
        """Close every connection at both ends (EOF or ECONNRESET, one class) and refuse new ones until healed."""
        return Fault(self, gates.Cut("cut", self.address))

    def refuse(self) -> Fault:
        """Refuse new connections; the same as a cut, for a scenario that is about the refusal."""
        return Fault(self, gates.Cut("refuse", self.address))

    def reset(self) -> Fault:
        """Close every connection by an RST at both ends, and refuse new ones until healed.

        Raises:
            UsageError: the link was not opened with ``resettable=True``.
        """
        if not self.resettable:
            raise UsageError(
                f"link {self.name} cannot be reset",
                why="Toxiproxy sends an RST only on connections that were made after it was told so.",
                mend="open_link(..., resettable=True), for a link of its own.",
            )
        return Fault(self, gates.Reset(self.address))

    def hang_connects(self) -> Fault:
        """Close every connection and leave every new connect unanswered (no SYN-ACK) until healed."""
        return Fault(self, gates.HangConnects(self.address))

    def flap(self, *, period_s: float, count: int) -> Flap:
        """Cut and heal `count` times: cut at 0, 1, 2 ... periods after the first, each healed half a period later."""
        return Flap(self, self.address, period_s=period_s, count=count)

    # -- its directions ---------------------------------------------------------------------------------------------

    def blackhole(self, *, closes_on_heal: bool = False) -> Fault:
        """Lose every byte both ways, silently; healed, the same connections carry bytes again, or are closed."""
        return Fault(self, recipes.blackhole_then_close() if closes_on_heal else recipes.blackhole())

    def freeze(self, direction: Direction | None = None) -> Fault:
        """Hold every byte and every FIN, both ways or one way; healed, all is delivered in order."""
        return Fault(self, recipes.freeze(_directions(direction)))

    def silence(self, direction: Direction) -> Fault:
        """Lose every byte of one direction, silently."""
        return Fault(self, recipes.silence(direction))

    def half_open(self, direction: Direction = Direction.TO_CLIENT) -> Fault:
        """Do not tell the end in `direction` that the other end has closed or died."""
        return Fault(self, recipes.half_open(direction))

    def delay(self, delay_s: float, direction: Direction | None = None) -> Fault:
        """Deliver every byte `delay_s` later, in order, both ways or one way; a connect itself is not delayed."""
        return Fault(self, recipes.delay(delay_s, _directions(direction)))

    def trickle(self, *, rate_kb_per_s: int, direction: Direction | None = None) -> Fault:
        """Let bytes pass at this rate (1 kB = 1000 bytes), in pieces each 0.1 s, both ways or one way."""
        return Fault(self, recipes.trickle(rate_kb_per_s, _directions(direction)))

    def truncate(self, *, after_bytes: int, direction: Direction = Direction.TO_CLIENT) -> Fault:
        """Let exactly so many more bytes pass on each connection, then close it at both ends."""
        return Fault(self, recipes.truncate(after_bytes, direction))

    # -- life ---------------------------------------------------------------------------------------------------------

    @property
    def active(self) -> tuple[Fault, ...]:
        """The faults in place, the latest last."""
        return tuple(self._active)

    @property
    def closed(self) -> bool:
        """Whether the link has been closed."""
        return self._closed

    async def close(self) -> None:
        """Delete the proxy with all that is connected through it; the active faults end with it, unobserved.

        Raises:
            ToxiproxyError: the server is gone or does not answer.
        """
        async with self._lock:
            if self._closed:
                return
            self.abandon()
            await self._engine.run(self._proxy.delete)
        if self._on_close is not None:
            self._on_close(self)

    def abandon(self) -> None:
        """Let go of what the link holds outside of Toxiproxy; for a server that is being closed as a whole."""
        self._closed = True
        for fault in self._active:
            fault.recipe.dispose()
        self._active.clear()

    async def inject(self, fault: Fault) -> None:
        """Make the fault take effect, prove it, tell the observer.

        Raises:
            UsageError: it cannot be combined with a fault that is in place; nothing was touched.
            ToxiproxyError: Toxiproxy did not do it, or it could not be proven.
        """
        async with self._lock:
            self._check_usable()
            self._check_combination(fault)
            self._active.append(fault)
            with self._changing(f"{fault} was being injected"):
                fault.injected, fault.proof = await self._engine.run(lambda: _inject(fault.recipe, self._proxy))
        self._tell(fault.event(Phase.INJECTED, fault.injected, fault.proof))

    async def heal(self, fault: Fault) -> None:
        """Read back that the fault was in place, take it away, prove that, tell the observer."""
        async with self._lock:
            self._check_usable()
            if fault not in self._active:
                raise UsageError(f"{fault} was healed before")
            with self._changing(f"{fault} was being healed"):
                healed, proof = await self._engine.run(lambda: _heal(fault.recipe, self._proxy))
            fault.healed = healed
            self._active.remove(fault)
        self._tell(fault.event(Phase.HEALED, healed, proof))

    @contextmanager
    def _changing(self, what: str) -> Iterator[None]:
        """Whatever ends the block early, a cancellation too, leaves a proxy of which nobody knows what it does."""
        try:
            yield
        except BaseException:
            self._uncertain = what
            raise

    def _check_usable(self) -> None:
        if self._closed:
            raise UsageError(f"link {self.name} is closed")
        if self._uncertain is not None:
            raise ToxiproxyError(
                f"nobody knows what link {self.name} does any more",
                why=f"an error or a cancellation came while {self._uncertain}.",
                mend="close the link and open another.",
            )

    def _check_combination(self, fault: Fault) -> None:
        for other in self._active:
            both = sorted(other.recipe.claims & fault.recipe.claims)
            if both:
                raise UsageError(
                    f"{fault} cannot be injected while its {other.effect} is in place",
                    why=f"both would hold: {', '.join(both)}.",
                    mend=f"heal the {other.effect} first.",
                )

    def _tell(self, event: FaultEvent) -> None:
        if self._observer is not None:
            self._observer(event)


def _inject(recipe: Recipe, proxy: ProxyControl) -> tuple[Interval, str]:
    recipe.prepare(proxy)
    t0_ns = time.monotonic_ns()
    recipe.inject(proxy)
    t1_ns = time.monotonic_ns()
    return Interval(t0_ns, t1_ns), recipe.prove(proxy)


def _heal(recipe: Recipe, proxy: ProxyControl) -> tuple[Interval, str]:
    recipe.check(proxy)
    t0_ns = time.monotonic_ns()
    recipe.heal(proxy)
    t1_ns = time.monotonic_ns()
    return Interval(t0_ns, t1_ns), recipe.prove_healed(proxy)


def _directions(direction: Direction | None) -> tuple[Direction, ...]:
    return BOTH if direction is None else (direction,)
