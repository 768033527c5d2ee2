"""What each fault does to a proxy: the steps before it, the calls that make it, its proof, and the way back.

A recipe runs in a worker thread and may block. Its parts run in the order `prepare`, `inject`, `prove`, and later
`check`, `heal`, `prove_healed`; only `inject` and `heal` may change what the two ends can see, and the time is taken
around them alone.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

from harness.errors import ToxiproxyError, UsageError
from proxies.api import ProxyControl, ProxyState, ToxicState
from proxies.dead_connections import await_dead_connections
from proxies.effects import Effect, Parameters, where
from proxies.toxics import BOTH, Direction, ToxicSpec

# Longer than any run: until the fault is healed, no end is told that the other one has closed.
_CLOSE_HELD_MS: Final = 24 * 3600 * 1000


class Recipe(Effect, ABC):
    """How Toxiproxy makes one effect, and heals it."""

    @abstractmethod
    def prepare(self, proxy: ProxyControl) -> None:
        """Whatever can be done before, without any effect on the link."""

    @abstractmethod
    def inject(self, proxy: ProxyControl) -> None:
        """The calls that make the fault."""

    @abstractmethod
    def prove(self, proxy: ProxyControl) -> str:
        """Show that it took effect; says what showed it."""

    @abstractmethod
    def check(self, proxy: ProxyControl) -> None:
        """Raise ToxiproxyError where the fault is no longer in place."""

    @abstractmethod
    def heal(self, proxy: ProxyControl) -> None:
        """The calls that take the fault away."""

    @abstractmethod
    def prove_healed(self, proxy: ProxyControl) -> str:
        """Show that it is gone; says what showed it."""

    def _vanished(self, found: object) -> ToxiproxyError:
        return ToxiproxyError(
            f"{self.effect} is not in place: Toxiproxy has {found}",
            why="it did not take effect, healed by itself, or something else has changed the proxy.",
            mend="nothing but linkproof may talk to this Toxiproxy during a run.",
        )


class ToxicRecipe(Recipe):
    """A fault made of toxics that are switched on and, to heal it, off again in the reverse order.

    The toxics in `before` do nothing yet to a link in use and are on before the fault; those in `making` make it.
    """

    def __init__(
        self,
        effect: str,
        *,
        making: Sequence[ToxicSpec],
        before: Sequence[ToxicSpec] = (),
        visible: bool = False,
        parameters: Parameters | None = None,
    ) -> None:
        toxics = [*before, *making]
        super().__init__(
            effect, visible=visible, claims=[toxic.direction for toxic in toxics], parameters=parameters or {}
        )
        self._before = tuple(before)
        self._making = tuple(making)

    @property
    def toxics(self) -> tuple[ToxicSpec, ...]:
        """All its toxics, in the order in which they are switched on."""
        return self._before + self._making

    def prepare(self, proxy: ProxyControl) -> None:
        """Install every toxic switched off, then switch on those that do nothing yet."""
        for toxic in self.toxics:
            proxy.install(toxic)
        for toxic in self._before:
            proxy.switch(toxic, on=True)

    def inject(self, proxy: ProxyControl) -> None:
        """Switch on what makes the fault."""
        for toxic in self._making:
            proxy.switch(toxic, on=True)

    def prove(self, proxy: ProxyControl) -> str:
        """Read the toxics back."""
        self.check(proxy)
        return f"read back as sent: {', '.join(map(_describe, self.toxics))}"

    def check(self, proxy: ProxyControl) -> None:
        """Every toxic is there, switched on and as it was sent."""
        self._expect(proxy.state(), self.toxics, toxicity=1)

    def heal(self, proxy: ProxyControl) -> None:
        """Switch off, last first."""
        for toxic in reversed(self._making):
            proxy.switch(toxic, on=False)
        if self._before:
            await_dead_connections(proxy.state().listen)
        for toxic in reversed(self._before):
            proxy.switch(toxic, on=False)

    def prove_healed(self, proxy: ProxyControl) -> str:
        """Read back that each is switched off."""
        self._expect(proxy.state(), self.toxics, toxicity=0)
        return f"read back as switched off: {', '.join(toxic.name for toxic in self.toxics)}"

    def _expect(self, state: ProxyState, toxics: Sequence[ToxicSpec], *, toxicity: float) -> None:
        for toxic in toxics:
            expected = ToxicState(toxic.kind, toxic.direction.stream, toxicity, dict(toxic.attributes))
            if state.toxics.get(toxic.name) != expected:
                raise self._vanished(state.toxics.get(toxic.name, f"no toxic {toxic.name}"))


class ClosingBlackhole(ToxicRecipe):
    """A blackhole whose healing closes the connections that lived through it.

    Its toxics are the last of their direction and are removed, which closes every connection they sit in.
    """

    def heal(self, proxy: ProxyControl) -> None:
        """Remove, last first."""
        for toxic in reversed(self.toxics):
            proxy.remove_last(toxic)

    def prove_healed(self, proxy: ProxyControl) -> str:
        """Read back that they are gone."""
        left = {toxic.name for toxic in self.toxics} & set(proxy.state().toxics)
        if left:
            raise ToxiproxyError(f"{self.effect} is not healed: Toxiproxy still has {sorted(left)}")
        return f"read back as removed: {', '.join(toxic.name for toxic in self.toxics)}"


_serial = itertools.count(1)


def blackhole() -> ToxicRecipe:
    """Every byte is lost, both ways and without a word; after healing the same connections carry bytes again."""
    return ToxicRecipe("blackhole", making=[_dropping(direction) for direction in BOTH])


def blackhole_then_close() -> ToxicRecipe:
    """The same; healing closes the connections that lived through it."""
    serial = next(_serial)
    making = [
        ToxicSpec(f"drop_then_close_{direction}_{serial}", "timeout", direction, {"timeout": 0}) for direction in BOTH
    ]
    return ClosingBlackhole("blackhole", making=making, parameters={"closes_on_heal": True})


def silence(direction: Direction) -> ToxicRecipe:
    """Every byte of one direction is lost, without a word."""
    return ToxicRecipe("silence", making=[_dropping(direction)], parameters={"direction": direction.value})


def freeze(directions: Sequence[Direction]) -> ToxicRecipe:
    """Every byte and every FIN is held, and delivered in order after the thaw; nothing is lost."""
    return ToxicRecipe(
        "freeze",
        before=[_close_holding(direction) for direction in directions],
        making=[ToxicSpec(f"hold_{direction}", "bandwidth", direction, {"rate": 0}) for direction in directions],
        parameters=where(directions),
    )


def half_open(direction: Direction) -> ToxicRecipe:
    """Bytes pass, and when one end is closed or dies the other end, towards `direction`, is not told."""
    return ToxicRecipe("half_open", making=[_close_holding(direction)], parameters={"direction": direction.value})


def delay(delay_s: float, directions: Sequence[Direction]) -> ToxicRecipe:
    """Every byte arrives `delay_s` later, in order."""
    delay_ms = round(delay_s * 1000)
    if delay_ms < 1:
        raise UsageError(f"a delay must be 0.001 s or more, and is {delay_s!r}")
    making = [
        ToxicSpec(f"delay_{direction}", "latency", direction, {"latency": delay_ms, "jitter": 0})
        for direction in directions
    ]
    return ToxicRecipe("delay", making=making, parameters={"delay_s": delay_ms / 1000, **where(directions)})


def trickle(rate_kb_per_s: int, directions: Sequence[Direction]) -> ToxicRecipe:
    """Bytes pass at this rate (1 kB = 1000 bytes, Toxiproxy's own unit), in order."""
    if rate_kb_per_s < 1:
        raise UsageError(f"a trickle must be 1 kB/s or more, and is {rate_kb_per_s!r}", mend="to hold all: freeze()")
    making = [
        ToxicSpec(f"trickle_{direction}", "bandwidth", direction, {"rate": rate_kb_per_s}) for direction in directions
    ]
    return ToxicRecipe("trickle", making=making, parameters={"rate_kb_per_s": rate_kb_per_s, **where(directions)})


def truncate(after_bytes: int, direction: Direction) -> ToxicRecipe:
    """Exactly so many more bytes pass on each connection, then it is closed at both ends."""
    if after_bytes < 1:
        raise UsageError(f"a truncation must let 1 byte or more pass, and is {after_bytes!r}", mend="use cut()")
    # A toxic of its own each time: the bytes it has let pass on a connection are never counted anew.
    limit = ToxicSpec(f"limit_{direction}_{next(_serial)}", "limit_data", direction, {"bytes": after_bytes})
    parameters: Parameters = {"after_bytes": after_bytes, "direction": direction.value}
    return ToxicRecipe("truncate", making=[limit], visible=True, parameters=parameters)


def _dropping(direction: Direction) -> ToxicSpec:
    return ToxicSpec(f"drop_{direction}", "timeout", direction, {"timeout": 0})


def _close_holding(direction: Direction) -> ToxicSpec:
    return ToxicSpec(f"hold_close_{direction}", "slow_close", direction, {"delay": _CLOSE_HELD_MS})


def _describe(toxic: ToxicSpec) -> str:
    values = ", ".join(f"{name}={value}" for name, value in toxic.attributes.items())
    return f"{toxic.name} ({toxic.kind} {values}, {toxic.direction})"
