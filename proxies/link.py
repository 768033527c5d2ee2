"""One link through a real Toxiproxy: one proxy, driven over its API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from proxies import plug as plugs
from proxies.api import ProxyControl
from proxies.breakable import BreakableLink, Observer
from proxies.effects import UNPLUG, Effect
from proxies.fault import Interval
from proxies.plug import Plug
from proxies.recipes import Recipe

T = TypeVar("T")


class Engine(Protocol):
    """What a link needs of its server: to run a blocking call beside the event loop."""

    async def run(self, call: Callable[[], T]) -> T:
        """Run it in a worker thread; ToxiproxyError where the server has died."""


class Link(BreakableLink):
    """A link that is a proxy of a Toxiproxy server.

    Attributes:
        plug: what joins its client with the network, where that can be pulled; None before the client is there.
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
        super().__init__(name, address=address, upstream=upstream, resettable=resettable, observer=observer)
        self._proxy = proxy
        self._engine = engine
        self._on_close = on_close
        self.plug: Plug | None = None

    def now_ns(self) -> int:
        """The monotonic time of this machine."""
        return time.monotonic_ns()

    def _check_means(self, effect: Effect) -> None:
        if effect.effect != UNPLUG or self.plug is None:
            super()._check_means(effect)

    async def _make(self, recipe: Effect) -> tuple[Interval, str]:
        if recipe.effect == UNPLUG:
            return await plugs.pull(self._the_plug())
        return await self._engine.run(lambda: _inject(_of_toxiproxy(recipe), self._proxy))

    async def _unmake(self, recipe: Effect) -> tuple[Interval, str]:
        if recipe.effect == UNPLUG:
            return await plugs.put_in(self._the_plug())
        return await self._engine.run(lambda: _heal(_of_toxiproxy(recipe), self._proxy))

    async def _confirm(self, recipe: Effect) -> None:
        if recipe.effect == UNPLUG:
            await self._the_plug().prove_pulled()
            return
        await self._engine.run(lambda: _of_toxiproxy(recipe).check(self._proxy))

    def _the_plug(self) -> Plug:
        assert self.plug is not None  # without one the fault was refused before
        return self.plug

    async def _delete(self) -> None:
        await self._engine.run(self._proxy.delete)
        if self._on_close is not None:
            self._on_close(self)


def _of_toxiproxy(effect: Effect) -> Recipe:
    assert isinstance(effect, Recipe)  # the others were refused before
    return effect


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
