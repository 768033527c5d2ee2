"""Runs pytest with the plugin over small suites, as processes of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
import time
import uuid
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

RUN_S = 60.0  # none of these suites takes half of it
MARK = "LINKPROOF_TEST_MARK"
HEAD = """
from __future__ import annotations

import pytest

from harness.oracle.expect import callback, nothing, state
from harness.trace import Observation, What
from harness.world.world import World
"""


@dataclass
class Result:
    """What became of one run of pytest."""

    code: int
    text: str
    took_s: float
    folder: Path

    def shows(self, *lines: str) -> bool:
        """Whether all of these are in the output; says which is not."""
        missing = [line for line in lines if line not in self.text]
        assert not missing, f"{missing} not in:\n{self.text}"
        return True

    def cases(self) -> dict[str, ElementTree.Element]:
        """The test cases of the JUnit report, by name."""
        tree = ElementTree.parse(self.folder / "junit.xml")  # noqa: S314 - our own
        return {case.attrib["name"]: case for case in tree.iter("testcase")}


@dataclass
class Suite:
    """A folder with scenarios."""

    folder: Path
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)

    def write(self, text: str, name: str = "test_scenarios.py") -> None:
        (self.folder / name).write_text(HEAD + textwrap.dedent(text), encoding="utf-8")

    def run(self, *arguments: str) -> Result:
        """Run pytest in the folder; afterwards no process of the run may be left."""
        command = [sys.executable, "-m", "pytest", "-p", "harness.plugin", "--color=no", *arguments]
        began = time.monotonic()
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | {MARK: self.mark},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=RUN_S,
        )
        result = Result(ended.returncode, ended.stdout, time.monotonic() - began, self.folder)
        assert self.processes() == [], result.text
        assert "Warning" not in result.text, result.text
        return result

    def processes(self) -> list[int]:
        """The processes that a run of this suite started, at whatever remove."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes():
                    found.append(int(entry.name))
        return found


NewSuite = Callable[[str], Suite]


@pytest.fixture
def new_suite(tmp_path: Path) -> NewSuite:
    """Makes a suite from its text."""

    def make(text: str) -> Suite:
        (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
        suite = Suite(tmp_path)
        suite.write(text)
        return suite

    return make
