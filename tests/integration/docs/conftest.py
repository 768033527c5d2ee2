"""Folders in which the commands of the pages are run, as a reader would: with files of the reader's own in them."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from proxies.binary import find
from tests.integration.docs.shown import EXITS, Shown, replaced
from tests.unit.docs.pages import page

COMMAND_S = 120.0  # none of them takes a tenth of it on a host that has nothing else to do
UNTIL_CTRL_C = "linkproof serve"
SELECTED = "login_that_succeeds"  # where a command selects no scenarios itself
# What the reader has: an adapter, a server, and a client that tells of each login twice.
ADAPTER = "import sys\nfrom harness.reference import agent\n\nsys.argv = sys.argv[:1]\nsys.exit(agent.main())\n"
SERVER = """import subprocess
import sys

sys.exit(subprocess.call([sys.executable, "-m", "harness.reference.server_control", *sys.argv[1:]]))
"""
WRONG = """import sys
from harness.reference import agent


class Twice(agent.Agent):
    def __init__(self, heartbeat_s, write):
        super().__init__(heartbeat_s, lambda line: write(line * (1 + (b"onLoginSuccess" in line))))


agent.Agent = Twice
sys.exit(agent.main())
"""
FILES = {"adapter.py": ADAPTER, "server.py": SERVER, "wrong.py": WRONG, "sdk.so": "a library"}


@dataclass
class Place:
    """A reader's folder: commands are run in it, by the shell, with this linkproof and this Python first on PATH."""

    path: Path

    def run(self, text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euc", text],
            cwd=self.path,
            env=self._environment(text),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=COMMAND_S,
            check=False,
        )

    def check_shown(self, shown: Shown, run: Path | None = None) -> None:
        """Check that a command of a page ends as the page says; RUN in it is the folder of this run."""
        text = replaced(shown)[0]
        if text.startswith(UNTIL_CTRL_C):
            first, code = self.serve(text)
            assert "ws://127.0.0.1:" in first, f"{shown.page}: {text}"
            assert code in (0, 130), f"{shown.page}: {text}"
            return
        expected, _why = EXITS.get(text, (0, ""))
        ended = self.run(text if run is None else text.replace("RUN", shlex.quote(str(run))))
        assert ended.returncode == expected, f"{shown.page}: {text}\n{ended.stdout}{ended.stderr}"
        assert "Traceback" not in ended.stdout + ended.stderr

    def serve(self, text: str) -> tuple[str, int]:
        """Run a command that goes on until Ctrl-C; return its first line, and its exit code."""
        with subprocess.Popen(
            shlex.split(text), cwd=self.path, env=self._environment(text), stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout is not None
                first = process.stdout.readline()
                process.send_signal(signal.SIGINT)
                return first, process.wait(COMMAND_S)
            finally:
                process.kill()

    def _environment(self, text: str) -> dict[str, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        # A command's own -k comes after these options, and counts. 'explain' has all scenarios collected.
        selection = {"PYTEST_ADDOPTS": f"-k {SELECTED}"} if "linkproof certify" in text else {}
        return {**os.environ, "PATH": path, "NO_COLOR": "1", **selection}


@pytest.fixture(scope="session")
def new_place(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Place]:
    """Makes a reader's folder."""
    find()  # builds the Toxiproxy where it is not, which may take longer than a command should

    def make(name: str) -> Place:
        folder = tmp_path_factory.mktemp(name)
        for file, text in FILES.items():
            (folder / file).write_text(text, encoding="utf-8")
        return Place(folder)

    return make


def put_the_client_in(folder: Path) -> None:
    """Do to the adapter what the tutorial says in words and in a block of Python."""
    tutorial = page("docs/tutorial.md")
    shutil.copy(page("tests/integration/examples/small/client.py").path, folder / "my-adapter" / "client.py")
    path = folder / "my-adapter" / "adapter.py"
    before, _, rest = path.read_text(encoding="utf-8").partition("class Client:")
    after = rest[rest.index("\n\n\n") :]
    text = before + tutorial.block("python", "import client as sdk").rstrip() + after
    for was, is_now in (('"my-sdk"', '"small"'), ('"version": "0"', '"version": "1.0"'), ("1.0, ", "1.5, ")):
        assert was in text, was
        text = text.replace(was, is_now)
    path.write_text(text, encoding="utf-8")


def save_the_wrong_client(folder: Path) -> None:
    """Save the client core of the page on failures."""
    (folder / "hasty.py").write_text(page("docs/reading-a-failure.md").block("python", "HastyCore"), encoding="utf-8")


def save_the_scenario(folder: Path) -> None:
    """Save the scenario of the reader's own, of the page on scenarios."""
    scenario = page("docs/writing-scenarios.md").block("python", "two_short_cuts")
    (folder / "test_mine.py").write_text(scenario, encoding="utf-8")
