from __future__ import annotations

import dataclasses

from harness.spec.clauses import CLAUSES
from harness.spec.profiles import RTM_1_0
from harness.spec.timing import Timing
from harness.spec.transitions import TRANSITIONS


def test_the_first_edition_is_the_whole_of_the_document() -> None:
    assert RTM_1_0.name == "rtm-1.0"
    assert (RTM_1_0.clauses, RTM_1_0.transitions, RTM_1_0.timing) == (CLAUSES, TRANSITIONS, Timing())


def test_a_later_edition_overrides_data_and_leaves_the_first_as_it_was() -> None:
    later = dataclasses.replace(RTM_1_0, name="rtm-1.5", timing=dataclasses.replace(RTM_1_0.timing, login_s=12.0))
    assert (later.timing.login_s, RTM_1_0.timing.login_s) == (12.0, 6.0)
    assert later.timing.interruption_s == 4.0
