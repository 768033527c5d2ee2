"""Ctrl-C while the command is being loaded ends it; and one that was begun by a script takes no notice."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from harness import cli, entry
from harness.report.exit_codes import ExitCode

# A command that takes for ever to be loaded, and says when that has begun.
SLOW = """
import sys, time
class Finder:
    def find_spec(self, name, *_):
        if name == "harness.cli":
            print("loading", flush=True)
            time.sleep(60)
sys.meta_path.insert(0, Finder())
from harness.entry import main
main()
"""


def test_ctrl_c_while_it_is_loaded_ends_it_without_a_word() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen([sys.executable, "-c", SLOW], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"loading\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == b""
    assert process.returncode == ExitCode.INTERRUPTED == entry.INTERRUPTED


@pytest.mark.parametrize("taken", [signal.default_int_handler, signal.SIG_IGN])
def test_the_command_finds_ctrl_c_as_it_was(monkeypatch: pytest.MonkeyPatch, taken: signal.Handlers) -> None:
    found = []
    monkeypatch.setattr(cli, "main", lambda: found.append(signal.getsignal(signal.SIGINT)))
    signal.signal(signal.SIGINT, taken)
    entry.main()
    assert found == [taken]


def test_the_command_that_is_asked_for_is_loaded_before_it_begins() -> None:
    program = "import sys; sys.argv[1:] = ['judge', 'RUN']; from harness import entry; entry._command()\n"
    program += "sys.exit('harness.cli.judge' not in sys.modules or 'harness.cli.explore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0
