"""The conversation of the server contract, held with the reference server: what it answers is what the page shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from harness.adapter.contract import SECRET_VARIABLE
from tests.unit.docs.pages import ROOT, page

ENDS_WITHIN_S = 20.0  # with the interpreter's start on a busy host


def shapes(told: dict[str, Any]) -> dict[str, Any]:
    """An answer with the kinds of its values in their places: which they are differs from server to server."""
    return {
        key: shapes(value) if isinstance(value, dict) else type(value).__name__ if key != "error" else value
        for key, value in told.items()
    }


def test_the_reference_answers_the_conversation_as_the_page_shows_it() -> None:
    lines = page("docs/server-contract.md").block("json", '"call": "hello"').splitlines()
    ended = subprocess.run(
        [sys.executable, "-m", "harness.reference.server_control"],
        input="\n".join([*lines[::2], ""]),
        cwd=ROOT,
        env=os.environ | {SECRET_VARIABLE: "0123456789abcdef0123456789abcdef"},
        capture_output=True,
        text=True,
        check=True,
        timeout=ENDS_WITHIN_S,
    )
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    for answer in answers:
        answer.get("result", {}).pop("connections", None)  # what the reference tells beyond the page
    assert [shapes(answer) for answer in answers] == [shapes(json.loads(line)) for line in lines[1::2]]
