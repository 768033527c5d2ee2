"""The agent's side of the contract, without a process: requests in, lines out."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from harness.adapter.contract import CALLBACKS, CALLS, ContractError
from harness.reference import agent
from harness.reference.agent import Agent
from harness.reference.client import RtmClient
from harness.reference.client_calls import CLIENT_CALLS
from harness.reference.client_effects_core import CALLBACK_NAMES


class Desk:
    """An agent, and what it has written."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        self.agent = Agent(0.25, self._write)
        self._last_id = 0

    def _write(self, line: bytes) -> None:
        assert line.endswith(b"\n")
        assert line.count(b"\n") == 1
        self.lines.append(json.loads(line))

    def ask(self, call: str, /, **args: object) -> dict[str, Any]:
        """Make a request and return its answer, which must come at once."""
        self._last_id += 1
        self.agent.request(json.dumps({"id": self._last_id, "call": call, "args": args}).encode())
        (answer,) = [line for line in self.lines if line.get("id") == self._last_id]
        assert answer.keys() <= {"id", "at_ns", "result", "error"}
        return answer

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        return [(line["event"], line["args"]) for line in self.lines if "event" in line]


def run(test: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        desk = Desk()
        await test(desk)
        await desk.agent.close()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(whole())


def test_it_speaks_all_of_the_contract() -> None:
    assert tuple(CALLBACKS) == CALLBACK_NAMES
    assert CLIENT_CALLS.keys() == CALLS.keys() - {"react"}  # which the agent does itself
    for call, (method, names) in CLIENT_CALLS.items():
        assert names == tuple(CALLS[call][0])
        assert len(inspect.signature(getattr(RtmClient, method)).parameters) == len(names) + 1


def test_hello_declares_what_only_the_implementation_knows() -> None:
    async def test(desk: Desk) -> None:
        answer = desk.ask("hello")
        assert answer["result"] == {
            "contract": 1,
            "name": "linkproof-reference-python",
            "version": agent.VERSION,
            "language": "python",
            "heartbeat_s": 0.25,
            "retry_s": 1.0,
            "capabilities": ["channels", "attributes", "presence", "messages", "token-renewal", "reactions"],
        }

    run(test)


def test_clock_tells_the_clock_that_everything_is_stamped_with() -> None:
    async def test(desk: Desk) -> None:
        first, second = desk.ask("clock"), desk.ask("clock")
        assert first["result"]["now_ns"] <= first["at_ns"] <= second["result"]["now_ns"] <= second["at_ns"]

    run(test)


@pytest.mark.parametrize("call", ["no-such-call", "close", "__init__", "state"])
def test_an_unknown_call_is_unsupported(call: str) -> None:
    async def test(desk: Desk) -> None:
        assert desk.ask(call)["error"] == "unsupported"
        desk.ask("create", url="ws://127.0.0.1:9", app_id="app")
        assert desk.ask(call)["error"] == "unsupported"

    run(test)


def test_a_call_before_create_is_an_error_of_the_agent() -> None:
    async def test(desk: Desk) -> None:
        assert desk.ask("logout")["error"] == "logout before create"

    run(test)


@pytest.mark.parametrize(
    ("args", "error"),
    [
        ({"url": "ws://127.0.0.1:9"}, "app_id"),
        ({"url": 5, "app_id": "app"}, "Expected `str`"),
        ({"url": "http://127.0.0.1:9", "app_id": "app"}, "is not the url of a server"),
        ({"url": "wss://127.0.0.1:9", "app_id": "app", "ca_file": "/none.pem"}, "ca_file '/none.pem': [Errno 2]"),
    ],
)
def test_a_bad_create_is_answered_with_the_reason_and_may_be_mended(args: dict[str, Any], error: str) -> None:
    async def test(desk: Desk) -> None:
        assert error in desk.ask("create", **args)["error"]
        assert desk.ask("create", url="ws://127.0.0.1:9", app_id="app")["result"] == {}
        assert desk.ask("create", url="ws://127.0.0.1:9", app_id="app")["error"].startswith("there is a client already")

    run(test)


def test_codes_are_numbers_and_events_come_before_the_answer_that_they_precede() -> None:
    async def test(desk: Desk) -> None:
        desk.ask("create", url="ws://127.0.0.1:9", app_id="app")
        assert desk.ask("logout")["result"] == {"code": 102}
        assert desk.ask("login", token="token", uid="alice")["result"] == {"code": 0}
        assert desk.events() == [("onConnectionStateChanged", {"state": 2, "reason": 1})]
        assert "event" in desk.lines[-2]
        assert desk.lines[-2]["at_ns"] <= desk.lines[-1]["at_ns"]
        assert desk.ask("join", channel="lobby")["result"] == {"code": 102}
        assert desk.ask("login", token=5, uid=None)["result"] == {"code": 8}

    run(test)


def test_wrong_arguments_are_an_error_of_whoever_asked() -> None:
    async def test(desk: Desk) -> None:
        desk.ask("create", url="ws://127.0.0.1:9", app_id="app")
        assert desk.ask("login", token="token")["error"] == "login takes ['token', 'uid'], not ['token']"
        assert desk.ask("logout", now=True)["error"] == "logout takes [], not ['now']"

    run(test)


def test_what_the_server_is_asked_is_answered_later_and_out_of_order() -> None:
    async def test(desk: Desk) -> None:
        desk.ask("create", url="ws://127.0.0.1:9", app_id="app")
        desk.agent.request(b'{"id":100,"call":"getMembers","args":{"channel":"lobby"}}')
        desk.ask("clock")
        assert all(line.get("id") != 100 for line in desk.lines)
        await asyncio.sleep(0)
        assert desk.lines[-1].items() >= {"id": 100, "result": {"code": 102}}.items()

    run(test)


def test_what_is_unanswered_at_the_end_stays_so() -> None:
    async def test(desk: Desk) -> None:
        desk.ask("create", url="ws://127.0.0.1:9", app_id="app")
        desk.agent.request(b'{"id":100,"call":"getMembers","args":{"channel":"lobby"}}')
        await desk.agent.close()
        assert all(line.get("id") != 100 for line in desk.lines)

    run(test)


@pytest.mark.parametrize(
    "line", [b"", b"no json", b"[]", b'{"id":1}', b'{"call":"hello"}', b'{"id":"1","call":"hello"}']
)
def test_a_line_that_is_no_request_is_a_contract_error(line: bytes) -> None:
    async def test(desk: Desk) -> None:
        with pytest.raises(ContractError, match="not a request"):
            desk.agent.request(line)
        assert desk.lines == []

    run(test)
