"""What nobody is told of, done by the kernel: what is lost, what is held, and what the healing brings back."""

from __future__ import annotations

import socket
import struct
import time
from typing import TYPE_CHECKING

from proxies import Direction
from tests.integration.netns.conftest import CONNECTED, how_it_ends, lasting
from tests.integration.proxies.conftest import carries

RESETTING = struct.pack("ii", 1, 0)  # a close says it by an RST

if TYPE_CHECKING:
    from tests.integration.netns.conftest import Rig, RunInRig


def test_what_a_blackhole_has_lost_is_sent_again(run_in_each_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link, other = await rig.link(), await rig.link("bob")
        client, server = await rig.connect(link)
        async with lasting(rig, link.blackhole()) as fault:
            assert fault.proof == "what arrives at wire1: LOST, what arrives at eth0: LOST"
            client.send(b"up")
            server.send(b"down")
            assert await client.is_silent()
            assert await server.is_silent()
            assert await rig.is_unanswered(link)
            assert await rig.works(other)
        assert "packets were stopped at wire1" in rig.events[-1].proof
        assert await server.gets(b"up")
        assert await client.gets(b"down")

    run_in_each_rig(scenario)


def test_a_blackhole_that_closes_on_heal(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        for _ in range(2):
            client, server = await rig.connect(link)
            async with lasting(rig, link.blackhole(closes_on_heal=True)):
                client.send(b"lost")
                assert await server.is_silent()
            assert (await how_it_ends(client), await how_it_ends(server)) == ("ECONNRESET", "ECONNABORTED")
            assert await rig.works(link)

    run_in_rig(scenario)


def test_silence_is_one_way(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with lasting(rig, link.silence(Direction.TO_SERVER)) as fault:
            assert fault.proof == "what arrives at wire1: LOST"
            client.send(b"later")
            server.send(b"heard")
            assert await client.gets(b"heard")
            assert await server.is_silent()
            assert await rig.is_unanswered(link)
        assert await server.gets(b"later")
        async with lasting(rig, link.silence(Direction.TO_CLIENT)) as fault:
            assert fault.proof == "what arrives at eth0: LOST"
            server.send(b"later")
            client.send(b"heard")
            assert await server.gets(b"heard")
            assert await client.is_silent()
        assert await client.gets(b"later")

    run_in_rig(scenario)


def test_freeze_holds_everything_and_thaws_in_order(run_in_each_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link, other = await rig.link(), await rig.link("bob")
        client, server = await rig.connect(link)
        up = [bytes([number]) * 1000 for number in range(20)]
        for _ in range(2):  # the queue of the first time is still there
            async with lasting(rig, link.freeze()) as fault:
                assert "eth0 sends 8 bytes a second" in fault.proof
                assert "wire1 sends 8 bytes a second" in fault.proof
                for piece in up:
                    client.send(piece)
                    await client.writer.drain()
                server.send(b"down")
                assert await server.is_silent()
                assert await client.is_silent()
                assert await rig.is_unanswered(link)
                assert await rig.works(other)
            assert await server.gets(b"".join(up))
            assert await client.gets(b"down")
        assert rig.events[-1].proof.endswith("nothing is held any more by the queue of eth0, wire1")

    run_in_each_rig(scenario)


def test_freeze_holds_a_close_too(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with lasting(rig, link.freeze(Direction.TO_SERVER)):
            client.send(b"the last")
            client.writer.write_eof()
            server.send(b"passes")
            assert await client.gets(b"passes")
            assert await server.is_silent()
        assert await server.gets(b"the last")
        assert await how_it_ends(server) == "EOF"

    run_in_rig(scenario)


def test_trickle_takes_its_time_and_loses_nothing(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        data = bytes(range(250)) * 40
        async with lasting(rig, link.trickle(rate_kb_per_s=20, direction=Direction.TO_SERVER)) as fault:
            assert fault.proof.startswith("the queue of eth0 sends 20000 bytes a second, and holds ")
            began_s = time.monotonic()
            client.send(data)
            server.send(b"at once")
            assert await client.gets(b"at once")
            assert await server.gets(data)
            # One packet of at most 1514 bytes may pass at once.
            assert time.monotonic() - began_s >= (len(data) - 1514) / 20_000
        began_s = time.monotonic()
        client.send(data * 20)
        assert await server.gets(data * 20)
        assert time.monotonic() - began_s < 5.0, "as fast as it was, not in 10 s"

    run_in_rig(scenario)


def test_half_open_keeps_the_close_from_the_other_end(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with lasting(rig, link.half_open()) as fault:
            assert fault.proof == "what arrives at eth0: UNENDING"
            server.send(b"passes")
            assert await client.gets(b"passes")
            assert await rig.tries(link) == CONNECTED
            server.close()
            assert await client.is_silent()
        assert await how_it_ends(client) == "EOF"
        assert await carries(*await rig.connect(link))

    run_in_rig(scenario)


def test_an_end_that_has_died_is_not_heard_of_before_the_healing(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        async with lasting(rig, link.half_open(Direction.TO_SERVER)):
            client.writer.transport.abort()
            assert await server.is_silent()
        assert await how_it_ends(server) == "EOF"  # the kernel sends a FIN again
        client, server = await rig.connect(link)
        async with lasting(rig, link.half_open(Direction.TO_SERVER)):
            client.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESETTING)
            client.writer.transport.abort()
            assert await server.is_silent()
        assert await server.is_silent()  # but never an RST, unless it is sent something
        server.send(b"still there?")
        assert await how_it_ends(server) == "ECONNRESET"

    run_in_rig(scenario)
