"""The conversations of the wire page, line by line, drawn from docs/vectors/conversations.json.

A conversation has the tokens that its server knows, the names that its server gives to sessions, its clients, and its
steps in their order. ``alice/2`` is the second connection of alice's client. Tests drive both ends of the reference by
the same file, step by step.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from harness.spec.states import CODES_OF, Reason, State

Step = dict[str, Any]
WIDTH = 120


def conversations(told: Sequence[dict[str, Any]]) -> str:
    """Return all conversations, each below a heading of its own."""
    return "\n\n".join(_conversation(each) for each in told)


def _conversation(told: dict[str, Any]) -> str:
    heading = f"### {told['name'][0].upper()}{told['name'][1:]}"
    lines = "\n".join(_lines(told["steps"]))
    about = textwrap.fill(told["about"], WIDTH, break_on_hyphens=False)
    return f"{heading}\n\n{about}\n\n```text\n{lines}\n```"


def _lines(steps: Sequence[Step]) -> Iterator[str]:
    """Each step as a line; the time stands where it changes."""
    shown_s: float | None = None
    for step in steps:
        at_s = step["at_s"]
        time = f"{at_s:g} s" if at_s != shown_s else ""
        shown_s = at_s
        lost = "" if step.get("arrives", True) else "   (does not arrive)"
        yield f"{time:>8}  {step.get('on') or step.get('client') or '':<8} {_WORDS[step['kind']](step)}{lost}"


def _call(step: Step) -> str:
    # A call that the server answers returns nothing; its outcome is a line of its own.
    args = ", ".join(value if isinstance(value, str) else json.dumps(value) for value in step["args"])
    returns = f" returns {step['returns']}" if step.get("returns") else ""
    return f"the app calls {step['call']}({args}){returns}"


def _callback(step: Step) -> str:
    return f"the app is told {step['name']}({', '.join(_values(step['name'], step['args']))})"


def _values(name: str, args: dict[str, Any]) -> Iterator[str]:
    for key, value in args.items():
        kind = {"state": State, "reason": Reason}.get(key) or (CODES_OF.get(name) if key == "code" else None)
        yield str(value) if kind is None else kind(value).name


def _reply(step: Step) -> str:
    values = f", {json.dumps(step['values'])}" if step["values"] else ""
    return f"the app's call {step['call']} is answered: code {step['code']}{values}"


def _closed(step: Step) -> str:
    return f"the server closes, {step['code']}" if step["by"] == "server" else "the client closes"


def _frame(step: Step) -> str:
    arrow = "->" if step["kind"] == "client" else "<-"
    return f"{arrow} {step.get('text') or json.dumps(step['frame'], ensure_ascii=False)}"


_WORDS: dict[str, Callable[[Step], str]] = {
    "call": _call,
    "callback": _callback,
    "reply": _reply,
    "connect": lambda _: "the client connects",
    "opened": lambda _: "open",
    "client": _frame,
    "server": _frame,
    "close": _closed,
    "lost": lambda _: "breaks",
    "crash": lambda _: "the client is killed",
    "restart": lambda _: "the server is killed, and started anew",
    "silent": lambda _: "nothing gets through any more",
    "healed": lambda _: "everything gets through again",
    "ban": lambda step: f"the system bans {step['uid']}",
}
