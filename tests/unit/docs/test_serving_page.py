from __future__ import annotations

import json
import re

import click

from harness.cli.serve import serve
from harness.reference.admission_core import Admission
from harness.reference.notes_core import Ending, What
from harness.reference.server import STOP_TIMEOUT_S
from harness.reference.server_core import ServerStats
from harness.reference.server_metrics import Metrics
from tests.unit.docs.pages import page

PAGE = page("docs/serving.md")
OPTIONS = {option.opts[0]: option for option in serve.params if isinstance(option, click.Option)}
HOW = {admission.name.lower() for admission in Admission}


def words(cell: str) -> set[str]:
    return set(re.findall("`(.*?)`", cell))


def test_each_option_that_sets_a_limit_is_told_with_its_default() -> None:
    told = {row[0].strip("`"): row[-1] for row in PAGE.rows("Limits")}
    assert told == {name: str(option.default) for name, option in OPTIONS.items() if name.endswith(("-max", "-per-s"))}


def test_each_metric_is_told_with_its_type() -> None:
    text = Metrics().exposition(ServerStats(0, 0, 0), waiting_bytes=0)
    told = {row[0].strip("`"): row[1] for row in PAGE.rows("Health and metrics")}
    assert told == dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


def test_the_words_of_metrics_and_log_are_those_of_the_code() -> None:
    metrics = {row[0].strip("`"): row[-1] for row in PAGE.rows("Health and metrics")}
    assert words(metrics["linkproof_logins_total"]) == HOW
    assert words(metrics["linkproof_sessions_ended_total"]) == set(Ending)
    log = {name: row[-1] for row in PAGE.rows("The log") for name in words(row[0])}
    assert log.keys() == set(What) - {What.FAILED} | {"listening", "stopping"}
    assert words(log["login"]) == HOW


def test_the_lines_of_the_log_are_json_of_those_kinds() -> None:
    lines = [json.loads(line) for line in PAGE.block("json").splitlines()]
    assert {line["what"] for line in lines} <= set(What) | {"listening", "stopping"}
    assert all(line.keys() >= {"at", "level", "what"} for line in lines)


def test_the_time_of_the_farewell_is_that_of_the_code() -> None:
    assert f"after {STOP_TIMEOUT_S:g} s is cut off" in " ".join(PAGE.text.split())
