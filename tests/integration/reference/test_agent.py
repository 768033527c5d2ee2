"""The agent as a process: whole conversations over its standard streams."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.adapter.contract import LINE_BYTES_MAX
from harness.reference.server import Server, ServerConfig
from harness.reference.tokens import issue

SECRET = "0123456789abcdef0123456789abcdef"
APP = "app"
COMMAND = (sys.executable, "-m", "harness.reference.agent")


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


class Child:
    """An agent's process and what it has written."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._last_id = 0

    async def read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line: dict[str, Any] = json.loads(await self.process.stdout.readline())
        if "event" in line:
            self.events.append((line["event"], line["args"]))
        return line

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    async def ask(self, call: str, **args: object) -> dict[str, Any]:
        """Make a request and return what it answered; events in between are kept."""
        self._last_id += 1
        self.write(json.dumps({"id": self._last_id, "call": call, "args": args}).encode() + b"\n")
        while (line := await self.read()).get("id") != self._last_id:
            assert "event" in line
        answer: dict[str, Any] = line.get("result", line)
        return answer

    async def sees(self, name: str, **args: object) -> None:
        while (name, args) not in self.events:
            await self.read()

    async def finish(self) -> tuple[int, bytes]:
        """Close its input; return its exit code and what it wrote to standard error."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return await self.end()

    async def end(self) -> tuple[int, bytes]:
        _, error = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, error


@asynccontextmanager
async def agent(*options: str) -> AsyncIterator[Child]:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*COMMAND, *options, stdin=pipe, stdout=pipe, stderr=pipe)
    try:
        yield Child(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def test_a_whole_conversation() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server, agent("--heartbeat-s", "0.25") as child:
            assert (await child.ask("hello"))["heartbeat_s"] == 0.25
            before = time.monotonic_ns()
            assert before < (await child.ask("clock"))["now_ns"] < time.monotonic_ns()
            assert (await child.ask("no-such-call"))["error"] == "unsupported"
            assert await child.ask("create", url=server.url, app_id=APP) == {}
            token = issue(SECRET, APP, "alice", 60)
            assert await child.ask("login", token=token, uid="alice") == {"code": 0}
            await child.sees("onConnectionStateChanged", state=3, reason=2)
            assert await child.ask("join", channel="lobby") == {"code": 0}
            await child.sees("onJoinSuccess", channel="lobby")
            assert await child.ask("getMembers", channel="lobby") == {"code": 0, "members": ["alice"]}
            assert await child.ask("setAttributes", attributes={"mood": "good"}) == {"code": 0}
            got = await child.ask("getAttributes", uid="alice")
            assert got == {"code": 0, "attributes": {"mood": "good"}}
            assert await child.ask("queryOnline", uids=["alice", "bob"]) == {
                "code": 0,
                "online": {"alice": True, "bob": False},
            }
            assert await child.ask("sendToPeer", peer="alice", text="ä\n") == {"code": 0}
            await child.sees("onMessageReceivedFromPeer", peer="alice", text="ä\n")
            assert await child.ask("logout") == {"code": 0}
            assert child.events == [
                ("onConnectionStateChanged", {"state": 2, "reason": 1}),
                ("onLoginSuccess", {}),
                ("onConnectionStateChanged", {"state": 3, "reason": 2}),
                ("onJoinSuccess", {"channel": "lobby"}),
                ("onMessageReceivedFromPeer", {"peer": "alice", "text": "ä\n"}),
                ("onLogout", {"code": 0}),
                ("onConnectionStateChanged", {"state": 1, "reason": 6}),
            ]
            assert await child.finish() == (0, b"")

    run(test)


def test_the_end_of_its_input_ends_it_soon_also_while_it_is_logged_in() -> None:
    async def test() -> None:
        async with Server(ServerConfig(secret=SECRET)) as server, agent() as child:
            await child.ask("create", url=server.url, app_id=APP)
            await child.ask("login", token=issue(SECRET, APP, "alice", 60), uid="alice")
            await child.sees("onConnectionStateChanged", state=3, reason=2)
            began = time.monotonic()
            assert await child.finish() == (0, b"")
            assert time.monotonic() - began < 0.5
            assert server.online(APP) == ["alice"]

    run(test)


def test_the_end_of_its_input_ends_it_soon_also_while_it_connects() -> None:
    async def test() -> None:
        async with agent() as child:
            await child.ask("create", url="ws://127.0.0.1:9", app_id=APP)
            await child.ask("login", token="token", uid="alice")
            began = time.monotonic()
            assert await child.finish() == (0, b"")
            assert time.monotonic() - began < 0.5

    run(test)


@pytest.mark.parametrize("line", [b"no json\n", b"\n", b'{"id":1}\n'])
def test_a_line_that_is_no_request_ends_it_with_2_and_is_shown(line: bytes) -> None:
    async def test() -> None:
        async with agent() as child:
            await child.ask("hello")
            child.write(line + b'{"id":9,"call":"hello"}\n')
            code, error = await child.end()
            assert code == 2
            assert error.startswith(b"linkproof-reference-python: line 2 of the input: not a request: ")
            assert error.rstrip().endswith(f"the line is {line[:-1]!r}".encode())

    run(test)


def test_an_input_that_ends_in_the_middle_of_a_line_is_a_bad_line() -> None:
    async def test() -> None:
        async with agent() as child:
            child.write(b'{"id":1,"call":"cl')
            code, error = await child.finish()
            assert code == 2
            assert b"line 1 of the input: not a request" in error

    run(test)


def test_a_line_that_does_not_end_is_not_waited_for() -> None:
    async def test() -> None:
        async with agent() as child:
            child.write(b"x" * (LINE_BYTES_MAX + 1))
            code, error = await child.end()
            assert code == 2
            assert b"line 1 of the input: " in error
            assert b" bytes, at most 1048576; the line is b'xxx" in error

    run(test)


def test_a_long_line_in_pieces_is_one_request() -> None:
    async def test() -> None:
        async with agent() as child:
            line = json.dumps({"id": 1, "call": "clock", "args": {"padding": "x" * 500_000}}).encode()
            for start in range(0, len(line), 50_000):
                child.write(line[start : start + 50_000])
                await asyncio.sleep(0.001)
            child.write(b"\n")
            assert (await child.read())["id"] == 1
            assert await child.finish() == (0, b"")

    run(test)


def test_it_ends_when_nobody_reads_what_it_says() -> None:
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(b'{"id":1,"call":"clock"}\n{"id":2,"call":"clock"}\n')
        process.stdin.flush()
        assert process.wait(10) == 0
        assert process.stderr.read() == b""


def test_its_input_may_be_a_file(tmp_path: Path) -> None:
    requests = tmp_path / "requests"
    requests.write_bytes(b'{"id":1,"call":"hello"}\n{"id":2,"call":"what"}\n')
    with requests.open("rb") as file:
        done = subprocess.run(COMMAND, stdin=file, capture_output=True, check=True, timeout=10)
    assert [json.loads(line).get("error") for line in done.stdout.splitlines()] == [None, "unsupported"]
    assert done.stderr == b""


def test_its_start_is_cheap() -> None:
    # What it costs bounds how many worlds run side by side. Twice what is measured on a quiet machine (0.12 s), for the
    # least of several tries: CPU time hardly depends on the load, but the processor's clock does.
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(COMMAND, input=b'{"id":1,"call":"hello"}\n', stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent) < 0.24
