"""A Toxiproxy that fails in the middle of a run is soon found out, and no client is judged by what it did."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

import pytest

from harness.guard import Guard
from harness.report.exit_codes import ExitCode
from proxies.api import CALL_TIMEOUT_S
from proxies.binary import find
from proxies.server import ToxiproxyServer
from proxies.watch import ASK_EVERY_S, LOOK_EVERY_S

if TYPE_CHECKING:
    from tests.integration.conftest import StartRun
    from tests.whole_run import WholeRun

# Some 40 s and 34 s, one person and two; their links stay open all the time.
SLOW = "stays_reconnecting_as_long or noticed_on_both_sides"
TEARDOWN_S = 5.0  # all adapters end at the same time


def check_all_blamed(run: WholeRun, words: str) -> None:
    """Every scenario that was playing is an ERROR by Toxiproxy."""
    verdicts = run.verdicts()
    assert len(verdicts) == 2
    for each in verdicts.values():
        assert (each["verdict"], each["blame"]) == ("ERROR", "toxiproxy"), each["reason"]
        assert words in each["reason"]


def test_one_that_stands_still_is_found_within_a_second(start_run: StartRun) -> None:
    run = start_run(SLOW)
    run.wait_until_playing(people=3)
    ports = run.ports()
    pid = run.pid_of("toxiproxy-server")
    assert pid is not None
    began = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    code, out = run.end()
    assert time.monotonic() - began < LOOK_EVERY_S + CALL_TIMEOUT_S + TEARDOWN_S
    assert code == ExitCode.TOXIPROXY
    assert "Traceback" not in out
    check_all_blamed(run, f"the Toxiproxy of this run, process {pid}, was stopped")
    run.check_nothing_is_left(ports)


class Wedge:
    """Stands before the API of a Toxiproxy, and hands everything on until it is wedged: then it takes, and is silent."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._is_wedged = asyncio.Event()
        self.port = 0

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield

    def wedge(self) -> None:
        self._is_wedged.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        with contextlib.suppress(ConnectionError):
            await asyncio.gather(self._pump(reader, up_writer), self._pump(up_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not self._is_wedged.is_set():
                writer.write(data)
        writer.close()
