"""An adapter that lies about its times, or about what happened, is exposed: no verdict rests on what it says."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.report.exit_codes import ExitCode

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Linkproof

# The reference, but for what becomes of each line before it is written.
LYING_AGENT = """
import asyncio, sys
import msgspec
from harness.reference import agent

STATE = "onConnectionStateChanged"

class LyingAgent(agent.Agent):
    def __init__(self, heartbeat_s, write):
        super().__init__(heartbeat_s, lambda line: self.lie(line, write))

    def lie(self, line, write):
        message = msgspec.json.decode(line)
        {lie}
        write(msgspec.json.encode(message) + b"\\n")

agent.Agent = LyingAgent
sys.exit(agent.main())
"""

LIES = {
    # 4 s to the nanosecond, whatever the SDK did: stamped when it should have been, and not when it was.
    "stamps the interruption too early": (
        'if message.get("event") == STATE and message["args"]["state"] == 4: message["at_ns"] -= 900_000_000',
        "onConnectionStateChanged was heard of 0.9",
    ),
    "stamps from the future": (
        'if message.get("event") == STATE: message["at_ns"] += 300_000_000',
        "onConnectionStateChanged is stamped 0.",
    ),
    "answers before it is asked": (
        'if "id" in message and message["id"] > 8: message["at_ns"] -= 100_000_000',
        "login is stamped as answered 0.",
    ),
    "writes late": (
        'if message.get("event") == STATE and message["args"]["state"] == 4:\n'
        '            asyncio.get_running_loop().call_later(0.6, write, msgspec.json.encode(message) + b"\\n")\n'
        "            return",
        "onConnectionStateChanged was heard of 0.6",
    ),
}


@pytest.mark.parametrize("kind", LIES)
def test_an_adapter_that_lies_is_exposed(linkproof: Linkproof, tmp_path: Path, kind: str) -> None:
    lie, exposed_as = LIES[kind]
    (tmp_path / "lying.py").write_text(LYING_AGENT.replace("{lie}", lie), encoding="utf-8")
    client = shlex.join([sys.executable, str(tmp_path / "lying.py")])
    result = linkproof("certify", "--client", client, "-k", "a_visible_loss_interrupts_after_4_s")
    assert result.code == ExitCode.ADAPTER
    assert result.shows("blame: adapter", "the adapter cannot be believed: alice: ", exposed_as)
    assert "FAIL" not in result.verdicts().values()


# No SDK at all: says what is expected of it, at once, and never connects.
INVENTOR = """
import json, sys, time

def say(**message):
    print(json.dumps({"at_ns": time.monotonic_ns(), **message}), flush=True)

for line in sys.stdin:
    request = json.loads(line)
    answer = {"id": request["id"]}
    match request["call"]:
        case "hello":
            say(**answer, result={"contract": 1, "name": "inventor", "version": "1", "language": "python",
                                  "heartbeat_s": 0.5, "retry_s": 1.0, "capabilities": []})
        case "clock":
            say(**answer, result={"now_ns": time.monotonic_ns()})
        case "create":
            say(**answer, result={})
        case "login":
            say(**answer, result={"code": 0})
            say(event="onConnectionStateChanged", args={"state": 2, "reason": 1})
            say(event="onLoginSuccess", args={})
            say(event="onConnectionStateChanged", args={"state": 3, "reason": 2})
        case _:
            say(**answer, error="unsupported")
"""


def test_an_adapter_that_invents_a_login_is_exposed(linkproof: Linkproof, tmp_path: Path) -> None:
    (tmp_path / "inventor.py").write_text(INVENTOR, encoding="utf-8")
    client = shlex.join([sys.executable, str(tmp_path / "inventor.py")])
    result = linkproof("certify", "--client", client, "-k", "test_login_that_succeeds")
    assert result.code == ExitCode.ADAPTER
    assert result.shows("alice: was told 1 times that alice is connected, and the server saw 0 logins")
