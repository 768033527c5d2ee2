from __future__ import annotations

from collections.abc import Callable
from time import process_time

import pytest

from harness.oracle.expect import Node, Step, any_order, nothing, one_of
from harness.oracle.matching import align, fits, match, remaining_steps
from harness.trace import Observation, What


def step(name: str) -> Step:
    return Step(name)


A, B, C, D = (step(name) for name in "ABCD")


def seen(names: str) -> list[Observation]:
    return [Observation(index, "alice", What.CALLBACK, name) for index, name in enumerate(names)]


def names(steps: tuple[Step, ...]) -> str:
    return "".join(each.name for each in steps)


def accepts(nodes: tuple[Node, ...], said: str) -> bool:
    path = match(nodes, seen(said))[0]
    return path.due is None and len(path.steps) == len(said)


def test_a_step_fits_only_its_own_name_with_exactly_its_own_arguments() -> None:
    observation = Observation(0, "alice", What.CALLBACK, "onLogout", {"code": "OK"})
    assert fits(Step("onLogout", {"code": "OK"}), observation)
    assert not fits(Step("onLogout", {"code": "REJECTED"}), observation)
    assert not fits(Step("onLogout"), observation)
    assert not fits(Step("onLogout", {"code": "OK", "more": 1}), observation)
    assert not fits(Step("onLeave", {"code": "OK"}), observation)


@pytest.mark.parametrize(
    ("expected", "said"),
    [(1, True), (0, False), (1, 1.0), ([1], [True]), ({"bob": False}, {"bob": 0}), ([{"n": 2}], [{"n": 2.0}])],
)
def test_a_value_of_another_type_does_not_fit_although_it_is_equal_to_python(expected: object, said: object) -> None:
    assert expected == said
    for mine, other in ((expected, said), (said, expected)):
        assert fits(Step("x", {"value": mine}), Observation(0, "alice", What.RETURN, "x", {"value": mine}))
        assert not fits(Step("x", {"value": mine}), Observation(0, "alice", What.RETURN, "x", {"value": other}))


def test_the_order_of_the_arguments_does_not_matter() -> None:
    observation = Observation(0, "alice", What.RETURN, "x", {"b": {"d": 1, "c": 2}, "a": 3})
    assert fits(Step("x", {"a": 3, "b": {"c": 2, "d": 1}}), observation)


NESTED = (A, one_of("X", empty=(), one=(B,), two=(B, C)), any_order(C, D), nothing("Q"), one_of("Y", a=(A,), b=(B, A)))


@pytest.mark.parametrize("middle", ["", "B", "BC"])
@pytest.mark.parametrize("pair", ["CD", "DC"])
@pytest.mark.parametrize("end", ["A", "BA"])
def test_alternatives_and_any_order_combine_freely(middle: str, pair: str, end: str) -> None:
    assert accepts(NESTED, f"A{middle}{pair}{end}")


@pytest.mark.parametrize("said", ["", "A", "ACD", "ABCDD", "ACCDA", "ABBCDA", "ACDAB", "ACDAA", "BCDA"])
def test_what_no_combination_says_is_not_accepted(said: str) -> None:
    assert not accepts(NESTED, said)


def test_of_several_full_matches_all_are_returned_in_the_order_of_writing() -> None:
    paths = match((one_of("X", first=(A, B), other=(B,), again=(A, B)),), seen("AB"))
    assert [path.answers for path in paths] == [{"X": "first"}, {"X": "again"}]


def test_several_answers_of_one_clause_are_named_in_their_order_each_of_them_once() -> None:
    some = (one_of("X", none=(), one=(A,)), one_of("Y", two=(B,)))
    (path,) = match((*some, *some, one_of("X", one=(C,))), seen("ABBC"))
    assert path.answers == {"X": "one, none", "Y": "two"}


def test_a_longer_alternative_that_was_begun_does_not_hide_a_shorter_one_that_is_complete() -> None:
    (path,) = match((one_of("X", long=(A, B), short=(A,)),), seen("A"))
    assert (path.answers, path.due) == ({"X": "short"}, None)


def test_the_path_that_got_furthest_is_returned_where_none_is_full() -> None:
    (path,) = match((one_of("X", short=(A, C), long=(A, B, C)), D), seen("ABD"))
    assert (names(path.steps), names(remaining_steps(path))) == ("AB", "CD")


def test_where_several_paths_got_as_far_the_first_that_is_written_is_returned_alone() -> None:
    (path,) = match((one_of("X", first=(A, B), second=(A, C)),), seen("A"))
    assert names(remaining_steps(path)) == "B"


def test_what_remains_is_told_in_the_order_of_writing_with_the_first_answer_of_each() -> None:
    (path,) = match((A, B, nothing("Q"), any_order(C, D), one_of("X", one=(A,), two=(B,))), seen("A"))
    assert names(remaining_steps(path)) == "BCDA"
    assert path.rest[0] == B


def test_an_empty_expectation_takes_the_empty_sequence_alone() -> None:
    assert accepts((), "")
    assert accepts((any_order(), nothing("Q")), "")
    assert not accepts((any_order(),), "A")


def test_a_path_knows_before_which_steps_it_was_silent() -> None:
    (path,) = match((nothing("Q"), A, B, nothing("R"), C, nothing("S")), seen("ABC"))
    assert (path.kept_silent, path.silent) == ((("Q",), (), ("R",)), ("S",))


def sides(nodes: tuple[Node, ...], said: str) -> list[str]:
    observations = seen(said)
    pairs = align(match(nodes, observations)[0], observations)
    return [f"{step.name if step else '-'}{observation.name if observation else '-'}" for step, observation in pairs]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("ABC", ["AA", "BB", "CC"]),
        ("AC", ["AA", "B-", "CC"]),
        ("ABBC", ["AA", "BB", "-B", "CC"]),
        ("BC", ["A-", "BB", "CC"]),
        ("ADC", ["AA", "B-", "-D", "CC"]),
        ("ABCD", ["AA", "BB", "CC", "-D"]),
        ("", ["A-", "B-", "C-"]),
    ],
)
def test_expected_and_seen_are_put_side_by_side_with_gaps(said: str, shown: list[str]) -> None:
    assert sides((A, B, C), said) == shown


def test_what_was_matched_in_another_order_than_written_stands_side_by_side_all_the_same() -> None:
    assert sides((any_order(A, B), C), "BAC") == ["BB", "AA", "CC"]


def test_arguments_are_compared_side_by_side_too() -> None:
    left = Observation(0, "bob", What.CALLBACK, "onMemberLeft", {"member": "alice", "channel": "lobby"})
    expected = Step("onMemberLeft", {"channel": "hall", "member": "alice"})
    assert align(match((expected,), [left])[0], [left]) == [(expected, None), (None, left)]


def fastest_s(work: Callable[[], object]) -> float:
    times = []
    for _ in range(3):
        began_s = process_time()
        work()
        times.append(process_time() - began_s)
    return min(times)


def match_and_align(count: int) -> None:
    # All alike: the worst case for whoever compares each with each.
    nodes, observations = (A,) * count, seen("A" * count)
    (path,) = match(nodes, observations)
    assert len(align(path, observations)) == len(path.steps) == count


def test_ten_times_the_events_take_about_ten_times_as_long() -> None:
    # Linear is 10, quadratic 100; the square root of their product leaves either side a factor of three.
    assert fastest_s(lambda: match_and_align(20_000)) < 32 * fastest_s(lambda: match_and_align(2_000))
