from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

import pytest

from harness.errors import UsageError
from proxies import Direction, FaultEvent, Phase
from proxies.topology import Topology

if TYPE_CHECKING:
    from tests.integration.proxies.conftest import Rig, RunInRig

ENDS = {"EOF", "RST"}  # one class: which of them comes depends on what is under way


def test_cut_ends_connections_and_refuses_new_ones(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        before_ns = time.monotonic_ns()
        async with link.cut() as fault:
            assert await client.how_it_ends() in ENDS
            assert await server.how_it_ends() in ENDS
            assert before_ns <= fault.injected.t0_ns <= fault.injected.t1_ns <= time.monotonic_ns()
            assert await rig.is_refused(link)
            assert fault.visible
            assert "enabled=false" in fault.proof
            assert "refused" in fault.proof
        assert await rig.works(link)

    run_in_rig(scenario)


def test_blackhole_loses_bytes_and_spares_the_connection(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with link.blackhole() as fault:
            client.send(b"lost")
            server.send(b"lost")
            late_client, late_server = await rig.connect(link)
            late_client.send(b"lost")
            assert await client.is_silent()
            assert await server.is_silent()
            assert await late_server.is_silent()
            assert not fault.visible
        client.send(b"up")
        server.send(b"down")
        assert await server.gets(b"up")
        assert await client.gets(b"down")
        late_client.send(b"late")
        assert await late_server.gets(b"late")

    run_in_rig(scenario)


def test_blackhole_lets_a_close_pass(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with link.blackhole():
            client.close()
            assert await server.how_it_ends() == "EOF"

    run_in_rig(scenario)


def test_blackhole_that_closes_on_heal(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        for _ in range(2):
            client, server = await rig.connect(link)
            async with link.blackhole(closes_on_heal=True):
                client.send(b"lost")
                assert await server.is_silent()
            assert await client.how_it_ends() in ENDS
            assert await server.how_it_ends() in ENDS
            assert await rig.works(link)

    run_in_rig(scenario)


def test_freeze_holds_everything_and_thaws_in_order(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        up = [bytes([number]) * 1000 for number in range(20)]
        async with link.freeze():
            for piece in up:
                client.send(piece)
                await client.writer.drain()
            server.send(b"down")
            late_client, late_server = await rig.connect(link)
            late_client.send(b"late")
            client.writer.write_eof()
            assert await server.is_silent()
            assert await client.is_silent()
            assert await late_server.is_silent()
        assert await server.gets(b"".join(up))
        assert await server.how_it_ends() == "EOF"
        assert await client.gets(b"down")
        assert await late_server.gets(b"late")

    run_in_rig(scenario)


def test_freeze_of_one_direction_leaves_the_other(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with link.freeze(Direction.TO_CLIENT), link.delay(0.01, Direction.TO_SERVER):
            server.send(b"held")
            client.send(b"passes")
            assert await server.gets(b"passes")
            assert await client.is_silent()
        assert await client.gets(b"held")

    run_in_rig(scenario)


@pytest.mark.parametrize("how", ["the client closes", "the link is cut"])
def test_a_thaw_is_quick_when_an_end_has_gone_with_much_held(run_in_rig: RunInRig, how: str) -> None:
    """Removing the toxics instead of switching them off would take 5 s for each piece held, and block new connects."""

    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        frozen = await link.freeze()
        for number in range(5):
            client.send(b"up%d" % number)
            server.send(b"down%d" % number)
            # Each piece is to be a chunk of its own within Toxiproxy.
            assert await client.is_silent()
        if how == "the client closes":
            client.close()
            await client.writer.wait_closed()
        else:
            await (await link.cut()).heal()
        began_s = time.monotonic()
        await frozen.heal()
        assert await rig.works(link)
        async with link.freeze():
            pass
        assert await rig.works(link)
        assert time.monotonic() - began_s < 2.0

    run_in_rig(scenario)


def test_silence_is_one_way(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with link.silence(Direction.TO_SERVER):
            client.send(b"lost")
            server.send(b"heard")
            assert await client.gets(b"heard")
            assert await server.is_silent()
        async with link.silence(Direction.TO_CLIENT):
            server.send(b"lost")
            client.send(b"heard")
            assert await server.gets(b"heard")
            assert await client.is_silent()
        client.send(b"up")
        server.send(b"down")
        assert await server.gets(b"up")
        assert await client.gets(b"down")

    run_in_rig(scenario)


def test_half_open_keeps_the_close_from_the_other_end(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with link.half_open():
            server.send(b"passes")
            assert await client.gets(b"passes")
            server.close()
            assert await client.is_silent()
            client.send(b"into the void")
            assert await client.is_silent()
        assert await client.how_it_ends() == "EOF"

    run_in_rig(scenario)


def test_delay_holds_each_byte_so_long(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with link.delay(0.1, Direction.TO_SERVER):
            began_s = time.monotonic()
            client.send(b"late")
            server.send(b"at once")
            assert await client.gets(b"at once")
            assert await server.gets(b"late")
            assert time.monotonic() - began_s >= 0.1

    run_in_rig(scenario)


def test_trickle_takes_its_time_and_loses_nothing(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        data = bytes(range(250))
        async with link.trickle(rate_kb_per_s=1, direction=Direction.TO_SERVER):
            began_s = time.monotonic()
            client.send(data)
            assert await server.gets(data)
            assert time.monotonic() - began_s >= 0.2
        client.send(data)
        assert await server.gets(data)

    run_in_rig(scenario)


def test_truncate_lets_exactly_so_many_bytes_pass_on_each_connection(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        first, second = await rig.connect(link), await rig.connect(link)
        for client, server in (first, second):
            server.send(b"before")
            assert await client.gets(b"before")
        async with link.truncate(after_bytes=3):
            for client, server in (first, second):
                server.send(b"abcdef")
                assert await client.gets(b"abc")
                assert await client.how_it_ends() in ENDS
                assert await server.how_it_ends() in ENDS
        assert await rig.works(link)
        client, server = await rig.connect(link)
        async with link.truncate(after_bytes=2):
            server.send(b"abcdef")
            assert await client.gets(b"ab")
            assert await client.how_it_ends() in ENDS

    run_in_rig(scenario)


def test_reset_is_an_rst_at_both_ends(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link(resettable=True)
        client, server = await rig.connect(link)
        client.send(b"passes")
        assert await server.gets(b"passes")
        async with link.reset():
            assert await client.how_it_ends() == "RST"
            assert await server.how_it_ends() == "RST"
            assert await rig.is_refused(link)
        assert await rig.works(link)

    run_in_rig(scenario)


def test_a_connect_hangs_and_comes_through_at_its_next_syn(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, _ = await rig.connect(link)
        loop = asyncio.get_running_loop()
        with socket.socket() as waiting:
            waiting.setblocking(False)
            fault = await link.hang_connects()
            assert await client.how_it_ends() in ENDS
            connecting = asyncio.ensure_future(loop.sock_connect(waiting, link.address))
            done, _ = await asyncio.wait([connecting], timeout=0.05)
            assert not done
            await fault.heal()
            assert await rig.works(link)
            async with asyncio.timeout(5):  # the kernel sends the next SYN 1 s after the first
                await connecting

    run_in_rig(scenario)


def test_hung_connects_end_with_their_link(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        await link.hang_connects()
        await link.close()
        assert await rig.is_refused(link)

    run_in_rig(scenario)


def test_flap_keeps_to_its_schedule(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        events: list[FaultEvent] = []
        link = await rig.link(observer=events.append)
        flap = await link.flap(period_s=0.1, count=3)
        await flap.finished()
        assert await rig.works(link)
        await flap.heal()
        assert [event.phase for event in events] == [Phase.INJECTED, Phase.HEALED] * 3
        assert [event.parameters["cycle"] for event in events] == [1, 1, 2, 2, 3, 3]
        start_ns = flap.injected.t1_ns
        for number, event in enumerate(events[1:], start=1):
            assert event.t0_ns - start_ns >= number * 0.05e9, "never early, so that lateness does not add up"

    run_in_rig(scenario)


def test_faults_that_would_hold_the_same_are_refused_and_others_are_not(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with link.freeze(Direction.TO_CLIENT):
            with pytest.raises(UsageError, match="cannot be injected while its freeze is in place"):
                await link.blackhole()
            client.send(b"untouched")
            assert await server.gets(b"untouched")
            async with link.silence(Direction.TO_SERVER), link.cut():
                with pytest.raises(UsageError, match="gate"):
                    await link.hang_connects()
        assert await rig.works(link)

    run_in_rig(scenario)


def test_a_partition_parts_and_heals(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        topology = Topology()
        ends = {}
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
        for client, server in ends.values():
            client.send(b"back")
            assert await server.gets(b"back")

    run_in_rig(scenario)
