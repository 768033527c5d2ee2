from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest
from click.testing import CliRunner

from harness.errors import UsageError
from harness.oracle.agreement import apart, compare, render
from harness.oracle.expect import callback, one_of, state
from harness.report.exit_codes import ExitCode
from harness.report.run_folder import RunFolder, RunInfo
from harness.trace import Observation
from tests.unit.oracle.story import LOGGED_IN, Story

# In the package the name stands for the command.
module = importlib.import_module("harness.cli.agree")
INTERRUPTED = state("RECONNECTING", "INTERRUPTED", "CONNECTED-3")
GONE = callback("onMemberLeft", channel="[red]", member="bob")
MakeRun = Callable[..., Path]


def lost(after_s: float, *, gone: bool = False) -> list[Observation]:
    """Alice, interrupted so long after a cut; bob's leaving she may see or not."""
    story = Story("CONNECTED-3").logged_in()
    cut = story.fault(1.5, 1.5)
    story.switched(1.5 + after_s, "RECONNECTING", "INTERRUPTED")
    if gone:
        story.said(7.0, GONE.name, **GONE.args)
    step = INTERRUPTED.at(4.0, after=cut)
    return story.expects(*LOGGED_IN, step, one_of("OPEN-10", kept=(), left=(GONE,))).ended()


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Makes a run of these traces; returns its folder."""

    def make(name: str, *traces: list[Observation]) -> Path:
        folder = RunFolder(tmp_path / name)
        folder.create()
        folder.write_info(RunInfo("1", "rtm-1.0", "now", world="virtual" if name == "other" else "real"))
        for trace in traces:
            folder.write_trace("test_story", trace)
        folder.seal()
        return folder.path

    return make


def ask(*folders: Path) -> tuple[int, list[str]]:
    result = CliRunner().invoke(module.agree, [str(each) for each in folders], standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return cast(int, result.return_value), result.stdout.splitlines()


def test_runs_that_agree_pass_with_what_was_compared_and_how_far_apart_the_times_were(make_run: MakeRun) -> None:
    one, other = lost(4.0), lost(4.015)
    folders = make_run("run", one), make_run("other", other)
    code, lines = ask(*folders)
    assert code == ExitCode.PASS
    (times,) = compare(one, other).times
    assert lines == [
        f"RUN: {folders[0]} (real)",
        f"OTHER: {folders[1]} (virtual)",
        "compared: 1 scenarios, 4 steps, 1 of them timed",
        f"farthest apart, where nothing is left to the client: {apart(times)}",
        "  test_story: alice: RECONNECTING / INTERRUPTED",
        "the runs agree (left open: 0)",
    ]


def test_what_a_scenario_leaves_open_is_listed_and_is_no_failure(make_run: MakeRun) -> None:
    code, lines = ask(make_run("run", lost(4.0)), make_run("other", lost(4.0, gone=True)))
    assert code == ExitCode.PASS
    assert lines[-3:] == [
        "left open by OPEN-10: test_story: alice",
        "  RUN: kept; OTHER: left",
        "the runs agree (left open: 1)",
    ]


def test_runs_that_do_not_agree_fail_and_each_difference_is_told(make_run: MakeRun) -> None:
    one, other = lost(4.0), lost(5.0)
    code, lines = ask(make_run("run", one), make_run("other", other))
    assert code == ExitCode.FAIL
    differences = compare(one, other).differences
    assert len(differences) == 2
    told = [line for each in differences for line in f"difference: {render(each)}".splitlines()]
    assert lines[-5:] == [*told, "the runs do not agree (differences: 2)"]


def test_what_a_trace_says_is_printed_as_it_is(make_run: MakeRun) -> None:
    # Looks like a colour to the terminal's library, and is the name of a channel.
    missing = Story("OPEN-10").logged_in().expects(*LOGGED_IN, GONE).ended()
    there = Story("OPEN-10").logged_in()
    there.said(2.0, GONE.name, **GONE.args)
    _, lines = ask(make_run("run", missing), make_run("other", there.expects(*LOGGED_IN, GONE).ended()))
    assert "difference: test_story: alice: onMemberLeft(channel=[red], member=bob)" in lines


def test_a_scenario_that_was_broken_off_was_not_played(make_run: MakeRun) -> None:
    code, lines = ask(make_run("run", lost(4.0)), make_run("other", lost(4.0)[:-1]))
    assert code == ExitCode.FAIL
    assert lines[3:5] == ["difference: test_story", "  RUN: played; OTHER: not played"]


def test_runs_without_scenarios_do_not_agree(make_run: MakeRun) -> None:
    code, lines = ask(make_run("run"), make_run("other"))
    assert (code, lines[-1]) == (ExitCode.FAIL, "no scenario was played in both runs")


@pytest.mark.parametrize("names", [("run", "none"), ("none", "run")])
def test_a_folder_that_is_no_run_is_a_mistake_of_the_user(
    make_run: MakeRun, tmp_path: Path, names: tuple[str, str]
) -> None:
    make_run("run", lost(4.0))
    with pytest.raises(UsageError, match="none is no run"):
        ask(*(tmp_path / name for name in names))


def test_a_trace_that_cannot_be_read_is_named(make_run: MakeRun) -> None:
    run, other = make_run("run", lost(4.0)), make_run("other", lost(4.0))
    (other / "traces" / "x.jsonl").write_text("no observation\n")
    RunFolder(other).seal()
    with pytest.raises(UsageError, match=r"x\.jsonl:1: not an observation"):
        ask(run, other)
