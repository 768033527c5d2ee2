"""Starts a Toxiproxy process on a block of ports of its own and proves that what answers there is that process."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.errors import HostError, ToxiproxyError
from harness.guard import Guard, kill_group
from proxies.api import Consumer, RefusedError, UnreachableError
from proxies.ports import END_PORT, FIRST_PORT, blocks

_HOST: Final = "127.0.0.1"
# A start takes 20 ms; a machine that needs this long could not run the scenarios either.
_START_TIMEOUT_S: Final = 10.0
_POLL_S: Final = 0.005
_TAIL_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class Launched:
    """A process that was started and answers."""

    process: asyncio.subprocess.Process
    consumer: Consumer
    log_path: Path


async def launch(binary: Path, *, guard: Guard, log_path: Path) -> Launched:
    """Start the binary on the first block of ports that is free.

    Raises:
        ToxiproxyError: it ended, or did not answer in time.
        HostError: no block is free, or the binary cannot be run.
    """
    for port in blocks():
        if not _is_free(port):
            continue
        launched = await _try_port(binary, port, guard, log_path)
        if launched is not None:
            return launched
    raise HostError(
        f"no port from {FIRST_PORT} to {END_PORT - 1} is free for a Toxiproxy",
        mend="end runs that are no longer needed: `pgrep -a toxiproxy`.",
    )


async def _try_port(binary: Path, port: int, guard: Guard, log_path: Path) -> Launched | None:
    """The process, or None where another program was quicker to take the port."""
    # Toxiproxy lives on when its port is taken, and the other program may be a Toxiproxy too. So ours is given a
    # proxy with a secret name, never enabled: whoever knows that name is the process that was started here.
    marker = f"linkproof-{secrets.token_hex(8)}"
    process = await _spawn(binary, port, marker, log_path)
    guard.watch(process.pid)
    consumer = Consumer(_HOST, port)
    try:
        if await _is_ready(process, consumer, marker, log_path):
            await asyncio.to_thread(consumer.delete, f"/proxies/{marker}")
            return Launched(process, consumer, log_path)
    except BaseException:
        await _end(process, guard, consumer)
        raise
    await _end(process, guard, consumer)
    return None


async def _spawn(binary: Path, port: int, marker: str, log_path: Path) -> asyncio.subprocess.Process:
    with log_path.open("ab") as log:
        try:
            process = await asyncio.create_subprocess_exec(
                binary, "-host", _HOST, "-port", str(port), "-config", "/dev/stdin",
                stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "LOG_LEVEL": "debug"},
            )  # fmt: skip
        except OSError as error:
            raise HostError(f"{binary} cannot be run", why=str(error)) from error
    assert process.stdin is not None
    config = [{"name": marker, "listen": f"{_HOST}:0", "upstream": f"{_HOST}:1", "enabled": False}]
    process.stdin.write(json.dumps(config).encode())
    process.stdin.close()
    return process


async def _is_ready(process: asyncio.subprocess.Process, consumer: Consumer, marker: str, log_path: Path) -> bool:
    """Wait until the API answers; False where it is another program's."""
    deadline_s = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline_s:
        if process.returncode is not None:
            raise ToxiproxyError(
                f"Toxiproxy ended with status {process.returncode} when it was started", why=log_tail(log_path)
            )
        if _listens(consumer.port):
            return await asyncio.to_thread(_knows, consumer, marker)
        await asyncio.sleep(_POLL_S)
    raise ToxiproxyError(f"Toxiproxy did not answer within {_START_TIMEOUT_S} s of its start", why=log_tail(log_path))


def _knows(consumer: Consumer, marker: str) -> bool:
    try:
        consumer.get(f"/proxies/{marker}")
    except (RefusedError, UnreachableError):
        return False
    return True


async def _end(process: asyncio.subprocess.Process, guard: Guard, consumer: Consumer) -> None:
    consumer.close()
    kill_group(process.pid)
    await process.wait()
    guard.release(process.pid)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
        return True


def _listens(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        return probe.connect_ex((_HOST, port)) == 0


def log_tail(path: Path) -> str:
    """The last lines of a log."""
    lines = path.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    return "\n".join(lines) or "(the log is empty)"
