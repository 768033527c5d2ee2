"""What stood in somebody's way, asked for by span: the same is found as by looking at all of it."""

from __future__ import annotations

from collections.abc import Sequence

import hypothesis.strategies as st
from hypothesis import given

from harness.oracle.troubles import Trouble, Troubles
from harness.trace import Observation, What
from tests.unit.oracle.story import at_ns
from tests.unit.oracle.timed_rig import END_S, history_of, lost, online

BACK_NS = 3
moments = st.integers(0, 40)


def trouble(from_ns: int, to_ns: int) -> Trouble:
    return Trouble("cut", from_ns, to_ns, Observation(from_ns, "alice", What.FAULT, "cut"))


troubles = st.lists(st.tuples(moments, moments).map(lambda ends: trouble(min(ends), max(ends))), max_size=8)


def merged(given_ones: Sequence[Trouble]) -> list[tuple[int, int]]:
    """When somebody was cut off, the first first: one after the other, as a reader would."""
    spans: list[tuple[int, int]] = []
    for each in sorted(given_ones, key=lambda one: one.from_ns):
        from_ns, to_ns = each.from_ns, each.to_ns + BACK_NS
        if spans and from_ns <= spans[-1][1]:
            from_ns, to_ns = spans[-1][0], max(to_ns, spans.pop()[1])
        spans.append((from_ns, to_ns))
    return spans


@given(given_ones=troubles, by_ns=moments)
def test_outages_are_troubles_that_leave_no_time_to_be_back_in_between(given_ones: list[Trouble], by_ns: int) -> None:
    begun = [each for each in given_ones if each.from_ns <= by_ns]
    assert list(Troubles(given_ones).outages(BACK_NS, by_ns)) == merged(begun)[::-1]


@given(given_ones=troubles, from_ns=moments, to_ns=moments)
def test_those_of_a_span_are_all_that_were_there_in_it(given_ones: list[Trouble], from_ns: int, to_ns: int) -> None:
    there = [each for each in Troubles(given_ones).all if each.from_ns < to_ns and each.to_ns > from_ns]
    assert Troubles(given_ones).during(from_ns, to_ns) == there


@given(given_ones=troubles)
def test_alone_is_what_no_other_was_beside_or_shortly_before(given_ones: list[Trouble]) -> None:
    every = Troubles(given_ones).all
    alone = [
        each
        for each in every
        if not any(
            one.from_ns <= each.to_ns and one.to_ns + BACK_NS >= each.from_ns for one in every if one is not each
        )
    ]
    assert list(Troubles(given_ones).alone(BACK_NS)) == alone


def test_outages_of_a_story_are_told_from_the_latest_on() -> None:
    story = online()
    lost(story, 2, 3)
    lost(story, 3.5, 4)
    lost(story, 3.6, 3.7, kind="freeze")
    lost(story, 10, 11)
    outages = history_of(story).outages("alice", 1_000_000_000, at_ns(END_S))
    assert list(outages) == [(at_ns(10), at_ns(12)), (at_ns(2), at_ns(5))]


def test_the_spell_around_a_moment_is_the_one_that_it_neither_begins_nor_ends() -> None:
    history = history_of(online())
    assert history.spell_around("alice", at_ns(0)) is None
    inside = history.spell_around("alice", at_ns(1.05))
    assert inside is not None
    assert inside.state == "CONNECTING"
    assert history.spell_around("alice", at_ns(END_S)) is None
