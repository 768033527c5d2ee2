"""What holds for a link whoever carries its faults out; what is said and sent over a Toxiproxy is in test_link.py."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Mapping

import pytest

from harness.errors import ToxiproxyError, UsageError
from proxies.breakable import BreakableLink
from proxies.effects import Effect
from proxies.fault import Fault, FaultEvent, Interval, Phase


class MemoryLink(BreakableLink):
    """Puts down what it is to carry out, and takes as long as the test says."""

    def __init__(self, *, is_observed: bool = True) -> None:
        self.events: list[FaultEvent] = []
        observer = self.events.append if is_observed else None
        super().__init__("alice", address=("a", 1), upstream=("b", 2), resettable=True, observer=observer)
        self.done: list[str] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self.fail: Exception | None = None

    def now_ns(self) -> int:
        return len(self.done)

    async def _make(self, recipe: Effect) -> tuple[Interval, str]:
        return await self._carry_out(f"make {recipe.effect}")

    async def _unmake(self, recipe: Effect) -> tuple[Interval, str]:
        return await self._carry_out(f"unmake {recipe.effect}")

    async def _confirm(self, recipe: Effect) -> None:
        await self._carry_out(f"confirm {recipe.effect}")

    async def _delete(self) -> None:
        await self._carry_out("delete")

    async def _carry_out(self, deed: str) -> tuple[Interval, str]:
        self.done.append(f"begin to {deed}")
        await self.may_go_on.wait()
        if self.fail is not None:
            raise self.fail
        self.done.append(deed)
        return Interval(1, len(self.done)), f"proof that we {deed}"


async def until_it_waits(link: MemoryLink, *faults: Fault) -> list[asyncio.Task[Fault]]:
    """Begin to make these faults while none of them may go on."""
    link.may_go_on.clear()
    tasks = [asyncio.create_task(fault.__aenter__()) for fault in faults]
    for _ in range(5):
        await asyncio.sleep(0)
    return tasks


def test_what_is_asked_for_at_once_is_carried_out_one_after_the_other() -> None:
    async def body() -> None:
        link = MemoryLink()
        making = await until_it_waits(link, link.cut(), link.freeze())
        assert link.done == ["begin to make cut"]
        link.may_go_on.set()
        await asyncio.gather(*making)
        assert link.done[1:] == ["make cut", "begin to make freeze", "make freeze"]
        assert [event.effect for event in link.events] == ["cut", "freeze"]

    asyncio.run(body())


def test_of_two_at_once_that_would_hold_the_same_the_second_is_refused() -> None:
    async def body() -> None:
        link = MemoryLink()
        making = await until_it_waits(link, link.cut(), link.reset())
        link.may_go_on.set()
        first, second = await asyncio.gather(*making, return_exceptions=True)
        assert isinstance(first, Fault)
        assert isinstance(second, UsageError)
        assert "both would hold: gate" in second.why
        assert link.done == ["begin to make cut", "make cut"]

    asyncio.run(body())


@pytest.mark.parametrize("phase", ["injected", "healed"])
@pytest.mark.parametrize("broken_off_by", ["cancellation", "error"])
def test_what_is_broken_off_in_the_middle_leaves_a_link_that_can_only_be_closed(phase: str, broken_off_by: str) -> None:
    async def body() -> None:
        link = MemoryLink()
        fault = link.cut()
        if phase == "healed":
            await fault
        link.may_go_on.clear()
        task = asyncio.create_task(fault.heal() if phase == "healed" else _made(fault))
        for _ in range(5):
            await asyncio.sleep(0)
        told = len(link.events)
        if broken_off_by == "error":
            link.fail = ToxiproxyError("503")
        else:
            task.cancel()
        link.may_go_on.set()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, ToxiproxyError if broken_off_by == "error" else asyncio.CancelledError)
        link.fail = None
        assert len(link.events) == told, "nobody is told of what may not have happened"
        with pytest.raises(ToxiproxyError, match="nobody knows what link alice does") as raised:
            await link.freeze()
        assert f"cut of link alice was being {phase}" in raised.value.why
        await link.close()
        assert link.done[-1] == "delete"
        assert link.closed
        assert list(link.active) == []

    asyncio.run(body())


async def _made(fault: Fault) -> None:
    await fault


def test_it_is_closed_once() -> None:
    async def body() -> None:
        link = MemoryLink()
        await asyncio.gather(link.close(), link.close())
        await link.close()
        assert link.done == ["begin to delete", "delete"]

    asyncio.run(body())


def test_abandoned_it_lets_go_of_what_its_faults_hold_and_deletes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        link = MemoryLink()
        disposed: list[str] = []
        for fault in (link.cut(), link.freeze()):
            monkeypatch.setattr(fault.recipe, "dispose", functools.partial(disposed.append, fault.effect))
            await fault
        link.abandon()
        assert disposed == ["cut", "freeze"]
        assert link.done == ["begin to make cut", "make cut", "begin to make freeze", "make freeze"]
        with pytest.raises(UsageError, match="link alice is closed"):
            await link.cut()

    asyncio.run(body())


def test_what_is_told_of_a_fault_is_what_became_of_it() -> None:
    async def body() -> None:
        link = MemoryLink()
        fault = await link.delay(0.25)
        assert (fault.injected, fault.proof) == (Interval(1, 2), "proof that we make delay")
        assert list(link.active) == [fault]
        await fault.heal()
        assert fault.healed == Interval(1, 4)
        assert list(link.active) == []
        parameters: Mapping[str, str | float] = {"delay_s": 0.25, "direction": "both"}
        assert link.events == [
            FaultEvent("alice", "delay", Phase.INJECTED, 0, 1, 2, False, "proof that we make delay", parameters),
            FaultEvent("alice", "delay", Phase.HEALED, 2, 1, 4, False, "proof that we unmake delay", parameters),
        ]

    asyncio.run(body())


def test_a_link_that_nobody_observes_does_the_same() -> None:
    async def body() -> None:
        link = MemoryLink(is_observed=False)
        async with link.cut():
            pass
        assert link.done[1::2] == ["make cut", "unmake cut"]

    asyncio.run(body())


def test_a_fault_of_another_link_is_not_healed_here() -> None:
    async def body() -> None:
        here, there = MemoryLink(), MemoryLink()
        fault = await there.cut()
        with pytest.raises(UsageError, match="cut of link alice was healed before"):
            await here.heal(fault)
        assert (here.done, there.active) == ([], (fault,))

    asyncio.run(body())


def test_every_fault_in_place_is_confirmed_and_those_that_were_healed_are_not() -> None:
    async def body() -> None:
        link = MemoryLink()
        cut, freeze = await link.cut(), await link.freeze()
        del link.done[:]
        await link.confirm()
        await cut.heal()
        await link.confirm()
        await freeze.heal()
        await link.confirm()
        confirmed = [deed for deed in link.done if deed.startswith("confirm")]
        assert confirmed == ["confirm cut", "confirm freeze", "confirm freeze"]

    asyncio.run(body())


def test_a_fault_that_has_gone_by_itself_is_found_when_it_is_to_be_confirmed() -> None:
    async def body() -> None:
        link = MemoryLink()
        await link.cut()
        link.fail = ToxiproxyError("cut is not in place")
        with pytest.raises(ToxiproxyError, match="cut is not in place"):
            await link.confirm()
        link.fail = None
        await link.close()
        await link.confirm()  # of a link that is closed there is nothing to be said
        assert link.done[-1] == "delete"

    asyncio.run(body())
