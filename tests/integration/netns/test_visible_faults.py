"""What closes connections, done by the kernel: what existing and new ones are told, and what the healing does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from proxies import Fault, Phase
from proxies.netns.link import WiredLink
from tests.integration.netns.conftest import CONNECTED, how_it_ends, lasting

if TYPE_CHECKING:
    from tests.integration.netns.conftest import Rig, RunInRig

# The client by an RST; the server by its own kernel, which has sent that.
TOLD = ("ECONNRESET", "ECONNABORTED")
CLOSING: dict[str, Callable[[WiredLink], Fault]] = {
    "cut": WiredLink.cut,
    "refuse": WiredLink.refuse,
    "reset": WiredLink.reset,
}


@pytest.mark.parametrize("make", CLOSING.values(), ids=CLOSING)
def test_both_ends_are_told_and_new_ones_refused(run_in_each_rig: RunInRig, make: Callable[[WiredLink], Fault]) -> None:
    async def scenario(rig: Rig) -> None:
        link, other = await rig.link(), await rig.link("bob")
        (client, server), (_, others) = await rig.connect(link), await rig.connect(other)
        async with lasting(rig, make(link)) as fault:
            assert fault.visible
            assert fault.proof == "1 ends of connections were closed; what arrives at wire1: REFUSED"
            assert (await how_it_ends(client), await how_it_ends(server)) == TOLD
            assert await rig.tries(link) == "ECONNREFUSED"
            assert await rig.tries(other) == CONNECTED
            assert await others.is_silent()
        assert rig.events[-1].proof.endswith("and was taken away: 1 packets were stopped at wire1")
        assert await rig.works(link)

    run_in_each_rig(scenario)


def test_a_connect_without_an_answer_comes_through_after_the_healing(run_in_each_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with lasting(rig, link.hang_connects()):
            assert (await how_it_ends(client), await how_it_ends(server)) == TOLD
            assert await rig.is_unanswered(link)
            waiting = asyncio.ensure_future(rig.begin(link))
            assert await rig.is_unanswered(link)  # and so that the other one has begun
            assert not waiting.done()
        assert await rig.works(link)
        late_client, late_server = await rig.met(await waiting)
        late_client.send(b"late")
        assert await late_server.gets(b"late")

    run_in_each_rig(scenario)


def test_flap_keeps_to_its_schedule(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, _ = await rig.connect(link)
        flap = await link.flap(period_s=0.1, count=3)
        assert await how_it_ends(client) == "ECONNRESET"
        await flap.finished()
        assert await rig.works(link)
        await flap.heal()
        assert [event.phase for event in rig.events] == [Phase.INJECTED, Phase.HEALED] * 3
        start_ns = flap.injected.t1_ns
        for number, event in enumerate(rig.events[1:], start=1):
            assert event.t0_ns - start_ns >= number * 0.05e9, "never early"

    run_in_rig(scenario)


def test_a_connect_under_way_is_closed_too(run_in_rig: RunInRig) -> None:
    """A SYN was sent and lost; the cut tells whoever waits for its answer."""

    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        async with link.drop():
            waiting = asyncio.ensure_future(rig.begin(link))
            assert await rig.is_unanswered(link)
            async with link.cut():
                with pytest.raises(ConnectionError):
                    await waiting
        assert await rig.works(link)

    run_in_rig(scenario)
