"""Many links whose clients died while bytes were held for them, and all of them thawed at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from proxies import Direction, Link

if TYPE_CHECKING:
    from tests.integration.proxies.conftest import Rig, RunInRig

LINKS = 60
CLIENTS = 10
# Toxiproxy reads 32 KB at a time. The first that it writes to a dead client tells it so, and a later one fails.
CHUNK = b"held" * 8192
CHUNKS = 6
# Where nothing waits for the dead connections, about one link in three hundred wedges on a quiet host.
ROUNDS = 4


async def _thaw_dead_clients(rig: Rig, links: list[Link]) -> None:
    pairs = [await rig.connect(link) for link in links for _ in range(CLIENTS)]
    faults = [await link.freeze(Direction.TO_CLIENT) for link in links]
    for _ in range(CHUNKS):
        for _, server in pairs:  # one after the other, so that what is held for each comes in several pieces
            server.send(CHUNK)
    for client, _ in pairs:
        client.close()
    await asyncio.gather(*(client.writer.wait_closed() for client, _ in pairs))
    await asyncio.gather(*(fault.heal() for fault in faults))
    for _, server in pairs:
        server.writer.transport.abort()


def test_thawing_many_links_with_dead_clients_at_once_wedges_none(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        links = [await rig.link(f"alice{number}") for number in range(LINKS)]
        for _ in range(ROUNDS):
            await _thaw_dead_clients(rig, links)
        for link in links:
            assert await rig.works(link)

    run_in_rig(scenario)
