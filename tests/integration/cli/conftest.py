"""Runs the command as a process of its own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
COMMAND_S = 60.0  # none of them takes half of it
LINKPROOF = (sys.executable, "-c", "from harness.cli import main; main()")


@dataclass
class Result:
    """What became of a command."""

    code: int
    out: str
    err: str

    def shows(self, *parts: str) -> bool:
        """Whether all of these are in what was printed, wherever a line was broken; says which is not."""
        printed = re.sub(r"\s+", " ", f"{self.out}\n{self.err}")
        missing = [part for part in parts if part not in printed]
        assert not missing, f"{missing} not in:\n{self.out}\n{self.err}"
        return True

    def verdicts(self) -> dict[str, str]:
        """The verdict of each rule in the table."""
        return dict(re.findall(r"^([A-Z]+-\d+) +([A-Z]+) ", self.out, re.MULTILINE))


def run(command: Sequence[str], cwd: Path) -> Result:
    ended = subprocess.run(
        command,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_S,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in ended.stdout + ended.stderr, ended.stdout + ended.stderr
    return Result(ended.returncode, ended.stdout, ended.stderr)


Linkproof = Callable[..., Result]


@pytest.fixture
def linkproof(tmp_path: Path) -> Linkproof:
    """Runs linkproof with these arguments, in an empty folder."""
    return lambda *arguments: run([*LINKPROOF, *arguments], tmp_path)


@pytest.fixture
def plain_pytest() -> Callable[..., Result]:
    """Runs plain pytest with these arguments, in the checkout."""
    return lambda *arguments: run([sys.executable, "-m", "pytest", "--color=no", *arguments], ROOT)


# An SDK that takes 5 s for what is to take 4 s, and is right in all else.
LATE_CLIENT = """
import sys
from harness.reference import agent
from harness.reference.client import RtmClient
from harness.spec.timing import Timing

class LateClient(RtmClient):
    def __init__(self, url, app_id, **given):
        super().__init__(url, app_id, **given, timing=Timing(interruption_s=5.0))

agent.RtmClient = LateClient
sys.exit(agent.main())
"""


@dataclass
class WrongRun:
    """A run of a wrong client: what it said, and its evidence."""

    result: Result
    folder: Path


@pytest.fixture(scope="session")
def wrong_run(tmp_path_factory: pytest.TempPathFactory) -> WrongRun:
    """Made once: it takes its 8 s."""
    folder = tmp_path_factory.mktemp("wrong")
    (folder / "late_client.py").write_text(LATE_CLIENT, encoding="utf-8")
    client = shlex.join([sys.executable, str(folder / "late_client.py")])
    selected = ["-k", "visible_loss_interrupts or login_that_succeeds"]
    result = run([*LINKPROOF, "certify", "--client", client, "--run-dir", "evidence", *selected], folder)
    return WrongRun(result, folder / "evidence")
