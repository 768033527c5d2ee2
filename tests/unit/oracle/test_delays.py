"""What ran late, asked for by span: the same is found as by looking at all of it."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from harness.oracle.delays import Delays

moments = st.integers(0, 50)
late = st.lists(st.tuples(moments, st.integers(0, 20)).map(lambda one: (one[0], one[0] + one[1])), max_size=20)


@given(given_ones=late, from_ns=moments, to_ns=moments, kept=st.integers(1, 5))
def test_the_worst_of_a_span_are_those_that_were_due_or_ran_in_it(
    given_ones: list[tuple[int, int]], from_ns: int, to_ns: int, kept: int
) -> None:
    found = Delays(given_ones, kept=kept).worst(from_ns, to_ns)
    there = [ran - due for due, ran in given_ones if due <= to_ns and ran >= from_ns]
    assert found == tuple(sorted(there, reverse=True)[:kept]) if from_ns <= to_ns else set(found) <= set(there)


def test_where_nothing_is_known_nothing_was_late() -> None:
    assert Delays([]).longest(0, 10) == 0
    assert Delays([(20, 30)]).longest(0, 10) == 0


def test_what_was_overdue_when_the_span_began_counts_and_what_was_over_does_not() -> None:
    delays = Delays([(0, 4), (1, 9), (6, 7)])
    assert delays.longest(8, 10) == 8
    assert delays.longest(10, 20) == 0


@pytest.mark.parametrize("ran", [0, 4])
def test_what_ran_before_it_was_due_was_not_late(ran: int) -> None:
    assert Delays([(5, ran), (6, 8)], kept=2).worst(5, 10) == (2, 0)
