from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.errors import UsageError
from harness.oracle.expect import state
from harness.oracle.verdict import Check, Judgement, Measured, Verdict
from harness.report.compare import NOT_ENDED, Change, Comparison, Recorded, compare
from harness.report.run_folder import RunInfo
from harness.report.summary import summarise
from harness.spec.profiles import RTM_1_0
from tests.unit.oracle.story import LOGGED_IN, Story

PASS, FAIL, INCONCLUSIVE, ERROR, UNSUPPORTED = (
    Verdict.PASS,
    Verdict.FAIL,
    Verdict.INCONCLUSIVE,
    Verdict.ERROR,
    Verdict.UNSUPPORTED,
)


def judged(name: str, verdict: Verdict, *, clause: str = "OPEN-2", times_s: Sequence[float] = ()) -> list[Judgement]:
    """A scenario that came out so; in as many repetitions as there are times, if there are any."""
    judgements = []
    for number, elapsed_s in enumerate(times_s or [0.1], start=1):
        measured = Measured("x", elapsed_s, -0.02, 1.22, 0.0, 0.02)
        checks = [Check(clause, verdict, "alice", "", measured)]
        repetition, mark = (number, f"[r{number}]") if len(times_s) > 1 else (0, "")
        judgements.append(Judgement(f"{name}{mark}", verdict, "", checks, [], repetition=repetition))
    return judgements


def run(*judgements: list[Judgement], missing: Sequence[str] = (), info: RunInfo | None = None) -> Recorded:
    played = [each for some in judgements for each in some]
    selected = [*(each.scenario for each in played), *missing]
    repeat = max((each.repetition for each in played), default=1)
    return Recorded(info or RunInfo("1", "rtm-1.0", "now", repeat=max(1, repeat)), summarise(played, selected))


def compared(old: Recorded, new: Recorded, threshold_s: float | None = None) -> Comparison:
    return compare(old, new, RTM_1_0, threshold_s)


def of_scenarios(changes: list[Change]) -> list[tuple[str, str, str]]:
    return [(each.name, each.old, each.new) for each in changes if each.what == "scenario"]


def of_rules(changes: list[Change]) -> list[tuple[str, str, str]]:
    return [(each.name, each.old, each.new) for each in changes if each.what == "rule"]


# ------------------------------------------------------------------------------------------ verdicts


@pytest.mark.parametrize(
    ("old", "new", "how"),
    [
        (PASS, FAIL, "lost"),
        (PASS, INCONCLUSIVE, "lost"),
        (PASS, UNSUPPORTED, "lost"),
        (UNSUPPORTED, FAIL, "lost"),
        (ERROR, FAIL, "lost"),
        (FAIL, PASS, "gained"),
        (UNSUPPORTED, PASS, "gained"),
        (FAIL, INCONCLUSIVE, "changed"),
        (UNSUPPORTED, ERROR, "changed"),
    ],
)
def test_a_verdict_is_lost_gained_or_only_another_one(old: Verdict, new: Verdict, how: str) -> None:
    found = compared(run(judged("a", old)), run(judged("a", new)))
    assert {each: of_scenarios(getattr(found, each)) for each in ("lost", "gained", "changed")} == {
        **{each: [] for each in ("lost", "gained", "changed")},
        how: [("a", old, new)],
    }
    assert of_rules(getattr(found, how)) == [("OPEN-2", old, new)]
    assert found.holds is (how != "lost")


def test_what_came_out_as_before_is_not_told() -> None:
    found = compared(run(judged("a", FAIL), judged("b", PASS)), run(judged("a", FAIL), judged("b", PASS)))
    assert (found.lost, found.gained, found.changed, found.scenarios) == ([], [], [], 2)
    assert found.holds


def test_a_repeated_scenario_is_what_its_worst_repetition_is() -> None:
    twice = judged("a", PASS, times_s=[0.1, 0.2])
    spoilt = [twice[0], judged("a", FAIL, times_s=[0.1, 0.2])[1]]
    found = compared(run(judged("a", PASS)), run(spoilt))
    assert of_scenarios(found.lost) == [("a", PASS, FAIL)]
    assert compared(run(twice), run(judged("a", PASS))).scenarios == 1


def test_what_was_selected_and_not_run_to_its_end_is_lost() -> None:
    found = compared(run(judged("a", PASS), judged("b", PASS)), run(judged("a", PASS), missing=["b"]))
    assert of_scenarios(found.lost) == [("b", PASS, NOT_ENDED)]


def test_a_repetition_that_did_not_end_is_one_of_its_scenario() -> None:
    twice = judged("a", PASS, times_s=[0.1, 0.2])
    found = compared(run(twice), run(twice[:1], missing=["a[r2]"], info=RunInfo("1", "rtm-1.0", "now", repeat=2)))
    assert of_scenarios(found.lost) == [("a", PASS, NOT_ENDED)]


def test_what_only_one_of_the_two_selected_is_listed_and_is_no_loss() -> None:
    found = compared(
        run(judged("a", PASS), judged("b", FAIL, clause="OPEN-3")), run(judged("a", PASS), judged("c", FAIL))
    )
    assert (found.only_old, found.only_new) == (["b"], ["c"])
    assert found.holds
    assert not found.changed


def test_rules_are_compared_by_the_scenarios_that_both_have() -> None:
    # Of a rule that another scenario breaks, one that is in one of the two alone says nothing here.
    found = compared(run(judged("a", PASS), judged("b", FAIL)), run(judged("a", PASS)))
    assert (of_rules(found.gained), of_rules(found.lost)) == ([], [])


# ------------------------------------------------------------------------------------------ times


def test_a_step_that_still_passes_closer_to_the_edge_is_told_beyond_errors_and_chance() -> None:
    steady = [0.1, 0.1, 0.11, 0.1, 0.1, 0.11, 0.1, 0.1]
    later = [each + 0.3 for each in steady]
    found = compared(run(judged("a", PASS, times_s=steady)), run(judged("a", PASS, times_s=later)))
    (each,) = found.closer
    assert (each.step.scenario, each.closer_s, each.passes) == ("a", 0.3, True)
    assert not found.holds
    assert not found.lost
    back = compared(run(judged("a", PASS, times_s=later)), run(judged("a", PASS, times_s=steady)))
    assert ([each.closer_s for each in back.farther], back.closer, back.holds) == ([-0.3], [], True)


def test_single_runs_leave_it_to_chance_unless_a_threshold_is_given() -> None:
    old, new = run(judged("a", PASS, times_s=[0.1])), run(judged("a", PASS, times_s=[0.4]))
    found = compared(old, new)
    assert ([each.closer_s for each in found.closer], found.counting, found.holds) == ([0.3], [], True)
    assert [each.closer_s for each in compared(old, new, 0.25).counting] == [0.3]
    assert compared(old, new, 0.31).holds


@pytest.mark.parametrize(("farther", "holds"), [(0, False), (5, True)])
def test_single_runs_in_which_all_steps_move_one_way_do_not(farther: int, holds: bool) -> None:
    names = [chr(ord("a") + number) for number in range(12)]
    old = run(*(judged(name, PASS, times_s=[0.6]) for name in names))
    new_s = [0.3] * farther + [0.9] * (12 - farther)
    found = compared(old, run(*(judged(name, PASS, times_s=[each]) for name, each in zip(names, new_s, strict=True))))
    assert (len(found.closer), len(found.farther), found.lopsided) == (12 - farther, farther, not holds)
    assert (len(found.counting), found.holds) == (0 if holds else 12, holds)


def test_no_threshold_is_below_the_error_of_both() -> None:
    old, new = run(judged("a", PASS, times_s=[0.1])), run(judged("a", PASS, times_s=[0.13]))
    assert compared(old, new, 0.0).holds


def test_the_step_that_came_closest_to_its_edge_comes_first() -> None:
    old = run(*(judged(name, PASS, times_s=[0.1]) for name in "abc"))
    new = run(*(judged(name, PASS, times_s=[to_s]) for name, to_s in (("a", 0.3), ("b", 0.6), ("c", 0.45))))
    assert [each.step.scenario for each in compared(old, new, 0.1).closer] == ["b", "c", "a"]


def test_a_step_is_found_again_whatever_else_was_measured() -> None:
    def told(*interrupted_s: float) -> list[Judgement]:
        story = Story("CONNECTED-3").logged_in()
        steps = list(LOGGED_IN)
        for after_s in interrupted_s:
            cut = story.fault(after_s - 4.0, after_s - 4.0)
            story.switched(after_s, "RECONNECTING", "INTERRUPTED")
            story.switched(after_s + 1.5, "CONNECTED", "LOGIN_SUCCESS")
            steps += [
                state("RECONNECTING", "INTERRUPTED", "CONNECTED-3").at(4.0, after=cut, late="heartbeat"),
                state("CONNECTED", "LOGIN_SUCCESS", "RECONNECTING-1"),
            ]
        return [story.expects(*steps).judged()]

    found = compared(run(told(6.0, 12.0)), run(told(6.0)))
    assert (found.scenarios, found.steps) == (1, 1)


# ------------------------------------------------------------------------------------------ what cannot be compared


@pytest.mark.parametrize(
    ("what", "info"),
    [
        ("profile: rtm-1.0 and mqtt-5", RunInfo("1", "mqtt-5", "now")),
        ("world: real and virtual", RunInfo("1", "rtm-1.0", "now", world="virtual")),
        ("under test: client and server", RunInfo("1", "rtm-1.0", "now", under_test="server")),
    ],
)
def test_runs_of_another_kind_are_refused(what: str, info: RunInfo) -> None:
    with pytest.raises(UsageError, match=f"not of the same {what}"):
        compared(run(judged("a", PASS)), run(judged("a", PASS), info=info))


@pytest.mark.parametrize("new", [run(judged("b", PASS)), run()])
def test_runs_without_a_scenario_in_common_are_refused(new: Recorded) -> None:
    with pytest.raises(UsageError, match="no scenario in common"):
        compared(run(judged("a", PASS)), new)
