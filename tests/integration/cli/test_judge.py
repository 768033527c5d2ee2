from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.report.exit_codes import ExitCode
from harness.report.seal import seal

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Linkproof, WrongRun


@pytest.fixture
def evidence(wrong_run: WrongRun, tmp_path: Path) -> Path:
    """A copy of a run, to be spoilt."""
    return shutil.copytree(wrong_run.folder, tmp_path / "copy")


def trace_of(evidence: Path, name: str) -> Path:
    (path,) = (evidence / "traces").glob(f"*{name}*.jsonl")
    return path


def judged(text: str) -> str:
    """What is said of the scenarios, the rules and the run, without where it is kept."""
    return re.sub(r"(?m)^(evidence|report): .*\n", "", text[text.index("FAIL  test_connected.py") :])


def test_a_run_that_is_judged_again_gives_the_same(linkproof: Linkproof, wrong_run: WrongRun, evidence: Path) -> None:
    result = linkproof("judge", str(evidence))
    assert result.code == wrong_run.result.code == ExitCode.FAIL
    assert judged(result.out) == judged(wrong_run.result.out)


def cut_in_a_line(data: bytes) -> bytes:
    return data[: len(data) // 2]


def without_its_end(data: bytes) -> bytes:
    return re.sub(rb'\{[^\n]*"what":"end"[^\n]*\n', b"", data)


def a_line_altered(data: bytes) -> bytes:
    return data.replace(b'"what":"callback"', b'"what":"rumour"', 1)


def no_scenario(data: bytes) -> bytes:
    return data.partition(b"\n")[2]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut_in_a_line, r"test_login_that_succeeds\.jsonl:\d+: not an observation: Input data was truncated"),
        (a_line_altered, r"test_login_that_succeeds\.jsonl:\d+: not an observation: Invalid enum value 'rumour'"),
        (no_scenario, r"test_login_that_succeeds\.jsonl: a trace begins with its scenario; this one does not"),
        (lambda _: b"", r"test_login_that_succeeds\.jsonl: a trace begins with its scenario; this one does not"),
    ],
    ids=["cut in a line", "altered", "no scenario", "empty"],
)
def test_a_spoilt_trace_is_refused(
    linkproof: Linkproof, evidence: Path, spoil: Callable[[bytes], bytes], words: str
) -> None:
    path = trace_of(evidence, "login_that_succeeds")
    path.write_bytes(spoil(path.read_bytes()))
    seal(evidence)
    result = linkproof("judge", str(evidence))
    assert result.code == ExitCode.USAGE
    assert re.search(words, result.err)
    assert "why:  only a trace that was recorded to its end can be judged" in result.err
    assert "PASS" not in result.out


def test_a_scenario_that_was_cut_short_is_missed(linkproof: Linkproof, evidence: Path) -> None:
    path = trace_of(evidence, "login_that_succeeds")
    path.write_bytes(without_its_end(path.read_bytes()))
    seal(evidence)
    result = linkproof("judge", str(evidence))
    assert result.shows("selected, and not run to its end: test_connecting.py::test_login_that_succeeds")


def test_a_trace_that_is_gone_is_missed(linkproof: Linkproof, evidence: Path) -> None:
    trace_of(evidence, "visible_loss").unlink()
    seal(evidence)
    result = linkproof("judge", str(evidence))
    assert result.code == ExitCode.HARNESS
    assert result.shows("selected, and not run to its end: test_connected.py::test_a_visible_loss_interrupts_after_4_s")


@pytest.mark.parametrize("name", ["traces/test_connecting.test_login_that_succeeds.jsonl", "run.json", "verdicts.json"])
def test_evidence_that_was_altered_is_refused_and_the_file_is_named(
    linkproof: Linkproof, evidence: Path, name: str
) -> None:
    path = evidence / name
    path.write_bytes(path.read_bytes().replace(b"alice", b"malice", 1) + b" ")
    result = linkproof("judge", str(evidence))
    assert result.code == ExitCode.USAGE
    assert result.shows("was altered", f"{name} is not what it was")
    assert "PASS" not in result.out


def test_what_is_no_run_is_refused(linkproof: Linkproof, evidence: Path) -> None:
    result = linkproof("judge", str(evidence.parent))
    assert result.code == ExitCode.USAGE
    assert result.shows("is no run: it has no run.json", "name a folder below runs/")
    (evidence / "run.json").write_text("{}")
    result = linkproof("judge", str(evidence))
    assert result.code == ExitCode.USAGE
    assert result.shows("run.json cannot be read", "it was not written by a run, or was altered")
