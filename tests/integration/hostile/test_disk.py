"""A disk without room is the host's fault, said in words; what was seen until then is kept, and can be judged."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.report.exit_codes import ExitCode
from tests.whole_run import EVIDENCE, LINKPROOF, begin, ended_after

if TYPE_CHECKING:
    from tests.integration.conftest import StartRun

# One is done after a second, one takes some 40 s.
SOME = "login_that_succeeds or stays_reconnecting_as_long"
COMMAND_S = 60.0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a few megabytes, mounted for the test."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(disk)]
    mounted = subprocess.run(command, capture_output=True, check=False) if os.geteuid() == 0 else None
    if mounted is None or mounted.returncode != 0:
        pytest.skip("a disk can be mounted by root alone, and not in every container")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def linkproof(folder: Path, *arguments: str) -> tuple[int, str]:
    ended = subprocess.run(
        [*LINKPROOF, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=COMMAND_S
    )
    printed = ended.stdout + ended.stderr
    assert "Traceback" not in printed, printed
    return ended.returncode, printed


def fill(disk: Path) -> None:
    with (disk / "filler").open("wb", buffering=0) as filler:
        try:
            while filler.write(bytes(4096)) == 4096:
                pass
        except OSError:  # it is full
            return


def test_a_disk_that_fills_up_ends_the_run_and_what_was_done_can_be_judged(small_disk: Path) -> None:
    run = begin(small_disk, ["-k", SOME])
    with ended_after([run]):
        run.wait_until_playing(people=1)
        ports = run.ports()
        run.traces(1)
        fill(small_disk)
        code, out = run.end()
        run.check_nothing_is_left(ports)
    assert code == ExitCode.HOST
    assert "Traceback" not in out
    assert "no space left" in out
    assert "evidence" in out
    verdicts = run.verdicts()
    assert verdicts.pop("test_login_that_succeeds")["verdict"] == "PASS"
    assert not {(each["verdict"], each["blame"]) for each in verdicts.values()} - {("ERROR", "host")}
    (small_disk / "filler").unlink()
    code, printed = linkproof(small_disk, "judge", EVIDENCE)
    assert code in (ExitCode.HOST, ExitCode.HARNESS)
    assert "1 PASS" in printed
    assert linkproof(small_disk, "report", EVIDENCE)[0] == ExitCode.PASS


def test_on_a_disk_that_is_full_nothing_is_begun(small_disk: Path) -> None:
    (small_disk / "tmp").mkdir()
    fill(small_disk)
    code, printed = linkproof(small_disk, "certify", "-k", SOME, "--run-dir", EVIDENCE)
    assert code == ExitCode.HOST
    assert "cannot be kept: no space left on device" in printed
    assert "mend: make room" in printed


def test_a_limit_on_the_size_of_files_is_the_hosts_fault_too(tmp_path: Path) -> None:
    command = [*LINKPROOF, "certify", "-k", SOME, "--run-dir", EVIDENCE]
    ended = subprocess.run(
        ["prlimit", "--fsize=65536", "--", *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_S,
    )
    assert ended.returncode == ExitCode.HOST
    assert f"{EVIDENCE} cannot be kept: file too large" in ended.stdout + ended.stderr


@pytest.mark.parametrize("command", [["certify", "--virtual", "-k", "login_that_succeeds"], ["explain", "CONNECTED-3"]])
def test_an_output_that_is_full_is_told_on_standard_error(tmp_path: Path, command: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [*LINKPROOF, *command], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == ExitCode.HOST
    assert "Traceback" not in ended.stderr
    assert "cannot be kept: no space left on device" in ended.stderr


def test_of_a_run_that_was_killed_each_command_says_why_it_cannot_be_judged(start_run: StartRun) -> None:
    run = start_run(SOME)
    run.wait_until_playing(people=1)
    run.traces(1)
    run.process.send_signal(signal.SIGKILL)
    run.process.wait()
    for command in (["judge", EVIDENCE], ["report", EVIDENCE], ["attest", EVIDENCE], ["coverage", EVIDENCE]):
        code, printed = linkproof(run.folder, *command)
        assert code == ExitCode.USAGE
        assert f"{EVIDENCE} has no SHA256SUMS" in printed
        assert "only a run that came to its end has one" in printed
