"""The adapter that the contract's page shows, as a process under the harness."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from harness.adapter.contract import Answer, Event, Hello
from harness.adapter.handshake import Clock, greet
from harness.adapter.process import ContractProcess
from harness.errors import LinkproofError
from harness.guard import Guard
from tests.unit.docs.pages import page

SOURCE = page("docs/adapter-contract.md").block("python", "HELLO")


class Conversation:
    """What was said with the adapter, from the greeting to its end."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.failures: list[LinkproofError] = []
        self.answers: dict[str, Answer] = {}
        self.hello: Hello | None = None
        self.clock: Clock | None = None
        self.end = ""

    async def hold(self, script: Path) -> None:
        with Guard() as guard:
            process = await ContractProcess.start(
                "the example",
                [sys.executable, str(script)],
                guard=guard,
                log_path=script.with_suffix(".log"),
                on_event=lambda event, _arrived_ns: self.events.append(event),
                on_failure=self.failures.append,
            )
            try:
                self.hello, self.clock = await greet(process)
                for call, args in (
                    ("create", {"url": "ws://127.0.0.1:9", "app_id": "1-example"}),
                    ("login", {"token": "t", "uid": "alice"}),
                    ("logout", {}),
                    ("join", {"channel": "lobby"}),
                ):
                    self.answers[call], _ = await process.request(call, args)
            finally:
                self.end = await process.stop()


def test_the_example_holds_the_whole_conversation(tmp_path: Path) -> None:
    script = tmp_path / "adapter.py"
    script.write_text(SOURCE, encoding="utf-8")
    said = Conversation()
    asyncio.run(said.hold(script))
    assert said.hello is not None
    assert (said.hello.name, said.hello.capabilities) == ("do-nothing", [])
    assert said.clock is not None
    assert said.clock.offset_ns == 0, "it has the machine's own monotonic clock"
    assert [(event.event, event.args) for event in said.events] == [
        ("onConnectionStateChanged", {"state": 2, "reason": 1})
    ]
    assert {call: answer.result for call, answer in said.answers.items() if answer.error is None} == {
        "create": {},
        "login": {"code": 0},
        "logout": {"code": 102},
    }
    assert said.answers["join"].error == "unsupported"
    assert said.failures == []
    assert said.end == "finished"
    assert script.with_suffix(".log").read_text(encoding="utf-8") == ""


def test_the_example_is_short() -> None:
    assert len([line for line in SOURCE.splitlines() if line.strip()]) < 60
