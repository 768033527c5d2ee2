"""The page of the other profiles says what the code has."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from harness.spec.profiles import MQTT_5, Profile
from tests.unit.docs.pages import ROOT, page

PAGE = page("docs/profiles.md")
SCENARIOS = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / MQTT_5.scenarios).glob("test_*.py")))


def rows(columns: int) -> list[list[str]]:
    """The rows of the tables that have so many columns."""
    lines = [line.strip("| ").split(" | ") for line in PAGE.text.splitlines() if line.startswith("| ")]
    return [cells for cells in lines if len(cells) == columns]


def test_the_rules_of_mqtt_are_those_that_it_is_judged_by() -> None:
    shown = [cells for cells in rows(4) if cells[0].startswith("MQTT-")]
    assert shown == [[each.id, each.grade.value, each.source, each.text] for each in MQTT_5.clauses]


def test_each_rule_has_its_verdict() -> None:
    assert [cells[0] for cells in rows(3) if cells[0].startswith("MQTT-")] == [each.id for each in MQTT_5.clauses]


def test_each_scenario_that_is_named_is_there() -> None:
    named = set(re.findall(r"`(test_\w+)(?:\[[^]]*\])?`", PAGE.text))
    assert len(named) == 3
    assert {name for name in named if f"async def {name}(" not in SCENARIOS} == set()


def test_each_field_of_a_profile_is_explained() -> None:
    told = set(re.findall(r"`(\w+)`", "\n".join(cells[0] for cells in rows(2))))
    assert {field.name for field in dataclasses.fields(Profile)} <= told


def test_each_rule_is_named_by_a_scenario() -> None:
    assert {each.id for each in MQTT_5.clauses if f'"{each.id}"' not in SCENARIOS} == set()


def test_the_client_that_was_tested_is_the_one_that_is_pinned() -> None:
    pinned = (Path(ROOT) / "examples" / "mqtt" / "requirements.txt").read_text(encoding="utf-8")
    (version,) = re.findall(r"^paho-mqtt==(\S+)$", pinned, re.MULTILINE)
    assert f"paho-mqtt {version} against mqtt-5" in PAGE.text
