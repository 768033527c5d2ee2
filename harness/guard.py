"""Cleans up behind a run when the run itself can no longer do it.

A run that is killed with SIGKILL cannot clean up. So each run starts one guard: a tiny process of its own session
that holds the reading end of a pipe. The run tells it which process groups and which folders exist; when the pipe
closes, for whatever reason, the guard kills every group that is left and every process that carries the run's mark in
its environment, removes the folders, runs the commands that are to take away the rest, and ends.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

MARK: Final = "LINKPROOF_RUN"
# Run with -I -S: it needs nothing but the standard library, and starts in a few milliseconds.
_GUARD_PROGRAM = """
import os, signal, sys, time
mark = sys.argv[1].encode()
groups, folders, commands = set(), set(), set()
for line in sys.stdin:
    if line[0] == '/':
        folders.add(line[:-1])
    elif line[0] in '!?':
        (commands.add if line[0] == '!' else commands.discard)(line[1:])
    else:
        (groups.add if line[0] == '+' else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
def kill_marked():
    found = False
    for name in filter(str.isdigit, os.listdir('/proc')):
        try:
            process = os.pidfd_open(int(name))  # its number may be another's by the time that it is killed
        except OSError:
            continue  # it has ended
        try:
            with open(f'/proc/{name}/environ', 'rb') as environ:
                if mark in environ.read().split(b'\\0'):
                    found = True
                    signal.pidfd_send_signal(process, signal.SIGKILL)
        except OSError:
            pass  # it has ended, or is somebody else's
        os.close(process)
    return found
for _ in range(500):  # what is killed takes a moment to end; and what it was just starting is there the next time
    if not kill_marked():
        break
    time.sleep(0.01)
if folders:
    import shutil
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)  # as a rule the run has removed it itself
if commands:
    import json, subprocess
    for command in commands:
        subprocess.run(json.loads(command), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""


def kill_group(group: int, sig: int = signal.SIGKILL) -> bool:
    """Send a signal to a whole process group; False where the group no longer exists."""
    try:
        os.killpg(group, sig)
    except ProcessLookupError:
        return False
    return True


class Guard:
    """The process that outlives a killed run just long enough to clean up behind it.

    A process is to be put under guard right after it was started as the leader of a session of its own
    (``start_new_session=True``), so that its process id is its group's.
    """

    def __init__(self) -> None:
        self.mark = secrets.token_hex(16)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _GUARD_PROGRAM, f"{MARK}={self.mark}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    @property
    def pid(self) -> int:
        """The guard's own process id."""
        return self._process.pid

    def marked(self, env: Mapping[str, str] | None) -> dict[str, str]:
        """Return an environment, or this process's own, with the mark by which the guard knows who belongs to the run.

        All that a process starts inherits it, in whatever group or session that is.
        """
        return {**(os.environ if env is None else env), MARK: self.mark}

    def watch(self, group: int) -> None:
        """Have this process group killed when the run ends without having released it."""
        self._tell(f"+{group}\n")

    def release(self, group: int) -> None:
        """Forget a process group that has been reaped, before its number is used for another."""
        self._tell(f"-{group}\n")

    def remove_at_end(self, folder: Path) -> None:
        """Have this folder removed when the run ends, if it is still there."""
        self._tell(f"{folder.absolute()}\n")

    def run_at_end(self, command: Sequence[str]) -> None:
        """Have this command run when the run ends without having said that it need not be."""
        self._tell(f"!{json.dumps(list(command))}\n")

    def need_not_run(self, command: Sequence[str]) -> None:
        """Forget a command."""
        self._tell(f"?{json.dumps(list(command))}\n")

    def close(self) -> None:
        """Let the guard kill what is left and end; returns when it has."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()
