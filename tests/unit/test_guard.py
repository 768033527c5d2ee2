"""A guard is a real process that kills real processes; each test waits for their end, none for time to pass."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.guard import MARK, Guard, kill_group

DEADLINE_S = 20.0
SLEEP = ["sleep", "60"]
# A run: puts two processes of one group under guard, tells who they are, and waits to be killed.
RUN = """
import subprocess, sys
from harness.guard import Guard
guard = Guard()
group = subprocess.Popen(["sh", "-c", "sleep 60 & echo $!; wait"], start_new_session=True, stdout=subprocess.PIPE)
guard.watch(group.pid)
released = subprocess.Popen(["sleep", "60"], start_new_session=True)
guard.watch(released.pid)
guard.release(released.pid)
print(guard.pid, group.pid, group.stdout.readline().decode().strip(), released.pid, flush=True)
sys.stdin.read()
"""


class Watched:
    """A process that need not be a child of ours."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._fd = os.pidfd_open(pid)

    def has_ended(self, within_s: float = DEADLINE_S) -> bool:
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(within_s * 1000))

    def close(self) -> None:
        if not self.has_ended(0):
            signal.pidfd_send_signal(self._fd, signal.SIGKILL)
        os.close(self._fd)


@pytest.fixture
def sleepers() -> Iterator[list[subprocess.Popen[bytes]]]:
    started = [subprocess.Popen(SLEEP, start_new_session=True) for _ in range(3)]
    yield started
    for each in started:
        each.kill()
        each.wait()


def test_when_it_is_closed_it_kills_what_was_not_released_and_nothing_else(
    sleepers: list[subprocess.Popen[bytes]],
) -> None:
    watched, released, never_told = sleepers
    with Guard() as guard:
        guard.watch(watched.pid)
        guard.watch(released.pid)
        guard.release(released.pid)
    # The guard has ended by now, so whatever it was to kill it has killed.
    assert watched.wait(DEADLINE_S) == -signal.SIGKILL
    assert (released.poll(), never_told.poll()) == (None, None)


def test_a_group_that_is_gone_already_is_no_stumbling_block(sleepers: list[subprocess.Popen[bytes]]) -> None:
    gone, watched, _ = sleepers
    gone.kill()
    gone.wait()
    with Guard() as guard:
        guard.watch(gone.pid)
        guard.watch(watched.pid)
    assert watched.wait(DEADLINE_S) == -signal.SIGKILL


def test_it_ends_when_there_was_nothing_to_guard() -> None:
    guard = Guard()
    process = Watched(guard.pid)
    guard.close()
    assert process.has_ended(0)
    process.close()


def test_when_it_is_closed_it_removes_the_folders_that_are_left(tmp_path: Path) -> None:
    left, removed, never_told = (tmp_path / name for name in ("left", "removed", "never told"))
    for folder in (left, removed, never_told):
        folder.mkdir()
        (folder / "server.key").touch()
    with Guard() as guard:
        guard.remove_at_end(left)
        guard.remove_at_end(removed)
        shutil.rmtree(removed)
    assert [each.name for each in tmp_path.iterdir()] == ["never told"]


def test_it_outlives_a_killed_run_and_kills_behind_it_what_was_not_released() -> None:
    run = subprocess.Popen([sys.executable, "-c", RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert run.stdout is not None
    assert run.stdin is not None
    guard, leader, member, released = (Watched(int(pid)) for pid in run.stdout.readline().split())
    try:
        assert not leader.has_ended(0)
        run.kill()
        run.wait()
        assert leader.has_ended()
        assert member.has_ended()
        assert guard.has_ended()
        assert not released.has_ended(0)
    finally:
        for each in (guard, leader, member, released):
            each.close()
        run.stdin.close()
        run.stdout.close()


def test_it_is_out_of_reach_of_a_signal_to_the_group_of_the_run() -> None:
    with Guard() as guard:
        assert os.getpgid(guard.pid) == guard.pid != os.getpgid(0)


def test_killing_a_group_says_whether_there_was_one(sleepers: list[subprocess.Popen[bytes]]) -> None:
    first = sleepers[0]
    assert kill_group(first.pid, signal.SIGTERM)
    assert first.wait(DEADLINE_S) == -signal.SIGTERM
    assert not kill_group(first.pid)


def test_it_kills_whoever_carries_its_mark_in_whatever_session_and_nobody_else() -> None:
    guard = Guard()
    marked = subprocess.Popen(SLEEP, start_new_session=True, env=guard.marked(None))
    of_another_run = subprocess.Popen(SLEEP, start_new_session=True, env={**os.environ, MARK: f"{guard.mark}0"})
    guard.close()
    assert marked.wait(DEADLINE_S) == -signal.SIGKILL
    assert of_another_run.poll() is None
    of_another_run.kill()
    of_another_run.wait()


def test_a_given_environment_is_marked_and_otherwise_left_as_it_is() -> None:
    with Guard() as guard:
        assert guard.marked({"A": "1"}) == {"A": "1", MARK: guard.mark}
        assert guard.marked(None) == {**os.environ, MARK: guard.mark}
