from __future__ import annotations

import dataclasses
import re

import pytest

from harness.spec.clauses import CLAUSES
from harness.spec.profiles import MQTT_5, PROFILES, RTM_1_0, Profile
from harness.spec.timing import Timing
from harness.spec.transitions import TRANSITIONS


def test_the_first_edition_is_the_whole_of_the_document() -> None:
    assert RTM_1_0.name == "rtm-1.0"
    assert (RTM_1_0.clauses, RTM_1_0.transitions, RTM_1_0.timing) == (CLAUSES, TRANSITIONS, Timing())


def test_a_later_edition_overrides_data_and_leaves_the_first_as_it_was() -> None:
    later = dataclasses.replace(RTM_1_0, name="rtm-1.5", timing=dataclasses.replace(RTM_1_0.timing, login_s=12.0))
    assert (later.timing.login_s, RTM_1_0.timing.login_s) == (12.0, 6.0)
    assert later.timing.interruption_s == 4.0


def test_each_profile_is_found_by_its_name_and_the_references_is_the_first() -> None:
    assert PROFILES == {"rtm-1.0": RTM_1_0, "mqtt-5": MQTT_5}
    assert [profile.has_reference for profile in PROFILES.values()] == [True, False]


def test_what_holds_in_every_trace_holds_where_there_is_a_table() -> None:
    assert RTM_1_0.has_table
    assert not MQTT_5.has_table
    assert not dataclasses.replace(RTM_1_0, transitions=()).has_table


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_the_clauses_of_a_profile_have_ids_of_their_own(profile: Profile) -> None:
    ids = [clause.id for clause in profile.clauses]
    assert len(set(ids)) == len(ids)
    assert [profile.clause(clause_id) for clause_id in ids] == list(profile.clauses)
    assert profile.clause("NO-1") is None


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_the_clauses_to_blame_are_some_of_its_own(profile: Profile) -> None:
    assert profile.clause(profile.logged_in) is not None
    assert not profile.unexpected or profile.clause(profile.unexpected) is not None


def test_each_rule_of_mqtt_says_where_it_stands_in_the_specification() -> None:
    for clause in MQTT_5.clauses:
        number = re.match(r"MQTT-(\d+(?:\.\d+)*)", clause.id)
        # The number of a statement begins with that of its chapter; a rule that has none is this profile's own.
        assert clause.source == "left open" if number is None else clause.source.startswith(number[1][:3]), clause.id
