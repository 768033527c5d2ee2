"""Adapters to begin with: written, built and checked by the very commands that are printed."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.skeletons.write import LANGUAGES
from tests.unit.docs.pages import ROOT

LINKPROOF = (sys.executable, "-c", "from harness.cli import main; main()")
NODE_MODULES = ROOT / "examples" / "typescript" / "node_modules"
TOOLS = {"python": ("python3",), "typescript": ("node", "npm"), "go": ("go",), "cpp": ("cmake", "c++")}


def linkproof(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LINKPROOF, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False)


def next_commands(printed: str) -> list[list[str]]:
    return [shlex.split(line) for line in printed.partition("next:\n")[2].splitlines()]


def build(command: list[str], cwd: Path) -> None:
    """Run a command of the build; the one that would fetch from a registry is given what is here."""
    if command[0] == "npm" and command[-1] == "install":
        if not (NODE_MODULES / "typescript").is_dir() or not (NODE_MODULES / "@types" / "node").is_dir():
            pytest.skip("no TypeScript here: run 'npm install' in examples/typescript")
        (cwd / command[command.index("--prefix") + 1] / "node_modules").symlink_to(NODE_MODULES)
        return
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_skeleton_keeps_to_the_contract_as_it_is(language: str, tmp_path: Path) -> None:
    missing = [tool for tool in TOOLS[language] if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"the skeleton in {language} is not tried: {', '.join(missing)} not found on PATH")
    written = linkproof("adapter", "new", "--lang", language, "my adapter", cwd=tmp_path)
    assert written.returncode == 0, written.stderr
    *building, checking = next_commands(written.stdout)
    for command in building:
        build(command, tmp_path)
    assert checking[0] == "linkproof"
    checked = linkproof(*checking[1:], cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "note: the client did not begin to log in: {'code': 101}" in checked.stdout
    assert "it keeps to the contract; next: linkproof certify --client" in checked.stdout
    assert "\x1b" not in checked.stdout, "colours are for terminals"


def test_an_adapter_that_does_not_keep_to_it_ends_the_command_with_11(tmp_path: Path) -> None:
    linkproof("adapter", "new", "--lang", "python", "mine", cwd=tmp_path)
    path = tmp_path / "mine" / "adapter.py"
    path.write_text(path.read_text(encoding="utf-8").replace('"contract": 1', '"contract": 2'), encoding="utf-8")
    done = linkproof("adapter", "check", "python3 mine/adapter.py", cwd=tmp_path)
    assert done.returncode == 11
    wrong, read = done.stdout.partition("wrong: ")[2].splitlines()[:2]
    assert "speaks version 2 of the contract" in wrong
    assert read.strip() == "read: docs/adapter-contract.md#hello"
    assert "1 wrong: the adapter does not keep to the contract" in done.stdout


def test_a_command_that_is_none_ends_with_11_and_one_that_is_written_wrongly_with_2(tmp_path: Path) -> None:
    assert linkproof("adapter", "check", "./no-such-adapter", cwd=tmp_path).returncode == 11
    for command in ("", "'unclosed"):
        done = linkproof("adapter", "check", command, cwd=tmp_path)
        assert done.returncode == 2
        assert "command" in done.stderr


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept", encoding="utf-8")
    done = linkproof("adapter", "new", "--lang", "go", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
