from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import cast

import click
import pytest
from click.testing import CliRunner

from harness.errors import UsageError
from harness.report.coverage import render
from harness.report.exit_codes import ExitCode
from harness.report.run_folder import RunFolder, RunInfo
from harness.spec.clauses import BY_ID
from harness.spec.profiles import PROFILES, RTM_1_0
from tests.unit.oracle.story import LOGGED_IN, Story

# In the package the name stands for the command.
module = importlib.import_module("harness.cli.coverage")
CHECKED = {"CONNECTING-1", "CONNECTING-2", "CONNECTING-5", "DISCONNECTED-2", "GENERAL-1", "GENERAL-3"}
COMPLETE = dataclasses.replace(RTM_1_0, clauses=tuple(BY_ID[name] for name in sorted(CHECKED)))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run of two scenarios, one of which was broken off."""
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.write_info(RunInfo("1", "rtm-1.0", "now"))
    folder.write_trace("a", Story("CONNECTING-1").logged_in().expects(*LOGGED_IN).ended())
    folder.write_trace("b", Story("OPEN-2").logged_in().trace)
    folder.seal()
    return folder


@pytest.fixture
def _complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """A document that has no other rules than those that the run checks."""
    monkeypatch.setitem(PROFILES, "rtm-1.0", COMPLETE)


def ask(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(module.coverage, [str(each) for each in arguments], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return cast(int, result.return_value), result.stdout, result.stderr


@pytest.mark.usefixtures("_complete")
def test_a_run_that_checks_every_rule_passes_and_gives_the_page_and_nothing_else(run: RunFolder) -> None:
    covered = run.coverage()
    assert [each.clauses for each in covered] == [CHECKED]
    assert ask(run.path) == (ExitCode.PASS, render(covered, COMPLETE), "")


def test_a_rule_that_nothing_checks_fails_and_is_named_beside_the_page(run: RunFolder) -> None:
    code, page, said = ask(run.path)
    assert (code, page) == (ExitCode.FAIL, render(run.coverage()))
    missing = [line.partition(":")[0].removeprefix("nothing checks ") for line in said.splitlines()]
    assert missing == [name for name in BY_ID if name not in CHECKED]
    assert f"nothing checks OPEN-2: {BY_ID['OPEN-2'].text}\n" in said


@pytest.mark.usefixtures("_complete")
def test_a_page_that_says_the_same_passes_in_silence(run: RunFolder, tmp_path: Path) -> None:
    page = tmp_path / "coverage.md"
    page.write_text(render(run.coverage(), COMPLETE))
    assert ask(run.path, "--check", page) == (ExitCode.PASS, "", "")


@pytest.mark.usefixtures("_complete")
def test_a_page_that_is_stale_fails_and_says_how_to_make_it_anew(run: RunFolder, tmp_path: Path) -> None:
    page = tmp_path / "coverage.md"
    page.write_text(render([], COMPLETE))
    told = f"{page} is stale; make it anew with: linkproof coverage {run.path} > {page}\n"
    assert ask(run.path, "--check", page) == (ExitCode.FAIL, "", told)
    assert page.read_text() == render([], COMPLETE)


def test_a_page_that_is_up_to_date_is_no_excuse_for_a_rule_that_nothing_checks(run: RunFolder, tmp_path: Path) -> None:
    page = tmp_path / "coverage.md"
    page.write_text(render(run.coverage()))
    code, out, said = ask(run.path, "--check", page)
    assert (code, out) == (ExitCode.FAIL, "")
    assert "nothing checks OPEN-2" in said


def test_a_page_that_is_not_there_is_a_mistake_of_the_user(run: RunFolder, tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="does not exist"):
        ask(run.path, "--check", tmp_path / "no.md")


def test_a_folder_that_is_no_run_covers_nothing_and_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no run"):
        ask(tmp_path)


def test_a_trace_that_cannot_be_read_is_named(run: RunFolder) -> None:
    (run.path / "traces" / "c.jsonl").write_text("no observation\n")
    run.seal()
    with pytest.raises(UsageError, match=r"c\.jsonl:1: not an observation"):
        ask(run.path)
