"""The container engine of this machine, driven by docker-py, and all that one run makes in it.

Whatever is made there carries a label that says which process made it. The run takes it away at its end; behind a run
that was killed the next one does.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import re
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import docker
import docker.errors
import docker.types
import docker.utils
import requests

from harness.containers.owner import LABEL, is_gone, this_process
from harness.errors import HarnessError, HostError

T = TypeVar("T")

WORKERS = 8  # calls at once; what they wait for is computed by the engine, on the same cores
CALL_S = 60  # a start takes half a second; on a host that is overloaded some seconds
_USUAL = "unix:///var/run/docker.sock"
GONE = (404, 409)  # "no such container", "is not running", "removal is already in progress"
# None of the people who play on a network needs another one: whom they talk to is on the host.
ALONE = {"com.docker.network.bridge.enable_icc": "false"}


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the machine each container may take."""

    memory: str = "512m"
    cpus: float = 1.0
    processes: int = 512


@dataclass(frozen=True, slots=True)
class Network:
    """A network of this run's own that leads nowhere but to this machine."""

    name: str
    gateway: str  # this machine's address there


class ContainerEngine:
    """What a run asks of the engine; blocking calls go to threads of their own."""

    def __init__(self, api: docker.APIClient, limits: Limits) -> None:
        self.api = api
        self.limits = limits
        self.label = {LABEL: this_process()}
        self._run = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._threads = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="container-engine")

    async def call(self, ask: Callable[[], T]) -> T:
        """Run a blocking call of the engine's API.

        Raises:
            HostError: the engine did not do it.
        """
        with blaming_the_host():
            return await asyncio.get_running_loop().run_in_executor(self._threads, ask)

    def name(self, part: str) -> str:
        """Return a name that nothing else has: of a container, a network, a tag."""
        readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", part)
        return f"linkproof-{self._run}-{next(self._numbers)}-{readable}"

    async def image(self, name: str) -> str:
        """Return the id of an image.

        Raises:
            HostError: the engine has none of that name.
        """
        try:
            found = await self.call(functools.partial(self.api.inspect_image, name))
        except HostError as error:
            if not isinstance(error.__cause__, docker.errors.ImageNotFound):
                raise
            raise HostError(
                f"the container engine has no image {name!r}",
                why="what is certified is an image of this machine; linkproof pulls none",
                mend=f"docker pull {name}, or build it; of the reference: docker compose build",
            ) from error
        return str(found["Id"])

    async def network(self, part: str) -> Network:
        """Make a network that leads to nothing but this machine.

        Raises:
            HostError: it cannot be made, or the engine's networks are not on this machine.
        """
        name = self.name(part)
        make = functools.partial(
            self.api.create_network, name, internal=True, options=ALONE, labels=self.label, check_duplicate=True
        )
        await self.call(make)
        told = await self.call(functools.partial(self.api.inspect_network, name))
        network = Network(name, told["IPAM"]["Config"][0]["Gateway"])
        try:
            with socket.socket() as probe:
                probe.bind((network.gateway, 0))
        except OSError as error:
            raise HostError(
                f"the networks of the container engine are not on this machine: {network.gateway} is no address of it",
                why="the links of the run listen there, and nothing else is to be reached from its containers",
                mend="use an engine that runs as root on this very machine, not in a virtual machine or a container",
            ) from error
        return network

    async def sweep(self) -> list[str]:
        """Take away what runs that were killed have left behind; returns the names."""
        return await self.call(lambda: list(self._remove_all(is_gone)))

    async def close(self) -> None:
        """Take away all that this process has made in the engine.

        Raises:
            HarnessError: something is still there.
        """
        # A call that was given up may still make something: all are waited for first.
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        mine = self.label[LABEL]
        with blaming_the_host():
            await asyncio.to_thread(lambda: list(self._remove_all(lambda owner: owner == mine)))
            left = await asyncio.to_thread(lambda: [name for name, _ in self._owned(lambda owner: owner == mine)])
        self.api.close()
        if left:
            raise HarnessError(f"the container engine still has {', '.join(left)}", mend="docker rm --force, by name")

    def _remove_all(self, is_meant: Callable[[str], bool]) -> Iterator[str]:
        for name, remove in self._owned(is_meant):
            try:
                remove()
            except docker.errors.APIError as error:
                if error.status_code not in GONE:  # another run may sweep at the same time
                    raise
            yield name

    def _owned(self, is_meant: Callable[[str], bool]) -> Iterator[tuple[str, Callable[[], object]]]:
        """Yield whatever carries such a label, what stands on other things first, and how to remove it."""
        filters = {"label": LABEL}
        for each in self.api.containers(all=True, filters=filters):
            if is_meant(each["Labels"][LABEL]):
                yield each["Names"][0], functools.partial(self.api.remove_container, each["Id"], force=True, v=True)
        for each in self.api.networks(filters=filters):
            if is_meant(each["Labels"][LABEL]):
                yield each["Name"], functools.partial(self.api.remove_network, each["Id"])
        for each in self.api.images(filters=filters):
            if is_meant(each["Labels"][LABEL]):
                yield each["RepoTags"][0], functools.partial(self.api.remove_image, each["Id"], force=True)


@asynccontextmanager
async def open_engine(limits: Limits, say: Callable[[str], None]) -> AsyncIterator[ContainerEngine]:
    """Find the engine, remove what killed runs have left there; at the end, remove all that this one has made.

    Raises:
        HostError: there is no engine, or it does not answer.
    """
    engine = ContainerEngine(await asyncio.to_thread(connect), limits)
    try:
        for name in await engine.sweep():
            say(f"removed {name}, which a run that was killed has left behind")
        yield engine
    finally:
        await engine.close()


def connect() -> docker.APIClient:
    """Return a client of the engine that the environment names (DOCKER_HOST), or of this machine's.

    Raises:
        HostError: none answers.
    """
    settings: Any = docker.utils.kwargs_from_env()
    try:
        _look(settings.get("base_url", _USUAL))
        return docker.APIClient(version="auto", timeout=CALL_S, max_pool_size=2 * WORKERS, **settings)
    except (docker.errors.DockerException, requests.RequestException, OSError) as error:
        raise HostError(
            f"no container engine answers: {error}",
            why="images under test are run by it",
            mend="start it (systemctl start docker), or name it: DOCKER_HOST=unix:///run/docker.sock",
        ) from error


def _look(address: str) -> None:
    """Connect to an engine's socket once: docker-py leaves one open on which nobody answers."""
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(address.removeprefix("unix://"))
            except OSError as error:
                raise OSError(f"{address}: {error.strerror or error}") from error


@contextmanager
def blaming_the_host() -> Iterator[None]:
    """Turn what docker-py raises into an error of the host."""
    try:
        yield
    except docker.errors.APIError as error:
        raise HostError(f"the container engine refused: {error.explanation or error}") from error
    except (docker.errors.DockerException, requests.RequestException) as error:
        raise HostError(
            f"the container engine did not answer: {_reason(error)}",
            mend="see whether it runs (docker info), and its log (journalctl --unit docker)",
        ) from error


def _reason(error: BaseException) -> str:
    """Return what lies at the bottom of an error of requests, which wraps it several times."""
    while error.args and isinstance(error.args[-1], BaseException):
        error = error.args[-1]
    return getattr(error, "strerror", None) or str(error)


def host_config(engine: ContainerEngine, network_mode: str) -> dict[str, Any]:
    """Return what holds for each container: its network, its limits, and that the engine keeps no log of it."""
    limits = engine.limits
    made: dict[str, Any] = engine.api.create_host_config(
        network_mode=network_mode,
        mem_limit=limits.memory,
        memswap_limit=limits.memory,  # swapping would make it slow where it is to be told that it takes too much
        nano_cpus=round(limits.cpus * 1e9),
        pids_limit=limits.processes,
        log_config=docker.types.LogConfig(type="none"),
        security_opt=["no-new-privileges"],
    )
    return made


def create(
    engine: ContainerEngine,
    part: str,
    image: str,
    *,
    network_mode: str,
    command: Sequence[str] = (),
    environment: dict[str, str] | None = None,
    stdin: bool = True,
) -> str:
    """Make a container (in a thread); returns its id."""
    made = engine.api.create_container(
        image,
        list(command) or None,
        name=engine.name(part),
        environment=environment or {},
        stdin_open=stdin,
        labels=engine.label,
        host_config=host_config(engine, network_mode),
        use_config_proxy=False,  # an SDK that heeds a proxy would reach the server past its link
    )
    return str(made["Id"])


def remove(engine: ContainerEngine, container: str) -> None:
    """Remove a container (in a thread), running or not; one that is gone is as good."""
    with contextlib.suppress(docker.errors.NotFound):
        try:
            engine.api.remove_container(container, force=True, v=True)
        except docker.errors.APIError as error:
            if error.status_code not in GONE:
                raise
