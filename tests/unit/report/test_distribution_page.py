"""The pictures of times on the page of a run whose scenarios were repeated."""

from __future__ import annotations

import pytest

from harness.oracle.expect import state
from harness.report.page import render_page
from harness.report.run_folder import Played, RunInfo
from harness.report.summary import summarise
from harness.spec.profiles import RTM_1_0
from tests.unit.oracle.story import LOGGED_IN, Story


def played(repetition: int) -> Played:
    story = Story("CONNECTED-3").logged_in()
    story.trace[0].args["repetition"] = repetition
    cut = story.fault(1.5, 1.5)
    story.switched(5.5 + repetition / 1000, "RECONNECTING", "INTERRUPTED")
    step = state("RECONNECTING", "INTERRUPTED", "CONNECTED-3").at(4.0, after=cut)
    judgement = story.expects(*LOGGED_IN, step).judged()
    return Played(story.trace, judgement)


@pytest.mark.parametrize(("repeat", "pictures"), [(3, 1), (1, 0)])
def test_each_step_has_its_picture_where_scenarios_were_repeated(repeat: int, pictures: int) -> None:
    runs = [played(number) for number in range(1, repeat + 1)]
    info = RunInfo("1", "rtm-1.0", "now", repeat=repeat)
    summary = summarise([each.judgement for each in runs], ["test_story"])
    page = render_page(summary, info, runs[:1], RTM_1_0)
    assert page.count('<svg class="spread"') == pictures
    assert ("Times over the repetitions" in page) is (pictures == 1)
