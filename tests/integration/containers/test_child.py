"""A program in a container: its streams, its end, its limits, and where it can get."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import pytest

from harness.adapter.process import ContractProcess
from harness.clock import now_ns
from harness.containers.child import ContainerChild, ContainerPlace
from harness.containers.engine import ContainerEngine, Limits, Network
from harness.containers.holder import Holders
from harness.containers.plug import ContainerPlug
from harness.containers.reach import check_reach
from harness.errors import AdapterError, HostError, LinkproofError
from harness.guard import Guard
from harness.spec.timing import NS_PER_S
from harness.world.sockets import connections_of_network
from proxies.binary import find

if TYPE_CHECKING:
    from tests.integration.containers.conftest import RunInEngine

SOON_S = 20.0
ECHO = "import sys\nfor line in sys.stdin: print(line.strip().upper(), flush=True)"
CONNECT = """
import socket, sys
for line in sys.stdin:
    host, port = line.split()
    with socket.socket() as probe:
        probe.settimeout(1)
        print(probe.connect_ex((host, int(port))) == 0, flush=True)
"""


async def started(
    engine: ContainerEngine, base: str, log: Path, program: str, *, network: str = "none", **env: str
) -> ContainerChild:
    with log.open("wb") as file:
        place = ContainerPlace(engine, base, network)
        return await place.start("a test", ["python3", "-c", program], log=file, env=env)


async def ended(child: ContainerChild) -> None:
    await child.signal(signal.SIGKILL)
    await child.exits_within(SOON_S)
    await child.remove()
    await child.close()


async def line_of(child: ContainerChild) -> str:
    async with asyncio.timeout(SOON_S):
        return (await child.stdout.readline()).decode().strip()


def test_it_is_spoken_to_and_ends_with_its_input(run_in_engine: RunInEngine, base: str, tmp_path: Path) -> None:
    async def test(engine: ContainerEngine) -> None:
        child = await started(engine, base, tmp_path / "log", ECHO)
        child.write(b"hello\n")
        assert await line_of(child) == "HELLO"
        child.close_input()
        assert await child.exits_within(SOON_S)
        assert child.end == "exited with code 0"
        await ended(child)

    run_in_engine(test)


def test_it_is_suspended_resumed_and_killed(run_in_engine: RunInEngine, base: str, tmp_path: Path) -> None:
    async def test(engine: ContainerEngine) -> None:
        child = await started(engine, base, tmp_path / "log", ECHO)
        assert await child.suspend() == f"the engine says that the container {child.id[:12]} is 'paused'"
        child.write(b"still\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await child.stdout.readline()
        assert await child.resume() == f"the engine says that the container {child.id[:12]} is 'running'"
        assert await line_of(child) == "STILL"
        await child.suspend()
        await child.signal(signal.SIGKILL)  # also one that stands still
        assert await child.exits_within(SOON_S)
        assert child.end == "ended by signal 9"
        await ended(child)

    run_in_engine(test)


def test_its_limits_are_the_engines(
    run_in_engine: RunInEngine, api: docker.APIClient, base: str, tmp_path: Path
) -> None:
    async def test(engine: ContainerEngine) -> None:
        child = await started(engine, base, tmp_path / "log", ECHO)
        (told,) = (api.inspect_container(each["Id"]) for each in api.containers(filters={"label": "linkproof.owner"}))
        assert told["HostConfig"]["Memory"] == 64 * 2**20
        assert told["HostConfig"]["NanoCpus"] == 500_000_000
        assert told["HostConfig"]["PidsLimit"] == 512
        assert not told["Config"]["Env"]  # nothing of this machine's
        await ended(child)
        greedy = await started(engine, base, tmp_path / "log", "x = [b'x' * 2**20 for _ in range(200)]")
        assert await greedy.exits_within(SOON_S)
        assert greedy.end == "ended by signal 9, for more than 64m of memory"
        await ended(greedy)

    run_in_engine(test, Limits("64m", 0.5))


def test_it_reaches_what_listens_on_the_gateway_and_nothing_else(
    run_in_engine: RunInEngine, base: str, tmp_path: Path
) -> None:
    async def test(engine: ContainerEngine) -> None:
        clients, servers = await engine.network("clients"), await engine.network("servers")
        serve = "import socket, sys; s = socket.create_server(('0.0.0.0', 9000)); print(socket.gethostbyname(socket.gethostname()), flush=True); sys.stdin.read()"  # noqa: E501
        server = await started(engine, base, tmp_path / "server.log", serve, network=servers.name)
        other = await started(engine, base, tmp_path / "other.log", serve, network=clients.name)
        hosts = [await line_of(server), await line_of(other)]
        client = await started(engine, base, tmp_path / "client.log", CONNECT, network=clients.name)
        with socket.create_server((clients.gateway, 0)) as link, socket.create_server(("127.0.0.1", 0)) as local:
            places = [link.getsockname(), (clients.gateway, local.getsockname()[1]), *((host, 9000) for host in hosts)]
            reached = []
            for host, port in places:
                client.write(f"{host} {port}\n".encode())
                reached.append(await line_of(client))
        assert reached == ["True", "False", "False", "False"]
        await asyncio.gather(*(ended(each) for each in (client, other, server)))

    run_in_engine(test)


def test_a_network_that_does_not_reach_this_machine_is_the_hosts(run_in_engine: RunInEngine) -> None:
    async def test(engine: ContainerEngine) -> None:
        binary = find().path
        assert binary is not None
        holders = await Holders.open(engine, binary)
        clients, servers = await engine.network("clients"), await engine.network("servers")
        probe = await holders.hold(clients, "probe", answers=True)
        await asyncio.to_thread(check_reach, clients, probe)
        unreached = Network(servers.name, "127.0.0.1")  # where that container has a loopback of its own
        other = await holders.hold(servers, "probe", answers=True)
        with pytest.raises(HostError, match=r"does not reach this machine at 127\.0\.0\.1"):
            await asyncio.to_thread(check_reach, unreached, other)

    run_in_engine(test)


def test_its_connections_are_counted_in_its_own_network(run_in_engine: RunInEngine, base: str, tmp_path: Path) -> None:
    async def test(engine: ContainerEngine) -> None:
        network = await engine.network("clients")
        with socket.create_server((network.gateway, 0)) as link:
            hold = f"import socket, sys; s = [socket.create_connection({link.getsockname()!r}) for _ in '12']; print('held', flush=True); sys.stdin.read()"  # noqa: E501
            child = await started(engine, base, tmp_path / "log", hold, network=network.name)
            assert await line_of(child) == "held"
            assert connections_of_network(link.getsockname(), of_process=child.pid) == 2
            assert connections_of_network((network.gateway, 1), of_process=child.pid) == 0
            await ended(child)

    run_in_engine(test)


def test_it_is_unplugged_and_plugged_in_again(run_in_engine: RunInEngine, base: str, tmp_path: Path) -> None:
    """A connect fails at once while there is no network; what was connected before is still counted, for it is open."""
    hold = CONNECT.replace(
        "for line", "held = socket.create_connection(sys.argv[1:])\nprint('held', flush=True)\nfor line"
    )

    async def test(engine: ContainerEngine) -> None:
        network = await engine.network("clients")
        with socket.create_server((network.gateway, 0)) as link, (tmp_path / "log").open("wb") as log:
            place = ContainerPlace(engine, base, network.name)
            address = (network.gateway, str(link.getsockname()[1]))
            child = await place.start("a test", ["python3", "-c", hold, *address], log=log)
            assert await line_of(child) == "held"
            plug = ContainerPlug(engine, child.id, network.name)
            with pytest.raises(HostError, match="was to be on no network"):
                await plug.prove_pulled()
            asked_ns = now_ns()
            t0_ns, t1_ns = await plug.pull()
            assert asked_ns <= t0_ns < t1_ns <= now_ns()
            assert await plug.prove_pulled() == f"the engine says that the container {child.id[:12]} is on no network"
            with pytest.raises(HostError, match=r"was to be on \S+clients, .* is on no network"):
                await plug.prove_in()
            child.write(f"{' '.join(address)}\n".encode())
            asked_ns = now_ns()
            assert await line_of(child) == "False"
            assert now_ns() - asked_ns < NS_PER_S  # the probe itself would wait for so long
            assert connections_of_network(link.getsockname(), of_process=child.pid) == 1
            await plug.put_in()
            assert re.fullmatch(r".* is on its network, as [0-9.]+", await plug.prove_in())
            child.write(f"{' '.join(address)}\n".encode())
            assert await line_of(child) == "True"
            await ended(child)

    run_in_engine(test)


def test_an_image_that_says_nothing_of_the_contract_is_an_error_of_the_adapter(
    run_in_engine: RunInEngine, base: str, tmp_path: Path
) -> None:
    async def test(engine: ContainerEngine) -> None:
        failures: list[LinkproofError] = []
        with Guard() as guard:
            process = await ContractProcess.start(
                "a test",
                ["python3", "-c", "import sys; sys.stderr.write('no such app\\n'); sys.exit(3)"],
                guard=guard,
                log_path=tmp_path / "log",
                on_event=lambda *_: None,
                on_failure=failures.append,
                place=ContainerPlace(engine, base, "none"),
            )
            with pytest.raises(AdapterError, match=r"exited with code 3 while .* last words: no such app"):
                await process.request("hello", {})
            await process.stop()
        assert len(failures) == 1

    run_in_engine(test)


def test_a_command_that_is_none_is_an_error_of_the_adapter(
    run_in_engine: RunInEngine, base: str, tmp_path: Path
) -> None:
    async def test(engine: ContainerEngine) -> None:
        with (tmp_path / "log").open("wb") as log, pytest.raises(AdapterError, match="cannot start"):
            await ContainerPlace(engine, base, "none").start("a test", ["/no/such/program"], log=log)

    run_in_engine(test)


def test_a_start_that_is_broken_off_leaves_nothing(run_in_engine: RunInEngine, base: str, tmp_path: Path) -> None:
    async def test(engine: ContainerEngine) -> None:
        starting = asyncio.create_task(started(engine, base, tmp_path / "log", ECHO))
        await asyncio.sleep(0.05)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        assert await engine.call(lambda: engine.api.containers(all=True, filters={"label": "linkproof.owner"})) == []

    run_in_engine(test)


def test_an_image_that_is_not_there_is_named(run_in_engine: RunInEngine) -> None:
    async def test(engine: ContainerEngine) -> None:
        with pytest.raises(HostError, match="has no image 'linkproof-no-such-image'"):
            await engine.image("linkproof-no-such-image")

    run_in_engine(test)
