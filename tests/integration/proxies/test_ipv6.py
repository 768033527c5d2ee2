"""The same faults on links of ::1."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from proxies import Direction
from proxies.selftest import CHECKS, self_test

if TYPE_CHECKING:
    from tests.integration.proxies.conftest import Rig, RunInRig


def test_every_recipe_holds(run_in_rig_of_ipv6: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        report = await self_test(rig.server)
        assert [(check.name, check.ok) for check in report.checks] == [(name, True) for name in CHECKS]

    run_in_rig_of_ipv6(scenario)


def test_a_link_is_there_and_nowhere_else(run_in_rig_of_ipv6: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        assert link.address[0] == "::1"
        assert await rig.works(link)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", link.address[1])
        async with link.cut() as cut:
            assert cut.proof.endswith(f"a connect to [::1]:{link.address[1]} was refused")

    run_in_rig_of_ipv6(scenario)


def test_a_connect_that_hangs_is_one_to_that_address(run_in_rig_of_ipv6: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        with socket.socket(socket.AF_INET6) as waiting:
            waiting.setblocking(False)
            async with link.hang_connects():
                connecting = asyncio.ensure_future(asyncio.get_running_loop().sock_connect(waiting, link.address))
                done, _ = await asyncio.wait([connecting], timeout=0.05)
                assert not done
            async with asyncio.timeout(5):  # the kernel sends the next SYN 1 s after the first
                await connecting

    run_in_rig_of_ipv6(scenario)


def test_a_thaw_waits_for_clients_that_died_meanwhile(run_in_rig_of_ipv6: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        client, server = await rig.connect(link)
        frozen = await link.freeze(Direction.TO_CLIENT)
        server.send(b"held")
        client.close()
        await client.writer.wait_closed()
        await frozen.heal()
        assert await rig.works(link)

    run_in_rig_of_ipv6(scenario)
