"""A scenario as a picture: who was in which state, what was done to whom, what was due when, and what went wrong.

Times are seconds after the beginning of the trace, as in the two columns. Nothing is drawn here (see drawing).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.oracle.budget import NS_PER_S, TIMER_TICK_NS, Budget
from harness.oracle.explain import phrase
from harness.oracle.history import History
from harness.oracle.troubles import FOR_EVER_NS, Trouble
from harness.oracle.verdict import Check, Column, Judgement, Row, Verdict
from harness.trace import Observation, What

# A rule that holds in every trace says in these words when it was broken.
_AT = re.compile(r"\bat (\d+\.\d{3}) s")
# Of a host that disturbed a scenario, the delays that are shown: the longest tell the story.
_DELAYS_SHOWN = 10
_FAULTS_OF_A_PERSON = ("crash",)  # what is done to the client itself, and not to its link


class LaneKind(StrEnum):
    """Whose lane it is."""

    PERSON = "person"
    LINK = "link"
    SERVER = "server"
    HOST = "host"


class MarkKind(StrEnum):
    """What happened at a moment."""

    CALLBACK = "callback"
    CALL = "call"
    ANSWER = "answer"  # of a call, where it says more than 'ok'
    DEED = "deed"  # something was done to the client or the server, which lasts no time
    STOP = "stop"  # the scenario itself could not go on


@dataclass(frozen=True, slots=True)
class Band:
    """A state that a client was in, by its own callbacks; ``reason`` is why it entered it."""

    state: str
    reason: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Span:
    """A fault, from when it can have taken effect to when it was healed; ``ended`` is false where it never was."""

    name: str
    from_s: float
    to_s: float
    ended: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one moment."""

    kind: MarkKind
    at_s: float
    text: str


@dataclass(frozen=True, slots=True)
class Due:
    """From when to when a step was due; ``flaw`` is the number of what is wrong with it, or 0."""

    text: str
    from_s: float
    to_s: float
    flaw: int = 0


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is wrong with what a person saw, and the place to point at. Numbered through the whole scenario.

    ``row`` is where the two columns part; None where a rule is broken that holds in every trace, whatever was expected.
    """

    number: int
    person: str
    fault: str
    at_s: float
    row: Row | None = None
    clause: str = ""


@dataclass(slots=True)
class Lane:
    """What happened to one of them."""

    name: str
    kind: LaneKind
    bands: list[Band] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    dues: list[Due] = field(default_factory=list)
    flaws: list[Flaw] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Picture:
    """All lanes of a scenario, from when its first client was there to its end; ``stops`` are why it came to one."""

    from_s: float
    to_s: float
    lanes: tuple[Lane, ...]
    stops: tuple[Mark, ...] = ()

    def done(self) -> list[tuple[float, str, str]]:
        """Return what was done, in the order in which it was: when, to whom or by whom, and what."""
        found = []
        for lane in self.lanes:
            found += [(span.from_s, lane.name, _lasting(span)) for span in lane.spans]
            deeds = (mark for mark in lane.marks if mark.kind in (MarkKind.CALL, MarkKind.DEED))
            found += [(mark.at_s, lane.name, mark.text) for mark in deeds]
        return sorted(found, key=lambda each: each[0])

    def flaws(self) -> list[Flaw]:
        """Return everything that went wrong, by number."""
        return sorted((flaw for lane in self.lanes for flaw in lane.flaws), key=lambda flaw: flaw.number)


def _lasting(span: Span) -> str:
    return f"{span.name}, until {span.to_s:.3f} s" if span.ended else f"{span.name}, and never healed"


def numbered(judgement: Judgement) -> Iterator[tuple[Column, list[tuple[int, Row]]]]:
    """Yield each person's rows, those that are faulty with a number of their own, the others with 0."""
    number = 0
    for column in judgement.columns:
        rows = []
        for row in column.rows:
            number += bool(row.fault)
            rows.append((number if row.fault else 0, row))
        yield column, rows


def picture_of(trace: Sequence[Observation], judgement: Judgement) -> Picture | None:
    """Return the picture of a scenario; None where it came to an end before there was a client."""
    begin_ns = trace[0].at_ns
    end_ns = next((each.at_ns for each in trace if each.what is What.END), trace[-1].at_ns)
    declared_ns = {each.source: each.at_ns for each in reversed(trace) if each.what is What.DECLARED}
    if not declared_ns:
        return None
    history = History(trace, end_ns, Budget(trace))
    maker = _Maker(history, begin_ns, end_ns, declared_ns)
    lanes = [lane for person in history.people for lane in (maker.person(person), maker.link(person))]
    server = maker.server()
    if server.spans or server.marks:
        lanes.append(server)
    if judgement.verdict is Verdict.INCONCLUSIVE:
        lanes.append(maker.host())
    picture = Picture(maker.s(maker.from_ns), maker.s(end_ns), tuple(lanes), tuple(maker.stops()))
    _add_expectations(picture, judgement, trace)
    _add_broken_rules(picture, judgement)
    return picture


class _Maker:
    """Makes the lanes of one trace."""

    def __init__(self, history: History, begin_ns: int, end_ns: int, declared_ns: dict[str, int]) -> None:
        self._history = history
        self._begin_ns = begin_ns
        self._end_ns = end_ns
        self._declared_ns = declared_ns
        self.from_ns = min(declared_ns.values())

    def s(self, at_ns: int) -> float:
        """Return a time as the columns have it."""
        return (at_ns - self._begin_ns) / NS_PER_S

    def person(self, person: str) -> Lane:
        lane = Lane(person, LaneKind.PERSON)
        for spell in self._history.spells(person):
            from_ns = max(spell.from_ns, self._declared_ns[person])
            if from_ns <= spell.to_ns:
                reason = "" if spell.entered is None else str(spell.entered.args["reason"])
                lane.bands.append(Band(spell.state, reason, self.s(from_ns), self.s(spell.to_ns)))
        lane.marks += filter(None, (self._mark(each) for each in self._history.of(person)))
        return lane

    def _mark(self, seen: Observation) -> Mark | None:
        if seen.at_ns > self._end_ns:
            return None
        at_s = self.s(seen.at_ns)
        if seen.what is What.CALLBACK:
            return Mark(MarkKind.CALLBACK, at_s, phrase(seen.name, seen.args))
        if seen.what is What.CALL:
            return Mark(MarkKind.CALL, at_s, phrase(seen.name, seen.args))
        if seen.what is What.RETURN and seen.args != {"code": "OK"}:
            return Mark(MarkKind.ANSWER, at_s, phrase(seen.name, seen.args))
        if seen.what is What.FAULT and seen.name in _FAULTS_OF_A_PERSON:
            return Mark(MarkKind.DEED, at_s, seen.name)
        return None

    def link(self, person: str) -> Lane:
        of_link = (
            each
            for each in self._history.troubles(person)
            if each.done.what is What.FAULT and each.name not in _FAULTS_OF_A_PERSON
        )
        return Lane(f"{person}'s link", LaneKind.LINK, spans=self._spans(of_link))

    def server(self) -> Lane:
        # What is done to the server stands between it and everybody, so any person's troubles tell of it.
        someone = self._history.people[0]
        troubles = [each for each in self._history.troubles(someone) if each.done.what is What.SERVER]
        begun = {id(each.done) for each in troubles}
        # A server of the scenario's own is started before there is anybody: that is no part of the story.
        later = (each for each in self._history.trace if self.from_ns <= each.at_ns <= self._end_ns)
        deeds = [each for each in later if each.what is What.SERVER and id(each) not in begun]
        marks = [Mark(MarkKind.DEED, self.s(each.at_ns), phrase(each.name, _short(each))) for each in deeds]
        return Lane("server", LaneKind.SERVER, spans=self._spans(troubles), marks=marks)

    def host(self) -> Lane:
        """The longest times by which anything of the host or the harness ran late."""
        delays = [each for each in self._history.trace if each.what is What.DELAY and _lasted_ns(each) > TIMER_TICK_NS]
        longest = sorted(delays, key=_lasted_ns, reverse=True)[:_DELAYS_SHOWN]
        spans = [
            Span(
                f"{each.source} {_lasted_ns(each) / 1e6:.0f} ms late",
                self.s(each.at_ns),
                self.s(each.at_ns + _lasted_ns(each)),
                ended=True,
            )
            for each in sorted(longest, key=lambda each: each.at_ns)
        ]
        return Lane("host", LaneKind.HOST, spans=spans)

    def stops(self) -> Iterator[Mark]:
        """Yield what kept the scenario from going on."""
        for each in self._history.trace:
            if each.what in (What.ERROR, What.LATE, What.LACKING):
                yield Mark(MarkKind.STOP, self.s(min(each.at_ns, self._end_ns)), str(each.args["text"]))

    def _spans(self, troubles: Iterable[Trouble]) -> list[Span]:
        return [
            Span(each.name, self.s(each.from_ns), self.s(min(each.to_ns, self._end_ns)), ended=each.to_ns < FOR_EVER_NS)
            for each in troubles
            if each.from_ns <= self._end_ns
        ]


def _lasted_ns(delay: Observation) -> int:
    return 0 if delay.until_ns is None else delay.until_ns - delay.at_ns


def _short(deed: Observation) -> dict[str, object]:
    """Return what was done without its proof, which the trace keeps."""
    return {key: value for key, value in deed.args.items() if key != "proof"}


def _add_expectations(picture: Picture, judgement: Judgement, trace: Sequence[Observation]) -> None:
    """Put what was due, and what went wrong, into the lanes of those whom it is about."""
    lanes = {lane.name: lane for lane in picture.lanes if lane.kind is LaneKind.PERSON}
    in_vain = _waited_in_vain(trace)
    for column, rows in numbered(judgement):
        lane = lanes[column.person]
        for number, row in rows:
            # The row of what was waited for in vain has no window of its own: the scenario's patience is one.
            due_s = row.due_s or (in_vain.get(column.person) if row.fault and not row.seen else None)
            if due_s is not None:
                lane.dues.append(Due(row.expected, *due_s, number))
            if row.fault:
                ends_s = min(due_s[1], picture.to_s) if due_s else picture.to_s
                at_s = ends_s if row.at_s is None else row.at_s
                lane.flaws.append(Flaw(number, column.person, row.fault, at_s, row))


def _add_broken_rules(picture: Picture, judgement: Judgement) -> None:
    """Point at the rules that a person broke whose columns say nothing of it."""
    lanes = {lane.name: lane for lane in picture.lanes if lane.kind is LaneKind.PERSON and not lane.flaws}
    broken: dict[tuple[str, str], Check] = {}
    for check in judgement.checks:
        if check.verdict is not Verdict.PASS and check.person in lanes:
            # Several rules may be broken by the same: the first is named, the checks below the picture name them all.
            broken.setdefault((check.person, check.what), check)
    for number, check in enumerate(broken.values(), len(picture.flaws()) + 1):
        found = _AT.search(check.what)
        at_s = min(float(found[1]), picture.to_s) if found else picture.to_s
        lanes[check.person].flaws.append(Flaw(number, check.person, check.what, at_s, clause=check.clause))


def _waited_in_vain(trace: Sequence[Observation]) -> dict[str, tuple[float, float]]:
    """Return from when to when the scenario waited for something that never came, by person."""
    begin_ns = trace[0].at_ns
    return {
        each.source: ((each.at_ns - begin_ns) / NS_PER_S - each.args["within_s"], (each.at_ns - begin_ns) / NS_PER_S)
        for each in trace
        if each.what is What.AWAITED
    }
