"""What is done to a server that is an image: by the engine, with its word as the proof, and as the network shows it."""

from __future__ import annotations

import asyncio
import re
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from harness.trace import Observation, What
from harness.world.lab import LabConfig, open_lab
from harness.world.own_server import OwnServer
from harness.world.places import REFERENCE_SERVER_IMAGE, Images
from tests.integration.containers.conftest import leftovers

if TYPE_CHECKING:
    from harness.errors import LinkproofError

SILENT_S = 0.5  # the server answers within some ms
LINES = (
    ("server start", r"it answered, as process \d+"),
    ("server suspend", "the engine says that the container {first} is 'paused'"),
    ("server resume", "the engine says that the container {first} is 'running'"),
    (
        "server kill",
        r"the engine says that the container {first} ended by signal 9, and a connect to port \d+ was refused",
    ),
    ("server start", r"it answered, as process \d+"),
    (
        "server stop",
        r"the engine says that the container {next} exited with code 0, and a connect to port \d+ was refused",
    ),
)


@pytest.mark.usefixtures("reference_images")
def test_deeds_are_the_engines_and_proven_by_its_word(api: docker.APIClient, tmp_path: Path) -> None:
    record: list[Observation] = []
    failures: list[LinkproofError] = []
    ids: list[str] = []

    def note_container() -> None:
        (container,) = api.containers(filters={"name": "linkproof-.*-the-server", "label": "linkproof.owner"}, limit=1)
        ids.append(container["Id"][:12])

    async def test() -> None:
        images = Images(server=REFERENCE_SERVER_IMAGE)
        async with open_lab(LabConfig(tmp_path / "logs", images=images, server_command=())) as lab:
            taken = await lab.places.servers.take("tenant")
            server = OwnServer(lab, "tenant", (), taken, record.append, failures.append)
            await server.start()
            note_container()
            await server.suspend()
            await asyncio.to_thread(check_accepted_then_silence, server.address)
            await server.resume()
            await server.kill()
            await server.start()  # a new container, on the address that the first one had
            note_container()
            await server.stop()
            await server.close()

    asyncio.run(test())
    assert failures == []
    assert ids[0] != ids[1]
    assert [(each.what, each.name) for each in record] == [(What.SERVER, name) for name, _ in LINES]
    for each, (_, proof) in zip(record, LINES, strict=True):
        assert re.fullmatch(proof.format(first=ids[0], next=ids[1]), each.args["proof"])
        assert each.until_ns is not None
        assert each.at_ns < each.until_ns
    assert leftovers(api) == []


def check_accepted_then_silence(address: tuple[str, int]) -> None:
    """The kernel takes the connection of a server that stands still, and nobody answers on it."""
    with socket.create_connection(address, timeout=SILENT_S) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(TimeoutError):
            connection.recv(1)
