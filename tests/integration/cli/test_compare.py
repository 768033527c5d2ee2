"""``linkproof compare`` over whole runs: a client that has become slower, and still passes."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.report.exit_codes import ExitCode

if TYPE_CHECKING:
    from tests.integration.cli.conftest import Linkproof, Result, WrongRun

# On the way back it uses a connection only 300 ms after that has opened, and is right in all else. Its adapter declares
# that it may wait 1 s, so it passes.
LATE_CORE = """
from harness.reference.client_core import ClientCore
from harness.spec.states import State
from harness.spec.timing import ns

class LateCore(ClientCore):
    def __init__(self, app_id, *, instance, jitter):
        super().__init__(app_id, instance=instance, jitter=jitter)
        self._held = {}

    def connection_opened(self, now, conn):
        if self._state is State.RECONNECTING:
            self._held[conn] = now + ns(0.3)
        else:
            super().connection_opened(now, conn)

    def connection_lost(self, now, conn):
        self._held.pop(conn, None)
        super().connection_lost(now, conn)

    def next_deadline(self):
        times = (super().next_deadline(), *self._held.values())
        return min((each for each in times if each is not None), default=None)

    def tick(self, now):
        for conn in [conn for conn, due in self._held.items() if due <= now]:
            del self._held[conn]
            super().connection_opened(now, conn)
        super().tick(now)
"""
# An SDK whose callbacks of a login come so much later. What else it does is what the reference does.
LATE_AGENT = """
import asyncio, sys
import msgspec
from harness.clock import now_ns
from harness.reference import agent

class LateAgent(agent.Agent):
    def __init__(self, heartbeat_s, write):
        super().__init__(heartbeat_s, lambda line: self.pass_on(msgspec.json.decode(line), write))

    def pass_on(self, message, write):
        of_login = message.get("event") == "onLoginSuccess" or message.get("args", {}).get("state") == 3
        asyncio.get_running_loop().call_later(0.9 if of_login else 0, self.say, message, of_login, write)

    def say(self, message, of_login, write):
        if of_login:
            message["at_ns"] = now_ns()
        write(msgspec.json.encode(message) + b"\\n")

agent.Agent = LateAgent
sys.exit(agent.main())
"""
# Each of them holds the way back to what the client declares, and is a few milliseconds to play in virtual time.
BACK = "test_attributes_are_kept_over_a_short_outage or test_each_switch_calls_back_exactly_once"


@pytest.fixture
def certify(linkproof: Linkproof, tmp_path: Path) -> Linkproof:
    """Plays scenarios in virtual time, over the reference or a late core; the first argument is the run's name."""
    (tmp_path / "late.py").write_text(LATE_CORE, encoding="utf-8")

    def play(name: str, *options: str) -> Result:
        result = linkproof("certify", "--virtual", "--run-dir", name, *options)
        assert result.code == ExitCode.PASS
        return result

    return play


def test_a_client_that_comes_back_300_ms_later_passes_and_is_found(linkproof: Linkproof, certify: Linkproof) -> None:
    certify("old", "-k", BACK)
    certify("new", "-k", BACK, "--core", "late:LateCore")
    result = linkproof("compare", "old", "new", "--threshold", "0.25")
    assert result.code == ExitCode.FAIL
    place = "test_channels.py::test_attributes_are_kept_over_a_short_outage: alice: CONNECTED / LOGIN_SUCCESS, OPEN-25"
    assert result.shows(f"still passes, 0.300 s closer to its late edge: {place}", "lost: 0; closer to an edge by")
    told = re.search(r"margin ([0-9.]+) -> ([0-9.]+) s; came after ([0-9.]+) -> ([0-9.]+) s, due in \[", result.out)
    assert told is not None
    old_s, new_s, came_s, comes_s = map(float, told.groups())
    assert old_s - new_s == pytest.approx(0.3, abs=0.002) == comes_s - came_s
    assert linkproof("compare", "old", "new", "--threshold", "0.35").code == ExitCode.PASS
    # Of two steps that were measured once, the declared second may be the cause.
    by_chance = linkproof("compare", "old", "new")
    assert by_chance.code == ExitCode.PASS
    assert by_chance.shows("2 steps closer to an edge, 0 farther", "chance may explain it, up to 0.300 s")


def test_a_whole_run_tells_it_from_chance_by_how_many_steps_move_one_way(
    linkproof: Linkproof, certify: Linkproof
) -> None:
    selected = ("-k", "test_channels or test_inside or cut or test_general")
    certify("old", *selected)
    certify("new", *selected, "--core", "late:LateCore")
    certify("other", *selected, "--seed", "1")
    result = linkproof("compare", "old", "new")
    assert result.code == ExitCode.FAIL
    assert result.shows("still passes, 0.300 s closer to its late edge", "as chance would in less than 1 of 1000 runs")
    assert linkproof("compare", "old", "other").code == ExitCode.PASS


def test_repeated_runs_tell_it_from_chance_by_themselves(linkproof: Linkproof, certify: Linkproof) -> None:
    often = ("--repeat", "30", "-k", BACK)
    certify("old", *often)
    certify("same", *often, "--seed", "1000")
    certify("new", *often, "--seed", "100", "--core", "late:LateCore")
    result = linkproof("compare", "old", "new")
    assert result.code == ExitCode.FAIL
    assert result.shows("30 times each", "medians of 30 and 30", "lost: 0; closer to an edge")
    assert linkproof("compare", "old", "same").code == ExitCode.PASS


def test_the_json_has_all_of_it(linkproof: Linkproof, certify: Linkproof) -> None:
    certify("old", "-k", BACK)
    certify("new", "-k", BACK, "--core", "late:LateCore")
    result = linkproof("compare", "old", "new", "--threshold", "0.25", "--json")
    assert result.code == ExitCode.FAIL
    found = json.loads(result.out)
    assert (found["holds"], found["scenarios"], found["threshold_s"], found["lost"]) == (False, 2, 0.25, [])
    (each, *_) = found["closer"]
    assert each["closer_s"] == pytest.approx(0.3, abs=0.002)
    assert each["step"]["clauses"] == ["OPEN-25"]
    assert each["edge"] == "late"
    assert each["old"]["margins_s"]["late"] - each["new"]["margins_s"]["late"] == pytest.approx(each["closer_s"])


def test_a_late_real_client_is_found_though_it_passes(linkproof: Linkproof, tmp_path: Path) -> None:
    (tmp_path / "late_agent.py").write_text(LATE_AGENT, encoding="utf-8")
    late = shlex.join([sys.executable, "late_agent.py"])
    # It logs in after 4.5 s, when the scenario lets it, in a window from 4 s to 5.7 s.
    selected = ("-k", "test_a_login_that_gets_through_within_5_5_s_succeeds and freeze_to_client")
    assert linkproof("certify", "--run-dir", "old", *selected).code == ExitCode.PASS
    assert linkproof("certify", "--run-dir", "new", *selected, "--client", late).code == ExitCode.PASS
    result = linkproof("compare", "old", "new", "--threshold", "0.2")
    assert result.code == ExitCode.FAIL
    assert result.shows("still passes, 0.", "s closer to its late edge: test_login.py::", "CONNECTED / LOGIN_SUCCESS")
    back = linkproof("compare", "new", "old", "--threshold", "0.2")
    assert back.shows("s closer to its early edge: test_login.py::")


def test_verdicts_that_were_lost_are_told(linkproof: Linkproof, wrong_run: WrongRun) -> None:
    selected = ["-k", "visible_loss_interrupts or login_that_succeeds"]
    assert linkproof("certify", "--run-dir", "right", *selected).code == ExitCode.PASS
    result = linkproof("compare", "right", str(wrong_run.folder))
    assert result.code == ExitCode.FAIL
    lost = "scenario test_connected.py::test_a_visible_loss_interrupts_after_4_s: PASS -> FAIL"
    assert result.shows(f"lost: {lost}", "lost: rule CONNECTED-3: PASS -> FAIL")
    back = linkproof("compare", str(wrong_run.folder), "right")
    assert back.code == ExitCode.PASS
    assert back.shows("gained: rule CONNECTED-3: FAIL -> PASS")


def test_a_part_is_compared_with_the_whole_by_what_both_have(linkproof: Linkproof, certify: Linkproof) -> None:
    certify("whole", "-k", BACK)
    certify("part", "-k", "test_attributes_are_kept_over_a_short_outage")
    result = linkproof("compare", "whole", "part")
    assert result.code == ExitCode.PASS
    assert result.shows("compared: 1 scenarios", "only in OLD: 1: test_general.py::")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("virtual", "right", "the two runs are not of the same world: virtual and real"),
        ("virtual", "another", "the two runs have no scenario in common"),
        ("virtual", "none", "none is no run"),
        ("none", "virtual", "none is no run"),
    ],
)
def test_what_cannot_be_compared_is_a_mistake_of_the_user(
    linkproof: Linkproof, certify: Linkproof, wrong_run: WrongRun, old: str, new: str, words: str
) -> None:
    certify("virtual", "-k", "login_that_succeeds")
    certify("another", "-k", "test_each_switch_calls_back_exactly_once")
    result = linkproof("compare", *(str(wrong_run.folder) if name == "right" else name for name in (old, new)))
    assert result.code == ExitCode.USAGE
    assert result.shows(words)
    assert "compared" not in result.out


def test_a_threshold_is_a_number_of_seconds(linkproof: Linkproof) -> None:
    result = linkproof("compare", "old", "new", "--threshold", "-1")
    assert result.code == ExitCode.USAGE
    assert result.shows("Invalid value for '--threshold'")
