"""What holds a server's address while the server itself is killed, stopped and started again.

A container takes its network with it when it ends. Connects to it would then get no answer for some seconds, where
those to a crashed process are refused at once. So each server runs in the network of another container that does
nothing but be there. It needs a program that waits and brings everything it needs: Toxiproxy's own binary is one, and
is on each machine that plays.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.containers.engine import ContainerEngine, Network, create, remove
from harness.containers.owner import LABEL
from harness.errors import HostError

_PROGRAM = "toxiproxy-server"
PORT = 1  # one that no server would take
# On its own loopback: who has a server there is not to find it.
_WAITING = (f"/{_PROGRAM}", "-host", "127.0.0.1", "-port", str(PORT))
_ANSWERING = (f"/{_PROGRAM}", "-host", "0.0.0.0", "-port", str(PORT))  # noqa: S104 - in a container, to this machine


@dataclass(frozen=True, slots=True)
class Held:
    """An address on a network, and the container that holds it."""

    container: str
    host: str


class Holders:
    """Holds addresses on networks."""

    def __init__(self, engine: ContainerEngine, image: str) -> None:
        self._engine = engine
        self._image = image

    @classmethod
    async def open(cls, engine: ContainerEngine, waits: Path) -> Holders:
        """Make the image, of a program that waits and brings everything it needs: a Toxiproxy."""
        name = engine.name("holder")
        await engine.call(lambda: _import(engine, name, waits))
        return cls(engine, name)

    async def hold(self, network: Network, part: str, *, answers: bool = False) -> Held:
        """Take an address; the Toxiproxy that holds it is there for nobody, or answers whoever reaches it.

        Raises:
            HostError: the engine did not do it.
        """
        return await self._engine.call(lambda: self._hold(network, part, _ANSWERING if answers else _WAITING))

    async def give_back(self, held: Held) -> None:
        """Let go of an address."""
        await self._engine.call(lambda: remove(self._engine, held.container))

    def _hold(self, network: Network, part: str, command: Sequence[str]) -> Held:
        api = self._engine.api
        container = create(self._engine, part, self._image, network_mode=network.name, command=command, stdin=False)
        api.start(container)
        told = api.inspect_container(container)
        if not told["State"]["Running"]:
            raise HostError(
                f"the container that was to hold a server's address has ended: {told['State']}",
                why=f"it runs {_PROGRAM} alone, which has to be linked statically",
                mend="unset LINKPROOF_TOXIPROXY to have one built that is",
            )
        return Held(container, told["NetworkSettings"]["Networks"][network.name]["IPAddress"])


def _import(engine: ContainerEngine, name: str, waits: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(waits, _PROGRAM)
    engine.api.import_image_from_data(
        packed.getvalue(), repository=name, tag="latest", changes=[f'LABEL {LABEL}="{engine.label[LABEL]}"']
    )
    if not engine.api.images(name):  # what the engine answers to an import says nothing of its success
        raise HostError("the container engine did not take the image of what holds a server's address")
