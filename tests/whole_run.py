"""A whole run as a process of its own, and every process and port of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

START_S = 30.0  # a set-up takes half a second; this is for a machine that is busy with other tests
GONE_S = 5.0
MARK = "LINKPROOF_TEST_MARK"  # in the environment of a run, and so of all that it starts, at whatever remove
LISTENING = "0A"
TEMPORARY = "tmp"
EVIDENCE = "evidence"
LINKPROOF = (sys.executable, "-c", "from harness.entry import main; main()")


def wait_until(come: Callable[[], bool], what: str, *, within_s: float) -> None:
    """Wait for something that has no event to wait for."""
    deadline = time.monotonic() + within_s
    while not come():
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)


@dataclass
class WholeRun:
    """A `linkproof certify` as a process of its own."""

    process: subprocess.Popen[str]
    folder: Path
    mark: str

    @property
    def evidence(self) -> Path:
        """The folder of the run."""
        return self.folder / EVIDENCE

    def processes(self) -> dict[int, list[str]]:
        """Every process of the run but itself, with its command line."""
        found = {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError):
                if f"{MARK}={self.mark}".encode() in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_text().split("\0")
        found.pop(self.process.pid, None)
        return found

    def pid_of(self, word: str) -> int | None:
        """The process of the run with this word in its command."""
        return next((pid for pid, command in self.processes().items() if any(word in part for part in command)), None)

    def ports(self) -> set[int]:
        """The ports that the run listens on."""
        sockets = {target for pid in self.processes() for target in _open_files(pid)}
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return {int(line[1][-4:], 16) for line in lines if line[3] == LISTENING and f"socket:[{line[9]}]" in sockets}

    def is_playing(self, *, people: int) -> bool:
        """Whether so many people are there: a process and a port each, beside guard, server and Toxiproxy's API."""
        assert self.process.poll() is None, "it has ended before"
        return len(self.processes()) >= people + 3 and len(self.ports()) >= people + 2

    def wait_until_playing(self, *, people: int) -> None:
        """Wait until so many people are there."""
        wait_until(lambda: self.is_playing(people=people), f"{people} people play", within_s=START_S)

    def check_nothing_is_left(self, ports: set[int]) -> None:
        """Within five seconds no process is there, and no port takes a connection."""
        wait_until(lambda: not self.processes(), f"all processes have ended: {self.processes()}", within_s=GONE_S)
        for port in ports:
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", port)) != 0, f"port {port} still accepts"
        wait_until(lambda: not self.temporary(), f"nothing is left in TMPDIR: {self.temporary()}", within_s=GONE_S)

    def temporary(self) -> list[str]:
        """What the run keeps in the folder for what lasts no longer than it."""
        return [path.name for path in (self.folder / TEMPORARY).iterdir()]

    def end(self) -> tuple[int, str]:
        """Wait for its end; returns its exit code and what it printed."""
        out, _ = self.process.communicate(timeout=START_S)
        return self.process.returncode, out

    def traces(self, count: int) -> list[str]:
        """The names of the traces, as soon as there are so many."""

        def names() -> list[str]:
            return sorted(path.name for path in self.evidence.glob("traces/*.jsonl"))

        wait_until(lambda: len(names()) >= count, f"{count} traces", within_s=START_S)
        return names()

    def verdicts(self) -> dict[str, dict[str, Any]]:
        """What the judge said of each scenario."""
        judgements = json.loads((self.evidence / "verdicts.json").read_bytes())
        return {each["scenario"].rpartition("::")[2]: each for each in judgements}


def _open_files(pid: int) -> list[str]:
    found = []
    with contextlib.suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed since
                found.append(str(link.readlink()))
    return found


def begin(folder: Path, arguments: Sequence[str], *, env: Mapping[str, str] = MappingProxyType({})) -> WholeRun:
    """Start `linkproof certify` with these arguments; its evidence goes to a folder of that name in this one."""
    (folder / TEMPORARY).mkdir(exist_ok=True)
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [*LINKPROOF, "certify", *arguments, "--run-dir", EVIDENCE],
        cwd=folder,
        env={**os.environ, MARK: mark, "TMPDIR": str(folder / TEMPORARY), **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return WholeRun(process, folder, mark)


@contextlib.contextmanager
def ended_after(runs: Sequence[WholeRun]) -> Iterator[None]:
    """Whatever becomes of a test, its runs are over afterwards."""
    yield
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
        run.process.communicate()
        for pid in run.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
