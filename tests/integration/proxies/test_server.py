from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import HostError, ToxiproxyError, UsageError
from harness.guard import Guard
from proxies import Direction, Fault, Found, Link, ToxiproxyServer, api, find, launch
from proxies.api import Consumer
from proxies.ports import BLOCK_PORTS, blocks
from proxies.selftest import CHECKS, self_test

if TYPE_CHECKING:
    from tests.integration.proxies.conftest import Rig, RunInRig


def test_the_self_test_holds_for_every_recipe(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        report = await self_test(rig.server)
        assert [check.name for check in report.checks] == list(CHECKS)
        assert all(check.ok and check.detail for check in report.checks)
        assert rig.server.links == ()

    run_in_rig(scenario)


def test_the_self_test_names_a_recipe_that_does_not_hold(run_in_rig: RunInRig, monkeypatch: pytest.MonkeyPatch) -> None:
    def does_nothing(link: Link, *, closes_on_heal: bool = False) -> Fault:
        del closes_on_heal
        return link.half_open()

    async def scenario(rig: Rig) -> None:
        monkeypatch.setattr(Link, "blackhole", does_nothing)
        with pytest.raises(ToxiproxyError, match="blackhole, blackhole that closes\n"):
            await self_test(rig.server)

    run_in_rig(scenario)


def test_peers_that_close_under_any_fault_do_not_crash_it(run_in_rig: RunInRig) -> None:
    """Two toxics in one direction and a peer that closes crash Toxiproxy when the first-added is removed first."""

    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        for first, second in itertools.product((0, 1), (0, 1)):
            pair = await rig.connect(link)
            async with link.freeze():
                pair[first].send(b"held")
                pair[first].close()
                assert await pair[1 - first].is_silent()
            async with link.blackhole():
                pair[second].close()
            other = await rig.connect(link)
            async with link.delay(0.05), link.cut():
                other[second].close()
            async with link.silence(Direction.TO_CLIENT), link.half_open(Direction.TO_SERVER):
                (await rig.connect(link))[first].close()
        assert await rig.works(link)

    run_in_rig(scenario)


def test_a_wedged_proxy_is_an_error_within_the_time_and_deleting_it_frees_it(
    run_in_rig: RunInRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(rig: Rig) -> None:
        wedged, other = await rig.link("wedged"), await rig.link("other")
        client, _ = await rig.connect(wedged)
        client.send(bytes(64 * 2**20))  # the server's end does not read
        await _until_stuck(client.writer)
        monkeypatch.setattr(api, "CALL_TIMEOUT_S", 0.5)
        with pytest.raises(ToxiproxyError, match="did not answer"):
            await wedged.blackhole()
        with pytest.raises(ToxiproxyError, match="nobody knows"):
            await wedged.blackhole()
        assert await rig.works(other)
        await wedged.close()
        async with other.freeze():
            pass

    async def _until_stuck(writer: asyncio.StreamWriter) -> None:
        left = -1
        while left != writer.transport.get_write_buffer_size():
            left = writer.transport.get_write_buffer_size()
            await asyncio.sleep(0.1)

    run_in_rig(scenario)


def test_its_death_is_told_with_the_end_of_its_log(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        assert rig.server.pid is not None
        os.kill(rig.server.pid, signal.SIGKILL)
        with pytest.raises(ToxiproxyError, match="has ended with status -9") as raised:
            await link.cut()
        assert "Started proxy" in str(raised.value)
        assert "status -9" in str(await rig.server.died())

    run_in_rig(scenario)


def test_servers_of_two_runs_do_not_meet(found: Found, tmp_path: Path) -> None:
    async def scenario() -> None:
        with Guard() as guard:
            servers = await asyncio.gather(
                *(ToxiproxyServer.open(found, guard=guard, log_path=tmp_path / f"{number}.log") for number in range(4))
            )
            links = await asyncio.gather(*(server.open_link("alice", ("127.0.0.1", 1)) for server in servers))
            taken = [server.address[1] // BLOCK_PORTS for server in servers]
            assert len(set(taken)) == 4
            assert [link.address[1] // BLOCK_PORTS for link in links] == taken
            for server, link in zip(servers, links, strict=True):
                (proxy,) = _proxies(server).values()
                assert proxy["listen"] == f"{link.address[0]}:{link.address[1]}"
            for server in servers:
                await server.close()

    asyncio.run(scenario())


def test_a_port_that_another_toxiproxy_took_meanwhile_is_left_to_it(
    run_in_rig: RunInRig, found: Found, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario(rig: Rig) -> None:
        taken = rig.server.address[1]
        free = next(port for port in blocks() if launch._is_free(port))
        monkeypatch.setattr(launch, "blocks", lambda: iter([taken, free]))
        monkeypatch.setattr(launch, "_is_free", lambda _: True)
        with Guard() as guard:
            async with await ToxiproxyServer.open(found, guard=guard, log_path=tmp_path / "second.log") as second:
                assert second.address[1] == free
        assert await rig.works(await rig.link())

    run_in_rig(scenario)


def test_a_links_port_that_another_program_holds_is_passed_over(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        host, port = rig.server.address
        with socket.create_server((host, port + 1)):
            link = await rig.link()
        assert link.address == (host, port + 2)

    run_in_rig(scenario)


def test_a_port_that_was_taken_while_the_link_was_cut_is_the_hosts_fault(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        link = await rig.link()
        fault = await link.cut()
        with socket.create_server(link.address), pytest.raises(HostError, match="another program has taken port"):
            await fault.heal()
        await link.close()

    run_in_rig(scenario)


def test_attached_to_a_running_server_it_leaves_that_running_and_takes_its_links_away(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        own = await rig.link()
        address = "{}:{}".format(*rig.server.address)
        async with await ToxiproxyServer.attach(address) as second:
            link = await second.open_link("alice", rig.upstream)
            assert await rig.works(link)
            async with link.cut():
                assert await rig.works(own)
            assert len(_proxies(rig.server)) == 2
        assert len(_proxies(rig.server)) == 1
        with pytest.raises(UsageError, match="has been closed"):
            await second.open_link("alice", rig.upstream)

    run_in_rig(scenario)


def test_a_running_server_is_found_by_its_address(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        address = "{}:{}".format(*rig.server.address)
        found = await asyncio.to_thread(find, address)
        assert (found.address, found.path) == (address, None)
        with Guard() as guard:
            async with await ToxiproxyServer.open(found, guard=guard, log_path=Path("unused")) as second:
                assert second.address == rig.server.address
                assert second.pid is None

    run_in_rig(scenario)


def test_attaching_to_nothing_is_an_error() -> None:
    with pytest.raises(ToxiproxyError, match="did not answer"):
        asyncio.run(ToxiproxyServer.attach("127.0.0.1:1"))
    with pytest.raises(UsageError, match="write it as host:port"):
        asyncio.run(ToxiproxyServer.attach("somewhere"))


def test_a_binary_that_ends_at_once_is_told_with_its_log(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho 'cannot go on'\nexit 7\n")
    broken.chmod(0o755)

    async def scenario() -> None:
        with Guard() as guard:
            await ToxiproxyServer.start(broken, guard=guard, log_path=tmp_path / "log")

    with pytest.raises(ToxiproxyError, match=r"status 7(.|\n)*cannot go on"):
        asyncio.run(scenario())


def test_it_dies_with_a_run_that_is_killed(found: Found, tmp_path: Path) -> None:
    program = """
import asyncio, pathlib, sys
from harness.guard import Guard
from proxies import ToxiproxyServer

async def run():
    server = await ToxiproxyServer.start(pathlib.Path(sys.argv[1]), guard=Guard(), log_path=pathlib.Path(sys.argv[2]))
    print(server.address[1], flush=True)
    await asyncio.Event().wait()

asyncio.run(run())
"""
    command = [sys.executable, "-c", program, str(found.path), str(tmp_path / "log")]
    root = Path(api.__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as run:
        assert run.stdout is not None
        port = int(run.stdout.readline())
        run.kill()
    assert _stops_listening(port, within_s=5)


def test_names_of_links_may_be_anything(run_in_rig: RunInRig) -> None:
    async def scenario(rig: Rig) -> None:
        for name in ("alice", "alice", "test[a/b]/älice?", "", "../x"):
            link = await rig.link(name)
            assert link.name == name
            async with link.freeze():
                pass
        assert all(re.fullmatch(r"\d{4}-[A-Za-z0-9_.-]*", name) for name in _proxies(rig.server))

    run_in_rig(scenario)


def _proxies(server: ToxiproxyServer) -> dict[str, dict[str, str]]:
    consumer = Consumer(*server.address)
    try:
        answer: dict[str, dict[str, str]] = consumer.get("/proxies").json()
        return answer
    finally:
        consumer.close()


def _stops_listening(port: int, *, within_s: float) -> bool:
    deadline_s = time.monotonic() + within_s
    while time.monotonic() < deadline_s:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return True
    return False
