"""The commands that the pages show: those that cost little are run as shown, of all others the help is."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import COMMANDS
from proxies.binary import find
from tests.unit.docs.pages import PAGES

# The installed command, whatever PATH says.
LINKPROOF = (sys.executable, "-c", "from harness.cli import main; main()")
CHEAP = ("doctor", "explain CONNECTED-3", "toxiproxy path", "toxiproxy which")
SHOWN = {shlex.join(words) for one in PAGES for words in one.commands()}


@pytest.fixture(scope="session", autouse=True)
def _toxiproxy_is_there() -> None:
    find()  # builds it where it is not, which may take longer than a command should


def run(arguments: str, folder: Path) -> str:
    """What a command prints, run where there is no checkout; it has to succeed."""
    done = subprocess.run(
        [*LINKPROOF, *shlex.split(arguments)], cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("arguments", CHEAP)
def test_a_command_that_is_shown_runs_as_shown(tmp_path: Path, arguments: str) -> None:
    assert arguments in SHOWN
    assert run(arguments, tmp_path).strip()


def test_explain_shows_the_rule_and_what_proves_it(tmp_path: Path) -> None:
    printed = run("explain CONNECTED-3", tmp_path)
    assert "RECONNECTING / INTERRUPTED" in printed
    assert "test_a_visible_loss_interrupts_after_4_s" in printed


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_each_command_has_help(tmp_path: Path, command: str) -> None:
    printed = run(f"{command} --help", tmp_path)
    assert printed.startswith("Usage: ")


def test_the_options_that_are_shown_for_pytest_reach_it(tmp_path: Path) -> None:
    assert any("--junitxml=" in arguments for arguments in SHOWN)
    printed = run("certify --collect-only -q --junitxml=report.xml", tmp_path)
    assert "test_a_visible_loss_interrupts_after_4_s" in printed
    assert (tmp_path / "report.xml").exists()
