"""The network as a whole: faults together, faults that somebody else takes away, and that nothing is left of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from harness.errors import HostError, ToxiproxyError, UsageError
from proxies import Direction, Fault
from proxies.netns import network as network_module
from proxies.netns.kernel import tell
from proxies.netns.link import WiredLink
from proxies.netns.namespaces import Namespace
from proxies.netns.netlink import change_queue, set_group
from proxies.netns.network import WiredNetwork
from proxies.netns.wire import DEVICE, Wire
from proxies.topology import Topology
from tests.integration.netns.conftest import held, how_it_ends

if TYPE_CHECKING:
    from tests.integration.netns.conftest import Rig, RunInRig

MAKERS: dict[str, Callable[[WiredLink], Fault]] = {
    "cut": WiredLink.cut,
    "hang_connects": WiredLink.hang_connects,
    "blackhole": WiredLink.blackhole,
    "freeze": WiredLink.freeze,
    "trickle": lambda link: link.trickle(rate_kb_per_s=1),
    "half_open": WiredLink.half_open,
    "drop": WiredLink.drop,
    "unplug": WiredLink.unplug,
    "change_address": WiredLink.change_address,
}


def take_groups(wire: Wire) -> None:
    for end in (wire.hub, wire.person):
        set_group(end.namespace, end.device, 0)


def free_queues(wire: Wire) -> None:
    for end in (wire.hub, wire.person):
        change_queue(end.namespace, end.device, rate=1_000_000, burst=1600, limit=8_000_000)


def delete_wire(wire: Wire) -> None:
    tell(wire.person.namespace, ["ip", "link", "delete", DEVICE])
    # So that there is one to be taken away in the end.
    tell(wire.hub.namespace, ["ip", "link", "add", wire.hub.device, "type", "veth", "peer", "name", "other"])


TAKEN_AWAY: dict[str, tuple[str, Callable[[Wire], object], str]] = {
    "the group of a cut": ("cut", take_groups, "wire1 is treated as <Treatment.NONE: 0>"),
    "the group of a blackhole": ("blackhole", take_groups, "wire1 is treated as"),
    "the group of a half_open": ("half_open", take_groups, "eth0 is treated as"),
    "the group of a drop": ("drop", take_groups, "wire1 is treated as"),
    "the rate of a freeze": ("freeze", free_queues, "sends 1000000 bytes a second, and was to send 8"),
    "the queue of a freeze": (
        "freeze",
        lambda wire: tell(wire.person.namespace, ["tc", "qdisc", "del", "dev", DEVICE, "root"]),
        "there is no token bucket in front of eth0 any more",
    ),
    "the interface is set up": ("unplug", Wire.set_up, "eth0 is up, and was to be down"),
    "the address is given back": ("change_address", lambda wire: wire.give_back("10.98.0.1"), "and has 10.98.0.1 and"),
    "the wire": ("half_open", delete_wire, "eth0 any more"),
}


@pytest.mark.parametrize(("word", "take_away", "found"), TAKEN_AWAY.values(), ids=TAKEN_AWAY)
def test_a_fault_that_somebody_else_took_away_is_found(
    run_in_rig: RunInRig, word: str, take_away: Callable[[Wire], object], found: str
) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        fault = await MAKERS[word](link)
        await link.confirm()
        take_away(link.wire)
        with pytest.raises(HostError, match=found):
            await link.confirm()
        with pytest.raises(HostError, match=found):
            await fault.heal()
        with pytest.raises(ToxiproxyError, match="nobody knows what link alice does any more"):
            await link.cut()

    # Nobody else may change what is the run's own, so the link and the network are closed as ever.
    run_in_rig(scenario)


def test_two_at_once_on_one_link_and_two_that_are_refused(run_in_each_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with link.silence(Direction.TO_SERVER):
            with pytest.raises(UsageError, match="cannot be injected while its silence is in place"):
                await link.drop()
            with pytest.raises(UsageError, match="cannot be injected while its silence is in place"):
                await link.unplug()
            async with link.freeze(Direction.TO_CLIENT):
                client.send(b"up")
                server.send(b"down")
                assert await client.is_silent()
                assert await server.is_silent()
                await link.confirm()
            assert await client.gets(b"down")
            async with link.hang_connects():
                # What is lost is what arrives at the server, so the client is told all the same.
                assert await how_it_ends(client) == "ECONNRESET"
            assert await rig.is_unanswered(link)
        assert await rig.works(link)

    run_in_each_rig(scenario)


def test_a_cut_beside_a_loss_tells_both_ends_and_leaves_the_loss(run_in_rig: RunInRig) -> None:
    """The RST to the client is lost as everything else, so the kernel closes the client's end itself."""

    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with link.blackhole():
            async with link.cut() as cut:
                assert cut.proof.startswith("2 ends of connections were closed")
                assert await how_it_ends(client) == "ECONNABORTED"
                assert await how_it_ends(server) == "ECONNABORTED"
            assert await rig.is_unanswered(link)
            await link.confirm()
        assert await rig.works(link)

    run_in_rig(scenario)


def test_a_partition_parts_and_heals(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        topology, ends = Topology(), {}
        for name in ("alice", "bob", "carol"):
            link = await rig.link(name)
            topology.add(link, client=name, server="server")
            ends[name] = await rig.connect(link)
        async with topology.partition([{"alice", "server"}, {"bob", "carol"}]) as parted:
            for client, _ in ends.values():
                client.send(b"hello")
            assert await ends["alice"][1].gets(b"hello")
            assert await ends["bob"][1].is_silent()
            assert await ends["carol"][1].is_silent()
            assert parted.links == ("bob", "carol")
        assert await ends["bob"][1].gets(b"hello")
        assert await ends["carol"][1].gets(b"hello")

    run_in_rig(scenario)


def test_closing_with_each_fault_in_place_leaves_nothing(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        links = [await rig.link(name) for name in MAKERS]
        await asyncio.gather(*(rig.connect(link) for link in links))
        for link, make in zip(links, MAKERS.values(), strict=True):
            await make(link)
        namespaces, _ = held()
        assert len(namespaces) == 1 + 1 + len(links), "the machine's own, the servers', and one for each person"
        await links[0].close()
        assert len(held()[0]) == len(links) + 1

    run_in_rig(scenario)  # which sees to it that nothing is left when the network is closed


@pytest.mark.parametrize("began", [False, True], ids=["before it has begun", "while it is laid"])
def test_a_link_whose_opening_is_cancelled_leaves_nothing(
    run_in_rig: RunInRig, monkeypatch: pytest.MonkeyPatch, began: bool
) -> None:
    async def scenario(rig: Rig) -> None:
        laying, lay = asyncio.Event(), Wire.lay
        loop = asyncio.get_running_loop()

        def lay_and_tell(*arguments: object) -> Wire:
            loop.call_soon_threadsafe(laying.set)
            return lay(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(Wire, "lay", lay_and_tell)
        opening = [asyncio.ensure_future(rig.link(f"person {number}")) for number in range(4)]
        if began:
            await laying.wait()
        else:
            await asyncio.sleep(0)
        for each in opening:
            each.cancel()
        assert all(
            isinstance(each, asyncio.CancelledError) for each in await asyncio.gather(*opening, return_exceptions=True)
        )
        assert await rig.works(await rig.link("late"))

    run_in_rig(scenario)


def test_a_fault_that_is_cancelled_leaves_a_link_that_is_uncertain(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()

        async def unplug() -> None:
            await link.unplug()

        making = asyncio.ensure_future(unplug())
        await asyncio.sleep(0)
        making.cancel()
        with pytest.raises(asyncio.CancelledError):
            await making
        with pytest.raises(ToxiproxyError, match="a cancellation came while unplug of link alice was being injected"):
            await link.confirm()

    run_in_rig(scenario)


def test_there_is_nothing_beyond_the_servers(run_in_rig: RunInRig) -> None:
    """A person finds the servers and nobody else; the machine's own network does not find them."""

    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        with rig.socket_at(link) as outside, pytest.raises(OSError, match="unreachable"):
            await asyncio.get_running_loop().sock_connect(outside, ("192.0.2.1", 80))
        assert not rig.network.refuses(rig.upstream)
        assert rig.network.refuses((rig.network.host, 1))

    run_in_rig(scenario)


def test_a_network_that_cannot_be_entered_any_more_is_found(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.network.confirm()
        (gone, other), hub = os.pipe(), rig.network._hub
        rig.network._hub = Namespace(gone)  # which is no namespace
        with pytest.raises(HostError, match=r"the kernel refuses setns\(\) of a network namespace"):
            await rig.network.confirm()
        rig.network._hub = hub
        os.close(gone)
        os.close(other)

    run_in_rig(scenario)


def test_a_network_cannot_have_more_wires_than_addresses(run_in_rig: RunInRig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(rig: Rig) -> None:
        await rig.link()
        monkeypatch.setattr(network_module, "WIRES_MAX", 1)
        with pytest.raises(HostError, match="no more than 1 wires"):
            await rig.link("bob")

    run_in_rig(scenario)


def test_a_wire_that_cannot_be_laid_leaves_nothing() -> None:
    before = held()

    async def run() -> None:
        network = await WiredNetwork.open(ipv6=False)
        tell(network._hub, ["ip", "link", "add", "wire1", "type", "veth"])
        with pytest.raises(HostError, match="the kernel was not told what it was to do: ip -batch"):
            await network.open_link("alice", (network.host, 1))
        await network.close()

    asyncio.run(run())
    assert held() == before
