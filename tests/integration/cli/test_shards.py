"""A run played in parts and joined again, from outside. Everything is in virtual time."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.cli.suite import collect
from harness.report.exit_codes import ExitCode
from harness.shards import share_out, times_of
from proxies.effects import BELOW_TCP
from tests.integration.cli.conftest import LINKPROOF, run

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Linkproof, Result

PARTS = 5
# Tells of an interruption after 3 s, and is right in all else.
HASTY_CORE = """
from harness.reference.client_core import ClientCore
from harness.spec.timing import Timing

class HastyCore(ClientCore):
    def __init__(self, app_id, *, instance, jitter):
        super().__init__(app_id, instance=instance, jitter=jitter, timing=Timing(interruption_s=3.0))
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole suite, played once as a whole and once in parts, which are joined."""
    folder = tmp_path_factory.mktemp("suite")
    certify = [*LINKPROOF, "certify", "--virtual"]
    assert run([*certify, "--run-dir", "at-once"], folder).code == ExitCode.PASS
    names = [f"part-{number}" for number in range(1, PARTS + 1)]
    for number, name in enumerate(names, 1):
        assert run([*certify, "--shard", f"{number}/{PARTS}", "--run-dir", name], folder).code == ExitCode.PASS
    merged = run([*LINKPROOF, "merge", *names, "--run-dir", "whole"], folder)
    (folder / "merged.txt").write_text(merged.out)
    assert merged.code == ExitCode.PASS, merged.err
    return folder


def verdicts(evidence: Path) -> dict[str, Any]:
    return {each["scenario"]: each for each in json.loads((evidence / "verdicts.json").read_text())}


def selected(evidence: Path) -> list[str]:
    names: list[str] = json.loads((evidence / "run.json").read_text()).get("selected", [])
    return names


def test_the_parts_of_the_suite_joined_are_the_suite_verdict_by_verdict(suite: Path) -> None:
    at_once = verdicts(suite / "at-once")
    assert len(at_once) > 200
    assert verdicts(suite / "whole") == at_once
    assert selected(suite / "whole") == selected(suite / "at-once")


def test_the_parts_of_the_suite_joined_are_the_suite_trace_by_trace(suite: Path) -> None:
    one, other = ({path.name: path.read_bytes() for path in (suite / name / "traces").iterdir()} for name in RUNS)
    assert one == other


RUNS = ("at-once", "whole")


def said_of_rules(text: str) -> str:
    """The table of rules and the closing line; not the times that it took."""
    return "\n".join(re.findall(r"^(?:[A-Z]+-\d+ .*|PASS  .*)$", text, re.MULTILINE))


def test_the_whole_is_read_as_any_other_run(suite: Path, linkproof: Linkproof) -> None:
    at_once, whole = (str(suite / name) for name in RUNS)
    judged = [linkproof("judge", each) for each in (at_once, whole)]
    assert [each.code for each in judged] == [ExitCode.PASS, ExitCode.PASS]
    assert said_of_rules(judged[0].out) == said_of_rules(judged[1].out)
    assert said_of_rules(judged[1].out) == said_of_rules((suite / "merged.txt").read_text())
    covered = [linkproof("coverage", each) for each in (at_once, whole)]
    assert covered[0].out == covered[1].out
    agreed = linkproof("agree", at_once, whole)
    assert agreed.code == ExitCode.PASS
    assert agreed.shows("the runs agree (left open: 0)")


def test_the_parts_are_about_as_long(suite: Path) -> None:
    times_s = times_of(suite / "at-once")
    sums = [sum(times_s[name] for name in selected(suite / f"part-{number}")) for number in range(1, PARTS + 1)]
    assert max(sums) - min(sums) < max(times_s.values())


def test_the_whole_tells_of_each_part_its_machine_and_its_time(suite: Path) -> None:
    printed = (suite / "merged.txt").read_text()
    found = re.findall(r"^part (\d/5): (\d+) scenarios, \d+\.\d s, on .*cpus \d+", printed, re.MULTILINE)
    assert [shard for shard, _ in found] == [f"{number}/5" for number in range(1, PARTS + 1)]
    assert sum(int(count) for _, count in found) == len(selected(suite / "whole"))


def test_a_part_that_is_missing_is_named(suite: Path, linkproof: Linkproof, tmp_path: Path) -> None:
    names = [str(suite / f"part-{number}") for number in (1, 2, 4, 5)]
    result = linkproof("merge", *names, "--run-dir", "whole")
    assert result.code == ExitCode.USAGE
    assert result.shows("not all parts are there: 3/5 is missing", "play it as the others were, with --shard 3/5")
    assert "PASS" not in result.out
    assert not (tmp_path / "whole").exists()


def test_a_part_that_was_altered_is_refused(suite: Path, linkproof: Linkproof, tmp_path: Path) -> None:
    names = [shutil.copytree(suite / f"part-{number}", tmp_path / str(number)) for number in range(1, PARTS + 1)]
    trace = min((names[2] / "traces").iterdir())
    trace.write_bytes(trace.read_bytes().replace(b"alice", b"malice", 1))
    result = linkproof("merge", *map(str, names), "--run-dir", "whole")
    assert result.code == ExitCode.USAGE
    assert result.shows(f"the evidence in {names[2]} was altered: traces/{trace.name} is not what it was")


def test_parts_in_different_worlds_or_of_different_suites_are_refused(suite: Path, linkproof: Linkproof) -> None:
    some = ("certify", "--virtual", "-k", "4_s", "--shard", "1/5", "--run-dir", "some")
    assert linkproof(*some).code == ExitCode.PASS
    result = linkproof(
        "merge", "some", *(str(suite / f"part-{number}") for number in range(2, 6)), "--run-dir", "whole"
    )
    assert result.code == ExitCode.USAGE
    assert result.shows("do not share the same scenarios out", "play all parts with the same selection")


# ---------------------------------------------------------------------------------------------------- a selection


def in_parts(linkproof: Linkproof, of: int, *arguments: str) -> list[Result]:
    """Play a selection in parts; returns what became of each, and last of the whole."""
    folders = [f"part-{number}" for number in range(1, of + 1)]
    certified = [
        linkproof("certify", "--virtual", *arguments, "--shard", f"{number}/{of}", "--run-dir", folder)
        for number, folder in enumerate(folders, 1)
    ]
    return [*certified, linkproof("merge", *folders, "--run-dir", "whole")]


def test_what_a_part_finds_is_found_of_the_whole(
    linkproof: Linkproof, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hasty.py").write_text(HASTY_CORE, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    chosen = "visible_loss_interrupts or login_that_succeeds"
    *parts, whole = in_parts(linkproof, 2, "--core", "hasty:HastyCore", "-k", chosen)
    assert sorted(part.code for part in parts) == [ExitCode.PASS, ExitCode.FAIL]
    assert whole.code == ExitCode.FAIL
    assert whole.verdicts()["CONNECTED-3"] == "FAIL"
    assert whole.shows("FAIL test_connected.py::test_a_visible_loss_interrupts_after_4_s", "1 FAIL, 1 PASS")


def test_a_part_that_gets_no_scenario_is_neither_a_failure_nor_a_pass(linkproof: Linkproof, tmp_path: Path) -> None:
    *parts, whole = in_parts(linkproof, 3, "-k", "login_that_succeeds or login_switches")
    assert [part.code for part in parts] == [0, 0, 0]
    assert parts[2].shows("part 3/3 has no scenario", "nothing was played and nothing judged, which is no PASS")
    assert not re.search(r"\bPASS  |T H I S", parts[2].out)
    assert selected(tmp_path / "part-3") == []
    assert whole.code == ExitCode.PASS
    assert whole.shows("part 3/3: 0 scenarios", "2 PASS")


def test_nothing_that_matches_is_a_mistake_in_parts_too(linkproof: Linkproof, tmp_path: Path) -> None:
    result = linkproof("certify", "--virtual", "-k", "nothing-matches", "--shard", "1/2", "--run-dir", "part")
    assert result.code == ExitCode.USAGE
    assert result.shows("no scenario matches")
    assert not (tmp_path / "part").exists()


def test_a_part_is_shared_out_by_the_times_of_an_earlier_run(suite: Path, linkproof: Linkproof) -> None:
    times_s = times_of(suite / "at-once")
    by_times = share_out(times_s, 3)
    times = ("--shard-times", str(suite / "at-once"))
    shown = linkproof("certify", "--collect-only", "-qq", "--shard", "2/3", *times)
    listed = set(re.findall(r"(test_\w+\.py::\S+)", shown.out))
    assert listed == set(by_times[1])
    of_any_engine = len(collect(means=BELOW_TCP))
    left_out = of_any_engine - len(by_times[1])
    assert shown.shows(f"{len(by_times[1])}/{of_any_engine} tests collected ({left_out} deselected)")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--shard", "0/5"], "--shard: user: '0/5' is no part of a whole"),
        (["--shard", "6/5"], "'6/5' is no part of a whole why: a part is written NUMBER/PARTS, and counted from 1"),
        (["--shard", "x"], "'x' is no part of a whole"),
        (["--shard", ""], "'' is no part of a whole"),
        (["--shard-times", "runs/1"], "--shard-times has no effect without --shard"),
        (["--shard", "1/2", "--shard-times", "runs/1"], "runs/1 is no run: it has no run.json"),
    ],
)
def test_what_is_no_part_is_refused(linkproof: Linkproof, tmp_path: Path, arguments: list[str], words: str) -> None:
    result = linkproof("certify", "--virtual", *arguments, "--run-dir", "part")
    assert result.code == ExitCode.USAGE
    assert result.shows(words)
    assert not (tmp_path / "part").exists()
