"""Starts programs that a run is to meet."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests.whole_run import GONE_S, wait_until

Begin = Callable[..., tuple[subprocess.Popen[bytes], int]]


@pytest.fixture
def listening() -> Iterator[Begin]:
    """Starts a program that listens on a port of its own, the last of its arguments."""
    started = []

    def start(*command: object) -> tuple[subprocess.Popen[bytes], int]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        process = subprocess.Popen([*map(str, command), str(port)], stderr=subprocess.DEVNULL)
        started.append(process)
        wait_until(lambda: _listens(port), f"{command[0]} listens", within_s=GONE_S)
        return process, port

    yield start
    for process in started:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
