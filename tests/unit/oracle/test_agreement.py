from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs

from harness.oracle.agreement import Agreement, Difference, LeftOpen, apart, compare, compare_runs, render
from harness.oracle.expect import Node, Step, answer, any_order, callback, nothing, one_of, state
from harness.oracle.judge import judge
from harness.oracle.verdict import Verdict
from harness.trace import Observation, What
from tests.unit.oracle.story import LOGGED_IN, Moment, Story

INTERRUPTED = state("RECONNECTING", "INTERRUPTED", "CONNECTED-3")
TICK_NS = 15_625_000  # a 64th of a second, in the error of each world
JOINED = callback("onMemberJoined", channel="lobby", member="bob")
LEFT = callback("onMemberLeft", channel="lobby", member="bob")
# A token holds the name of its run's tenant.
TOKENS = ("eyJ.of-the-one-run.a", "eyJ.of-the-one-run.b"), ("eyJ.of-the-other.a", "eyJ.of-the-other.b")


def told(*nodes: Node, seen: tuple[Step, ...] = (), person: str = "alice") -> list[Observation]:
    """Somebody who is to have seen this after the login, and saw that, a second apart."""
    story = Story("CONNECTING-1").logged_in(person)
    for at_s, step in enumerate(seen, 1):
        story.said(at_s, step.name, person=person, **step.args)
    return story.expects(*LOGGED_IN, *nodes, person=person).ended()


def named(trace: list[Observation], scenario: str) -> list[Observation]:
    return [structs.replace(trace[0], name=scenario), *trace[1:]]


def both_ways(one: list[Observation], other: list[Observation]) -> tuple[Difference, ...]:
    """The differences; the other way round they are the same with their sides changed."""
    found, back = compare(one, other).differences, compare(other, one).differences
    assert [(each.person, each.step, each.other, each.one) for each in back] == [
        (each.person, each.step, each.one, each.other) for each in found
    ]
    return found


# --------------------------------------------------------------------------------------------------------- sequences


def test_two_worlds_that_saw_the_same_agree_and_it_is_counted_what_was_compared() -> None:
    trace = told(LEFT, nothing("CONNECTED-4"), JOINED, seen=(LEFT, JOINED))
    assert compare(trace, trace) == Agreement(scenarios=1, steps=5)
    assert compare(trace, trace).agree


def test_what_comes_after_the_end_is_not_compared() -> None:
    trace = told(LEFT, seen=(LEFT,))
    late = Observation(trace[-1].at_ns + 1, "alice", What.CALLBACK, "onLogout", {"code": "OK"})
    assert both_ways(trace, [*trace, late]) == ()


def test_the_order_within_an_any_order_is_not_compared() -> None:
    one, other = (told(any_order(LEFT, JOINED), seen=seen) for seen in ((LEFT, JOINED), (JOINED, LEFT)))
    assert compare(one, other) == Agreement(scenarios=1, steps=5)


def test_a_step_that_only_one_world_saw_is_a_difference_with_what_came_in_its_place() -> None:
    nodes = (LEFT, JOINED)
    whole, other, short = (told(*nodes, seen=seen) for seen in ((LEFT, JOINED), (LEFT, LEFT), (LEFT,)))
    name = "onMemberJoined(channel=lobby, member=bob)"
    seen = "seen 2.000 s after the scenario began"
    verdict, step = both_ways(whole, other)
    assert (verdict.one, verdict.other) == ("PASS", f"FAIL {judge(other).reason}")
    gone = "not seen, but onMemberLeft(channel=lobby, member=bob)"
    assert step == Difference("test_story", "alice", name, seen, gone)
    assert render(step) == f"test_story: alice: {name}\n  RUN: {seen}; OTHER: {gone}"
    assert both_ways(whole, short)[1] == Difference("test_story", "alice", name, seen, "not seen")
    # Both fail, and not alike.
    assert "never came" in judge(short).reason
    assert both_ways(short, other)[1:] == (
        Difference("test_story", "alice", "what comes next", "nothing", "onMemberLeft(channel=lobby, member=bob)"),
    )


def test_two_worlds_that_fail_alike_agree() -> None:
    trace = told(LEFT, seen=(LEFT, JOINED))
    assert judge(trace).verdict is Verdict.FAIL
    assert both_ways(trace, trace) == ()


def test_an_extra_callback_in_one_world_is_a_difference() -> None:
    _, extra = both_ways(told(LEFT, seen=(LEFT,)), told(LEFT, seen=(LEFT, JOINED)))
    assert (extra.one, extra.other) == ("nothing", "onMemberJoined(channel=lobby, member=bob)")


# ------------------------------------------------------------------------------------------------- what is left open

OPEN = one_of("OPEN-10", kept=(), left_and_joined=(LEFT, JOINED))


def test_another_answer_is_left_open_and_what_lies_inside_is_not_compared() -> None:
    one, other = told(OPEN), told(OPEN, seen=(LEFT, JOINED))
    assert compare(one, other) == Agreement(
        1, 3, left_open=(LeftOpen("test_story", "alice", "OPEN-10", "kept", "left_and_joined"),)
    )
    assert compare(other, one).left_open == (LeftOpen("test_story", "alice", "OPEN-10", "left_and_joined", "kept"),)
    assert compare(one, other).agree


@pytest.mark.parametrize("seen", [(), (LEFT, JOINED)])
def test_the_same_answer_is_compared(seen: tuple[Step, ...]) -> None:
    trace = told(OPEN, seen=seen)
    assert compare(trace, trace) == Agreement(1, 3 + len(seen))


def test_what_follows_an_answer_that_is_left_open_is_compared() -> None:
    end = callback("onLogout", code="OK")
    one, other = told(OPEN, end, seen=(end,)), told(OPEN, end, seen=(LEFT, JOINED))
    _, step = both_ways(one, other)
    assert (step.step, step.other) == ("onLogout(code=OK)", "not seen")


def test_of_two_answers_to_one_clause_each_is_compared_by_itself() -> None:
    one, other = told(OPEN, OPEN, seen=(LEFT, JOINED)), told(OPEN, OPEN, seen=(LEFT, JOINED, LEFT, JOINED))
    found = compare(one, other)
    # Which of the two was answered so cannot be told: it is read as the same one in both worlds.
    assert (len(found.left_open), found.steps, found.differences) == (1, 5, ())


def test_an_answer_that_was_not_reached_is_none() -> None:
    one, other = told(JOINED, OPEN), told(JOINED, OPEN, seen=(JOINED, LEFT, JOINED))
    assert compare(one, other).left_open == ()
    assert both_ways(one, other)[1].step == "onMemberJoined(channel=lobby, member=bob)"


# -------------------------------------------------------------------------------------- verdicts and what is expected


def test_a_scenario_of_one_run_alone_is_a_difference() -> None:
    a, b = named(told(), "a"), named(told(), "b")
    assert compare_runs([a, b], [b, a]) == Agreement(2, 6)
    assert compare_runs([a], [b]).differences == (
        Difference("a", "", "", "played", "not played"),
        Difference("b", "", "", "not played", "played"),
    )


def test_where_nothing_was_compared_nothing_agrees() -> None:
    assert not compare_runs([], []).agree


@pytest.mark.parametrize(("text", "differ"), [("no such call", False), ("no such callback", True)])
def test_the_same_verdict_for_another_reason_is_a_difference(text: str, *, differ: bool) -> None:
    one, other = (
        [*told()[:-1], Observation(told()[-1].at_ns, "world", What.LACKING, "x", {"text": said}), told()[-1]]
        for said in ("no such call", text)
    )
    said = ("UNSUPPORTED no such call", "UNSUPPORTED no such callback")
    assert both_ways(one, other) == ((Difference("test_story", "", "", *said),) if differ else ())


def test_of_a_long_reason_the_first_line_is_told() -> None:
    text = {"text": "the adapter has gone\n  why:  it was killed"}
    broken = [*told()[:-1], Observation(told()[-1].at_ns, "alice", What.ERROR, "x", text), told()[-1]]
    (difference,) = both_ways(told(), broken)
    assert (difference.one, difference.other) == ("PASS", "ERROR the adapter has gone")
    assert render(difference) == "test_story\n  RUN: PASS; OTHER: ERROR the adapter has gone"


def test_a_person_of_whom_one_world_expects_something_else_is_a_difference_and_no_more_is_compared() -> None:
    found = compare(told(LEFT, seen=(LEFT,)), told(LEFT.at(1.0, after=Moment(0, 0)), seen=(LEFT,)))
    plain = '{"type":"step","name":"onMemberLeft","args":{"channel":"lobby","member":"bob"}'
    window = ',"window":{"earliest_s":1.0,"latest_s":1.0}}'
    expected = Difference("test_story", "alice", "what is expected", f"{plain}}}", f"{plain}{window}")
    assert (found.differences[1:], found.steps) == ((expected,), 0)
    (more,) = both_ways(told(), told(one_of("OPEN-10", kept=())))
    assert (more.one, more.other) == (
        "nothing more",
        '{"type":"one_of","clause":"OPEN-10","answers":{"kept":[]}}',
    )


def test_a_person_of_whom_only_one_world_expects_something_is_a_difference() -> None:
    alice = told()
    both = [*alice[:-1], *told(person="bob")[1:]]
    (difference,) = both_ways(alice, both)
    assert (difference.person, difference.step, difference.one) == ("bob", "what is expected", "nothing")


def with_tokens(first: str, second: str, renewed: str) -> list[Observation]:
    story = Story("CONNECTING-1").logged_in()
    story.called(1, "react", args={"token": first})
    story.called(1.1, "renewToken", token=second)
    story.said(1.2, "onRenewTokenResult", token=renewed, code="OK")
    return story.expects(*LOGGED_IN, callback("onRenewTokenResult", token=second, code="OK")).ended()


def test_each_run_signs_tokens_of_its_own_and_they_are_told_apart_all_the_same() -> None:
    (a, b), (c, d) = TOKENS
    assert both_ways(with_tokens(a, b, b), with_tokens(c, d, d)) == ()
    # Both fail, for the same reason, and the same token was the wrong one.
    assert judge(with_tokens(a, b, a)).verdict is Verdict.FAIL
    assert both_ways(with_tokens(a, b, a), with_tokens(c, d, c)) == ()
    assert len(both_ways(with_tokens(a, b, a), with_tokens(c, d, "another"))) == 2
    assert len(both_ways(with_tokens(a, b, b), with_tokens(c, c, c))) == 1


# ------------------------------------------------------------------------------------------------------------- times

Expect = Callable[[Moment], Step]


def at_4_s(cut: Moment) -> Step:
    return INTERRUPTED.at(4.0, after=cut)


def interrupted(
    after_s: float, expect: Expect, *, cut_lasts_s: float = 0.0, clock_error_ns: int = 0, delay_ns: int = 0
) -> list[Observation]:
    """Alice, whose link was cut at 1.5 s and who switched so long afterwards."""
    story = Story("CONNECTED-3").logged_in(clock_error_ns=clock_error_ns)
    cut = story.fault(1.5, 1.5 + cut_lasts_s)
    story.delayed(2.0, delay_ns)
    story.switched(1.5 + after_s, "RECONNECTING", "INTERRUPTED")
    return story.expects(*LOGGED_IN, expect(cut)).ended()


# So late that no window below holds it: each world fails alike, and what differs is the time alone.
LATE_S = 12.0
TOLERANCES: list[tuple[Expect, dict[str, Any], dict[str, Any], int]] = [
    (at_4_s, {}, {}, 0),
    # The error of both.
    (at_4_s, {"clock_error_ns": 3_000_000}, {}, 3_000_000),
    (at_4_s, {"clock_error_ns": 3_000_000}, {"clock_error_ns": 4_000_000}, 7_000_000),
    (at_4_s, {"delay_ns": 2_000_000}, {}, 4 * 2_000_000),
    # The moment of the cause: the longer of the two.
    (at_4_s, {"cut_lasts_s": 0.010}, {}, 10_000_000),
    (at_4_s, {"cut_lasts_s": 0.010}, {"cut_lasts_s": 0.004}, 10_000_000),
    # Declared intervals: 0.5 s between heartbeats, 2 s between attempts.
    (lambda cut: INTERRUPTED.at(4.0, after=cut, early="heartbeat"), {}, {}, 500_000_000),
    (lambda cut: INTERRUPTED.at(4.0, after=cut, early="heartbeat", late="heartbeat"), {}, {}, 1_000_000_000),
    (lambda cut: INTERRUPTED.at(4.0, after=cut, late="heartbeat retry"), {}, {}, 2_500_000_000),
    # The clause's own range.
    (lambda cut: INTERRUPTED.within(4.0, 5.5, after=cut), {}, {}, 1_500_000_000),
    (lambda cut: INTERRUPTED.at_once(after=cut, late="retry"), {}, {}, 2_200_000_000),
]


@pytest.mark.parametrize("over_ns", [0, 1])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("expect", "one", "other", "more_ns"), TOLERANCES)
def test_times_may_differ_by_what_is_allowed_and_no_nanosecond_more(
    expect: Expect, one: dict[str, Any], other: dict[str, Any], more_ns: int, sign: int, over_ns: int
) -> None:
    allowed_ns = 2 * TICK_NS + more_ns
    apart_ns = allowed_ns + over_ns
    traces = interrupted(LATE_S, expect, **one), interrupted(LATE_S + sign * apart_ns / 1e9, expect, **other)
    differences = both_ways(*traces)
    (times,) = compare(*traces).times
    assert (times.apart_ns, times.allowed.total_ns) == (apart_ns, allowed_ns)
    assert [each.times for each in differences] == ([times] if over_ns else [])


def test_each_world_is_given_the_intervals_that_its_own_adapter_declares() -> None:
    def declares(retry_s: float) -> list[Observation]:
        trace = interrupted(LATE_S, lambda cut: INTERRUPTED.at(4.0, after=cut, early="heartbeat", late="retry"))
        return [
            structs.replace(each, args=each.args | {"retry_s": retry_s}) if each.what is What.DECLARED else each
            for each in trace
        ]

    for traces in ((declares(1.0), declares(3.0)), (declares(3.0), declares(1.0))):
        (times,) = compare(*traces).times
        assert times.allowed.declared_ns == 3_500_000_000


def test_a_difference_of_time_says_how_much_and_what_was_allowed_and_why() -> None:
    def expect(cut: Moment) -> Step:
        return INTERRUPTED.within(4.0, 4.25, after=cut, late="heartbeat")

    difference, *_ = compare(interrupted(12.0, expect, cut_lasts_s=0.01), interrupted(14.0, expect)).differences
    assert render(difference) == (
        "test_story: alice: RECONNECTING / INTERRUPTED\n"
        "  RUN: after 12.000 s; OTHER: after 14.000 s; 2.000 s apart, 0.791 s allowed "
        "(the clause's range 0.250 s, declared intervals 0.500 s, error of both 0.031 s, length of the cause 0.010 s)"
    )


def test_where_one_is_in_time_and_the_other_is_not_verdict_and_time_differ() -> None:
    verdict, times = both_ways(interrupted(4.0, at_4_s), interrupted(5.0, at_4_s))
    assert (verdict.one, verdict.times) == ("PASS", None)
    assert (times.one, times.other) == ("after 4.000 s", "after 5.000 s")


def test_the_farthest_apart_are_found_with_something_left_to_the_client_and_without() -> None:
    def expect(after_s: float, back_s: float) -> list[Observation]:
        story = Story("CONNECTED-3").logged_in()
        cut = story.fault(1.5, 1.5)
        story.switched(1.5 + after_s, "RECONNECTING", "INTERRUPTED")
        story.switched(1.5 + back_s, "CONNECTED", "LOGIN_SUCCESS")
        back = state("CONNECTED", "LOGIN_SUCCESS")
        return story.expects(*LOGGED_IN, at_4_s(cut), back.at(6.0, after=cut, late="retry")).ended()

    whole = compare(expect(4.0, 6.5), expect(4.0, 6.5)) + compare(expect(4.0, 6.0), expect(4.01, 7.5))
    exact, free = whole.farthest(free=False), whole.farthest(free=True)
    assert exact is not None
    assert free is not None
    assert (exact.apart_ns, free.apart_ns, whole.scenarios) == (10_000_000, 1_500_000_000, 2)
    assert apart(exact) == "0.010 s apart, 0.031 s allowed (error of both 0.031 s)"
    assert Agreement().farthest(free=True) is None


def test_what_can_be_read_in_two_ways_is_read_as_much_alike_as_it_can_be() -> None:
    # Two equal callbacks, due after two causes; in the other world the second cause came first.
    def twice(first_s: float, second_s: float) -> list[Observation]:
        story = Story("CONNECTED-3").logged_in()
        one, two = story.fault(first_s, first_s), story.fault(second_s, second_s)
        for at_s in (2.5, 3.5):
            story.said(at_s, LEFT.name, **LEFT.args)
        return story.expects(*LOGGED_IN, any_order(LEFT.at(1.0, after=one), LEFT.at(1.0, after=two))).ended()

    found = compare(twice(1.5, 2.5), twice(2.5, 1.5))
    assert [(each.one_ns, each.other_ns) for each in found.times] == [(1_000_000_000, 1_000_000_000)] * 2


def test_an_answer_of_a_call_is_compared_like_a_callback() -> None:
    def asked(*, online: bool) -> list[Observation]:
        story = Story("CONNECTING-1").logged_in()
        story.returned(1, "queryOnline", online={"bob": online})
        return story.expects(*LOGGED_IN, answer("queryOnline", online={"bob": True})).ended()

    assert both_ways(asked(online=True), asked(online=True)) == ()
    assert (
        both_ways(asked(online=True), asked(online=False))[1].other
        == "not seen, but queryOnline(online={'bob': False})"
    )
