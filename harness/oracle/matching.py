"""Compares a whole sequence with what was expected: nothing missing, nothing extra, nothing in the wrong place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

import msgspec

from harness.oracle.expect import AnyOrder, Node, Nothing, OneOf, Step
from harness.trace import Observation

# Both sequences of a path are chains, each sharing all but its front with the path before it: a step then costs the
# same after ten thousand observations as after ten.


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Taken:
    """A step that was matched, by which clauses nothing was to come before it, and what was matched before."""

    step: Step
    silent: tuple[str, ...]
    before: _Taken | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _Due:
    """What is expected next, and what after that."""

    node: Node
    then: _Due | None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Path:
    """One way to read an expectation, as far as the seen sequence followed it."""

    taken: _Taken | None = None
    due: _Due | None = None
    silent: tuple[str, ...] = ()  # the clauses by which nothing was to happen where it stopped
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that were matched, one for each observation."""
        return tuple(taken.step for taken in self._all_taken())

    @property
    def kept_silent(self) -> tuple[tuple[str, ...], ...]:
        """For each matched step, the clauses by which nothing was to come before it, and nothing did."""
        return tuple(taken.silent for taken in self._all_taken())

    @property
    def rest(self) -> tuple[Node, ...]:
        """What was still expected where it stopped."""
        nodes = []
        due = self.due
        while due is not None:
            nodes.append(due.node)
            due = due.then
        return tuple(nodes)

    def _all_taken(self) -> Iterator[_Taken]:
        backwards = []
        taken = self.taken
        while taken is not None:
            backwards.append(taken)
            taken = taken.before
        return reversed(backwards)


def fits(step: Step, seen: Observation) -> bool:
    """Whether an observation is what a step expects."""
    if step.name != seen.name or step.args != seen.args:
        return False
    # To Python 1 equals true, and 1.0 equals 1; to an SDK they are different answers.
    return msgspec.json.encode(step.args, order="sorted") == msgspec.json.encode(seen.args, order="sorted")


def match(nodes: tuple[Node, ...], seen: Sequence[Observation]) -> list[Path]:
    """Follow the seen sequence through an expectation.

    Return every full match (each observation has its step, and ``due`` is empty) in the order of writing; where there
    is none, the one path that got furthest.
    """
    paths = _open(Path(due=_chain(nodes, None)))
    best = paths[0]
    for observation in seen:
        paths = [further for path in paths for further in _advance(path, observation)]
        if not paths:
            return [best]
        best = paths[0]
    return [path for path in paths if path.due is None] or [best]


def _chain(nodes: tuple[Node, ...], then: _Due | None) -> _Due | None:
    for node in reversed(nodes):
        then = _Due(node, then)
    return then


def _open(path: Path) -> list[Path]:
    """Resolve what stands at the front of a path until it is a step, or a set of steps in any order, or the end."""
    if path.due is None:
        return [path]
    front, then = path.due.node, path.due.then
    if isinstance(front, Nothing):
        return _open(Path(path.taken, then, (*path.silent, *front.clauses), path.answers))
    if isinstance(front, OneOf):
        answered = (
            Path(path.taken, _chain(steps, then), path.silent, _answered(path.answers, front.clause, name))
            for name, steps in front.answers.items()
        )
        return [opened for each in answered for opened in _open(each)]
    if isinstance(front, AnyOrder) and not front.steps:
        return _open(Path(path.taken, then, path.silent, path.answers))
    return [path]


def _advance(path: Path, observation: Observation) -> list[Path]:
    """Return every path that takes this observation as its next."""
    if path.due is None:
        return []
    front, then = path.due.node, path.due.then
    if isinstance(front, Step):
        return _take(path, front, then) if fits(front, observation) else []
    assert isinstance(front, AnyOrder)  # _open leaves nothing else at the front
    paths: list[Path] = []
    tried = []
    for index, step in enumerate(front.steps):
        # Where several fit, they differ in when they are due, or it does not matter which of them is taken.
        if fits(step, observation) and step.window not in tried:
            tried.append(step.window)
            others = AnyOrder(front.steps[:index] + front.steps[index + 1 :])
            paths += _take(path, step, _Due(others, then))
    return paths


def _answered(answers: dict[str, str], clause: str, name: str) -> dict[str, str]:
    """Add the name of an answer; a clause can be answered several times, in one way or another."""
    names = [*answers[clause].split(", "), name] if clause in answers else [name]
    return {**answers, clause: ", ".join(dict.fromkeys(names))}


def _take(path: Path, step: Step, due: _Due | None) -> list[Path]:
    return _open(Path(_Taken(step, path.silent, path.taken), due, (), path.answers))


def remaining_steps(path: Path) -> tuple[Step, ...]:
    """Return the steps that were still due where a path stopped, in the order of writing (the first answer of each)."""
    steps: list[Step] = []
    for node in path.rest:
        if isinstance(node, Step):
            steps.append(node)
        elif isinstance(node, AnyOrder):
            steps.extend(node.steps)
        elif isinstance(node, OneOf):
            steps.extend(next(iter(node.answers.values())))
    return tuple(steps)


def align(path: Path, seen: Sequence[Observation]) -> list[tuple[Step | None, Observation | None]]:
    """Put expected and seen side by side for a reader; a gap on either side is None."""
    # What the judge has matched stays together; only of what follows is it a guess what belongs to what.
    pairs: list[tuple[Step | None, Observation | None]] = list(zip(path.steps, seen, strict=False))
    expected, left = remaining_steps(path), seen[len(pairs) :]
    keys = [_key(step.name, step.args) for step in expected]
    blocks = SequenceMatcher(a=keys, b=[_key(each.name, each.args) for each in left], autojunk=False)
    for tag, e0, e1, s0, s1 in blocks.get_opcodes():
        if tag == "equal":
            pairs += zip(expected[e0:e1], left[s0:s1], strict=True)
        else:
            pairs += [(step, None) for step in expected[e0:e1]]
            pairs += [(None, observation) for observation in left[s0:s1]]
    return pairs


def _key(name: str, args: dict[str, object]) -> str:
    return f"{name}{sorted(args.items())}"
