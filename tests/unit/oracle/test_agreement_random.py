"""Random expectations, and what two worlds saw: as expected, nearly, or not at all."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from harness.oracle.agreement import Agreement, compare
from harness.oracle.expect import AnyOrder, Node, Nothing, OneOf, Step
from harness.trace import Observation
from tests.unit.oracle.story import Moment, Story, at_ns

CAUSE = Moment(at_ns(0.5), at_ns(0.52))

plain = st.sampled_from("abc").map(Step)
timed = st.builds(
    lambda step, due_s, late: step.at(due_s, after=CAUSE, late=late),
    plain,
    st.floats(0.0, 3.0),
    st.sampled_from(["", "heartbeat", "retry"]),
)
steps = plain | timed
nodes = st.one_of(
    steps,
    st.lists(steps, max_size=3).map(lambda some: AnyOrder(tuple(some))),
    st.lists(st.lists(steps, max_size=2).map(tuple), min_size=1, max_size=3).map(
        lambda answers: OneOf("OPEN-1", {f"answer {number}": each for number, each in enumerate(answers)})
    ),
    st.just(Nothing(("CONNECTED-4",))),
)
expectations = st.lists(nodes, max_size=3).map(tuple)
seen = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4_000_000_000)), max_size=6)


@st.composite
def traces(draw: st.DrawFn, expectation: tuple[Node, ...]) -> list[Observation]:
    """What a person saw of whom this is expected, at random times."""
    story = Story("OPEN-1")
    story.declared(clock_error_ns=draw(st.integers(0, 10_000_000)))
    for name, after_ns in sorted(draw(seen), key=lambda each: each[1]):
        story.said(0.5, name)
        story.trace[-1] = structs.replace(story.trace[-1], at_ns=at_ns(0.5) + after_ns)
    return story.expects(*expectation).ended()


def sides_changed(found: Agreement) -> Agreement:
    times = {each: replace(each, one_ns=each.other_ns, other_ns=each.one_ns) for each in found.times}
    return Agreement(
        found.scenarios,
        found.steps,
        tuple(times[each] for each in found.times),  # two of them may be equal
        tuple(replace(each, one=each.other, other=each.one) for each in found.left_open),
        tuple(
            replace(each, one=each.other, other=each.one, times=times[each.times] if each.times else None)
            for each in found.differences
        ),
    )


@given(st.data())
def test_a_trace_agrees_with_itself(data: st.DataObject) -> None:
    trace = data.draw(expectations.flatmap(traces))
    found = compare(trace, trace)
    assert found.agree
    assert found.left_open == ()
    assert all(each.apart_ns == 0 for each in found.times)


@given(st.data())
def test_agreement_is_symmetric(data: st.DataObject) -> None:
    first = data.draw(expectations)
    second = data.draw(st.just(first) | expectations)
    one, other = data.draw(traces(first)), data.draw(traces(second))
    assert compare(other, one) == sides_changed(compare(one, other))
