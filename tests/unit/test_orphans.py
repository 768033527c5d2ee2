"""What was left behind in a session of its own, with nothing of where it came from, is ended all the same."""

from __future__ import annotations

import os
import select
import signal
import subprocess

import pytest

from harness.errors import HostError
from harness.orphans import _prctl, orphans_ended

DEADLINE_S = 20.0
# A daemon tells its number, as soon as its parent has ended.
DAEMON = ["env", "-i", "/bin/sh", "-c", "setsid sh -c 'echo $$; exec sleep 60' &"]


def leave_behind() -> int:
    """Start a daemon; returns a descriptor that tells its end."""
    with subprocess.Popen(DAEMON, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        number = int(process.stdout.readline())
        process.stdout.close()
    return os.pidfd_open(number)


def has_ended(descriptor: int, within_s: float = DEADLINE_S) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(within_s * 1000))


def test_what_was_left_behind_in_the_block_ends_with_it() -> None:
    with orphans_ended():
        orphan = leave_behind()
        assert not has_ended(orphan, 0)
    assert has_ended(orphan)
    os.close(orphan)


def test_what_was_there_before_is_left_alone() -> None:
    with subprocess.Popen(["sleep", "60"]) as before:
        with orphans_ended():
            pass
        assert before.poll() is None
        before.kill()


def test_after_the_block_orphans_go_to_somebody_else_again() -> None:
    with orphans_ended():
        pass
    orphan = leave_behind()
    with orphans_ended():
        pass
    assert not has_ended(orphan, 0)
    signal.pidfd_send_signal(orphan, signal.SIGKILL)
    os.close(orphan)


def test_a_system_that_does_not_do_that_is_told() -> None:
    with pytest.raises(HostError, match="this system does not give orphans to linkproof: Invalid argument"):
        _prctl(-1, 0)
