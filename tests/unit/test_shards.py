from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.report.run_folder import RunFolder, RunInfo
from harness.shards import Shard, parse, share_out, times_of
from harness.trace import Observation, What
from tests.unit.oracle.story import LOGGED_IN, Story

# Times that many scenarios share, as in a suite, and none at all.
TIMES = st.dictionaries(st.text(min_size=1), st.sampled_from([0.0, 0.1, 2.0, 8.0, 8.5, 30.0, 47.9]), max_size=40)
PARTS = st.integers(min_value=1, max_value=12)


@pytest.mark.parametrize(("text", "number", "of"), [("1/1", 1, 1), ("2/5", 2, 5), ("5/5", 5, 5), ("01/20", 1, 20)])
def test_a_part_is_written_as_its_number_and_how_many_there_are(text: str, number: int, of: int) -> None:
    assert parse(text) == Shard(number, of)
    assert str(parse(text)) == f"{number}/{of}"


@pytest.mark.parametrize(
    "text",
    ["", "x", "2", "0/5", "6/5", "0/0", "-1/5", "1/-5", "2 / 5", "2/5/7", "1.0/5", "٢/5", "2/5\n", "1/9999999999"],
)
def test_what_is_no_part_is_refused_with_how_to_write_one(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert caught.value.found == f"{text!r} is no part of a whole"
    assert "counted from 1" in caught.value.why
    assert caught.value.mend == "the second of five: --shard 2/5"


@given(TIMES, PARTS)
def test_each_scenario_is_in_one_part(times_s: dict[str, float], of: int) -> None:
    parts = share_out(times_s, of)
    assert sorted(name for part in parts for name in part) == sorted(times_s)
    assert len(parts) <= of


@given(TIMES, PARTS)
def test_no_part_is_empty_while_another_has_two(times_s: dict[str, float], of: int) -> None:
    assert [len(part) for part in share_out(times_s, of)].count(0) == 0
    assert len(share_out(times_s, of)) == min(of, len(times_s))


@given(TIMES, PARTS, st.randoms(use_true_random=False))
def test_the_parts_do_not_depend_on_the_order_in_which_scenarios_were_collected(
    times_s: dict[str, float], of: int, chance: random.Random
) -> None:
    names = list(times_s)
    chance.shuffle(names)
    assert share_out({name: times_s[name] for name in names}, of) == share_out(times_s, of)


@given(TIMES, PARTS)
def test_no_part_has_more_to_play_than_another_by_more_than_one_scenario(times_s: dict[str, float], of: int) -> None:
    for part in share_out(times_s, of):
        for other in share_out(times_s, of):
            shortest_s = min(times_s[name] for name in part)
            # The sums are of floats, in another order.
            assert sum(map(times_s.__getitem__, part)) <= sum(map(times_s.__getitem__, other)) + shortest_s + 1e-9


@given(TIMES, PARTS)
def test_the_longest_are_in_parts_of_their_own(times_s: dict[str, float], of: int) -> None:
    parts = share_out(times_s, of)
    longest = sorted((times_s[part[0]] for part in parts), reverse=True)
    assert longest == sorted(times_s.values(), reverse=True)[: len(parts)]


def test_of_equals_the_first_name_goes_to_the_first_part() -> None:
    assert share_out(dict.fromkeys("dacb", 8.0), 3) == [["a", "d"], ["b"], ["c"]]
    assert share_out(dict.fromkeys("dacb", 0.0), 2) == [["a", "c"], ["b", "d"]]


def test_many_more_parts_than_scenarios_cost_nothing() -> None:
    assert share_out({"a": 1.0, "b": 2.0}, 999_999_999) == [["b"], ["a"]]
    assert share_out({}, 5) == []


def ended_at(end_s: float, *, attempt: int = 1) -> list[Observation]:
    story = Story("CONNECTING-1").logged_in().expects(*LOGGED_IN)
    story.trace[0].args["attempt"] = attempt
    story.put(end_s, "scenario", What.END, "end")
    story.put(end_s + 7, "scenario", What.ERROR, "HostError", text="while it was taken away", blame="host")
    return story.trace


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    folder.write_info(RunInfo("1", "rtm-1.0", "now"))
    return folder


def test_times_are_those_of_an_earlier_run_from_the_first_person_to_the_end(run: RunFolder) -> None:
    run.write_trace("test_story", ended_at(91))
    run.seal()
    assert times_of(run.path) == {"test_story": pytest.approx(90.9)}  # the first person came at 0.1


def test_of_what_was_played_again_the_last_time_counts(run: RunFolder) -> None:
    for attempt, end_s in ((2, 95), (1, 91)):
        run.write_trace("test_story", ended_at(end_s, attempt=attempt))
    run.seal()
    assert times_of(run.path) == {"test_story": pytest.approx(94.9)}


def test_what_is_no_run_gives_no_times(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is no run: it has no run\.json"):
        times_of(tmp_path)
