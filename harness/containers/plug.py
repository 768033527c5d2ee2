"""What joins a container with its network: the engine takes it out, and puts it in again."""

from __future__ import annotations

from harness.clock import now_ns
from harness.containers.engine import ContainerEngine
from harness.errors import HostError


class ContainerPlug:
    """The container of a client that is on one network; put in again, it may have another address there."""

    def __init__(self, engine: ContainerEngine, container: str, network: str) -> None:
        self._engine = engine
        self._container = container
        self._network = network

    async def pull(self) -> tuple[int, int]:
        """Have the engine disconnect it; returns the monotonic nanoseconds right before and right after."""
        return await self._engine.call(self._pull)

    async def put_in(self) -> tuple[int, int]:
        """Have the engine connect it; returns the monotonic nanoseconds right before and right after."""
        return await self._engine.call(self._put_in)

    async def prove_pulled(self) -> str:
        """Ask the engine whether it is on no network."""
        networks = await self._networks()
        if networks:
            raise self._refuted("on no network", networks)
        return f"the engine says that the container {self._container[:12]} is on no network"

    async def prove_in(self) -> str:
        """Ask the engine whether it is on its network, and on no other."""
        networks = await self._networks()
        if networks.keys() != {self._network} or not networks[self._network]:
            raise self._refuted(f"on {self._network}", networks)
        on = f"on its network, as {networks[self._network]}"
        return f"the engine says that the container {self._container[:12]} is {on}"

    def _pull(self) -> tuple[int, int]:
        t0_ns = now_ns()
        self._engine.api.disconnect_container_from_network(self._container, self._network)
        return t0_ns, now_ns()

    def _put_in(self) -> tuple[int, int]:
        t0_ns = now_ns()
        self._engine.api.connect_container_to_network(self._container, self._network)
        return t0_ns, now_ns()

    async def _networks(self) -> dict[str, str]:
        """Return its address on each network that it is on; an empty one while it does not run."""
        told = await self._engine.call(lambda: self._engine.api.inspect_container(self._container))
        return {name: str(each["IPAddress"]) for name, each in told["NetworkSettings"]["Networks"].items()}

    def _refuted(self, wanted: str, networks: dict[str, str]) -> HostError:
        told = ", ".join(f"{name} ({address or 'no address'})" for name, address in networks.items()) or "no network"
        return HostError(
            f"the container {self._container[:12]} was to be {wanted}, and the engine says that it is on {told}",
            why="it did not do it, or somebody else changes the networks of this run",
        )
