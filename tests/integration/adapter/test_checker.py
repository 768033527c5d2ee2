"""The check of adapters: a good one passes, and each way of being wrong is found by the check that is about it."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from harness.adapter import checker, conversation
from harness.adapter.checker import Checker, Place
from harness.adapter.contract import CALLS
from harness.adapter.conversation import Entry, Kind, Record
from harness.adapter.endpoint import Endpoint
from harness.adapter.process import ANSWER_S
from harness.errors import AdapterError
from harness.guard import Guard, kill_group
from harness.reference.server import Server, ServerConfig
from harness.reference.tokens import issue
from harness.skeletons import write

SECRET = "s" * 32
APP_ID = "1-check"
SKELETON = (Path(write.__file__).parent / "python" / "adapter.py").read_text(encoding="utf-8")
REFERENCE = [sys.executable, "-m", "harness.reference.agent"]

SAY_ANSWER = '    say(answer | {"at_ns": time.monotonic_ns()})\n'
REFUSED_CREATE = 'elif call == "create" and client is None:'
LOGIN_CODE = 'its outcome follows as events."""\n        return {"code": NOT_INITIALIZED}'


class Check:
    """What came of the check of one adapter."""

    def __init__(self, folder: Path) -> None:
        self.entries: list[Entry] = []
        self.record = Record(self.entries.append)
        self._log_path = folder / "adapter.log"

    def hold(self, command: list[str]) -> None:
        asyncio.run(self._hold(command))

    async def _hold(self, command: list[str]) -> None:
        async with Server(ServerConfig(secret=SECRET)) as server:
            place = Place(
                endpoint=Endpoint("127.0.0.1", server.port, APP_ID),
                token=lambda uid: issue(SECRET, APP_ID, uid),
                connections=lambda: server.stats().connections,
            )
            with Guard() as guard:
                await Checker(command, place, guard=guard, log_path=self._log_path, record=self.record).run()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    def texts(self, kind: Kind) -> list[str]:
        return [entry.text for entry in self.entries if entry.kind is kind]

    @property
    def wrong(self) -> list[str]:
        """The checks that found something."""
        return [outcome.name for outcome in self.record.outcomes if outcome.wrong]

    @property
    def not_reached(self) -> list[str]:
        return [outcome.name for outcome in self.record.outcomes if not outcome.is_reached]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    return Check(tmp_path)


def script(folder: Path, *changes: tuple[str, str]) -> list[str]:
    """The command of the skeleton, changed."""
    text = SKELETON
    for old, new in changes:
        assert text.count(old) == 1, f"the skeleton has {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    path = folder / "adapter.py"
    path.write_text(text, encoding="utf-8")
    return [sys.executable, "-I", "-S", str(path)]


def test_the_reference_keeps_to_the_contract(check: Check) -> None:
    check.hold(REFERENCE)
    assert check.wrong == check.not_reached == check.texts(Kind.WRONG) == check.texts(Kind.NOTE) == []
    sent = "".join(check.texts(Kind.SENT))
    assert all(f'"call":"{call}"' in sent for call in ("hello", "clock", "create", *CALLS))


def test_the_skeleton_keeps_to_the_contract_and_does_not_log_in(check: Check, tmp_path: Path) -> None:
    check.hold(script(tmp_path))
    assert check.wrong == check.not_reached == []
    assert check.texts(Kind.NOTE) == ["the client did not begin to log in: {'code': 101}"]


TWICE = "".join(f'event("onTokenExpired", time.monotonic_ns() - {back}); ' for back in (0, 1_000_000))
EVENT = 'event("onLogout", time.monotonic_ns(), '

# What is changed in the skeleton, the check that is to find it, and what it is to say.
WRONG = {
    "a heartbeat that cannot be": (
        ('"heartbeat_s": 0.5', '"heartbeat_s": 4.5'),
        "what it is: hello",
        "heartbeat_s 4.5",
    ),
    "a clock of strings": (('"now_ns": time.monotonic_ns()', '"now_ns": "now"'), "its clock", "NUMBER"),
    "everything works": (('else "unsupported"', 'else "what?"'), "a call that does not exist", "'what?'"),
    "ids that count by themselves": (
        ('{"id": request["id"]}', '{"id": (n := globals().get("n", 0) + 1)}'),
        "several requests at once, ids in no order",
        "was never made",
    ),
    "a short buffer": (
        (
            "    request = json.loads(line)",
            "    if len(line) > 65536:\n        continue\n    request = json.loads(line)",
        ),
        "a line of almost 1 MiB",
        "was not answered within 4 s",
    ),
    "a login before there is a client": (
        (
            'answer["result"] = getattr(client, call)(**args)',
            'answer["result"] = {"code": 0 if client is None else 101}',
        ),
        "a call before create",
        "as if it had been done",
    ),
    "no client": (("self.url, self.app_id = url, app_id", "raise OSError(url + app_id)"), "create", "it has no client"),
    "two clients": ((REFUSED_CREATE, 'elif call == "create":'), "a second create", "one process carries one"),
    "an end at the first error": (
        ('answer["error"] = repr(error)', 'answer["error"] = sys.exit(repr(error)) if client else "no client"'),
        "arguments that are missing, wrong or unknown",
        "exited with code 1 while it was still needed; its last words: TypeError",
    ),
    "arguments that nobody looks at": (
        (LOGIN_CODE, LOGIN_CODE.replace("NOT_INITIALIZED", "0 if token == 5 else 101")),
        "arguments that are missing, wrong or unknown",
        "as if it had been done",
    ),
    "a result without a code": (
        (LOGIN_CODE, LOGIN_CODE.replace('"code": NOT_INITIALIZED', '"code" if token == 5 else "ok": 101')),
        "login",
        "has no code",
    ),
    "a capability that is not there": (
        ('"capabilities": []', '"capabilities": ["presence"]'),
        "the calls that it declares",
        "'queryOnline' is declared, and failed: unsupported",
    ),
    "an end that never comes": (
        (SAY_ANSWER, f"{SAY_ANSWER}time.sleep(60)\n"),
        "the end of its input",
        "still ran 2 s after",
    ),
    "a last line that is cut off": (
        (SAY_ANSWER, SAY_ANSWER + "sys.stdout.write('{\"event\"')\n"),
        "the end of its input",
        "in the middle of this line",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_found_by_the_check_that_is_about_it(
    check: Check, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "ANSWER_S", 4.0)
    change, where, what = WRONG[name]
    check.hold(script(tmp_path, change))
    assert check.wrong[0] == where
    assert any(what in text for text in check.texts(Kind.WRONG)), check.texts(Kind.WRONG)


# What is said in addition when login() is called: each is wrong, and found wherever it comes.
SAID = {
    "no line of the contract": ('sys.stdout.write("logged in\\n")', "not an answer and not an event"),
    "an event that nobody knows": ('event("onSomething", time.monotonic_ns())', "no callback is called 'onSomething'"),
    "an event without its arguments": ('event("onLogout", time.monotonic_ns())', "carries []"),
    "an event with an argument of another kind": (EVENT + 'code="0")', "'code' is '0', expected a number"),
    "an event with true in the place of a number": (EVENT + "code=True)", "'code' is True"),
    "a stamp of the wall clock": ('event("onTokenExpired", time.time_ns())', "ms after it was read here"),
    "a stamp of long ago": ('event("onTokenExpired", 5)', "ms before that could have been"),
    "a line of over 1 MiB": ('sys.stdout.write("x" * 1048576 + "\\n")', "a line of over 1048576 bytes"),
    "a line of 3 MiB": ('sys.stdout.write("x" * 3145728 + "\\n")', "a line of over 1048576 bytes"),
    "an answer to what was never asked": ('say({"id": 999999, "at_ns": 1, "result": {}})', "999999 was never made"),
    "an answer before the answer": (
        'say({"id": request["id"], "at_ns": time.monotonic_ns(), "result": {"code": 101}})',
        "was answered before",
    ),
    "both a result and an error": (
        'say({"id": request["id"], "at_ns": 1, "result": {}, "error": "x"})',
        "either a 'result' or an 'error'",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_a_line_that_must_not_be_is_found(check: Check, tmp_path: Path, name: str) -> None:
    said, what = SAID[name]
    check.hold(script(tmp_path, (LOGIN_CODE, LOGIN_CODE.replace("        return", f"        {said}\n        return"))))
    found = {entry.text for entry in check.entries if entry.kind is Kind.WRONG}
    assert found
    assert all(what in text for text in found), found
    assert check.not_reached == []


# What is changed in the skeleton, and what is noted. It is allowed, so nothing is wrong.
NOTED = {
    "another clock": (
        (
            "import time\n",
            "import time\n\nnow = time.monotonic_ns\ntime.monotonic_ns = lambda: now() + 5_000_000_000\n",
        ),
        "but +5.0",
    ),
    "stamps that go back": (
        (LOGIN_CODE, LOGIN_CODE.replace("        return", f"        {TWICE}\n        return")),
        "onTokenExpired was written after onTokenExpired, and is stamped before it",
    ),
    "a code at the end": ((SAY_ANSWER, f"{SAY_ANSWER}sys.exit(3)\n"), "it exited with code 3"),
    "something left behind": (
        (SAY_ANSWER, f'{SAY_ANSWER}import subprocess\nsubprocess.Popen(["sleep", "30"])\n'),
        "it left processes of its own behind",
    ),
    "a call that is not declared": (
        (
            'elif call in ("login", "logout"):',
            'elif call == "join":\n            answer["result"] = {"code": 101}\n'
            '        elif call in ("login", "logout"):',
        ),
        "'join' is not declared, and is there",
    ),
    "an error that is not unsupported": (
        (
            'elif call in ("login", "logout"):',
            'elif call == "join":\n            answer["error"] = "no"\n        elif call in ("login", "logout"):',
        ),
        "'join' is answered with an error that is not 'unsupported'",
    ),
}


@pytest.mark.parametrize("name", NOTED)
def test_what_is_allowed_and_worth_a_look_is_noted(check: Check, tmp_path: Path, name: str) -> None:
    change, what = NOTED[name]
    check.hold(script(tmp_path, change))
    assert check.wrong == check.not_reached == []
    assert any(what in text for text in check.texts(Kind.NOTE)), check.texts(Kind.NOTE)


# The reference behind something that does not do its part: it carries lines to and fro.
RELAY = """
import json, os, subprocess, sys, threading
reading, writing = os.pipe()
# Where it is to outlive its input, it holds the end of it open itself.
kept = (writing,) if sys.argv[1] == "outlive" else ()
agent = subprocess.Popen(
    [sys.executable, "-m", "harness.reference.agent"], stdin=reading, pass_fds=kept, start_new_session=bool(kept)
)
os.close(reading)
with open(sys.argv[2], "a") as pids:
    pids.write(f"{agent.pid}\\n")
for line in sys.stdin.buffer:
    if sys.argv[1] == "forget" and b'"call":"react"' in line:
        print(json.dumps({"id": json.loads(line)["id"], "at_ns": 1, "result": {"code": 0}}), flush=True)
    else:
        os.write(writing, line)
os.close(writing)
if not kept:
    agent.wait()
"""


def relay(folder: Path, fault: str) -> list[str]:
    path = folder / "relay.py"
    path.write_text(RELAY, encoding="utf-8")
    return [sys.executable, str(path), fault, str(folder / "pids")]


def test_a_reaction_that_never_comes_is_found(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checker, "OUTCOME_S", 1.0)
    check.hold(relay(tmp_path, "forget"))
    assert "the calls that it declares" in check.wrong
    assert any("asked for by 'react', never came" in text for text in check.texts(Kind.WRONG))


def test_a_connection_that_outlives_its_adapter_is_found(check: Check, tmp_path: Path) -> None:
    try:
        check.hold(relay(tmp_path, "outlive"))
    finally:
        for pid in (tmp_path / "pids").read_text(encoding="utf-8").split():
            kill_group(int(pid))
    assert check.wrong == ["the end of its input while connected"]
    assert "it has ended, and its connection has not" in check.texts(Kind.WRONG)


def test_what_cannot_be_reached_any_more_is_told_and_is_not_waited_for(check: Check, tmp_path: Path) -> None:
    begun = time.monotonic()
    check.hold(
        script(
            tmp_path,
            ('if call == "hello":', 'if call == "clock":\n            sys.exit(3)\n        if call == "hello":'),
        )
    )
    assert time.monotonic() - begun < ANSWER_S
    assert check.wrong == ["its clock"]
    assert check.not_reached[0] == "a call that does not exist"
    assert check.not_reached[-1] == "the end of its input"


def test_each_thing_that_is_wrong_names_a_page(check: Check, tmp_path: Path) -> None:
    check.hold(script(tmp_path, (REFUSED_CREATE, 'elif call == "create":')))
    (wrong,) = [entry for entry in check.entries if entry.kind is Kind.WRONG]
    assert wrong.page == "docs/adapter-contract.md#what-cannot-be-carried-out"


def test_a_command_that_cannot_be_started_is_an_error_of_the_adapter(check: Check, tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="cannot start"):
        check.hold([str(tmp_path / "no-such-adapter")])
