"""A fault on a link: what it is called, when it took effect, what proved it, and how to heal it."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from harness.errors import UsageError
from proxies.effects import Effect


@dataclass(frozen=True, slots=True)
class Interval:
    """The monotonic nanoseconds around the call that made something happen; it happened in between."""

    t0_ns: int
    t1_ns: int

    @property
    def duration_ns(self) -> int:
        """How long the call took: the uncertainty of when it took effect."""
        return self.t1_ns - self.t0_ns


class Phase(StrEnum):
    """What has happened to a fault."""

    INJECTED = "injected"
    HEALED = "healed"


@dataclass(frozen=True, slots=True)
class FaultEvent:
    """What an observer is told when a fault has taken effect and when it has been healed.

    Attributes:
        link: the link's name.
        effect: what the fault does, such as ``freeze``.
        phase: taken effect, or healed.
        asked_ns: monotonic nanoseconds when it was asked for; what lies between that and t0_ns is preparation.
        t0_ns: monotonic nanoseconds right before the call that made it.
        t1_ns: monotonic nanoseconds right after it.
        visible: whether the ends are told by a FIN or an RST, or see only silence.
        proof: what showed that it took effect.
        parameters: the fault's arguments.
    """

    link: str
    effect: str
    phase: Phase
    asked_ns: int
    t0_ns: int
    t1_ns: int
    visible: bool
    proof: str
    parameters: Mapping[str, str | int | float | bool]


class FaultOwner(Protocol):
    """Where a fault is injected and healed: its link."""

    @property
    def name(self) -> str:
        """The link's name."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port where clients connect."""

    @property
    def closed(self) -> bool:
        """Whether the link is gone, and every fault on it."""

    def now_ns(self) -> int:
        """The monotonic time in which it lives."""

    async def inject(self, fault: Fault) -> None:
        """Make the fault take effect and prove it."""

    async def heal(self, fault: Fault) -> None:
        """Prove that the fault was still in place, and take it away."""


class Fault:
    """One fault on one link: ``fault = await link.cut()``, or ``async with link.freeze() as fault:``.

    Nothing is touched before it is awaited or entered. Leaving the block heals it, unless that was done inside.

    Attributes:
        recipe: what is done to the link.
        healed: when it was healed, or None.
        proof: what proved that it took effect; empty before that.
    """

    def __init__(self, owner: FaultOwner, recipe: Effect) -> None:
        self.recipe = recipe
        self.healed: Interval | None = None
        self.proof = ""
        self._owner = owner
        self._injected: Interval | None = None
        self._begun = False

    @property
    def effect(self) -> str:
        """What the fault does to the link, such as ``freeze``."""
        return self.recipe.effect

    @property
    def link(self) -> str:
        """The link's name."""
        return self._owner.name

    @property
    def visible(self) -> bool:
        """Whether the ends are told by a FIN or an RST (True), or see only silence (False)."""
        return self.recipe.visible

    @property
    def parameters(self) -> Mapping[str, str | int | float | bool]:
        """The arguments that it was made with."""
        return self.recipe.parameters

    @property
    def injected(self) -> Interval:
        """When it took effect.

        Raises:
            UsageError: it has not been awaited yet.
        """
        if self._injected is None:
            raise UsageError(f"{self} has not taken effect", mend=f"await it: `await link.{self.effect}(...)`")
        return self._injected

    @injected.setter
    def injected(self, interval: Interval) -> None:
        self._injected = interval

    @property
    def active(self) -> bool:
        """Whether it has taken effect and was neither healed nor ended with its link."""
        return self._injected is not None and self.healed is None and not self._owner.closed

    async def heal(self) -> None:
        """Take the fault away, after reading back that it was in place until now.

        Raises:
            UsageError: it was never injected, was healed before, or its link is closed.
            ToxiproxyError: it had healed by itself, or Toxiproxy did not do what it was told.
        """
        _ = self.injected
        if self.healed is not None:
            raise UsageError(f"{self} was healed before")
        if self._owner.closed:
            raise UsageError(f"{self} ended when its link was closed")
        await self._owner.heal(self)

    def event(self, phase: Phase, asked_ns: int, interval: Interval, proof: str) -> FaultEvent:
        """What an observer is told about this fault."""
        times = (asked_ns, interval.t0_ns, interval.t1_ns)
        return FaultEvent(self.link, self.effect, phase, *times, self.visible, proof, dict(self.parameters))

    async def _inject(self) -> Self:
        if self._begun:
            raise UsageError(f"{self} was injected before", mend=f"make a new one: `link.{self.effect}(...)`")
        self._begun = True
        await self._owner.inject(self)
        return self

    def __await__(self) -> Generator[object, None, Self]:
        return self._inject().__await__()

    async def __aenter__(self) -> Self:
        return await self._inject()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self.active:
            await self.heal()

    def __str__(self) -> str:
        return f"{self.effect} of link {self.link}"

    def __del__(self) -> None:
        # Like a coroutine that nobody awaited: a scenario that forgot `await` has tested nothing. A fault whose
        # making failed has no such attribute.
        if not getattr(self, "_begun", True):
            warnings.warn(f"{self} was never awaited, so nothing was done", RuntimeWarning, stacklevel=2)
