"""Exploring with real processes and links: side by side, shrunk, and written with its evidence."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli.explore import explore
from harness.explore import real
from harness.explore.finding import Finding
from harness.explore.player import lasts_s
from harness.explore.real import LASTS_S_MIN, RealCampaign, draw_enough
from harness.explore.schedule import Join, Login, Lose, Schedule, Someone, Wait
from harness.explore.shrink import size
from harness.explore.write_scenario import write_scenario
from harness.oracle.judge import judge
from harness.oracle.verdict import Verdict
from harness.run import RealRun, RunConfig

# An SDK that takes 3 s for what is to take 4 s, and is right in all else.
IMPATIENT_CLIENT = """
import sys
from harness.reference import agent
from harness.reference.client import RtmClient
from harness.spec.timing import Timing

class ImpatientClient(RtmClient):
    def __init__(self, url, app_id, **given):
        super().__init__(url, app_id, **given, timing=Timing(interruption_s=3.0))

agent.RtmClient = ImpatientClient
sys.exit(agent.main())
"""

ALICE, BOB = Someone("alice", "alice"), Someone("bob", "bob")
INTERRUPTED = Schedule(
    (ALICE, BOB),
    (Login("alice"), Login("bob"), Wait(1.0), Join("bob", "lobby"), Lose("alice", "cut"), Wait(3.5)),
)


async def explored(run: RealRun, *, parallel: int) -> tuple[list[Finding], Finding | None, RealCampaign]:
    """What is found with one schedule, as often as there is room for it, and what that is shrunk to."""
    campaign = RealCampaign(run, parallel=parallel, on_progress=lambda _: None)
    async with run.open([]):
        findings = await campaign.explore([INTERRUPTED], seconds=0.5)
        return findings, await campaign.shrink(findings[0]) if findings else None, campaign


def test_a_wrong_client_is_found_side_by_side_and_its_schedule_shrunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real, "ROUNDS_MAX", 1)
    (tmp_path / "client.py").write_text(IMPATIENT_CLIENT, encoding="utf-8")
    run = RealRun(RunConfig(tmp_path / "run", (sys.executable, str(tmp_path / "client.py")), say=lambda _: None))
    findings, shrunk, campaign = asyncio.run(explored(run, parallel=4))
    assert campaign.tally.verdicts[Verdict.FAIL] == len(findings) >= 1
    assert campaign.tally.schedules == 4
    assert {finding.check.clause for finding in findings} == {"CONNECTED-4"}
    assert shrunk is not None
    assert shrunk.check.clause == "CONNECTED-4"
    assert size(shrunk.schedule) < size(INTERRUPTED)
    assert judge(list(shrunk.trace)).reason == shrunk.judgement.reason
    assert write_scenario(shrunk, tmp_path / "found", how="by a test").name == "test_found_connected_4.py"


def test_what_fails_for_another_reason_than_the_client_is_no_finding(tmp_path: Path) -> None:
    """The adapter ends in the middle of it."""
    broken = tmp_path / "client.py"
    dies = "import os\nImpatientClient.join = lambda self, channel: os._exit(3)\nagent.RtmClient ="
    broken.write_text(IMPATIENT_CLIENT.replace("agent.RtmClient =", dies), encoding="utf-8")
    run = RealRun(RunConfig(tmp_path / "run", (sys.executable, str(broken)), say=lambda _: None))
    findings, _, campaign = asyncio.run(explored(run, parallel=2))
    assert findings == []
    assert campaign.tally.verdicts == {Verdict.ERROR: 2}
    assert campaign.tally.blame == "adapter"


def test_nothing_is_found_in_the_reference(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    arguments = ["--real", "--parallel", "3", "--seconds", "1", "--seed", "1", "--run-dir", str(folder)]
    result = CliRunner().invoke(explore, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    assert "nothing was found" in result.output
    assert result.return_value == 0, result.output
    assert len(list((folder / "traces").glob("explored-*.jsonl"))) == 3


def test_enough_is_drawn_and_each_lasts_about_as_long_as_it_is_to() -> None:
    schedules = draw_enough(parallel=4, seconds=30, seed=1)
    assert len(schedules) == 16
    assert all(LASTS_S_MIN <= lasts_s(each) <= 35 for each in schedules)


def test_candidates_are_tried_from_the_boldest_to_the_most_timid() -> None:
    many = [Schedule((ALICE,), (Wait(float(number)),)) for number in range(100)]
    spread = real._spread(many, 4)
    assert [each.waits_s for each in spread] == [0.0, 25.0, 50.0, 75.0]
    assert real._spread(many[:3], 4) == many[:3]
