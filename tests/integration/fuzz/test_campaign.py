"""A real search by atheris: it finds what crashes, keeps what led somewhere, and says how to repeat it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz import targets
from tests.fuzz.campaign import ROOT, fuzz, keep
from tests.fuzz.targets import Target

SECONDS = 60  # it stops at the crash, within a second or two


@pytest.fixture
def target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Target:
    pytest.importorskip("atheris", reason="atheris is not installed: pip install -e '.[fuzz]'")
    monkeypatch.setattr(targets, "FOLDER", tmp_path)
    return Target("crashing", "tests.integration.fuzz.crashing", 16)


def test_a_crash_is_found_and_repeated_by_its_file(target: Target, tmp_path: Path) -> None:
    target.corpus.mkdir(parents=True)
    (target.corpus / "seed").write_bytes(b'"word" {}')
    fuzzed = fuzz(target, seconds=SECONDS, found=tmp_path / "found")
    (crash,) = fuzzed.crashes
    assert crash.parent == target.crashes
    assert fuzzed.executions > 0
    assert f"python -m tests.fuzz crashing {crash}" in str(fuzzed)
    assert "ValueError: planted" in fuzzed.log
    with pytest.raises(ValueError, match="planted"):
        target.load()(crash.read_bytes())


def test_a_search_without_a_crash_ends_by_itself_and_the_fewest_inputs_are_kept(target: Target, tmp_path: Path) -> None:
    sound = Target("sound", "tests.fuzz.trace", target.bytes_max)
    sound.corpus.mkdir(parents=True)
    for number in range(20):
        (sound.corpus / str(number)).write_bytes(bytes([number]))
    assert fuzz(sound, seconds=1, found=tmp_path / "found").crashes == ()
    assert 1 <= keep(sound, tmp_path / "found") < 20
    assert all(path.stat().st_size <= sound.bytes_max for path in sound.corpus.iterdir())


def tell(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_one_command_repeats_an_input(tmp_path: Path) -> None:
    frame = tmp_path / "frame"
    frame.write_bytes(b'{"type":"logout"}')
    told = tell("wire", str(frame))
    assert (told.returncode, told.stdout.partition(" / ")[0]) == (0, f"{frame}: Logout")


def test_an_unknown_target_is_named_with_those_that_there_are() -> None:
    told = tell("wires")
    assert told.returncode == 2
    assert "both_cores" in told.stderr
