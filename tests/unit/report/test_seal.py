from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.errors import UsageError
from harness.report import seal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three files in it, sealed."""
    (tmp_path / "traces").mkdir()
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "traces" / "a.jsonl").write_text("one\n")
    (tmp_path / "traces" / "b.jsonl").write_text("two\n")
    seal.seal(tmp_path)
    return tmp_path


def check(folder: Path) -> None:
    seal.check(folder, complete=("traces", "excused"))


def test_what_is_as_it_was_is_taken(folder: Path) -> None:
    check(folder)
    seal.seal(folder)  # which leaves itself out
    check(folder)


def test_it_is_a_file_as_sha256sum_reads_it(folder: Path) -> None:
    outcome = subprocess.run(
        ["sha256sum", "--check", seal.SEAL], cwd=folder, capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0
    assert outcome.stdout.splitlines() == ["run.json: OK", "traces/a.jsonl: OK", "traces/b.jsonl: OK"]


def test_one_byte_that_is_another_is_found_and_its_file_is_named(folder: Path) -> None:
    (folder / "traces" / "b.jsonl").write_text("twO\n")
    with pytest.raises(UsageError, match=r"was altered: traces/b\.jsonl is not what it was\n"):
        check(folder)


def test_a_file_that_is_gone_and_one_that_was_added_are_found(folder: Path) -> None:
    (folder / "traces" / "a.jsonl").rename(folder / "traces" / "c.jsonl")
    with pytest.raises(UsageError, match=r"traces/a\.jsonl is gone; traces/c\.jsonl was added"):
        check(folder)


def test_a_file_that_would_count_and_was_added_is_found(folder: Path) -> None:
    (folder / "excused").write_text("all of it")
    with pytest.raises(UsageError, match="excused was added"):
        check(folder)


def test_what_somebody_keeps_beside_the_evidence_is_no_part_of_it(folder: Path) -> None:
    (folder / "notes.txt").write_text("looked at it")
    check(folder)


def test_a_folder_without_a_seal_is_refused(folder: Path) -> None:
    (folder / seal.SEAL).unlink()
    with pytest.raises(UsageError, match="has no SHA256SUMS"):
        check(folder)


def test_a_seal_that_is_no_text_was_altered(folder: Path) -> None:
    path = folder / seal.SEAL
    path.write_bytes(b"\xff" + path.read_bytes())
    with pytest.raises(UsageError, match="was altered: SHA256SUMS is no text"):
        check(folder)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "", "/etc/hostname", "../run.json"])
def test_a_seal_of_a_file_that_cannot_be_in_the_folder_was_altered(folder: Path, name: str) -> None:
    with (folder / seal.SEAL).open("a") as file:
        file.write(f"{'0' * 64}  {name}\n")
    with pytest.raises(UsageError, match=r"was altered: .* is gone"):
        check(folder)
