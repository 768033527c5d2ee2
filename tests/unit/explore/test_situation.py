"""What may follow what, and how any row of steps becomes a schedule that can be played."""

from __future__ import annotations

import pytest

from harness.explore.schedule import (
    FAULTS,
    Ban,
    Crash,
    Heal,
    Join,
    Login,
    Lose,
    Mend,
    Part,
    Schedule,
    Serve,
    Someone,
    Step,
    Wait,
    describe,
)
from harness.explore.situation import Situation, closing, repaired
from harness.world.engine import TO_CLIENT, TO_SERVER

ALICE, BOB, TOO = Someone("alice", "alice"), Someone("bob", "bob"), Someone("alice_too", "alice")


def kept(*steps: Step) -> list[Step]:
    return list(repaired((ALICE, BOB), steps).steps)


@pytest.mark.parametrize("first", FAULTS)
@pytest.mark.parametrize("second", FAULTS)
def test_two_faults_go_together_unless_they_hold_the_same_part_of_the_link(first: str, second: str) -> None:
    steps = [Lose("alice", first), Lose("alice", second)]
    may = not set(FAULTS[first].holds) & set(FAULTS[second].holds)
    assert kept(*steps) == (steps if may else steps[:1])


def test_the_parts_that_faults_hold_are_those_of_the_links() -> None:
    assert {part for kind in FAULTS.values() for part in kind.holds} == {"gate", TO_SERVER, TO_CLIENT}


def test_only_what_is_there_can_be_healed_and_then_it_is_there_no_more() -> None:
    cut, heal = Lose("alice", "cut"), Heal("alice", "cut")
    assert kept(heal, Heal("bob", "cut"), cut, Heal("alice", "freeze"), heal, heal, cut) == [cut, heal, cut]


def test_a_partition_holds_the_links_that_it_crosses_until_it_is_mended() -> None:
    part = Part(("alice",))
    steps: list[Step] = [
        part,
        Lose("alice", "freeze"),
        Lose("alice", "cut"),
        Lose("bob", "freeze"),
        Part(("bob",)),
        Mend(),
        Mend(),
    ]
    assert kept(*steps) == [part, Lose("alice", "cut"), Lose("bob", "freeze"), Mend()]
    assert kept(Lose("alice", "freeze"), part) == [Lose("alice", "freeze")]
    assert kept(Part(()), Part(("carol",))) == []


def test_a_client_that_has_crashed_is_asked_for_nothing_more() -> None:
    steps: list[Step] = [
        Crash("alice"),
        Login("alice"),
        Lose("alice", "cut"),
        Crash("alice"),
        Part(("alice",)),
        Login("bob"),
    ]
    assert kept(*steps) == [Crash("alice"), Login("bob")]


def test_a_server_is_started_when_it_is_down_and_goes_on_when_it_stands_still() -> None:
    steps = [Serve("start"), Serve("resume"), Serve("kill"), Serve("kill"), Serve("suspend"), Serve("start")]
    assert kept(*steps) == [Serve("kill"), Serve("start")]
    steps = [Serve("suspend"), Serve("suspend"), Serve("resume"), Serve("suspend"), Serve("kill"), Serve("start")]
    assert kept(*steps) == [steps[0], *steps[2:]]


def test_only_a_server_that_answers_bans_and_only_somebody_who_is_there() -> None:
    assert kept(Ban("carol"), Serve("kill"), Ban("alice"), Serve("start"), Ban("alice")) == [
        Serve("kill"),
        Serve("start"),
        Ban("alice"),
    ]


def test_only_those_are_there_whom_a_step_is_about() -> None:
    people = (ALICE, BOB, TOO)
    assert repaired(people, [Wait(1.0), Join("bob", "lobby")]).people == (BOB,)
    assert repaired(people, [Part(("bob", "alice_too"))]).people == (BOB, TOO)
    assert repaired(people, [Ban("alice")]).people == (ALICE, TOO)


def test_in_the_end_everything_is_put_right_the_latest_fault_first() -> None:
    steps = (Lose("alice", "cut"), Lose("alice", "delay"), Lose("bob", "cut"), Heal("bob", "cut"))
    assert closing(Schedule((ALICE, BOB), steps)) == (Heal("alice", "delay"), Heal("alice", "cut"))
    assert closing(Schedule((ALICE,), (Part(("alice",)), Serve("suspend")))) == (Mend(), Serve("resume"))
    assert closing(Schedule((ALICE,), (Serve("suspend"), Serve("kill")))) == (Serve("start"),)
    assert closing(Schedule((ALICE,), (Serve("kill"), Serve("start")))) == ()


def test_a_situation_knows_nobody_but_its_people() -> None:
    assert not Situation((BOB,)).allows(Login("alice"))


def test_a_schedule_knows_what_it_needs() -> None:
    schedule = repaired((ALICE, BOB), [Join("bob", "hall"), Lose("bob", "reset"), Wait(2.0), Wait(0.5), Serve("kill")])
    assert (schedule.owns_server, schedule.channels, schedule.waits_s) == (True, ["hall"], 2.5)
    assert (schedule.needs_resettable("bob"), schedule.needs_resettable("alice")) == (True, False)


def test_a_step_in_words() -> None:
    steps: list[Step] = [Wait(0.5), Login("alice", "bad"), Part(("alice", "bob")), Mend(), Lose("bob", "cut")]
    assert [describe(step) for step in steps] == [
        "wait 0.5 s",
        "login alice bad",
        "part alice,bob",
        "mend",
        "lose bob cut",
    ]
