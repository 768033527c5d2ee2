"""Random expectations of steps, any_order and one_of, and sequences that are made from them, or nearly."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

from hypothesis import assume, given
from hypothesis import strategies as st

from harness.oracle.expect import AnyOrder, Node, Nothing, OneOf, Step, from_data, to_data
from harness.oracle.matching import align, match
from harness.trace import Observation, What

LETTERS = "abc"

steps = st.sampled_from(LETTERS).map(Step)
nodes = st.one_of(
    steps,
    st.lists(steps, max_size=3).map(lambda some: AnyOrder(tuple(some))),
    st.lists(st.lists(steps, max_size=2).map(tuple), min_size=1, max_size=3).map(
        lambda answers: OneOf("OPEN-1", {f"answer {number}": each for number, each in enumerate(answers)})
    ),
    st.just(Nothing(("CONNECTED-4",))),
)
expectations = st.lists(nodes, max_size=4).map(tuple)


def words_of(node: Node) -> set[str]:
    """Every sequence that a node allows, by the plain meaning of its words."""
    if isinstance(node, Step):
        return {node.name}
    if isinstance(node, AnyOrder):
        return {"".join(each.name for each in order) for order in permutations(node.steps)}
    if isinstance(node, OneOf):
        return {"".join(each.name for each in answer) for answer in node.answers.values()}
    return {""}


def words(expectation: tuple[Node, ...]) -> set[str]:
    return {"".join(parts) for parts in product(*(sorted(words_of(node)) for node in expectation))}


def seen(word: str) -> list[Observation]:
    return [Observation(index, "alice", What.CALLBACK, letter) for index, letter in enumerate(word)]


def is_full(expectation: tuple[Node, ...], word: str) -> bool:
    paths = match(expectation, seen(word))
    full = [path.due is None and "".join(step.name for step in path.steps) == word for path in paths]
    assert full
    assert all(full) or not any(full)
    return full[0]


def altered(word: str) -> Iterator[str]:
    """The word with one element taken out, put in, replaced, or swapped with the next."""
    for index in range(len(word) + 1):
        before, after = word[:index], word[index:]
        yield before + after[1:]
        yield before + after[1:2] + after[:1] + after[2:]
        for letter in f"{LETTERS}z":
            yield before + letter + after
            yield before + letter + after[1:]


@given(expectations)
def test_every_sequence_made_from_an_expectation_matches_it_whole(expectation: tuple[Node, ...]) -> None:
    for word in words(expectation):
        assert is_full(expectation, word)


@given(expectations, st.data())
def test_a_sequence_with_one_element_altered_matches_only_where_that_is_allowed_too(
    expectation: tuple[Node, ...], data: st.DataObject
) -> None:
    allowed = words(expectation)
    word = data.draw(st.sampled_from(sorted(allowed)))
    for other in altered(word):
        assert is_full(expectation, other) is (other in allowed)


@given(expectations, st.text(LETTERS, max_size=8))
def test_any_other_sequence_does_not_match(expectation: tuple[Node, ...], word: str) -> None:
    assume(word not in words(expectation))
    assert not is_full(expectation, word)


@given(expectations, st.text(LETTERS, max_size=8))
def test_side_by_side_nothing_that_was_seen_is_lost_or_seen_twice(expectation: tuple[Node, ...], word: str) -> None:
    observations = seen(word)
    (path, *_) = match(expectation, observations)
    pairs = align(path, observations)
    assert [observation for _, observation in pairs if observation] == observations
    assert all(step is None or observation is None or step.name == observation.name for step, observation in pairs)


@given(expectations)
def test_an_expectation_comes_back_from_plain_data_as_it_was(expectation: tuple[Node, ...]) -> None:
    assert from_data(to_data(expectation)) == expectation


@given(expectations, st.text(LETTERS, max_size=8))
def test_the_answers_that_are_named_are_those_of_the_expectation(expectation: tuple[Node, ...], word: str) -> None:
    for path in match(expectation, seen(word)):
        for clause, named in path.answers.items():
            answers = [node.answers for node in expectation if isinstance(node, OneOf) and node.clause == clause]
            names = named.split(", ")
            assert len(names) == len(set(names)) <= len(answers)
            assert all(any(name in accepted for accepted in answers) for name in names)
