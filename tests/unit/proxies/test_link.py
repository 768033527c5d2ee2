from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ToxiproxyError, UsageError
from proxies.api import RefusedError
from proxies.effects import BELOW_TCP
from proxies.fault import Fault, Phase
from proxies.lacking import LackingFaultError
from proxies.link import Link
from proxies.toxics import Direction

if TYPE_CHECKING:
    from tests.unit.proxies.conftest import Bench

MAKERS: dict[str, Callable[[Link], Fault]] = {
    "cut": Link.cut,
    "refuse": Link.refuse,
    "blackhole": Link.blackhole,
    "blackhole that closes": lambda link: link.blackhole(closes_on_heal=True),
    "freeze": Link.freeze,
    "freeze to client": lambda link: link.freeze(Direction.TO_CLIENT),
    "silence to server": lambda link: link.silence(Direction.TO_SERVER),
    "silence to client": lambda link: link.silence(Direction.TO_CLIENT),
    "half_open": Link.half_open,
    "delay": lambda link: link.delay(0.25),
    "longer delay": lambda link: link.delay(0.5, Direction.TO_SERVER),
    "trickle": lambda link: link.trickle(rate_kb_per_s=1),
    "truncate": lambda link: link.truncate(after_bytes=3),
}


@given(plan=st.lists(st.tuples(st.sampled_from(sorted(MAKERS)), st.booleans()), max_size=12))
def test_no_order_of_faults_and_healings_removes_any_but_the_last_toxic(
    new_bench: type[Bench], plan: list[tuple[str, bool]]
) -> None:
    asyncio.run(_check_plan(new_bench(), plan))


async def _check_plan(bench: Bench, plan: list[tuple[str, bool]]) -> None:
    api, active = bench.api, list[Fault]()
    for name, heal_oldest in plan:
        fault = MAKERS[name](bench.link)
        before = [dict(toxic) for toxic in api.toxics]
        changes = len(api.changes())
        if any(other.recipe.claims & fault.recipe.claims for other in active):
            with pytest.raises(UsageError, match="cannot be injected while"):
                await fault
            assert len(api.changes()) == changes
            continue
        active.append(await fault)
        names = [toxic["name"] for toxic in api.toxics]
        assert names[: len(before)] == [toxic["name"] for toxic in before], "toxics are added at the end only"
        if heal_oldest:
            healed = active.pop(0)
            stacks = {way: [t["name"] for t in api.toxics if t["stream"] == way] for way in ("upstream", "downstream")}
            changes = len(api.changes())
            await healed.heal()
            for method, url in api.changes()[changes:]:
                if method == "DELETE":
                    way = "upstream" if "to_server" in url else "downstream"
                    assert url.endswith(f"/{stacks[way].pop()}"), "only the last of its direction is removed"
    for fault in active:
        await fault.heal()
    assert api.enabled
    assert all(toxic["toxicity"] == 0 for toxic in api.toxics)
    assert not any("reset" in url for _, url in api.calls)


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_a_fault_says_what_it_did(bench: Bench, name: str) -> None:
    async def scenario() -> None:
        async with MAKERS[name](bench.link) as fault:
            assert bench.link.active == (fault,)
            assert fault.injected.t0_ns <= fault.injected.t1_ns
            assert fault.proof
        assert fault.healed is not None
        assert fault.injected.t1_ns <= fault.healed.t0_ns
        assert [(event.effect, event.phase) for event in bench.events] == [
            (fault.effect, Phase.INJECTED),
            (fault.effect, Phase.HEALED),
        ]
        assert {event.link for event in bench.events} == {"alice"}

    asyncio.run(scenario())


def test_freeze_holds_the_close_first_and_thaws_in_reverse(bench: Bench) -> None:
    async def scenario() -> list[str]:
        async with bench.link.freeze(Direction.TO_CLIENT):
            pass
        return [f"{method} {url.rpartition('/')[2]}" for method, url in bench.api.changes()]

    assert asyncio.run(scenario()) == [
        "POST toxics",
        "POST toxics",
        "PATCH hold_close_to_client",
        "PATCH hold_to_client",
        "PATCH hold_to_client",
        "PATCH hold_close_to_client",
    ]


def test_a_toxic_that_is_known_is_used_again_with_other_attributes(bench: Bench) -> None:
    async def scenario() -> None:
        async with bench.link.delay(0.25, Direction.TO_CLIENT):
            pass
        async with bench.link.delay(0.5, Direction.TO_CLIENT):
            (toxic,) = bench.api.toxics
            assert toxic["attributes"] == {"latency": 500, "jitter": 0}
            assert toxic["toxicity"] == 1

    asyncio.run(scenario())


def test_a_fault_that_vanished_is_an_error_when_it_is_healed(bench: Bench) -> None:
    async def scenario() -> None:
        fault = await bench.link.blackhole()
        bench.api.toxics[0]["toxicity"] = 0
        with pytest.raises(ToxiproxyError, match="healed by itself"):
            await fault.heal()

    asyncio.run(scenario())


def test_a_fault_that_did_not_take_is_an_error_and_ends_the_use_of_the_link(bench: Bench) -> None:
    async def scenario() -> None:
        bench.api.fail_next = RefusedError("PATCH /proxies/p", 503, "")
        with pytest.raises(ToxiproxyError, match="503"):
            await bench.link.cut()
        with pytest.raises(ToxiproxyError, match="nobody knows"):
            await bench.link.freeze()
        await bench.link.close()
        assert bench.api.changes()[-1] == ("DELETE", "/proxies/p")

    asyncio.run(scenario())


def test_a_second_healing_says_so(bench: Bench) -> None:
    async def scenario() -> None:
        fault = await bench.link.cut()
        await fault.heal()
        with pytest.raises(UsageError, match="healed before"):
            await fault.heal()

    asyncio.run(scenario())


def test_leaving_the_block_heals_once_even_where_the_block_did(bench: Bench) -> None:
    async def scenario() -> None:
        async with bench.link.cut() as fault:
            await fault.heal()
        assert [event.phase for event in bench.events] == [Phase.INJECTED, Phase.HEALED]

    asyncio.run(scenario())


def test_a_fault_is_used_once(bench: Bench) -> None:
    async def scenario() -> None:
        fault = bench.link.cut()
        with pytest.raises(UsageError, match="has not taken effect"):
            _ = fault.injected
        await fault
        with pytest.raises(UsageError, match="injected before"):
            await fault

    asyncio.run(scenario())


def test_a_fault_that_nobody_awaits_is_warned_about(bench: Bench) -> None:
    def forget() -> None:
        bench.link.cut()
        gc.collect()

    with pytest.warns(RuntimeWarning, match="cut of link alice was never awaited") as warned:
        forget()
    assert len(warned) == 1


def test_a_closed_link_takes_its_faults_with_it(bench: Bench) -> None:
    async def scenario() -> None:
        async with bench.link.freeze() as fault:
            await bench.link.close()
        assert fault.healed is None
        with pytest.raises(UsageError, match="ended when its link was closed"):
            await fault.heal()
        with pytest.raises(UsageError, match="is closed"):
            await bench.link.cut()
        assert bench.api.changes()[-1] == ("DELETE", "/proxies/p")

    asyncio.run(scenario())


def test_a_link_is_reset_only_when_it_was_made_for_it(bench: Bench) -> None:
    with pytest.raises(UsageError, match="resettable=True"):
        bench.link.reset()


@pytest.mark.parametrize(
    "make",
    [
        lambda link: link.delay(0),
        lambda link: link.trickle(rate_kb_per_s=0),
        lambda link: link.truncate(after_bytes=0),
        lambda link: link.flap(period_s=0, count=1),
        lambda link: link.flap(period_s=1, count=0),
    ],
)
def test_an_argument_that_makes_no_fault_is_refused_at_once(bench: Bench, make: Callable[[Link], object]) -> None:
    with pytest.raises(UsageError):
        make(bench.link)
    assert bench.api.calls == []


def test_a_flap_is_stopped_by_healing_it(bench: Bench) -> None:
    async def scenario() -> None:
        async with bench.link.flap(period_s=60, count=3) as flap:
            states = [bench.api.enabled]
        assert [*states, bench.api.enabled] == [False, True]
        assert len(flap.faults) == 1
        with pytest.raises(UsageError, match="healed before"):
            await flap.heal()

    asyncio.run(scenario())


def test_an_error_in_a_flap_reaches_whoever_waits_for_it(bench: Bench) -> None:
    async def scenario() -> None:
        flap = await bench.link.flap(period_s=0.001, count=2)
        bench.api.fail_next = RefusedError("PATCH /proxies/p", 500, "broken")
        with pytest.raises(ToxiproxyError, match="broken"):
            await flap.finished()

    asyncio.run(scenario())


@pytest.mark.parametrize("word", BELOW_TCP)
def test_what_lies_below_tcp_is_lacking_and_nothing_was_touched(bench: Bench, word: str) -> None:
    async def scenario() -> None:
        with pytest.raises(LackingFaultError, match=f"no Toxiproxy can make the fault '{word}'") as raised:
            await getattr(bench.link, word)()
        assert raised.value.mend == "play it by --faults netns"
        assert (bench.api.calls, bench.events, bench.link.active) == ([], [], ())
        async with bench.link.cut():
            assert bench.link.active

    asyncio.run(scenario())
