"""What is drawn can be played, is the same for the same seed, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import configuration

from harness.explore.draw import CHANNELS, PEOPLE, SHORT, Shape, draw, drawn
from harness.explore.schedule import FAULTS, Login, Lose, Schedule, Serve, Wait
from harness.explore.situation import repaired


@pytest.fixture(scope="module")
def schedules() -> list[Schedule]:
    """What one seed draws."""
    return drawn(count=150, seed=1, shape=Shape())


def test_what_is_drawn_can_be_played_as_it_is(schedules: list[Schedule]) -> None:
    assert all(repaired(each.people, each.steps) == each for each in schedules)
    assert all(any(isinstance(step, Login) for step in each.steps) for each in schedules)


def test_the_same_seed_draws_the_same_and_another_one_does_not(schedules: list[Schedule]) -> None:
    assert drawn(count=150, seed=1, shape=Shape()) == schedules
    assert drawn(count=150, seed=2, shape=Shape()) != schedules


def test_everything_there_is_is_drawn_before_long() -> None:
    many = drawn(count=500, seed=2, shape=Shape())
    steps = {step for each in many for step in each.steps}
    assert {type(step).__name__ for step in steps} >= {
        "Login",
        "Logout",
        "Join",
        "Lose",
        "Heal",
        "Part",
        "Crash",
        "Ban",
    }
    assert {step.fault for step in steps if isinstance(step, Lose)} == set(FAULTS)
    assert {step.deed for step in steps if isinstance(step, Serve)} == {"kill", "start", "suspend", "resume"}
    assert {each.people for each in many} >= {PEOPLE[:1], PEOPLE[:2], PEOPLE[:3]}
    assert {channel for each in many for channel in each.channels} == set(CHANNELS)


def test_a_schedule_lasts_no_longer_than_its_shape_says_and_has_its_waits(schedules: list[Schedule]) -> None:
    assert max(each.waits_s for each in schedules) <= Shape().total_s_max
    short = drawn(count=100, seed=1, shape=SHORT)
    assert max(each.waits_s for each in short) <= SHORT.total_s_max
    assert {step.seconds for each in short for step in each.steps if isinstance(step, Wait)} <= set(SHORT.waits_s)


def test_without_a_server_of_ones_own_nothing_is_done_to_it() -> None:
    shape = Shape(owns_server=(False,))
    assert not any(each.owns_server for each in drawn(count=100, seed=1, shape=shape))


class TooLongError(Exception):
    """What the caller has to say against a schedule."""


def test_what_the_caller_raises_comes_out_for_the_shortest_schedule_that_there_is() -> None:
    handed: list[Schedule] = []

    def refuse(schedule: Schedule) -> None:
        handed.append(schedule)
        if any(isinstance(step, Lose) for step in schedule.steps):
            raise TooLongError

    with pytest.raises(TooLongError):
        draw(refuse, count=200, seed=1, shape=Shape(), shrink=True)
    logins = [step for step in handed[-1].steps if isinstance(step, Login)]
    losses = [step for step in handed[-1].steps if isinstance(step, Lose)]
    assert (len(logins), len(losses)) == (1, 1)
    assert len(handed[-1].steps) <= 3


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    before = configuration.storage_directory(intent_to_write=False).home_directory
    drawn(count=20, seed=1, shape=SHORT)
    assert list(tmp_path.iterdir()) == []
    assert configuration.storage_directory(intent_to_write=False).home_directory == before
