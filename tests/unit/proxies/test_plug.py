"""A link whose client has a plug: what is pulled, what proves it, and what becomes of a plug that is not as it was."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from harness.errors import HostError, UsageError
from proxies.fault import Interval, Phase
from proxies.lacking import LackingFaultError

if TYPE_CHECKING:
    from tests.unit.proxies.conftest import Bench


class MemoryPlug:
    """In or out, and how often it was moved."""

    def __init__(self) -> None:
        self.is_in = True
        self.moves: list[str] = []

    async def pull(self) -> tuple[int, int]:
        self.is_in = False
        self.moves.append("pull")
        return 10, 20

    async def put_in(self) -> tuple[int, int]:
        self.is_in = True
        self.moves.append("put in")
        return 30, 40

    async def prove_pulled(self) -> str:
        if self.is_in:
            raise HostError("it is in")
        return "it is out"

    async def prove_in(self) -> str:
        if not self.is_in:
            raise HostError("it is out")
        return "it is in"


def test_a_plug_is_pulled_and_put_in_with_proof_and_toxiproxy_is_not_asked(bench: Bench) -> None:
    plug = bench.link.plug = MemoryPlug()

    async def scenario() -> None:
        async with bench.link.unplug() as fault:
            await bench.link.confirm()
            assert (fault.injected, fault.proof) == (Interval(10, 20), "it is out")
        assert fault.healed == Interval(30, 40)

    asyncio.run(scenario())
    assert plug.moves == ["pull", "put in"]
    told = [(event.effect, event.phase, event.proof) for event in bench.events]
    assert told == [("unplug", Phase.INJECTED, "it is out"), ("unplug", Phase.HEALED, "it is in")]
    assert bench.api.calls == []


def test_one_that_somebody_else_puts_in_is_an_error(bench: Bench) -> None:
    plug = bench.link.plug = MemoryPlug()

    async def scenario() -> None:
        fault = await bench.link.unplug()
        plug.is_in = True
        with pytest.raises(HostError, match="it is in"):
            await bench.link.confirm()
        with pytest.raises(HostError, match="it is in"):
            await fault.heal()

    asyncio.run(scenario())
    assert plug.moves == ["pull"]


def test_nothing_else_is_done_to_a_link_that_is_unplugged(bench: Bench) -> None:
    bench.link.plug = MemoryPlug()

    async def scenario() -> None:
        async with bench.link.unplug():
            with pytest.raises(UsageError, match="cannot be injected while its unplug is in place"):
                await bench.link.cut()

    asyncio.run(scenario())


def test_a_plug_is_no_means_for_the_others_below_tcp(bench: Bench) -> None:
    async def scenario() -> None:
        with pytest.raises(LackingFaultError, match="unplug"):
            await bench.link.unplug()
        bench.link.plug = MemoryPlug()
        for make in (bench.link.drop, bench.link.change_address):
            with pytest.raises(LackingFaultError):
                await make()

    asyncio.run(scenario())
    assert bench.events == []
