"""A log may grow beyond its bound, and does not stay so; how it began and how it ended is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from harness.adapter import log_limit
from harness.adapter.last_words import last_words
from harness.adapter.log_limit import HEAD_BYTES, LOG_BYTES_MAX, TAIL_BYTES, LogLimit


@pytest.fixture
def log(tmp_path: Path) -> Iterator[IO[bytes]]:
    """As a process has it: open for appending, while somebody else cuts it."""
    with (tmp_path / "alice.log").open("ab", buffering=0) as log:
        yield log


def room(path: Path) -> int:
    return path.stat().st_blocks * 512


def test_a_log_within_the_bound_is_left_as_it_is(log: IO[bytes], tmp_path: Path) -> None:
    log.write(b"x" * LOG_BYTES_MAX)
    limit = LogLimit(tmp_path)
    limit.look()
    limit.cut()
    assert Path(log.name).read_bytes() == b"x" * LOG_BYTES_MAX


def test_one_beyond_it_gives_its_middle_back_while_it_is_written(log: IO[bytes], tmp_path: Path) -> None:
    log.write(b"the first words\n" + b"x" * (LOG_BYTES_MAX * 2))
    LogLimit(tmp_path).look()
    log.write(b"\nthe last words\n")
    assert room(Path(log.name)) < HEAD_BYTES + TAIL_BYTES + LOG_BYTES_MAX // 10
    assert Path(log.name).stat().st_size > LOG_BYTES_MAX * 2
    assert last_words(log) == "the last words"


def test_in_the_end_it_says_what_was_left_out(log: IO[bytes], tmp_path: Path) -> None:
    log.write(b"the first words\n" + b"x" * (LOG_BYTES_MAX * 2))

    async def keep() -> None:
        async with LogLimit(tmp_path):
            log.write(b"\nthe last words\n")

    asyncio.run(keep())
    text = Path(log.name).read_text()
    left_out = LOG_BYTES_MAX * 2 + 32 - HEAD_BYTES - TAIL_BYTES
    assert text.startswith("the first words\n")
    assert f"\n[linkproof: {left_out} bytes are left out here; a log is kept up to {LOG_BYTES_MAX} bytes]\n" in text
    assert text.endswith("x\nthe last words\n")
    assert len(text) < HEAD_BYTES + TAIL_BYTES + 200


def test_on_a_disk_that_knows_no_holes_it_is_cut_at_once(
    log: IO[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_limit, "_PUNCH_HOLE", 0x8000)  # what no kernel knows is not supported
    log.write(b"x" * (LOG_BYTES_MAX + 4096))
    LogLimit(tmp_path).look()
    log.write(b"\nthe last words\n")
    assert Path(log.name).stat().st_size < HEAD_BYTES + TAIL_BYTES + 200
    assert last_words(log) == "the last words"


def test_a_log_that_cannot_be_kept_within_it_is_an_error(log: IO[bytes]) -> None:
    log.write(b"x" * (LOG_BYTES_MAX + 4096))
    with pytest.raises(OSError, match=r"Invalid argument: .*alice\.log"):
        log_limit._give_back(Path(log.name), -1, 0)
