"""Whether two worlds agree: the same scenarios played twice, over real links or in virtual time, and judged alike.

Two traces of a scenario agree where they have the same verdict for the same reason, where each person's sequence fills
the same steps of the same expectation, and where no timed step is farther apart than ``Allowed`` says. What a one_of
leaves open is listed and is no difference; the order of what stands in an any_order is not looked at.

Where both traces pass, their times are within what is allowed, for the judge has held each of them against its window:
it is how far apart they really are (``Agreement.farthest``) that says more than the two verdicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product, takewhile, zip_longest
from typing import Any

import msgspec
from msgspec import structs

from harness.oracle import expect
from harness.oracle.budget import NS_PER_S, Budget
from harness.oracle.expect import AnyOrder, Node, OneOf, Step, Window
from harness.oracle.explain import at_of, describe
from harness.oracle.judge import judge, seen_by
from harness.oracle.matching import Path, match
from harness.oracle.verdict import Judgement
from harness.trace import Observation, What


@dataclass(frozen=True, slots=True)
class Allowed:
    """How far apart a timed step may be in two worlds, and why (nanoseconds).

    ``range_ns`` is the clause's own: due between 8 and 9 s, an implementation is free to choose, each time anew.
    ``declared_ns`` are the intervals that the step names as its margins: when within its heartbeat, or its wait for the
    next attempt, a client was struck is chance. ``error_ns`` is how far each of the two times can be from the true one
    (the judge's budget). ``anchor_ns`` is for how long the moment that the step counts from lasted.
    """

    range_ns: int
    declared_ns: int
    error_ns: int
    anchor_ns: int

    @property
    def open_ns(self) -> int:
        """What the scenario leaves open to the implementation."""
        return self.range_ns + self.declared_ns

    @property
    def total_ns(self) -> int:
        """All of it."""
        return self.open_ns + self.error_ns + self.anchor_ns


@dataclass(frozen=True, slots=True)
class Times:
    """A timed step in both worlds: how long after its cause it came (nanoseconds)."""

    scenario: str
    person: str
    step: str
    one_ns: int
    other_ns: int
    allowed: Allowed

    @property
    def apart_ns(self) -> int:
        """How far apart the two are."""
        return abs(self.one_ns - self.other_ns)


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in which two worlds do not agree: where, and what each of them says; ``times`` if it is a time."""

    scenario: str
    person: str  # empty where it is about the whole scenario
    step: str
    one: str
    other: str
    times: Times | None = None


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """A clause that accepts several answers, and that was answered differently; what lies inside is not compared."""

    scenario: str
    person: str
    clause: str
    one: str
    other: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was compared of two worlds, and what came of it."""

    scenarios: int = 0
    steps: int = 0
    times: tuple[Times, ...] = ()
    left_open: tuple[LeftOpen, ...] = ()
    differences: tuple[Difference, ...] = ()

    def __add__(self, more: Agreement) -> Agreement:
        """Both together."""
        return Agreement(
            self.scenarios + more.scenarios,
            self.steps + more.steps,
            self.times + more.times,
            self.left_open + more.left_open,
            self.differences + more.differences,
        )

    @property
    def agree(self) -> bool:
        """Whether there is no difference. Where nothing was compared, nothing agrees."""
        return self.scenarios > 0 and not self.differences

    def farthest(self, *, free: bool) -> Times | None:
        """Return the step whose times are farthest apart; of those that leave the implementation free, or the rest."""
        times = (each for each in self.times if (each.allowed.open_ns > 0) is free)
        return max(times, key=lambda each: each.apart_ns, default=None)


def compare_runs(one: Iterable[Sequence[Observation]], other: Iterable[Sequence[Observation]]) -> Agreement:
    """Compare two runs, scenario by scenario; each is given as its traces.

    Raises:
        JudgeError: a trace of them cannot be judged.
    """
    ones, others = ({trace[0].name: trace for trace in traces} for traces in (one, other))
    whole = Agreement()
    for scenario in sorted(ones.keys() | others.keys()):
        if scenario in ones and scenario in others:
            whole += compare(ones[scenario], others[scenario])
        else:
            said = ("played", "not played") if scenario in ones else ("not played", "played")
            whole += Agreement(differences=(Difference(scenario, "", "", *said),))
    return whole


def compare(one: Sequence[Observation], other: Sequence[Observation]) -> Agreement:
    """Compare two traces of one scenario.

    Raises:
        JudgeError: one of them cannot be judged.
    """
    worlds = (_World(one), _World(other))
    whole = Agreement(scenarios=1, differences=_verdicts(*worlds))
    for person in sorted(worlds[0].expected.keys() | worlds[1].expected.keys()):
        whole += _of_person(person, *worlds)
    return whole


def render(difference: Difference) -> str:
    """Return a difference as two lines; the two worlds are called RUN and OTHER."""
    where = ": ".join(filter(None, (difference.scenario, difference.person, difference.step)))
    text = f"{where}\n  RUN: {difference.one}; OTHER: {difference.other}"
    return text if difference.times is None else f"{text}; {apart(difference.times)}"


def apart(times: Times) -> str:
    """Return how far apart two times are, how far they may be, and why."""
    allowed = times.allowed
    parts = {
        "the clause's range": allowed.range_ns,
        "declared intervals": allowed.declared_ns,
        "error of both": allowed.error_ns,
        "length of the cause": allowed.anchor_ns,
    }
    why = ", ".join(f"{name} {_s(size_ns)}" for name, size_ns in parts.items() if size_ns)
    return f"{_s(times.apart_ns)} apart, {_s(allowed.total_ns)} allowed ({why})"


def _s(size_ns: int) -> str:
    return f"{size_ns / NS_PER_S:.3f} s"


# ------------------------------------------------------------------------------------------------- one of the worlds


class _World:
    """One of the two worlds: what it recorded of a scenario, and what the judge says of that."""

    def __init__(self, trace: Sequence[Observation]) -> None:
        named = _name_tokens(trace)
        self.judgement = judge(named)
        # What comes after the end is teardown, and nothing that is judged.
        self.trace = list(takewhile(lambda each: each.what is not What.END, named))
        self.budget = Budget(self.trace)
        self.expected: dict[str, list[list[Any]]] = {}
        for each in self.trace:
            if each.what is What.EXPECTED:
                self.expected.setdefault(each.source, []).append(each.args["sequence"])

    def says(self) -> str:
        """Return the verdict with the first line of its reason."""
        reason = self.judgement.reason.partition("\n")[0]
        return f"{self.judgement.verdict} {reason}".strip()

    def readings(self, person: str, sequence: list[Any]) -> list[_Reading]:
        """Return every way to read what a person saw; where none is whole, the one that gets furthest."""
        nodes, seen = expect.from_data(sequence), seen_by(person, self.trace)
        return [_Reading(self, person, nodes, path, seen) for path in match(nodes, seen)]


def _name_tokens(trace: Sequence[Observation]) -> list[Observation]:
    """Return a trace with its tokens named in the order in which they came up: each run signs its own."""
    names: dict[str, str] = {}

    def named(data: Any, key: str = "") -> Any:
        if isinstance(data, dict):
            return {inner: named(value, inner) for inner, value in data.items()}
        if isinstance(data, list | tuple):
            return [named(each) for each in data]
        return names.setdefault(data, f"token {len(names) + 1}") if key == "token" and isinstance(data, str) else data

    return [structs.replace(each, args=named(each.args)) for each in trace]


@dataclass(frozen=True, slots=True)
class _Slot:
    """A step of an expectation; if it stands in a one_of: in which (its place and its clause), and in which answer."""

    step: Step
    one_of: tuple[int, str] | None = None
    answer: str = ""


@dataclass(frozen=True, slots=True)
class _Elapsed:
    """How long after its cause a step came in one world, and what is known of that (nanoseconds)."""

    elapsed_ns: int
    error_ns: int
    anchor_ns: int
    early_ns: int
    late_ns: int


class _Reading:
    """A way to read what a person saw: which slot of the expectation each observation fills."""

    def __init__(
        self, world: _World, person: str, nodes: tuple[Node, ...], path: Path, seen: Sequence[Observation]
    ) -> None:
        self._world = world
        self.scenario = world.judgement.scenario
        self.person = person
        self.slots = list(_slots(nodes))
        # By identity: a path holds the very steps of the expectation, and two that are equal are two slots.
        places = {id(slot.step): place for place, slot in enumerate(self.slots)}
        self.filled = {places[id(step)]: each for step, each in zip(path.steps, seen, strict=False)}
        self.stray = "".join(describe(each) for each in seen[len(self.filled) :][:1])  # the first that fills none
        told = (self.slots[place] for place in self.filled)
        self.answers = {slot.one_of: slot.answer for slot in told if slot.one_of is not None}
        for place, node in enumerate(nodes):
            if isinstance(node, OneOf) and (place, node.clause) not in self.answers and path.due is None:
                # All was matched, and nothing of it is an answer to this: so it is the answer without steps.
                self.answers[place, node.clause] = next(name for name, steps in node.answers.items() if not steps)

    def says(self, place: int) -> str:
        """Return what was seen in the place of a slot."""
        if place in self.filled:
            return f"seen {_s(self.filled[place].at_ns - self._world.trace[0].at_ns)} after the scenario began"
        return f"not seen, but {self.stray}" if self.stray else "not seen"

    def elapsed(self, place: int, window: Window) -> _Elapsed:
        """Return how long after its cause the step of a slot came."""
        timed = self._world.budget.hold(self.person, window, self.filled[place])
        declared = self._world.budget.declared(self.person)
        return _Elapsed(
            elapsed_ns=round(timed.elapsed_s * NS_PER_S),
            error_ns=round(timed.error_s * NS_PER_S),
            anchor_ns=window.to_ns - window.from_ns,
            early_ns=sum(declared.margin_ns(name) for name in window.early),
            late_ns=sum(declared.margin_ns(name) for name in window.late),
        )


def _slots(nodes: tuple[Node, ...]) -> Iterator[_Slot]:
    """Yield each step of an expectation in the order of writing."""
    for place, node in enumerate(nodes):
        if isinstance(node, Step):
            yield _Slot(node)
        elif isinstance(node, AnyOrder):
            yield from map(_Slot, node.steps)
        elif isinstance(node, OneOf):
            for name, steps in node.answers.items():
                yield from (_Slot(step, (place, node.clause), name) for step in steps)


# ------------------------------------------------------------------------------------------------------- side by side


def _verdicts(one: _World, other: _World) -> tuple[Difference, ...]:
    if _why(one.judgement) == _why(other.judgement):
        return ()
    return (Difference(one.judgement.scenario, "", "", one.says(), other.says()),)


def _why(judgement: Judgement) -> tuple[str, str]:
    """Return a verdict and its reason without measured times: those are compared step by step."""
    reason = judgement.reason
    for check in judgement.checks:
        if check.measured is not None:
            reason = reason.replace(check.what, "out of time")
    return judgement.verdict, reason


def _of_person(person: str, one: _World, other: _World) -> Agreement:
    ones, others = one.expected.get(person, []), other.expected.get(person, [])
    for said in zip_longest(_undated(ones), _undated(others), fillvalue="nothing"):
        if said[0] != said[1]:
            found = Difference(one.judgement.scenario, person, "what is expected", *said)
            return Agreement(differences=(found,))
    whole = Agreement()
    for sequence, same in zip(ones, others, strict=True):
        # Where it can be read in several ways, the two worlds are read as much alike as they can be.
        ways = product(one.readings(person, sequence), other.readings(person, same))
        whole += min((_side_by_side(*way) for way in ways), key=_unlikeness)
    return whole


def _undated(sequences: list[list[Any]]) -> Iterator[str]:
    """Yield what is expected, node by node, without the moments that windows count from: each world has its own."""
    for sequence in sequences:
        for node in sequence:
            yield msgspec.json.encode(_without_moments(node)).decode()
        yield "nothing more"


def _without_moments(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_moments(value) for key, value in data.items() if key not in ("from_ns", "to_ns")}
    return [_without_moments(each) for each in data] if isinstance(data, list) else data


def _unlikeness(compared: Agreement) -> tuple[int, int, int]:
    return len(compared.differences), len(compared.left_open), sum(each.apart_ns for each in compared.times)


def _side_by_side(one: _Reading, other: _Reading) -> Agreement:
    told = ((place, name, other.answers[place]) for place, name in one.answers.items() if place in other.answers)
    left_open = {
        place: LeftOpen(one.scenario, one.person, place[1], name, another)
        for place, name, another in told
        if name != another
    }
    places = [place for place, slot in enumerate(one.slots) if slot.one_of not in left_open]
    both = [place for place in places if place in one.filled and place in other.filled]
    times = tuple(each for place in both for each in _times(one, other, place))
    differences = (*_sequences(one, other, places), *_too_far(times))
    return Agreement(0, len(both), times, tuple(left_open.values()), differences)


def _sequences(one: _Reading, other: _Reading, places: Sequence[int]) -> Iterator[Difference]:
    """Yield the first slot that one of the two fills and the other does not; or else, what came after them."""
    for place in places:
        if (place in one.filled) is not (place in other.filled):
            step = at_of(one.slots[place].step)
            yield Difference(one.scenario, one.person, step, one.says(place), other.says(place))
            return
    if one.stray != other.stray:
        yield Difference(one.scenario, one.person, "what comes next", one.stray or "nothing", other.stray or "nothing")


def _times(one: _Reading, other: _Reading, place: int) -> Iterator[Times]:
    """Yield the two times of a slot, if it is timed."""
    step, window, same = one.slots[place].step, one.slots[place].step.window, other.slots[place].step.window
    if window is None or same is None:  # both or neither: the two expect the same
        return
    a, b = one.elapsed(place, window), other.elapsed(place, same)
    allowed = Allowed(
        range_ns=round(window.latest_s * NS_PER_S) - round(window.earliest_s * NS_PER_S),
        # One of them as early as it may be, and the other as late.
        declared_ns=max(a.early_ns + b.late_ns, a.late_ns + b.early_ns),
        error_ns=a.error_ns + b.error_ns,
        # Counted from its beginning, the moment makes each time longer and none shorter: so the greater counts.
        anchor_ns=max(a.anchor_ns, b.anchor_ns),
    )
    yield Times(one.scenario, one.person, at_of(step), a.elapsed_ns, b.elapsed_ns, allowed)


def _too_far(times: Iterable[Times]) -> Iterator[Difference]:
    for each in times:
        if each.apart_ns > each.allowed.total_ns:
            said = f"after {_s(each.one_ns)}", f"after {_s(each.other_ns)}"
            yield Difference(each.scenario, each.person, each.step, *said, times=each)
