"""The words that no proxy has: packets dropped, a network that is gone, a change of address."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from proxies import Direction
from proxies.lacking import LackingFaultError
from tests.integration.netns.conftest import CONNECTED, how_it_ends, lasting
from tests.integration.proxies.conftest import carries

if TYPE_CHECKING:
    from tests.integration.netns.conftest import Rig, RunInRig
    from tests.integration.proxies.conftest import End

NO_WAY = "ENETUNREACH"


def test_dropped_packets_are_sent_again(run_in_each_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with lasting(rig, link.drop()) as fault:
            assert not fault.visible
            assert fault.proof == "what arrives at wire1: LOST, what arrives at eth0: LOST"
            client.send(b"up")
            server.send(b"down")
            assert await client.is_silent()
            assert await server.is_silent()
            assert await rig.is_unanswered(link)
        assert stopped(rig, "wire1") >= 2, "what was sent on the connection, and the SYN of another"
        assert stopped(rig, "eth0") >= 1
        assert await server.gets(b"up")
        assert await client.gets(b"down")

    run_in_each_rig(scenario)


@pytest.mark.parametrize("direction", Direction)
def test_packets_are_dropped_one_way(run_in_rig: RunInRig, direction: Direction) -> None:
    """What is sent the other way arrives, though no acknowledgement of it comes back."""

    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        here, there = (client, server) if direction is Direction.TO_SERVER else (server, client)
        async with lasting(rig, link.drop(direction)):
            there.send(b"passes")
            assert await here.gets(b"passes")
            here.send(b"later")
            assert await there.is_silent()
            assert await rig.is_unanswered(link)
        assert await there.gets(b"later")

    run_in_rig(scenario)


def test_without_a_network_a_connect_fails_at_once(run_in_each_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link, other = await rig.link(), await rig.link("bob")
        client, server = await rig.connect(link)
        for _ in range(2):
            async with lasting(rig, link.unplug()) as fault:
                assert fault.proof == "eth0 is down"
                client.send(b"up")
                server.send(b"down")
                assert await client.is_silent()
                assert await server.is_silent()
                assert await rig.tries(link) == NO_WAY
                assert await rig.works(other)
            assert rig.events[-1].proof == "it was in place (eth0 is down), and was taken away: eth0 is up"
            assert await rig.works(link)
            assert await server.gets(b"up")
            assert await client.gets(b"down")

    run_in_each_rig(scenario)


def test_a_new_address_reaches_the_server_and_the_old_one_nobody(run_in_each_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        old, new = link.wire.address, link.wire.second_address
        assert peer_of(server) == old
        async with lasting(rig, link.change_address()) as fault:
            assert fault.proof == f"eth0 has {new}, and {old} is gone"
            client.send(b"up")
            server.send(b"down")
            assert await client.is_silent()
            assert await server.is_silent()
            moved = await rig.connect(link)
            assert await carries(*moved)
            assert peer_of(moved[1]) == new
        assert rig.events[-1].proof.endswith(f"eth0 has {old} too")
        assert await server.gets(b"up")
        assert await client.gets(b"down")
        assert await carries(*moved)
        with pytest.raises(LackingFaultError, match="can be changed once"):
            await link.change_address()
        assert peer_of((await rig.connect(link))[1]) == new

    run_in_each_rig(scenario)


def test_after_a_change_of_address_the_connections_of_both_are_unplugged_and_cut(run_in_each_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        first = await rig.connect(link)
        async with link.change_address():
            second = await rig.connect(link)
        async with lasting(rig, link.unplug()):
            pass
        assert await carries(*first)
        assert await carries(*second)
        async with lasting(rig, link.cut()) as fault:
            assert fault.proof.startswith("2 ends of connections were closed")
            for client, server in (first, second):
                assert (await how_it_ends(client), await how_it_ends(server)) == ("ECONNRESET", "ECONNABORTED")
        assert await rig.tries(link) == CONNECTED

    run_in_each_rig(scenario)


def test_what_the_kernel_has_no_means_for_is_refused_and_nothing_touched(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        ends = await rig.connect(link)
        with pytest.raises(LackingFaultError, match="cannot make the fault 'truncate'"):
            await link.truncate(after_bytes=3)
        with pytest.raises(LackingFaultError, match="cannot make the fault 'delay'"):
            await link.delay(0.1)
        assert link.active == ()
        assert rig.events == []
        assert await carries(*ends)

    run_in_rig(scenario)


def stopped(rig: Rig, device: str) -> int:
    """How many packets the proof of the last healing says to have stopped at an interface."""
    counted, _, _ = rig.events[-1].proof.partition(f" packets were stopped at {device}")
    return int(counted.split()[-1])


def peer_of(server: End) -> str:
    made: socket.socket = server.writer.get_extra_info("socket")
    return str(made.getpeername()[0])
