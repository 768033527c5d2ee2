"""The reference server as a child process: its control protocol, its ends, and what ``linkproof serve`` adds."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from harness.adapter.contract import LINE_BYTES_MAX
from harness.addresses import written
from harness.guard import Guard
from harness.reference.tokens import issue
from harness.reference.wire import SUBPROTOCOL, LoggedIn, Login, decode_from_server, encode
from harness.world.keys import Keys, new_keys

SECRET = "0123456789abcdef0123456789abcdef"
CONTROL = (sys.executable, "-m", "harness.reference.server_control")
SERVE = (sys.executable, "-c", "from harness.cli import main; main()", "serve")
ENDS_WITHIN_S = 1.0  # the promise to the harness; measured without the interpreter's start


class Child:
    """A server process and its control channel."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        assert abs(answer.pop("at_ns") - time.monotonic_ns()) < 5e9, "the machine's monotonic clock"
        return answer

    def ask(self, call: str, **args: Any) -> dict[str, Any]:
        self.write(json.dumps({"id": 7, "call": call, "args": args}).encode() + b"\n")
        answer = self.read()
        assert answer.pop("id") == 7
        return answer

    def end(self) -> tuple[int, str]:
        """Wait for the end, and return the exit code and what stood on standard error."""
        started_s = time.monotonic()
        _, errors = self.process.communicate(timeout=20)
        assert time.monotonic() - started_s < ENDS_WITHIN_S + 0.5, "plus the interpreter's own end on a busy host"
        return self.process.returncode, errors.decode()


@contextmanager
def child(
    *options: str,
    command: tuple[str, ...] = CONTROL,
    secret: str | None = SECRET,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Child]:
    env = {**os.environ, **environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    env.pop("LINKPROOF_SECRET", None)
    if secret is not None:
        env["LINKPROOF_SECRET"] = secret
    process = subprocess.Popen(
        [*command, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env,
    )
    with process:
        try:
            yield Child(process)
        finally:
            process.kill()


async def log_in_and_wait_for_the_end(url: str, entered: asyncio.Event | None = None) -> int:
    """Log alice in, and return the code that the server closes with."""
    async with connect(url, subprotocols=[Subprotocol(SUBPROTOCOL)], ping_interval=None) as connection:
        await connection.send(encode(Login("app", "alice", issue(SECRET, "app", "alice"), "phone", 1)), text=True)
        answer = decode_from_server(await connection.recv())
        assert isinstance(answer, LoggedIn)
        await connection.send('{"type":"ping","n":1}')
        await connection.recv()
        if entered is not None:
            entered.set()
        await connection.wait_closed()
        assert connection.close_code is not None
        return connection.close_code


def test_a_conversation() -> None:
    with child("--heartbeat-s", "0.25") as server:
        hello = server.ask("hello")["result"]
        url = hello.pop("url")
        assert re.fullmatch(r"ws://127\.0\.0\.1:\d+", url)
        assert hello == {
            "contract": 1,
            "name": "linkproof reference server",
            "version": "rtm.v1",
            "language": "python",
            "heartbeat_s": 0.25,
        }
        clock = server.ask("clock")["result"]["now_ns"]
        assert abs(clock - time.monotonic_ns()) < 5e9
        assert server.ask("no such call") == {"error": "unsupported"}
        assert server.ask("login") == {"error": "unsupported"}
        user = {"app_id": "app", "uid": "alice"}
        assert server.ask("connections", **user) == {"result": {"connections": 0, "attempts": 0}}

        async def talk() -> None:
            entered = asyncio.Event()
            alice = asyncio.create_task(log_in_and_wait_for_the_end(url, entered))
            await entered.wait()
            assert server.ask("connections", **user) == {"result": {"connections": 1, "attempts": 1}}
            assert server.ask("ban", **user) == {"result": {}}
            assert await alice == 1000

        asyncio.run(talk())
        assert server.ask("unban", **user) == {"result": {}}
        assert server.ask("connections", **user) == {"result": {"connections": 0, "attempts": 1}}
        assert server.ask("stop") == {"result": {}}
        assert server.end() == (0, "")


def test_wrong_arguments_are_told_and_harm_nothing() -> None:
    with child() as server:
        assert server.ask("ban", app_id="app") == {"error": "ban: Object missing required field `uid`"}
        assert server.ask("connections", app_id="app", uid=7)["error"].startswith("connections: Expected `str`")
        assert "error" not in server.ask("hello")


def test_the_end_of_the_input_ends_the_server_and_its_clients_see_it_going_away() -> None:
    with child() as server:
        url = server.ask("hello")["result"]["url"]

        async def talk() -> None:
            entered = asyncio.Event()
            alice = asyncio.create_task(log_in_and_wait_for_the_end(url, entered))
            await entered.wait()
            assert server.process.stdin is not None
            server.process.stdin.close()
            assert await alice == 1001

        asyncio.run(talk())
        server.process.stdin = None  # closed already, so communicate() is not to flush it
        assert server.end() == (0, "")


def test_half_a_line_at_the_end_is_no_request() -> None:
    with child() as server:
        server.ask("hello")
        server.write(b'{"id":1,"call":"st')
        assert server.end() == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", [CONTROL, SERVE])
def test_a_signal_ends_it_cleanly(number: signal.Signals, command: tuple[str, ...]) -> None:
    with child("--port", "0", command=command) as server:
        if command is CONTROL:
            server.ask("hello")
        else:
            assert server.process.stdout is not None
            server.process.stdout.readline()
        server.process.send_signal(number)
        assert server.end() == (0, "")


def test_an_answer_that_nobody_can_read_ends_it() -> None:
    with child() as server:
        server.ask("hello")
        assert server.process.stdout is not None
        server.process.stdout.close()
        server.write(b'{"id":1,"call":"hello"}\n')
        server.process.stdout = None
        assert server.process.wait(timeout=10) == 0


@pytest.mark.parametrize("line", [b"hello\n", b"x" * (LINE_BYTES_MAX + 1) + b"\n", b"[]\n"])
def test_a_line_that_is_no_request_ends_it_with_the_line_and_the_page(line: bytes) -> None:
    with child() as server:
        server.ask("hello")
        server.write(line)
        code, errors = server.end()
        assert code == 2
        assert "adapter: a line on the control input of the server" in errors
        assert "docs/adapter-contract.md" in errors
        assert "Traceback" not in errors


def test_an_input_that_cannot_end_is_refused() -> None:
    done = subprocess.run([*CONTROL], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, text=True)
    assert done.returncode == 2
    assert "neither a pipe nor a terminal" in done.stderr


def test_a_secret_that_was_not_given_is_told() -> None:
    with child(secret=None) as server:
        server.ask("hello")
        assert server.ask("stop") == {"result": {}}
        code, errors = server.end()
        assert code == 0
        assert re.fullmatch(r"LINKPROOF_SECRET is not set; the secret of this server is [0-9a-f]{64}\n", errors)


@pytest.mark.parametrize(("command", "fault_of_host"), [(CONTROL, 2), (SERVE, 13)])
def test_what_cannot_be_started_says_why(command: tuple[str, ...], fault_of_host: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with child("--port", str(taken.getsockname()[1]), command=command) as server:
            _, errors = server.process.communicate(timeout=60)
        assert server.process.returncode == fault_of_host
        assert errors.startswith(b"host: cannot listen on 127.0.0.1")
    with child("--secret", "short", command=command) as server:
        _, errors = server.process.communicate(timeout=60)
    assert server.process.returncode == 2
    assert errors.startswith(b"user: a secret of 5 bytes")


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with Guard() as guard, new_keys(guard, tls=True) as made:
        yield made


async def talk_tls(url: str, trusted: ssl.SSLContext) -> None:
    async with connect(url, ssl=trusted, subprotocols=[Subprotocol(SUBPROTOCOL)], ping_interval=None) as connection:
        await connection.send(encode(Login("app", "alice", issue(SECRET, "app", "alice"), "phone", 1)), text=True)
        assert isinstance(decode_from_server(await connection.recv()), LoggedIn)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_it_speaks_tls_with_the_certificate_that_its_environment_names(keys: Keys, host: str) -> None:
    with child("--host", host, environment=keys.server_environment({})) as server:
        url = server.ask("hello")["result"]["url"]
        assert re.fullmatch(rf"wss://{re.escape(written((host, 0)))[:-1]}\d+", url)
        asyncio.run(talk_tls(url, ssl.create_default_context(cafile=keys.ca_file)))
        with pytest.raises(ssl.SSLCertVerificationError):
            asyncio.run(talk_tls(url, ssl.create_default_context()))
        assert server.ask("stop") == {"result": {}}
        assert server.end()[0] == 0


def test_it_ends_in_time_while_a_tls_handshake_hangs(keys: Keys) -> None:
    with child(environment=keys.server_environment({})) as server:
        port = int(server.ask("hello")["result"]["url"].rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)):
            server.ask("clock")  # it has gone round its loop, and so has accepted
            assert server.ask("stop") == {"result": {}}
            assert server.end() == (0, "")


def test_half_a_pair_and_what_is_no_certificate_are_refused(keys: Keys) -> None:
    whole = keys.server_environment({})
    for environment, words in (
        ({"LINKPROOF_TLS_CERT": keys.certificate_file}, "a certificate without its key"),
        ({**whole, "LINKPROOF_TLS_KEY": "/no/such.key"}, "No such file or directory"),
        ({**whole, "LINKPROOF_TLS_CERT": keys.key_file}, "each is to be a PEM file, and of a pair"),
    ):
        with child(environment=environment) as server:
            _, errors = server.process.communicate(timeout=60)
        assert server.process.returncode == 2
        assert words in errors.decode()
        assert b"Traceback" not in errors


def test_serve_tells_its_address_and_prints_tokens_that_its_clients_can_use() -> None:
    with child("--port", "0", "--issue-token", "app", "alice", command=SERVE) as server:
        assert server.process.stdout is not None
        address = re.fullmatch(
            r"Serving rtm\.v1 at (ws://127\.0\.0\.1:\d+), heartbeat 0\.5 s; Ctrl-C ends it\.\n",
            server.process.stdout.readline().decode(),
        )
        assert address is not None
        line = server.process.stdout.readline().decode()
        assert line == f"token of alice in app: {issue(SECRET, 'app', 'alice')}\n"

        async def talk() -> None:
            entered = asyncio.Event()
            alice = asyncio.create_task(log_in_and_wait_for_the_end(address[1], entered))
            await entered.wait()
            server.process.send_signal(signal.SIGTERM)
            assert await alice == 1001

        asyncio.run(talk())
        assert server.end() == (0, "")


def test_serve_says_how_to_come_by_a_token() -> None:
    with child("--port", "0", command=SERVE) as server:
        assert server.process.stdout is not None
        server.process.stdout.readline()
        assert b"--issue-token APP UID" in server.process.stdout.readline()


def test_serve_can_be_controlled_too() -> None:
    with child("--port", "0", "--control", command=SERVE) as server:
        assert server.ask("hello")["result"]["contract"] == 1
        assert server.ask("stop") == {"result": {}}
        assert server.end() == (0, "")


def test_serve_speaks_tls_and_writes_what_it_does_a_json_line_each_and_never_a_token(keys: Keys) -> None:
    options = ("--port", "0", "--tls-cert", keys.certificate_file, "--tls-key", keys.key_file, "--log-format", "json")
    with child(*options, command=SERVE) as server:
        assert server.process.stdout is not None
        url = server.process.stdout.readline().decode().split()[3].rstrip(",")
        asyncio.run(talk_tls(url, ssl.create_default_context(cafile=keys.ca_file)))
        assert server.process.stderr is not None
        log = [server.process.stderr.readline() for _ in range(4)]  # so that the stop comes after all that
        server.process.send_signal(signal.SIGTERM)
        log += server.process.stderr.readlines()
        assert server.process.wait(timeout=60) == 0
    errors = b"".join(log).decode()
    lines = [json.loads(line) for line in errors.splitlines()]
    assert [line["what"] for line in lines] == ["listening", "login", "lost", "ended", "stopping"]
    assert lines[1]["uid"] == "alice"
    assert lines[3]["why"] == "unconfirmed"
    assert issue(SECRET, "app", "alice") not in errors


@pytest.mark.parametrize("command", [CONTROL, SERVE])
def test_it_makes_room_for_its_connections_as_far_as_the_system_lets_it(command: tuple[str, ...]) -> None:
    few_at_first = ("sh", "-c", 'ulimit -Sn 128; ulimit -Hn 4096; exec "$@"', "sh", *command)
    with child("--port", "0", command=few_at_first) as server:
        assert server.process.stdout is not None
        if command is CONTROL:
            server.ask("hello")
        else:
            server.process.stdout.readline()
        assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (4096, 4096)


def test_serve_keeps_the_limits_that_it_is_given() -> None:
    with child("--port", "0", "--connections-max", "1", command=SERVE) as server:
        assert server.process.stdout is not None
        url = server.process.stdout.readline().decode().split()[3].rstrip(",")

        async def talk() -> None:
            entered = asyncio.Event()
            alice = asyncio.create_task(log_in_and_wait_for_the_end(url, entered))
            await entered.wait()
            async with connect(url, subprotocols=[Subprotocol(SUBPROTOCOL)]) as second:
                await second.wait_closed()
                assert (second.close_code, second.close_reason) == (1013, "too many connections")
            server.process.send_signal(signal.SIGTERM)
            assert await alice == 1001

        asyncio.run(talk())
        assert server.process.wait(timeout=60) == 0
