"""What could be a shorter schedule."""

from __future__ import annotations

from harness.explore.draw import SHORT, drawn
from harness.explore.schedule import Ban, Heal, Join, Login, Lose, Send, Someone, Wait
from harness.explore.shrink import candidates, size
from harness.explore.situation import repaired

ALICE, BOB, TOO = Someone("alice", "alice"), Someone("bob", "bob"), Someone("alice_too", "alice")
SCHEDULE = repaired(
    (ALICE, BOB, TOO),
    [
        Login("alice"),
        Login("bob"),
        Lose("alice", "cut"),
        Wait(4.7),
        Heal("alice", "cut"),
        Login("alice_too"),
        Ban("bob"),
    ],
)


def test_each_is_shorter_and_can_be_played_and_the_shortest_comes_first() -> None:
    shorter = candidates(SCHEDULE, (0.3, 4.7))
    assert all(repaired(each.people, each.steps) == each for each in shorter)
    assert all(size(each) < size(SCHEDULE) for each in shorter)
    assert [size(each) for each in shorter] == sorted(size(each) for each in shorter)
    assert len(set(shorter)) == len(shorter)


def test_each_step_is_left_out_with_what_needs_it() -> None:
    steps = [list(each.steps) for each in candidates(SCHEDULE, ())]
    assert [step for step in SCHEDULE.steps if step != Login("bob")] in steps
    assert [step for step in SCHEDULE.steps if step not in (Lose("alice", "cut"), Heal("alice", "cut"))] in steps


def test_two_steps_are_left_out_together() -> None:
    steps = [list(each.steps) for each in candidates(SCHEDULE, ())]
    assert [step for step in SCHEDULE.steps if step not in (Login("bob"), Login("alice_too"))] in steps


def test_everybody_is_left_out_with_all_that_they_do() -> None:
    shorter = candidates(SCHEDULE, ())
    without_bob = [each for each in shorter if each.people == (ALICE, TOO)]
    assert any(len(each.steps) == len(SCHEDULE.steps) - 2 for each in without_bob)  # their login and their ban


def test_a_wait_becomes_shorter_and_a_call_that_nobody_answers_a_wait() -> None:
    waiting = repaired((ALICE,), [Login("alice"), Wait(4.7), Send("alice", "lobby"), Join("alice", "lobby")])
    steps = [each.steps for each in candidates(waiting, (0.3, 5.5, 9.0))]
    assert (Login("alice"), Wait(0.3), Send("alice", "lobby"), Join("alice", "lobby")) in steps
    assert (Login("alice"), Wait(4.7), Wait(5.5), Join("alice", "lobby")) in steps
    assert not any(Wait(9.0) in each for each in steps)


def test_shrinking_ends_whatever_fails() -> None:
    """Where every candidate fails, the first of each round leads to a single step in a few rounds."""
    for schedule in drawn(count=20, seed=3, shape=SHORT):
        rounds = 0
        while shorter := candidates(schedule, SHORT.waits_s):
            schedule = shorter[0]
            rounds += 1
        assert rounds <= 12
        assert len(schedule.steps) <= 1
