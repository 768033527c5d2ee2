"""Want of room is the host's fault; every other error of the system stays what it is."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import HostError
from harness.room import LEFT_BYTES_MIN, is_for_want_of_room, not_kept, room_is_the_hosts, too_little_left


def error(code: int) -> OSError:
    return OSError(code, os.strerror(code), "/there/file")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_want_of_room_says_where_and_how_to_mend_it(code: int) -> None:
    assert is_for_want_of_room(error(code))
    with pytest.raises(HostError) as raised, room_is_the_hosts():
        raise error(code)
    assert raised.value.found == f"/there/file cannot be kept: {os.strerror(code).lower()}"
    assert "make room" in raised.value.mend


@pytest.mark.parametrize("other", [error(errno.EACCES), ValueError("no space left")])
def test_what_is_something_else_stays_so(other: Exception) -> None:
    assert not is_for_want_of_room(other)
    with pytest.raises(type(other)) as raised, room_is_the_hosts():
        raise other
    assert raised.value is other


def test_what_has_no_name_is_told_all_the_same() -> None:
    assert (
        not_kept(OSError(errno.ENOSPC, "No space left")).found == "what was to be written cannot be kept: no space left"
    )
    assert not_kept(OSError("odd"), Path("x")).found == "x cannot be kept: odd"


@pytest.mark.parametrize(
    ("blocks", "free", "is_too_little"),
    [
        (1000, LEFT_BYTES_MIN // 512, False),
        (1000, LEFT_BYTES_MIN // 512 - 1, True),
        (0, 0, False),  # a file system without blocks
    ],
)
def test_little_room_is_told_before_there_is_none(
    monkeypatch: pytest.MonkeyPatch, blocks: int, free: int, is_too_little: bool
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_blocks=blocks, f_bavail=free, f_frsize=512))
    found = too_little_left(Path("/there"))
    assert (found is not None) == is_too_little
    if found is not None:
        assert found.found == f"no space left on the disk of /there: {free * 512} bytes"
