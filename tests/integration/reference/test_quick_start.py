"""The agent's process as a run starts it: the same as the agent, and none of what would make its start long."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from harness.world.lab import REFERENCE_CLIENT

PLAIN = (sys.executable, "-m", "harness.reference.agent")
HELLO = b'{"id": 1, "call": "hello", "args": {}}\n'


def ran(command: tuple[str, ...], data: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, input=data, capture_output=True, timeout=20, check=False)


TELL = "import json, sys; print(json.dumps([name for name, one in sys.modules.items() if '__file__' in vars(one)]))"


def loaded(program: str) -> list[str]:
    """What is imported from files when this program has run."""
    command = [sys.executable, "-c", f"{program}\n{TELL}"]
    names: list[str] = json.loads(subprocess.run(command, capture_output=True, timeout=20, check=True).stdout)
    return names


@pytest.mark.parametrize("options", [(), ("--heartbeat-s", "1.5")])
def test_it_answers_and_ends_as_the_agent_does(options: tuple[str, ...]) -> None:
    quick, plain = (ran((*command, *options), HELLO) for command in (REFERENCE_CLIENT, PLAIN))
    said, expected = json.loads(quick.stdout), json.loads(plain.stdout)
    assert said["result"] == expected["result"]
    assert (quick.returncode, quick.stderr) == (plain.returncode, plain.stderr) == (0, b"")


def test_a_bad_line_ends_it_with_2_and_its_words_are_written() -> None:
    quick, plain = ran(REFERENCE_CLIENT, b"garbage\n"), ran(PLAIN, b"garbage\n")
    assert (quick.returncode, quick.stderr) == (plain.returncode, plain.stderr)
    assert quick.returncode == 2
    assert b"garbage" in quick.stderr


QUICK = "from harness.reference.__main__ import _put_off\n_put_off('importlib.metadata')\n"


def test_what_the_agent_does_not_need_is_not_imported() -> None:
    names = set(loaded(QUICK + "from harness.reference import agent"))
    assert "websockets.client" in names
    assert names.isdisjoint({"importlib.metadata", "argparse", "email.message", "zipfile"})


def test_what_was_put_off_is_there_for_who_uses_it() -> None:
    use = "import importlib.metadata\nassert importlib.metadata.version('linkproof')\n"
    use += "from importlib.metadata import version\nassert version('linkproof')"
    assert "importlib.metadata" in loaded(QUICK + use)
