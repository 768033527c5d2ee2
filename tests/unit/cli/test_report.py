from __future__ import annotations

import importlib
from pathlib import Path
from typing import cast

import click
import pytest
from click.testing import CliRunner

from harness.errors import UsageError
from harness.report.exit_codes import ExitCode
from harness.report.run_folder import RunFolder, RunInfo
from tests.unit.oracle.story import Story

# In the package the name stands for the command.
module = importlib.import_module("harness.cli.report")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of one scenario that failed."""
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.write_info(RunInfo("1", "rtm-1.0", "now", selected=["test_story"]))
    folder.write_trace("test_story", Story("CONNECTED-3").logged_in().expects().ended())
    folder.seal()
    return folder.path


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a browser was asked to show."""
    shown: list[str] = []
    monkeypatch.setattr(click, "launch", shown.append)
    return shown


def ask(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(module.report, [str(each) for each in arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return cast(int, result.return_value), result.stdout


def test_the_page_is_written_and_its_path_printed_whatever_the_verdict(run: Path, opened: list[str]) -> None:
    assert ask(run) == (ExitCode.PASS, f"report: {run / 'report.html'}\n")
    assert "FAIL" in (run / "report.html").read_text(encoding="utf-8")
    assert opened == []


def test_it_is_shown_in_a_browser_where_that_is_asked_for(run: Path, opened: list[str]) -> None:
    ask(run, "--open")
    assert opened == [str(run / "report.html")]


def test_a_folder_that_is_no_run_has_no_page(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        ask(tmp_path)
    assert list(tmp_path.iterdir()) == []
