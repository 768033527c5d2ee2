"""Whole runs in network namespaces: the verdicts of any other run, and nothing left behind, however they end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.report.exit_codes import ExitCode

RUN_S = 120.0
SOON_S = 30.0
GONE_S = 5.0
MARK = "LINKPROOF_TEST_MARK"  # in the environment of a run, and so of all that it starts
LINKPROOF = (sys.executable, "-c", "from harness.cli import main; main()", "certify", "--faults", "netns")
# What only the kernel can do, a logout, and a login.
SOME = "a_second_of_dropped_packets and to_client or test_logout_disconnects or login_that_succeeds"
SLOW = "test_without_a_network_for_32_s"  # two people


@dataclass
class Run:
    """One run as a process of its own, and what of it can be found on this machine."""

    process: subprocess.Popen[str]
    folder: Path
    mark: str

    def end(self) -> tuple[int, str]:
        """Wait for its end; returns its exit code and what it printed."""
        out, _ = self.process.communicate(timeout=RUN_S)
        return self.process.returncode, out

    def kept(self, name: str) -> Any:
        return json.loads((self.folder / name).read_bytes())

    def processes(self) -> list[Path]:
        """Every process of the run, at whatever remove."""
        found = []
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):  # it is no process, or has ended since
                if f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes():
                    found.append(entry)
        return found

    def namespaces(self) -> set[str]:
        """The network namespaces that the run's processes are in."""
        return {where for each in self.processes() if (where := _target(each / "ns/net"))}


def _target(link: Path) -> str:
    with contextlib.suppress(OSError):  # its process has ended since
        return str(link.readlink())
    return ""


def known() -> set[str]:
    """Every network namespace that a process of this machine is in or holds."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        found.add(_target(entry / "ns/net"))
        with contextlib.suppress(OSError):  # it has ended since
            found |= {target for each in (entry / "fd").iterdir() if (target := _target(each)).startswith("net:")}
    return found


def wait_until(come: Callable[[], bool], what: str, *, within_s: float) -> None:
    deadline_s = time.monotonic() + within_s
    while not come():
        assert time.monotonic() < deadline_s, f"not within {within_s} s: {what}"
        time.sleep(0.05)


StartRun = Callable[..., Run]


@pytest.fixture
def start_run(tmp_path: Path) -> Iterator[StartRun]:
    """Starts runs; none of their processes is left afterwards."""
    runs: list[Run] = []

    def start(name: str, *options: str) -> Run:
        mark = uuid.uuid4().hex
        process = subprocess.Popen(
            [*LINKPROOF, *options, "--run-dir", name],
            cwd=tmp_path,
            env=os.environ | {MARK: mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        runs.append(Run(process, tmp_path / name, mark))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
        run.process.communicate()
        for each in run.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(each.name), signal.SIGKILL)


def test_the_reference_passes_over_ipv4_and_over_tls_and_ipv6(start_run: StartRun) -> None:
    runs = [start_run("plain", "-k", SOME), start_run("ipv6", "--tls", "--ipv6", "-k", SOME)]
    for run in runs:
        code, out = run.end()
        assert code == ExitCode.PASS, out
        results = run.kept("results.json")
        assert results["verdict"] == "PASS"
        assert len(results["scenarios"]) == 3
        assert {each["verdict"] for each in results["scenarios"]} == {"PASS"}
        assert [each["name"] for each in results["scenarios"] if "test_below_tcp" in each["name"]]
        info = run.kept("run.json")
        assert "nftables" in info["netns"]
        assert "toxiproxy" not in info
        assert run.processes() == []


def test_a_run_that_is_killed_leaves_nothing_and_the_next_one_passes(start_run: StartRun) -> None:
    here = _target(Path("/proc/self/ns/net"))
    run = start_run("killed", "-k", SLOW)
    # The machine's own, that of the servers, and one for each person.
    wait_until(lambda: len(run.namespaces()) >= 4, "two people play", within_s=SOON_S)
    others = run.namespaces() - {here}
    assert others <= known()
    run.process.kill()
    run.process.wait()
    wait_until(lambda: not run.processes(), f"all processes have ended: {run.processes()}", within_s=GONE_S)
    assert not others & known()
    assert not [each for each in os.listdir("/sys/class/net") if each.startswith("wire")]  # noqa: PTH208 - names
    tables = subprocess.run(["nft", "list", "tables"], capture_output=True, text=True, check=True).stdout
    assert "linkproof" not in tables
    code, out = start_run("next", "-k", "test_logout_disconnects").end()
    assert code == ExitCode.PASS, out
