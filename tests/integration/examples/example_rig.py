"""Builds an example into a folder of its own, and has some scenarios say what it is worth."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
BUILD_S = 240.0  # some seconds where what it needs has been fetched before
CERTIFY_S = 90.0  # the selections of these tests take some 15 s
LINKPROOF = (sys.executable, "-c", "from harness.cli import main; main()")


def need(example: str, *tools: str) -> None:
    """Skip, and say so, where an example cannot be built."""
    missing = [tool for tool in tools if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"the {example} example is not tried: {', '.join(missing)} not found on PATH")


def build(*command: str | Path, cwd: Path) -> None:
    """Run a command of the build, which has to succeed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=BUILD_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def build_go(example: str, package: str, folder: Path) -> Path:
    """Build a program of a Go example; return its path. The checkout is only read."""
    need(example, "go")
    binary = folder / Path(package).name
    build("go", "build", "-o", binary, package, cwd=EXAMPLES / example)
    return binary


@dataclass
class Certified:
    """What became of a run: its exit code, what it printed, and what was judged."""

    code: int
    out: str
    judgements: list[dict[str, Any]]

    def verdicts(self) -> dict[str, str]:
        """The verdict of each scenario, by its name without the file."""
        return {each["scenario"].partition("::")[2]: each["verdict"] for each in self.judgements}

    def told(self) -> str:
        """What does not pass, and why: for the message of a test that fails."""
        return "\n".join(f"{each['scenario']}: {each['reason']}" for each in self.judgements if each.get("reason"))


def certify(option: str, command: Sequence[str | Path], scenarios: Sequence[str], folder: Path) -> Certified:
    """Certify a ``--client`` or a ``--server`` by the scenarios with one of these words in their names."""
    arguments = [option, shlex.join(map(str, command)), "-k", " or ".join(scenarios), "--run-dir", "evidence"]
    done = subprocess.run(
        [*LINKPROOF, "certify", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=CERTIFY_S,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    verdicts = folder / "evidence" / "verdicts.json"
    assert verdicts.exists(), done.stdout + done.stderr
    return Certified(done.returncode, done.stdout, json.loads(verdicts.read_bytes()))
