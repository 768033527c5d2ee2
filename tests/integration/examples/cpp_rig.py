"""Builds the C++ example, and holds conversations with its adapter over the fake SDK."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.adapter.contract import Answer, Event
from harness.adapter.handshake import Clock, greet
from harness.adapter.process import ContractProcess
from harness.clock import now_ns
from harness.errors import LinkproofError
from harness.guard import Guard
from tests.integration.examples.example_rig import EXAMPLES

EXAMPLE = EXAMPLES / "cpp"
TOOLS = ("cmake", "c++")
COMPILE_S = 600.0  # half a minute of a free core, with sanitizers; the machine may be shared
EVENT_S = 10.0
# A report ends the process: then the adapter has gone while it was needed, with the report as its last words.
SANITIZERS_END_IT = {"TSAN_OPTIONS": "halt_on_error=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
ENVIRONMENT = {**os.environ, **SANITIZERS_END_IT}


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_S, check=False)


def build(folder: Path, *options: str) -> Path:
    """Build the adapter in a folder; return its path."""
    configured = run("cmake", "-S", EXAMPLE, "-B", folder, *options)
    assert configured.returncode == 0, configured.stdout + configured.stderr
    built = run("cmake", "--build", folder, "--parallel", "2")
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "adapter"


def say(binary: Path, *lines: str) -> subprocess.CompletedProcess[str]:
    """Give the adapter these lines, and then the end of its input."""
    return subprocess.run(
        [binary],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=60.0,
        check=False,
        env=ENVIRONMENT,
    )


def answers(binary: Path, *lines: str) -> list[dict[str, Any]]:
    """Return what the adapter says to these lines, which have to be fine."""
    done = say(binary, *lines)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@dataclass
class Talk:
    """A conversation under way: what was called back, and when it arrived here."""

    process: ContractProcess
    log_path: Path
    seen: list[tuple[Event, int]] = field(default_factory=list)
    failures: list[LinkproofError] = field(default_factory=list)
    clock: Clock | None = None
    _unseen: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def on_event(self, event: Event, arrived_ns: int) -> None:
        self.seen.append((event, arrived_ns))
        self._unseen.append((event.event, event.args))
        self._came.set()

    async def ask(self, call: str, /, **args: object) -> Answer:
        answer, _ = await self.process.request(call, args)
        return answer

    async def result(self, call: str, /, **args: object) -> dict[str, Any]:
        """Ask for what has to be answered with a result; return that."""
        answer = await self.ask(call, **args)
        assert answer.result is not None, answer.error
        return answer.result

    async def code(self, call: str, /, **args: object) -> int:
        code = (await self.result(call, **args))["code"]
        assert isinstance(code, int)
        return code

    async def sees(self, name: str, /, **args: object) -> None:
        """Wait until this is called back. Each callback counts once; the order is for events() to tell."""
        async with asyncio.timeout(EVENT_S):
            while (name, args) not in self._unseen:
                self._came.clear()
                await self._came.wait()
        self._unseen.remove((name, args))

    async def log_in(self) -> None:
        assert await self.code("login", token="good", uid="alice") == 0
        await self.sees("onConnectionStateChanged", state=3, reason=2)

    def events(self) -> list[tuple[str, Mapping[str, Any]]]:
        return [(event.event, event.args) for event, _ in self.seen]

    def log(self) -> str:
        """What the fake SDK printed, on which of its threads."""
        return self.log_path.read_text(encoding="utf-8")


def hold(binary: Path, folder: Path, talk_over: Callable[[Talk], Awaitable[None]]) -> Talk:
    """Greet an adapter, make its client, talk with it, and end its input: it has to end itself, and in order."""

    async def held() -> Talk:
        seen: list[Callable[[Event, int], None]] = []
        failures: list[LinkproofError] = []
        log_path = folder / "adapter.log"
        with Guard() as guard:
            process = await ContractProcess.start(
                "the C++ example",
                [str(binary)],
                guard=guard,
                log_path=log_path,
                on_event=lambda event, arrived_ns: seen[0](event, arrived_ns),
                on_failure=failures.append,
                env=ENVIRONMENT,
            )
            talk = Talk(process, log_path, failures=failures)
            seen.append(talk.on_event)
            try:
                _, talk.clock = await greet(process)
                assert await talk.result("create", url="ws://127.0.0.1:9", app_id="1-cpp") == {}
                begun_ns = now_ns()
                await talk_over(talk)
            finally:
                end = await process.stop()
        assert (end, failures) == ("finished", [])
        assert talk.clock.offset_ns == 0, "it has the machine's own monotonic clock"
        for event, arrived_ns in talk.seen:
            assert begun_ns - talk.clock.error_ns <= event.at_ns <= arrived_ns + talk.clock.error_ns, event
        return talk

    return asyncio.run(held())
