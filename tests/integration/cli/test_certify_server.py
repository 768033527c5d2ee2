"""A server under test: what is none, what breaks the server contract, and what breaks a rule."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.report.exit_codes import ExitCode
from tests.integration.cli.conftest import ROOT

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Linkproof

WHAT_TO_DO = 'a server answers each request line by one line, {"id": 1, "at_ns": 123, "result": {}}'

# The reference server, but for what becomes of each answer before it is written.
WRONG_SERVER = """
import json, subprocess, sys

command = [sys.executable, "-m", "harness.reference.server_control", *sys.argv[1:]]
server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
for line in sys.stdin.buffer:
    call = json.loads(line)["call"]
    server.stdin.write(line)
    server.stdin.flush()
    answer = json.loads(server.stdout.readline())
    {change}
    print(json.dumps(answer), flush=True)
"""


def wrong_server(folder: Path, change: str) -> str:
    """Return the command of one."""
    path = folder / "wrong_server.py"
    path.write_text(WRONG_SERVER.replace("{change}", change), encoding="utf-8")
    return shlex.join([sys.executable, str(path)])


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ("/bin/cat", 'a line that the contract does not allow: {"id":1,"call":"hello","args":{}}'),
        ("sh -c 'exit 3'", "it exited with code 3 while it was still needed why: a server runs until its standard"),
        (
            "sh -c 'echo no port >&2; exit 3'",
            "it exited with code 3 while it was still needed; its last words: no port",
        ),
        ("sleep 1000", "no answer to 'hello' within 10 s; the process"),
    ],
)
def test_what_is_no_server_is_told_what_a_server_does(linkproof: Linkproof, server: str, words: str) -> None:
    result = linkproof("certify", "--server", server, "-k", "login_that_succeeds")
    assert result.code == ExitCode.ADAPTER
    assert result.shows(f"adapter: the server under test: {words}", WHAT_TO_DO, "docs/server-contract.md", "server.log")
    assert "PASS" not in result.out


def test_a_server_that_cannot_be_started(linkproof: Linkproof) -> None:
    result = linkproof("certify", "--server", "no-such-server --fast", "-k", "login_that_succeeds")
    assert result.code == ExitCode.ADAPTER
    assert result.shows("the server under test: cannot start 'no-such-server': No such file", "mend: check the path")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ('answer["result"]["contract"] = 2', "it answered hello with {'contract': 2, "),
        ('answer["result"]["url"] = "http://127.0.0.1"', "expected contract 1, and a url such as ws://127.0.0.1:8080"),
        ('del answer["result"]["heartbeat_s"]', "why: Object missing required field `heartbeat_s`"),
        ('answer = {"id": 1, "at_ns": 1, "error": "unsupported"}', "it answered hello with 'unsupported'"),
        ('answer["result"]["heartbeat_s"] = 1.0', "it asks for a heartbeat of 1 s why: the reference clients are judg"),
        ('answer["result"].pop("now_ns", None)', "the server answered clock with {}"),
    ],
    ids=["contract", "url", "field", "error", "heartbeat", "clock"],
)
def test_a_server_that_introduces_itself_wrongly(linkproof: Linkproof, tmp_path: Path, change: str, words: str) -> None:
    server = wrong_server(tmp_path, change)
    result = linkproof("certify", "--server", server, "-k", "login_that_succeeds")
    assert result.code == ExitCode.ADAPTER
    assert result.shows("adapter: the server under test: ", words, "docs/server-contract.md")


def test_a_server_that_dies_is_an_error_of_the_scenarios_that_share_it(linkproof: Linkproof, tmp_path: Path) -> None:
    server = wrong_server(tmp_path, 'if call == "connections": sys.exit("out of memory")')
    result = linkproof("certify", "--server", server, "-k", "login_that_succeeds")
    assert result.code == ExitCode.ADAPTER
    assert result.shows(
        "the server under test: it exited with code 1 while it was still needed; its last words: out of memory",
        "blame: adapter",
        "1 ERROR",
    )


@pytest.mark.parametrize(
    ("call", "result", "words"),
    [
        ("connections", {"logins": 1}, "it answered connections with {'logins': 1}"),
        ("connections", {"attempts": "one"}, "it answered connections with {'attempts': 'one'}"),
        ("delays", {"late": [[1]]}, "it answered delays with {'late': [[1]]}"),
    ],
)
def test_a_result_that_is_none_is_an_error_of_the_server(
    linkproof: Linkproof, tmp_path: Path, call: str, result: dict[str, object], words: str
) -> None:
    server = wrong_server(tmp_path, f'if call == "{call}": answer["result"] = {result!r}')
    ended = linkproof("certify", "--server", server, "-k", "login_that_succeeds")
    assert ended.code == ExitCode.ADAPTER
    assert ended.shows(f"the server under test: {words}", "blame: adapter")


def test_a_server_that_takes_no_notice_of_its_port(linkproof: Linkproof, tmp_path: Path) -> None:
    server = wrong_server(tmp_path, "pass").replace("wrong_server.py", "any_port.py")
    text = (tmp_path / "wrong_server.py").read_text(encoding="utf-8")
    (tmp_path / "any_port.py").write_text(text.replace("*sys.argv[1:]", ""), encoding="utf-8")
    result = linkproof("certify", "--server", server, "-k", "a_server_that_stands_still_for_2_s")
    assert result.code == ExitCode.ADAPTER
    assert result.shows("the server under test: it says that it listens on 127.0.0.1:", "it was started with --port ")


def test_what_a_server_does_not_know_is_not_held_against_it(linkproof: Linkproof, tmp_path: Path) -> None:
    lacks = '{"id": answer["id"], "at_ns": 1, "error": "unsupported"}'
    server = wrong_server(tmp_path, f'if call in ("ban", "connections", "delays"): answer = {lacks}')
    result = linkproof("certify", "--server", server, "-k", "login_that_succeeds or a_ban_while_connected")
    assert result.code == ExitCode.UNSUPPORTED
    assert result.shows("the server answered 'ban' with 'unsupported'", "1 PASS, 1 UNSUPPORTED")


def test_a_clock_that_begins_elsewhere_is_translated(linkproof: Linkproof, tmp_path: Path) -> None:
    """What the server ran late is asked for by its own clock, and told by ours."""
    change = (
        'if call == "clock": answer["result"]["now_ns"] += 10**15\n'
        '    if call == "delays": answer["result"]["late"] = [[json.loads(line)["args"]["from_ns"]] * 2]'
    )
    server = wrong_server(tmp_path, change)
    result = linkproof("certify", "--server", server, "-k", "login_that_succeeds", "--run-dir", "evidence")
    assert result.code == ExitCode.PASS
    (trace,) = (tmp_path / "evidence" / "traces").glob("*.jsonl")
    seen = [json.loads(line) for line in trace.read_text().splitlines()]
    (late,) = [each for each in seen if each["what"] == "delay" and each["source"] == "server"]
    assert (
        min(each["at_ns"] for each in seen) <= late["at_ns"] + 10**9 < min(each["at_ns"] for each in seen) + 3 * 10**9
    )


def test_a_wrong_server_fails_by_the_clause_that_it_breaks(linkproof: Linkproof, tmp_path: Path) -> None:
    mutant = "tests.mutants.server", "tells-nobody-of-a-takeover"
    server = shlex.join(["env", f"PYTHONPATH={ROOT}", sys.executable, "-m", *mutant])
    chosen = "a_takeover_leaves_the_channels_at_once or login_that_succeeds"
    result = linkproof("certify", "--server", server, "-k", chosen, "--run-dir", "evidence")
    assert result.code == ExitCode.FAIL
    assert result.verdicts()["OPEN-19"] == "FAIL"
    assert result.shows("blame: implementation", "FAIL linkproof reference server rtm.v1 against rtm-1.0: ", "1 FAIL")
    info = json.loads((tmp_path / "evidence" / "run.json").read_text())
    assert info["under_test"] == "server"
    assert info["server"]["name"] == "linkproof reference server"
    assert info["server_command"] == shlex.split(server)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--client", "a", "--server", "b"], "--client and --server: one side is under test, and the other one is the"),
        (["--server", ""], "--server names no command; leave it out to take the reference server"),
        (["--server", "a 'b"], "No closing quotation"),
        (["--server", "a", "--virtual"], "--server has no effect with --virtual"),
    ],
    ids=["both", "none", "quotes", "virtual"],
)
def test_a_wrong_argument_is_named(linkproof: Linkproof, arguments: list[str], words: str) -> None:
    result = linkproof("certify", *arguments)
    assert result.code == ExitCode.USAGE
    assert result.shows(words)
