from __future__ import annotations

from harness.reference.deadlines_core import Deadlines
from tests.unit.reference.server_bench import START_NS


class Thing:
    def __init__(self, due_ns: int | None) -> None:
        self.at_ns = due_ns

    def due_ns(self) -> int | None:
        return self.at_ns


def test_things_come_due_soonest_first_and_once() -> None:
    deadlines: Deadlines[Thing] = Deadlines()
    assert deadlines.next_ns() is None
    things = [Thing(START_NS + offset) for offset in (5, 3, 9, 3)]
    for thing in things:
        deadlines.watch(thing)
    assert deadlines.next_ns() == START_NS + 3
    assert list(deadlines.pop_due(START_NS + 2)) == []
    assert list(deadlines.pop_due(START_NS + 5)) == [things[1], things[3], things[0]]
    assert deadlines.next_ns() == START_NS + 9
    assert list(deadlines.pop_due(START_NS + 9)) == [things[2]]
    assert deadlines.next_ns() is None


def test_a_deadline_that_has_moved_is_met_when_it_comes() -> None:
    deadlines: Deadlines[Thing] = Deadlines()
    thing = Thing(START_NS)
    deadlines.watch(thing)
    thing.at_ns = START_NS + 10
    assert deadlines.next_ns() == START_NS, "too early, and never too late"
    assert list(deadlines.pop_due(START_NS)) == []
    assert deadlines.next_ns() == START_NS + 10
    assert list(deadlines.pop_due(START_NS + 10)) == [thing]


def test_what_will_never_be_due_is_forgotten() -> None:
    deadlines: Deadlines[Thing] = Deadlines()
    thing = Thing(START_NS)
    deadlines.watch(thing)
    thing.at_ns = None
    assert list(deadlines.pop_due(START_NS)) == []
    assert deadlines.next_ns() is None


def test_what_will_never_be_due_does_not_pile_up_until_its_time() -> None:
    deadlines: Deadlines[Thing] = Deadlines()
    kept = [Thing(START_NS + 100_000 - number) for number in range(1500)]
    for thing in kept:
        deadlines.watch(thing)
        for _ in range(10):
            passing = Thing(START_NS + 200_000)
            deadlines.watch(passing)
            passing.at_ns = None
    assert len(deadlines._heap) <= 2 * len(kept) + 1024
    assert list(deadlines.pop_due(START_NS + 100_000)) == kept[::-1], "and the order is kept"
