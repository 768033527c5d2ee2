"""Parts of a run joined into one, and every way in which they are no whole; each part has two scenarios here."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from harness.errors import UsageError
from harness.oracle.expect import callback
from harness.oracle.verdict import Judgement, Verdict
from harness.report.known import KnownFailures
from harness.report.merge import merge
from harness.report.run_folder import KNOWN_FAILURES, Part, RunFolder, RunInfo
from harness.report.seal import seal
from harness.trace import Observation
from tests.unit.oracle.story import LOGGED_IN, Story

PARTS = {1: ("a", "d"), 2: ("b", "e"), 3: ("c", "f")}
WHOLE = sorted(name for names in PARTS.values() for name in names)
ALIKE = RunInfo(
    linkproof="0.1.0",
    profile="rtm-1.0",
    started="2026-01-01T00:00:00+00:00",
    client_command=["sdk"],
    client={"name": "sdk", "version": "2.1", "heartbeat_s": 0.5},
    server={"name": "server", "url": "ws://127.0.0.1:7100"},
    toxiproxy="2.12.0, found on PATH: /usr/bin/toxiproxy-server",
    host={"system": "Linux", "cpus": 2},
    setup_s=1.0,
    wall_s=20.0,
    longest_s=18.0,
    longest="a",
)
# The second part, with another time than it took.
ALIKE_OF_TWO = structs.replace(ALIKE, shard="2/3", selected=[*PARTS[2]], whole=WHOLE, wall_s=1.0)
# Of another machine: none of it says that something else was played.
ELSEWHERE: dict[str, Any] = {
    "started": "2025-12-31T23:59:59+00:00",
    "host": {"system": "Linux", "cpus": 8},
    "server": {"name": "server", "url": "ws://127.0.0.1:9999"},
    "toxiproxy": "2.12.0, found in the cache: /var/cache/toxiproxy-server",
    "setup_s": 2.0,
    "wall_s": 30.0,
    "longest_s": 12.5,
    "longest": "e",
}


def played(name: str, *, passes: bool = True, attempt: int = 1) -> list[Observation]:
    more = () if passes else (callback("onTokenExpired", "OPEN-22"),)
    trace = Story("CONNECTING-1").logged_in().expects(*LOGGED_IN, *more).ended()
    trace[0] = structs.replace(trace[0], name=name, args=trace[0].args | {"attempt": attempt})
    return trace


class Parts:
    """The parts of a run in folders of their own; each is altered as a test asks for, and then sealed."""

    def __init__(self, folder: Path) -> None:
        self.path = folder
        self.into = RunFolder(folder / "whole")

    def make(self, number: int, *, of: int = 3, name: str = "", traces: bool = True, **other: Any) -> RunFolder:
        selected = [*PARTS.get(number, ())]
        folder = RunFolder(self.path / (name or f"part-{number}"))
        folder.create()
        info = structs.replace(ALIKE, shard=f"{number}/{of}", selected=selected, whole=WHOLE)
        folder.write_info(structs.replace(info, **other))
        for scenario in selected if traces else ():
            folder.write_trace(scenario, played(scenario))
            (folder.logs / "alice.log").write_text(f"of {scenario}")
        folder.seal()
        return folder

    def all(self) -> list[RunFolder]:
        return [self.make(1), self.make(2, **ELSEWHERE), self.make(3)]

    def refused(self, *folders: RunFolder) -> UsageError:
        """Why these are not joined; and nothing is left of the attempt."""
        with pytest.raises(UsageError) as caught:
            merge(folders, self.into)
        assert not self.into.path.exists()
        assert caught.value.mend
        return caught.value

    def named(self, number: int, *, of: int = 3, name: str = "") -> str:
        return f"{self.path / (name or f'part-{number}')} (part {number}/{of})"


@pytest.fixture
def parts(tmp_path: Path) -> Parts:
    return Parts(tmp_path)


# ---------------------------------------------------------------------------------------------------- joined


def test_the_whole_says_of_each_scenario_what_its_part_said(parts: Parts) -> None:
    one, two, three = parts.all()
    judgements = [each.judgement for each in merge([three, one, two], parts.into)]
    assert judgements == [*one.judge(), *two.judge(), *three.judge()]
    assert sorted(parts.into.judge(), key=lambda each: each.scenario) == sorted(
        judgements, key=lambda each: each.scenario
    )
    stored = (parts.into.path / "verdicts.json").read_bytes()
    assert msgspec.json.decode(stored, type=list[Judgement]) == judgements
    summary = parts.into.summary(parts.into.played())
    assert (summary.verdict, len(summary.judgements), summary.missing) == (Verdict.PASS, 6, ())


def test_each_trace_is_kept_byte_by_byte_and_logs_are_kept_apart(parts: Parts) -> None:
    folders = parts.all()
    merge(folders, parts.into)
    traces = {path.name: path.read_bytes() for each in folders for path in (each.path / "traces").iterdir()}
    assert {path.name: path.read_bytes() for path in (parts.into.path / "traces").iterdir()} == traces
    logs = {path.relative_to(parts.into.logs).as_posix(): path.read_text() for path in parts.into.logs.rglob("*.log")}
    assert logs == {"part-1/alice.log": "of d", "part-2/alice.log": "of e", "part-3/alice.log": "of f"}


def test_the_whole_has_what_all_parts_share_and_of_each_part_its_machine_and_times(parts: Parts) -> None:
    folders = parts.all()
    merge(folders, parts.into)
    info = parts.into.read_info()
    assert (info.selected, info.shard, info.whole) == (WHOLE, "", [])
    assert (info.client, info.profile) == (ALIKE.client, ALIKE.profile)
    assert (info.started, info.host) == (ELSEWHERE["started"], {"system": "Linux", "cpus": "2 | 8"})
    # The parts are played at the same time: the slowest decides.
    assert (info.setup_s, info.wall_s, info.longest_s, info.longest) == (2.0, 30.0, 18.0, "a")
    assert [(part.shard, part.scenarios, part.wall_s) for part in info.parts] == [
        ("1/3", 2, 20.0),
        ("2/3", 2, 30.0),
        ("3/3", 2, 20.0),
    ]
    assert info.parts[1].host == ELSEWHERE["host"]
    assert len({part.seal for part in info.parts}) == 3


def test_what_was_inconclusive_at_first_keeps_both_results(parts: Parts) -> None:
    again = parts.make(2, traces=False)
    for name in PARTS[2]:
        again.write_trace(name, played(name, passes=False))
        again.write_trace(name, played(name, attempt=2))
    again.seal()
    merge([parts.make(1), again, parts.make(3)], parts.into)
    summary = parts.into.summary(parts.into.played())
    assert summary.verdict is Verdict.PASS
    assert [(each.scenario, each.attempt, each.verdict) for each in summary.inconclusive] == [
        ("b", 1, Verdict.FAIL),
        ("e", 1, Verdict.FAIL),
    ]


def test_a_rule_that_is_broken_in_one_part_is_broken_in_the_whole(parts: Parts) -> None:
    broken = parts.make(2, traces=False)
    for name in PARTS[2]:
        broken.write_trace(name, played(name, passes=name != "e"))
    broken.seal()
    merge([parts.make(1), broken, parts.make(3)], parts.into)
    summary = parts.into.summary(parts.into.played())
    assert {each.scenario for each in summary.judgements if each.verdict is Verdict.FAIL} == {"e"}
    assert summary.verdict is Verdict.FAIL


def test_a_part_without_scenarios_is_a_part(parts: Parts) -> None:
    # It met no client and no Toxiproxy.
    empty = parts.make(4, of=4, client={}, server={}, toxiproxy="")
    merge([empty, *(parts.make(number, of=4) for number in PARTS)], parts.into)
    info = parts.into.read_info()
    assert info.selected == WHOLE
    assert (info.client, info.parts[3].scenarios) == (ALIKE.client, 0)


def test_a_folder_that_came_without_its_empty_folders_is_joined_all_the_same(parts: Parts) -> None:
    one, two, three = parts.all()
    shutil.rmtree(two.logs)
    two.seal()
    merge([one, two, three], parts.into)
    assert [path.name for path in sorted(parts.into.logs.iterdir())] == ["part-1", "part-3"]


def test_what_all_parts_excuse_is_excused_in_the_whole(parts: Parts) -> None:
    known = KnownFailures(text="# nothing yet\n")
    folders = parts.all()
    for folder in folders:
        folder.write_known(known)
        folder.seal()
    merge(folders, parts.into)
    assert parts.into.known() == known


# ---------------------------------------------------------------------------------------------------- refused


def test_a_part_that_is_missing_is_named_with_how_to_play_it(parts: Parts) -> None:
    error = parts.refused(parts.make(1, of=5), parts.make(3, of=5))
    assert error.found.startswith("not all parts are there: 2/5, 4/5, 5/5 is missing")
    assert parts.named(1, of=5) in error.found
    assert parts.named(3, of=5) in error.found
    assert "--shard 2/5" in error.mend


def test_a_part_that_is_there_twice_is_refused(parts: Parts) -> None:
    again = parts.make(2, name="again")
    error = parts.refused(*parts.all(), again)
    assert error.found == f"part 2/3 is there twice: {parts.path / 'part-2'} and {again.path}"


def test_the_same_folder_twice_is_refused(parts: Parts) -> None:
    one, two, three = parts.all()
    assert parts.refused(one, two, three, two).found.startswith("part 2/3 is there twice: ")


def test_parts_of_wholes_in_as_many_parts_as_not_are_refused(parts: Parts) -> None:
    error = parts.refused(parts.make(1), parts.make(2, of=4), parts.make(3))
    assert error.found == "the runs are parts of different wholes"
    assert parts.named(2, of=4) in error.why


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"linkproof": "0.2.0"}, "linkproof is '0.1.0'"),
        ({"profile": "mqtt-5"}, "profile is 'rtm-1.0'"),
        ({"world": "virtual"}, "world is 'nothing'"),
        ({"client_command": ["sdk", "--fast"]}, r"client_command is \['sdk'\]"),
        ({"client": {"name": "sdk", "version": "2.2", "heartbeat_s": 0.5}}, "client.version is '2.1'"),
        ({"client": {"name": "other", "version": "2.1", "heartbeat_s": 0.5}}, "client.name is 'sdk'"),
        ({"client": {"name": "sdk", "version": "2.1", "heartbeat_s": 0.6}}, "client.heartbeat_s is 0.5"),
        ({"server": {"name": "another"}}, "server.name is 'server'"),
        ({"server_command": ["s"]}, "server_command is 'nothing'"),
        ({"under_test": "server"}, "under_test is 'nothing'"),
        ({"toxiproxy": "2.9.0, found on PATH: /usr/bin/toxiproxy-server"}, "toxiproxy is '2.12.0'"),
        ({"tls": True}, "tls is 'nothing'"),
        ({"ipv6": True}, "ipv6 is 'nothing'"),
        ({"repeat": 3}, "repeat is 'nothing'"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_parts_that_were_not_played_alike_are_refused(parts: Parts, other: dict[str, Any], field: str) -> None:
    error = parts.refused(parts.make(1), parts.make(2, **other), parts.make(3))
    where = rf"in {re.escape(parts.named(1))}, .+ in {re.escape(parts.named(2))}"
    assert re.fullmatch(rf"the parts were not played alike: {field} {where}", error.found)


def test_what_a_part_without_scenarios_does_say_has_to_fit(parts: Parts) -> None:
    empty = parts.make(4, of=4, client={}, server={}, toxiproxy="", linkproof="0.2.0")
    error = parts.refused(empty, *(parts.make(number, of=4) for number in PARTS))
    assert "linkproof is '0.1.0'" in error.found
    assert "'0.2.0' in " + parts.named(4, of=4) in error.found


def test_parts_of_different_selections_are_refused(parts: Parts) -> None:
    error = parts.refused(parts.make(1), parts.make(2, whole=[*WHOLE, "g", "h", "i", "j"]), parts.make(3))
    assert error.found == (
        f"{parts.named(1)} and {parts.named(2)} do not share the same scenarios out: g, h, i, and 1 more"
    )
    assert "same selection" in error.mend


def test_a_scenario_that_two_parts_played_is_refused(parts: Parts) -> None:
    two = parts.make(2, selected=["a", "b", "e"])
    two.write_trace("a", played("a"))
    two.seal()
    error = parts.refused(parts.make(1), two, parts.make(3))
    assert error.found == f"a was played in two parts: {parts.named(1)} and {parts.named(2)}"
    assert "the same --shard-times" in error.mend


def test_a_scenario_that_no_part_played_is_refused(parts: Parts) -> None:
    error = parts.refused(parts.make(1), parts.make(2, selected=["b"]), parts.make(3))
    assert error.found == "scenarios were played in no part: e"


def test_parts_that_excuse_different_failures_are_refused(parts: Parts) -> None:
    one, two, three = parts.all()
    two.write_known(KnownFailures(text="# nothing yet\n"))
    two.seal()
    error = parts.refused(one, two, three)
    assert error.found == f"{KNOWN_FAILURES} is not the same in {parts.named(1)} and in {parts.named(2)}"


Spoil = Callable[[RunFolder], object]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder.path / "traces" / "b.jsonl").write_bytes(b""), "traces/b.jsonl is not what it was"),
        (lambda folder: (folder.path / "traces" / "b.jsonl").unlink(), "traces/b.jsonl is gone"),
        (lambda folder: folder.write_trace("a", played("a")), "traces/a.jsonl was added"),
        (lambda folder: (folder.logs / "alice.log").unlink(), "logs/alice.log is gone"),
        (lambda folder: folder.write_info(ALIKE_OF_TWO), r"run\.json is not what it was"),
        (lambda folder: (folder.path / "SHA256SUMS").unlink(), "part-2 has no SHA256SUMS"),
    ],
    ids=["trace", "no trace", "added", "log", "info", "seal"],
)
def test_altered_evidence_is_refused(parts: Parts, spoil: Spoil, words: str) -> None:
    one, two, three = parts.all()
    spoil(two)
    error = parts.refused(one, two, three)
    assert re.search(words, error.found)
    assert str(two.path) in error.found


def test_a_part_that_was_broken_off_is_refused(parts: Parts) -> None:
    broken_off = parts.make(2, traces=False)
    broken_off.write_trace("b", played("b"))
    broken_off.write_trace("e", played("e")[:-1])
    broken_off.seal()
    error = parts.refused(parts.make(1), broken_off, parts.make(3))
    assert error.found == f"{parts.named(2)} was broken off: e did not come to an end"


def test_a_file_beside_the_parts_is_no_part(parts: Parts) -> None:
    log = parts.path / "part-1.log"  # as a shell would give it for part-*
    log.touch()
    error = parts.refused(parts.make(1), RunFolder(log))
    assert error.found == f"{log} is no run: it has no run.json"


def test_a_run_that_was_not_shared_out_is_refused(parts: Parts) -> None:
    alone = parts.make(2, name="alone", shard="", whole=[])
    error = parts.refused(parts.make(1), alone, parts.make(3))
    assert error.found == f"{alone.path} is no part of a run: it was played without --shard"
    assert "linkproof compare" in error.mend


def test_a_whole_is_no_part_of_another(parts: Parts) -> None:
    part = Part("1/1", "now", 2, {}, 1.0, 2.0, 1.0, "a", "")
    joined = parts.make(2, name="joined", shard="", whole=[], parts=[part])
    error = parts.refused(parts.make(1), joined, parts.make(3))
    assert error.found == f"{joined.path} was joined already, from 1 parts"


def test_a_folder_that_has_a_run_in_it_is_not_written_to(parts: Parts) -> None:
    folders = parts.all()
    taken = folders[0]
    before = (taken.path / "run.json").read_bytes()
    with pytest.raises(UsageError, match="there is a run in it already"):
        merge(folders, taken)
    assert (taken.path / "run.json").read_bytes() == before
    seal(taken.path)
    assert {each.verdict for each in taken.judge()} == {Verdict.PASS}
