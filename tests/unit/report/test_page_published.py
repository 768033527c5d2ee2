from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import HarnessError, UsageError
from harness.report import publish as module
from harness.report.publish import publish
from harness.report.run_folder import RunFolder, RunInfo
from tests.unit.oracle.story import LOGGED_IN, Story
from tests.unit.report.page_rig import read


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run of one scenario that passed."""
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.write_info(RunInfo("1", "rtm-1.0", "now", selected=["test_story"]))
    folder.write_trace("test_story", Story("CONNECTING-1").logged_in().expects(*LOGGED_IN).ended())
    folder.seal()
    return folder


def test_the_page_lies_beside_the_evidence_and_is_no_part_of_it(run: RunFolder) -> None:
    path = publish(run)
    assert path == run.path / "report.html"
    assert read(path.read_text(encoding="utf-8")).one("h1").words == "✓ PASS the client"
    run.check()  # the seal still holds
    assert publish(run).read_bytes() == path.read_bytes()


def test_of_altered_evidence_there_is_no_page(run: RunFolder) -> None:
    (run.path / "run.json").write_text("{}")
    with pytest.raises(UsageError, match="was altered"):
        publish(run)
    assert not (run.path / "report.html").exists()


def test_a_page_that_cannot_be_written_is_the_harness_s_own_fault_and_takes_no_verdict_away(run: RunFolder) -> None:
    (run.path / "report.html").mkdir()
    with pytest.raises(HarnessError, match=r"the report of .* cannot be written: IsADirectoryError") as raised:
        publish(run)
    assert "the verdict and the evidence stand" in raised.value.why
    assert raised.value.mend == f"linkproof report {run.path}"


def test_a_mistake_in_making_the_page_is_told_with_its_place(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> str:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(module, "render_page", wrong)
    with pytest.raises(HarnessError, match="ZeroDivisionError: oh") as raised:
        publish(run)
    assert Path(__file__).name in raised.value.why
