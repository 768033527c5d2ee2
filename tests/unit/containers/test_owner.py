from __future__ import annotations

import subprocess
import sys

import pytest

from harness.containers.owner import is_gone, this_process

TELLS = "from harness.containers.owner import this_process; print(this_process(), flush=True); input()"


def test_this_process_is_not_gone() -> None:
    assert not is_gone(this_process())


def test_a_process_is_gone_when_it_has_ended_and_not_before() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", TELLS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        label = process.stdout.readline().strip()
        assert not is_gone(label)
        process.kill()
        assert process.stdout.read() == ""  # it has closed what it had open, and ends
        process.wait()
        assert is_gone(label)


def test_another_process_of_the_same_number_is_another_owner() -> None:
    boot, numbering, pid, start = this_process().split()
    assert is_gone(f"{boot} {numbering} {pid} {int(start) - 1}")
    assert is_gone(f"another-boot {numbering} {pid} {start}")


@pytest.mark.parametrize("label", ["", "somebody's own", "a b c d e"])
def test_what_is_no_label_of_ours_is_left_alone(label: str) -> None:
    assert not is_gone(label)


def test_a_process_that_cannot_be_seen_from_here_is_left_alone() -> None:
    boot, numbering, pid, start = this_process().split()
    assert not is_gone(f"{boot} {int(numbering) + 1} {pid} {int(start) - 1}")
