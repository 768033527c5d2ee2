"""What can be done to a link, by effect, whoever carries it out: a real Toxiproxy, or a simulated one.

Here are the words, what may be combined, and what is told of it. How a fault is made is left to those who inherit.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from harness.errors import ToxiproxyError, UsageError
from proxies import effects, gates, recipes
from proxies.effects import Effect
from proxies.fault import Fault, FaultEvent, Interval, Phase
from proxies.flap import Flap
from proxies.lacking import LackingFaultError
from proxies.recipes import Recipe
from proxies.toxics import BOTH, Direction

Observer = Callable[[FaultEvent], None]


class BreakableLink(ABC):
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
        *,
        address: tuple[str, int],
        upstream: tuple[str, int],
        resettable: bool,
        observer: Observer | None,
    ) -> None:
        self.name = name
        self.address = address
        self.upstream = upstream
        self.resettable = resettable
        self._observer = observer
        self._active: list[Fault] = []
        self._lock = asyncio.Lock()
        self._uncertain: str | None = None
        self._closed = False

    # -- left to those who carry it out -----------------------------------------------------------------------------

    @abstractmethod
    def now_ns(self) -> int:
        """The monotonic time in which this link lives."""

    @abstractmethod
    async def _make(self, recipe: Effect) -> tuple[Interval, str]:
        """Have a fault take effect; returns when it did, and what proved it."""

    @abstractmethod
    async def _unmake(self, recipe: Effect) -> tuple[Interval, str]:
        """Prove that a fault was in place until now, and take it away; returns when, and what proved it."""

    @abstractmethod
    async def _confirm(self, recipe: Effect) -> None:
        """Prove that a fault is in place."""

    @abstractmethod
    async def _delete(self) -> None:
        """Take the link away, with all that is connected through it."""

    def _check_means(self, effect: Effect) -> None:
        """Raise LackingFaultError where this link has not the means for a fault; nothing was touched."""
        if not isinstance(effect, Recipe):
            raise LackingFaultError(
                f"no Toxiproxy can make the fault {effect.effect!r}",
                why="it lies below TCP, of which Toxiproxy's two connections know nothing",
                mend="play it by --faults netns",
            )

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
        return Flap(self, period_s=period_s, count=count)

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

    # -- below TCP: only where the engine has the means --------------------------------------------------------------

    def drop(self, direction: Direction | None = None) -> Fault:
        """Drop every packet, both ways or one way; healed, the kernel sends again what nobody has acknowledged."""
        return Fault(self, effects.drop(_directions(direction)))

    def unplug(self) -> Fault:
        """Take the client's network away: no packet comes or goes, and a new connect fails at once."""
        return Fault(self, effects.unplug())

    def change_address(self) -> Fault:
        """Give the client's machine another address in place of its own; healed, it has both."""
        return Fault(self, effects.change_address())

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
        """Take the link away with all that is connected through it; the active faults end with it, unobserved.

        Raises:
            ToxiproxyError: the server is gone or does not answer.
        """
        async with self._lock:
            if self._closed:
                return
            self.abandon()
            await self._delete()

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
            LackingFaultError: this link has not the means for it; nothing was touched.
            ToxiproxyError: Toxiproxy did not do it, or it could not be proven.
        """
        asked_ns = self.now_ns()
        async with self._lock:
            self._check_usable()
            self._check_combination(fault)
            self._check_means(fault.recipe)
            self._active.append(fault)
            with self._changing(f"{fault} was being injected"):
                fault.injected, fault.proof = await self._make(fault.recipe)
        self._tell(fault.event(Phase.INJECTED, asked_ns, fault.injected, fault.proof))

    async def heal(self, fault: Fault) -> None:
        """Read back that the fault was in place, take it away, prove that, tell the observer."""
        asked_ns = self.now_ns()
        async with self._lock:
            self._check_usable()
            if fault not in self._active:
                raise UsageError(f"{fault} was healed before")
            with self._changing(f"{fault} was being healed"):
                healed, proof = await self._unmake(fault.recipe)
            fault.healed = healed
            self._active.remove(fault)
        self._tell(fault.event(Phase.HEALED, asked_ns, healed, proof))

    async def confirm(self) -> None:
        """Prove of each fault in place that it still is.

        Raises:
            ToxiproxyError: one has healed by itself, or nobody knows what the link does any more.
        """
        async with self._lock:
            if self._closed:
                return
            self._check_usable()
            for fault in self._active:
                await self._confirm(fault.recipe)

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


def _directions(direction: Direction | None) -> tuple[Direction, ...]:
    return BOTH if direction is None else (direction,)
