from __future__ import annotations

import json
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.report.exit_codes import ExitCode
from tests.integration.cli.conftest import COMMAND_S, LINKPROOF

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Linkproof, Result, WrongRun

WHAT_TO_DO = 'an adapter answers each request line by one line, {"id": 1, "at_ns": 123, "result": {}}'


@pytest.mark.parametrize(
    ("client", "words"),
    [
        ("/bin/cat", 'a line that the contract does not allow: {"id":1,"call":"hello","args":{}} why: not an answer'),
        ("sh -c 'exit 3'", "it exited with code 3 while it was still needed why: an adapter runs until its standard"),
        (
            "sh -c 'echo no licence >&2; exit 3'",
            "it exited with code 3 while it was still needed; its last words: no",
        ),
        ("sleep 1000", "no answer to 'hello' within 10 s; the process"),
    ],
)
def test_what_is_no_adapter_is_told_what_an_adapter_does(linkproof: Linkproof, client: str, words: str) -> None:
    result = linkproof("certify", "--client", client, "-k", "login_that_succeeds")
    assert result.code == ExitCode.ADAPTER
    assert result.shows(f"adapter: the client under test: {words}", WHAT_TO_DO, "docs/adapter-contract.md", "hello.log")
    assert "PASS" not in result.out


def test_a_client_that_cannot_be_started(linkproof: Linkproof) -> None:
    result = linkproof("certify", "--client", "no-such-sdk --fast", "-k", "login_that_succeeds")
    assert result.code == ExitCode.ADAPTER
    assert result.shows("cannot start 'no-such-sdk': No such file or directory", "mend: check the path")


def test_a_wrong_client_fails_by_the_clause_that_it_breaks(wrong_run: WrongRun) -> None:
    result = wrong_run.result
    assert result.code == ExitCode.FAIL
    assert result.verdicts()["CONNECTED-3"] == "FAIL"
    assert {verdict for clause, verdict in result.verdicts().items() if clause != "CONNECTED-3"} == {"PASS"}
    assert result.shows(
        "FAIL test_connected.py::test_a_visible_loss_interrupts_after_4_s CONNECTED-3: alice: RECONNECTING / INTERR",
        "blame: implementation",
        "alice expected seen",
        "ok CONNECTED / LOGIN_SUCCESS",
        "!! RECONNECTING / INTERRUPTED 4 s after alice's cut",
        "<< late by ",
        "test_connecting.py::test_login_that_succeeds PASS",
        f"evidence: {wrong_run.folder.name}",
        "FAIL linkproof-reference-python",
        "1 FAIL, 1 PASS",
    )


def test_some_scenarios_one_after_the_other(linkproof: Linkproof, tmp_path: Path) -> None:
    chosen = "login_that_succeeds or login_switches"
    result = linkproof("certify", "--serial", "-k", chosen, "--run-dir", "evidence", "--junitxml=junit.xml")
    assert result.code == ExitCode.PASS
    assert result.shows(
        "Toxiproxy does what the faults rely on", "2 PASS", "rules were not looked at by this selection"
    )
    assert (result.verdicts()["CONNECTING-1"], result.verdicts()["DISCONNECTED-2"]) == ("PASS", "PASS")
    info = json.loads((tmp_path / "evidence" / "run.json").read_text())
    assert info["wall_s"] - info["setup_s"] > 1.8 * info["longest_s"]
    assert len(list(ElementTree.parse(tmp_path / "junit.xml").iter("testcase"))) == 2  # noqa: S314 - our own


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-k", "nothing-matches"], "no scenario matches; 'linkproof certify --collect-only -q' lists them all"),
        (["--no-such-option"], "unrecognized arguments: --no-such-option"),
        (["--client", ""], "--client names no command; leave it out to take the reference client"),
        (["--client", "a 'b"], "No closing quotation"),
        (["-n", "2"], "certify is one process, which plays its scenarios side by side anyway"),
        (["--toxiproxy", "nonsense", "-k", "login_that_succeeds"], "'nonsense' is neither the address nor the binary"),
        (["--run-dir", "/proc/none", "-k", "login_that_succeeds"], "the evidence cannot be kept in /proc/none"),
    ],
    ids=["nothing", "option", "no client", "quotes", "xdist", "toxiproxy", "run-dir"],
)
def test_a_wrong_argument_is_named(linkproof: Linkproof, arguments: list[str], words: str) -> None:
    result = linkproof("certify", *arguments)
    assert result.code == ExitCode.USAGE
    assert result.shows(words)


def test_evidence_is_never_overwritten(linkproof: Linkproof, wrong_run: WrongRun) -> None:
    before = (wrong_run.folder / "run.json").read_bytes()
    result = linkproof("certify", "--run-dir", str(wrong_run.folder), "-k", "login_that_succeeds")
    assert result.code == ExitCode.USAGE
    assert result.shows("there is a run in it already", "name another --run-dir")
    assert (wrong_run.folder / "run.json").read_bytes() == before


def test_the_scenarios_can_be_listed(linkproof: Linkproof, tmp_path: Path) -> None:
    result = linkproof("certify", "--collect-only", "-q")
    assert result.code == ExitCode.PASS
    assert result.shows("test_login_that_succeeds")
    assert list(tmp_path.iterdir()) == []


def test_plain_pytest_plays_them_too(plain_pytest: Callable[..., Result], tmp_path: Path) -> None:
    client = shlex.join([sys.executable, "-m", "harness.reference.agent"])
    junit = tmp_path / "junit.xml"
    options = ["-x", f"--junitxml={junit}", f"--run-dir={tmp_path / 'evidence'}", "--client", client]
    result = plain_pytest("tests/conformance", "-k", "login_that_succeeds", *options)
    assert result.code == 0
    assert result.shows("1 passed", f"evidence: {tmp_path / 'evidence'}")
    (case,) = ElementTree.parse(junit).iter("testcase")  # noqa: S314 - our own
    properties = {each.attrib["name"]: each.attrib["value"] for each in case.iter("property")}
    assert (properties["verdict"], properties["world"], properties["profile"]) == ("PASS", "real", "rtm-1.0")
    assert properties["clauses"] == "CONNECTING-1 CONNECTING-2"


def test_plain_pytest_spreads_them_over_processes(plain_pytest: Callable[..., Result], tmp_path: Path) -> None:
    options = ["-n", "2", f"--run-dir={tmp_path / 'evidence'}", "-k", "login_that_succeeds or login_switches"]
    result = plain_pytest("tests/conformance", *options)
    assert result.code == 0
    assert result.shows("2 passed")
    assert len(list((tmp_path / "evidence").glob("gw*/traces/*.jsonl"))) == 2


def test_a_file_of_the_users_own_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("from harness.world import Earth\n", encoding="utf-8")
    command = [*LINKPROOF, "certify", "--virtual", "test_mine.py", "-k", "mine"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=COMMAND_S, check=False)
    assert ended.returncode == ExitCode.HARNESS
    assert "cannot import name 'Earth' from 'harness.world'" in ended.stderr
