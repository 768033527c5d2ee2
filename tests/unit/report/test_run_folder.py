from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from harness import trace
from harness.errors import UsageError
from harness.oracle.expect import callback
from harness.oracle.judge import judge
from harness.oracle.verdict import Judgement, Verdict
from harness.report.run_folder import RunFolder, RunInfo
from harness.report.summary import summarise
from harness.spec.profiles import MQTT_5
from tests.unit.oracle.story import LOGGED_IN, Story

NAME = "tests/conformance/test_connected.py::test_a_loss[cut]"


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "runs" / "7")
    made.create()
    return made


def passed() -> Story:
    return Story("CONNECTING-1").logged_in().expects(*LOGGED_IN)


def test_what_a_run_was_made_with_comes_back_as_it_was(folder: RunFolder) -> None:
    info = RunInfo("0.1.0", "rtm-1.0", "2026-01-01T00:00:00", ["a", "b"], ["sdk", "--x y"], {"name": "sdk"}, wall_s=1.5)
    folder.write_info(info)
    assert folder.read_info() == info


def test_the_traces_of_a_run_are_judged_again_as_they_were_judged_at_first(folder: RunFolder) -> None:
    observations = passed().ended()
    path = folder.write_trace(NAME, observations)
    folder.seal()
    assert path.name == "test_connected.test_a_loss-cut-.jsonl"
    assert path.read_bytes() == trace.dump(observations)
    assert folder.judge() == [judge(observations)]
    assert folder.judge()[0].verdict is Verdict.PASS


def test_the_verdicts_of_a_run_are_stored_for_others_to_read(folder: RunFolder) -> None:
    judgement = passed().judged()
    folder.write_verdicts([judgement])
    stored = (folder.path / "verdicts.json").read_bytes()
    assert msgspec.json.decode(stored, type=list[Judgement]) == [judgement]
    assert stored.endswith(b"]\n")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a/test_x.py::test_y", "test_x.test_y"),
        ("a/test_x.py::TestZ::test_y", "test_x.TestZ-test_y"),
        ("test_x.py::test_y[http://h/v?a=1]", "test_x.test_y-http-h-v-a=1-"),
        ("test_x.py::test_y[../../etc]", "test_x.test_y-..-..-etc-"),
        ("explored 17", "explored-17"),
        (f"test_x.py::test_y[{'z' * 500}]", f"test_x.test_y-{'z' * 186}"),
    ],
)
def test_a_trace_has_a_readable_name_of_its_own_inside_the_folder(folder: RunFolder, name: str, file: str) -> None:
    path = folder.write_trace(name, [])
    assert (path.parent, path.name) == (folder.path / "traces", f"{file}.jsonl")


def test_no_scenario_takes_the_place_of_anothers_evidence(folder: RunFolder) -> None:
    names = ["a/test_x.py::t[1/b]", "a/test_x.py::t[1.b]", "a/test_x.py::t[1 b]", "c/test_x.py::t[1-b]"]
    paths = [folder.write_trace(name, passed().ended()) for name in names]
    folder.seal()
    assert len(set(paths)) == len(names) == len(folder.judge())


def test_a_line_that_cannot_be_read_is_named_by_file_and_number(folder: RunFolder) -> None:
    path = folder.write_trace(NAME, passed().ended())
    path.write_bytes(path.read_bytes() + b"{}\n")
    folder.seal()
    lines = len(path.read_bytes().splitlines())
    with pytest.raises(UsageError, match=f"{re.escape(str(path))}:{lines}: not an observation") as caught:
        folder.judge()
    assert "recorded to its end" in str(caught.value)


def test_a_trace_that_cannot_be_judged_is_named_by_its_file(folder: RunFolder) -> None:
    path = folder.write_trace(NAME, passed().ended()[1:])
    folder.seal()
    with pytest.raises(UsageError, match=f"{re.escape(str(path))}: a trace begins with its scenario"):
        folder.judge()


def test_a_scenario_that_was_broken_off_is_judged_no_more_than_one_that_was_not_run(folder: RunFolder) -> None:
    folder.write_trace("test_x.py::test_cut_short", passed().trace)
    folder.write_trace(NAME, passed().ended())
    folder.seal()
    judgements = folder.judge()
    assert [each.verdict for each in judgements] == [Verdict.PASS]
    summary = summarise(judgements, ["test_story", "test_cut_short"])
    assert (summary.verdict, summary.missing) == (Verdict.ERROR, ("test_cut_short",))


def test_of_a_scenario_that_was_played_again_both_results_are_judged_and_the_last_decides(folder: RunFolder) -> None:
    again = passed().ended()
    again[0].args["attempt"] = 2
    missing = Story("CONNECTING-1").logged_in().expects(*LOGGED_IN, callback("onTokenExpired", "OPEN-22")).ended()
    for each in (again, missing):
        folder.write_trace(NAME, each)
    folder.seal()
    summary = summarise(folder.judge(), ["test_story"])
    assert [each.verdict for each in summary.judgements] == [Verdict.PASS] == [summary.verdict]
    assert [each.verdict for each in summary.inconclusive] == [Verdict.FAIL]
    assert [trace.dump(each) for each in folder.traces()] == [trace.dump(again)]


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no run: it has no run\.json\n  mend: "):
        RunFolder(tmp_path).read_info()


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b'{"linkproof":1,"profile":"p","started":"s"}', b'"\xff"'])
def test_a_run_that_was_altered_is_refused(folder: RunFolder, content: bytes) -> None:
    (folder.path / "run.json").write_bytes(content)
    with pytest.raises(UsageError, match=r"run\.json cannot be read"):
        folder.read_info()


def test_the_rules_of_a_run_are_those_of_the_profile_that_it_names(folder: RunFolder) -> None:
    folder.write_info(RunInfo("0.1.0", "mqtt-5", "2026-01-01T00:00:00"))
    assert folder.profile() is MQTT_5


def test_a_run_of_a_profile_that_there_is_not_is_refused(folder: RunFolder) -> None:
    folder.write_info(RunInfo("9.0", "mqtt-6", "2036-01-01T00:00:00"))
    with pytest.raises(UsageError, match=r"a run of the profile 'mqtt-6'\n  why:  known here are rtm-1.0, mqtt-5"):
        folder.profile()


def test_a_folder_is_made_only_once(folder: RunFolder) -> None:
    with pytest.raises(FileExistsError):
        folder.create()
    assert folder.logs.is_dir()
