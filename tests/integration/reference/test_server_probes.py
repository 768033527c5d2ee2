"""What a server answers to who is no client: its health and its metrics, over HTTP on the port of its clients."""

from __future__ import annotations

import asyncio
import http.client
import ssl
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from harness.guard import Guard
from harness.reference.server import Server, ServerConfig
from harness.reference.server_control import tls_with
from harness.reference.wire import SUBPROTOCOL, Ping, Pong
from harness.world.keys import Keys, new_keys
from tests.integration.reference.server_shell_rig import SECRET, ask, client, log_in, run, serving


def get(server: Server, path: str, trusted: ssl.SSLContext | None = None) -> tuple[int, str | None, str]:
    connection = (
        http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        if trusted is None
        else http.client.HTTPSConnection("127.0.0.1", server.port, timeout=10, context=trusted)
    )
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type"), response.read().decode()
    finally:
        connection.close()


def test_a_server_that_runs_says_that_it_is_well() -> None:
    async def test() -> None:
        async with serving() as server:
            assert await asyncio.to_thread(get, server, "/healthz") == (200, "text/plain; charset=utf-8", "ok\n")
            assert (await asyncio.to_thread(get, server, "/healthz?now"))[0] == 200

    run(test)


def test_the_metrics_are_those_of_the_moment() -> None:
    async def test() -> None:
        async with serving() as server, client(server) as alice:
            await log_in(alice, "alice")
            status, kind, text = await asyncio.to_thread(get, server, "/metrics")
            assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
            values = {
                sample.name: sample.value
                for family in text_string_to_metric_families(text)
                for sample in family.samples
            }
            assert values["linkproof_connections"] == values["linkproof_sessions"] == 1
            assert values["linkproof_frames_received_total"] == values["linkproof_frames_sent_total"] == 2
            assert values["linkproof_logins_total"] == 1
            assert "alice" not in text
            assert await ask(alice, Ping(2)) == Pong(2), "it goes on beside that"

    run(test)


@pytest.mark.parametrize("path", ["/", "/nothing", "/metrics/more"])
def test_another_page_is_none(path: str) -> None:
    async def test() -> None:
        async with serving() as server:
            assert (await asyncio.to_thread(get, server, path))[0] == 426, "upgrade required: it is for clients"

    run(test)


@pytest.mark.parametrize("path", ["/healthz", "/metrics"])
def test_a_client_may_take_any_path(path: str) -> None:
    async def test() -> None:
        async with (
            serving() as server,
            connect(server.url + path, subprotocols=[Subprotocol(SUBPROTOCOL)]) as alice,
        ):
            assert not (await log_in(alice, "alice")).resumed
            assert await ask(alice, Ping(2)) == Pong(2)

    run(test)


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with Guard() as guard, new_keys(guard, tls=True) as made:
        yield made


def test_over_tls_they_are_there_too(keys: Keys) -> None:
    async def test() -> None:
        tls = tls_with(keys.certificate_file, keys.key_file)
        async with Server(ServerConfig(secret=SECRET, tls=tls)) as server:
            trusted = ssl.create_default_context(cafile=keys.ca_file)
            assert (await asyncio.to_thread(get, server, "/healthz", trusted))[0] == 200

    run(test)
