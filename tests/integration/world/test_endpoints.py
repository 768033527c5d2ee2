"""A laboratory on ::1 and over TLS: where its servers are, and what it refuses."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import sys
from pathlib import Path

import pytest

from harness.addresses import Address
from harness.errors import HostError, UsageError
from harness.trace import Observation
from harness.world import lab as module
from harness.world.lab import LabConfig, open_lab
from harness.world.own_server import OwnServer


async def certificate_of(address: Address, ca_file: str) -> dict[str, object]:
    """What a server shows to somebody who trusts this CA alone."""
    _, writer = await asyncio.open_connection(*address, ssl=ssl.create_default_context(cafile=ca_file))
    shown: dict[str, object] = writer.get_extra_info("peercert")
    writer.close()
    return shown


def test_the_servers_are_on_ipv6_and_speak_tls(tmp_path: Path) -> None:
    async def test() -> None:
        record: list[Observation] = []
        failures: list[object] = []
        async with open_lab(LabConfig(tmp_path / "logs", tls=True, ipv6=True)) as lab:
            own = OwnServer(
                lab,
                "own",
                lab.config.server_command,
                await lab.places.servers.take("own"),
                record.append,
                failures.append,
            )
            assert lab.server.hello.url == f"wss://[::1]:{lab.server.address[1]}"
            assert own.address[0] == lab.server.address[0] == "::1"
            await own.start()
            for address in (lab.server.address, own.address):
                shown = await certificate_of(address, lab.keys.ca_file)
                assert ("IP Address", "0:0:0:0:0:0:0:1") in shown["subjectAltName"]  # type: ignore[operator]
            await own.kill()
            with pytest.raises(ConnectionRefusedError):
                await certificate_of(own.address, lab.keys.ca_file)
            await own.close()
        assert [each.name for each in record] == ["server start", "server kill"]
        assert failures == []

    asyncio.run(test())


def test_the_client_that_is_only_greeted_is_told_the_server_itself(tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text(
        "import os, pathlib, sys\n"
        "from harness.reference import agent\n"
        "names = ('LINKPROOF_URL', 'LINKPROOF_APP_ID', 'LINKPROOF_CA_FILE')\n"
        "told = [*sys.argv[1:], *(os.environ[name] for name in names)]\n"
        "pathlib.Path(__file__).with_name('told').write_text('\\n'.join(told))\n"
        "del sys.argv[1:]\n"
        "raise SystemExit(agent.main())\n"
    )
    command = (sys.executable, str(script), "--at={url}", "{app_id}", "{port}")

    async def test() -> None:
        async with open_lab(LabConfig(tmp_path / "logs", command)) as lab:
            host, port = lab.server.address
            url = f"ws://{host}:{port}"
            expected = [f"--at={url}", "hello", str(port), url, "hello", ""]
            assert (tmp_path / "told").read_text().split("\n") == expected

    asyncio.run(test())


def test_a_machine_without_the_address_is_no_place_to_play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An address that no machine has: of the block for documentation (RFC 3849).
    monkeypatch.setattr(module, "IPV6", "2001:db8::1")

    async def test() -> None:
        with pytest.raises(HostError, match=r"this machine has no 2001:db8::1: (?s:.*)leave --ipv6 out"):
            async with open_lab(LabConfig(tmp_path / "logs", ipv6=True)):
                pass

    asyncio.run(test())


def test_a_kernel_without_ipv6_is_none_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: object) -> socket.socket:
        raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")

    monkeypatch.setattr(socket, "socket", refused)
    with pytest.raises(HostError, match="this machine has no ::1: Address family not supported"):
        module._check_address("::1")


def test_an_unknown_placeholder_is_the_users_and_ends_what_was_begun(tmp_path: Path) -> None:
    async def test() -> None:
        with pytest.raises(UsageError, match=r"'\{server\}' in '\{server\}' is no placeholder"):
            async with open_lab(LabConfig(tmp_path / "logs", ("client", "{server}"))):
                pass
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(test())


@pytest.mark.parametrize(
    ("url", "fits"),
    [
        ("wss://[::1]:80", True),
        ("ws://[::1]:80", False),
        ("wss://127.0.0.1:80", False),
        ("wss://[::1]:80/rtm", False),
        ("wss://[::1]", False),
    ],
)
def test_a_server_that_is_elsewhere_is_refused(tmp_path: Path, url: str, fits: bool) -> None:
    config = LabConfig(tmp_path, tls=True, ipv6=True)
    assert module._address_in(url, config) == (("::1", 80) if fits else None)
