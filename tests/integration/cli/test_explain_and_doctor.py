from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.report.exit_codes import ExitCode
from harness.spec.clauses import BY_ID

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Linkproof


def test_a_rule_is_explained_with_what_proves_it(linkproof: Linkproof) -> None:
    result = linkproof("explain", "connected-3")
    assert result.code == ExitCode.PASS
    assert result.shows(
        "CONNECTED-3 (MUST)",
        BY_ID["CONNECTED-3"].text,
        "test_a_visible_loss_interrupts_after_4_s The connection is closed in sight",
        "play one: linkproof certify -k 'test_a_visible_loss_interrupts_after_4_s'",
    )


def test_a_scenario_below_tcp_is_explained_with_what_plays_it(linkproof: Linkproof) -> None:
    result = linkproof("explain", "change_of_address")
    assert result.shows("play it: linkproof certify --faults netns -k 'test_a_change_of_address_is_no_new_login'")


def test_a_scenario_is_explained_by_a_part_of_its_name(linkproof: Linkproof) -> None:
    result = linkproof("explain", "loss_of_more_than_4_s_interrupts")
    assert result.code == ExitCode.PASS
    assert result.shows(
        "test_a_loss_of_more_than_4_s_interrupts RECONNECTING 4 s after the loss",
        f"CONNECTED-3 {BY_ID['CONNECTED-3'].text}",
        "async def test_a_loss_of_more_than_4_s_interrupts(world: World, kind: str)",
        "play it: linkproof certify -k 'test_a_loss_of_more_than_4_s_interrupts'",
    )
    assert result.out.count("play it:") == 1, "its many losses are one scenario"


def test_what_there_is_is_named_where_nothing_matches(linkproof: Linkproof) -> None:
    result = linkproof("explain", "no-such-thing")
    assert result.code == ExitCode.USAGE
    assert result.shows("no clause and no scenario is called 'no-such-thing'", "linkproof certify --collect-only -q")


def test_the_doctor_finds_nothing_missing(linkproof: Linkproof, tmp_path: Path) -> None:
    result = linkproof("doctor")
    assert result.code == ExitCode.PASS
    assert result.shows("ok Python", "ok scenarios", "ok processes", "ok open files", "ok Toxiproxy", "ok faults")
    assert result.shows("nothing is missing")
    assert list(tmp_path.iterdir()) == []
