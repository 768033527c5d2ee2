"""An engine without processes and without a network, in virtual time: its clients say what the test has them say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

from harness.adapter.contract import CAPABILITIES, Hello
from harness.errors import LinkproofError
from harness.spec.timing import NS_PER_S
from harness.trace import Observation, What
from harness.world.engine import Fault, Link, OnCallback, OnFailure, Returned, Server
from harness.world.virtual_loop import now_ns

# Callbacks as the contract has them: when after the call (seconds), the name, the arguments with published numbers.
Said = tuple[float, str, dict[str, Any]]

LOGIN: tuple[Said, ...] = (
    (0.0, "onConnectionStateChanged", {"state": 2, "reason": 1}),
    (0.1, "onLoginSuccess", {}),
    (0.1, "onConnectionStateChanged", {"state": 3, "reason": 2}),
)


class FakeClient:
    """Answers what it was told to, and calls back."""

    def __init__(self, engine: FakeEngine, on_callback: OnCallback, on_failure: OnFailure) -> None:
        self.hello = Hello(1, "sdk", "1.0", "none", 0.5, 1.0, list(engine.capabilities))
        self.clock_error_ns = 1000
        self.fail = on_failure
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self._engine = engine
        self._on_callback = on_callback

    def say(self, in_s: float, name: str, args: dict[str, Any]) -> None:
        asyncio.get_running_loop().call_later(in_s, lambda: self._on_callback(name, args, now_ns(), now_ns() + 7))

    async def call(self, name: str, args: Mapping[str, Any]) -> Returned:
        self.calls.append((name, args))
        for said in self._engine.says.get(name, ()):
            self.say(*said)
        answer = self._engine.answers.get(name, {"code": 0})
        if isinstance(answer, str):
            return Returned(now_ns(), now_ns() + 7, None, answer)
        return Returned(now_ns(), now_ns() + 7, answer, None)


class FakeEngine:
    """The engine; what a test sets here is what happens."""

    def __init__(self) -> None:
        self.capabilities: Sequence[str] = CAPABILITIES
        self.says: dict[str, tuple[Said, ...]] = {"login": LOGIN}
        self.answers: dict[str, dict[str, Any] | str | None] = {}
        self.server: dict[str, dict[str, Any]] = {}
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.clients: dict[str, FakeClient] = {}
        self.partitions: list[Sequence[Sequence[str]]] = []
        self.links: dict[str, bool] = {}  # by person, whether it is resettable
        self.crashed: list[str] = []
        self.counts: dict[str, dict[str, int]] = {}  # by person
        self.counted: list[tuple[str, str]] = []
        self.late_ns = 1000  # by how much the host ran something late, at the start of each span that is asked for
        self.measured: list[tuple[int, int]] = []
        self.close_error: Exception | None = None
        self.vanished: Exception | None = None  # what is found when the faults are looked at in the end
        self.closed_ns = 0

    def now_ns(self) -> int:
        return now_ns()

    async def sleep_until(self, at_ns: int) -> None:
        await asyncio.sleep(max(0, at_ns - now_ns()) / NS_PER_S)

    async def open_link(self, person: str, record: Callable[[Observation], None], *, resettable: bool) -> Link:
        self.links[person] = resettable
        return cast(Link, SimpleNamespace(name=person, record=record))

    async def own_server(self, record: Callable[[Observation], None], on_failure: OnFailure) -> Server:
        return cast(Server, SimpleNamespace(record=record, on_failure=on_failure))

    async def count(self, person: str, uid: str) -> Mapping[str, int]:
        self.counted.append((person, uid))
        return self.counts.get(person, {})

    async def crash_client(self, person: str) -> None:
        await asyncio.sleep(0.125)
        self.crashed.append(person)

    async def start_client(self, person: str, on_callback: OnCallback, on_failure: OnFailure) -> FakeClient:
        self.clients[person] = FakeClient(self, on_callback, on_failure)
        return self.clients[person]

    def partition(self, groups: Sequence[Sequence[str]]) -> Fault:
        self.partitions.append(groups)
        return cast(Fault, SimpleNamespace())

    async def confirm_faults(self) -> None:
        if self.vanished is not None:
            raise self.vanished

    def token(self, uid: str, expires_in_s: float | None) -> str:
        return f"token of {uid} for {expires_in_s}"

    async def ask_server(self, call: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append((call, args))
        await asyncio.sleep(0.25)
        return self.server.get(call, {})

    async def delays(self, from_ns: int, to_ns: int) -> list[Observation]:
        self.measured.append((from_ns, to_ns))
        return [Observation(from_ns, "host", What.DELAY, "late", until_ns=from_ns + self.late_ns)]

    async def close(self) -> None:
        await asyncio.sleep(0.5)
        self.closed_ns = now_ns()
        if self.close_error is not None:
            raise self.close_error


def fail_in(client: FakeClient, in_s: float, error: LinkproofError) -> None:
    """Have a client's process fail a while from now."""
    asyncio.get_running_loop().call_later(in_s, client.fail, error)
