"""What became of each person in a trace, as spans of time: states, and whatever stood between a client and its server.

It is read by the rules that hold in every trace, whatever the scenario was (see invariants_timed).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from harness.oracle.budget import Budget
from harness.oracle.expect import AT_ONCE_S
from harness.oracle.troubles import Trouble, Troubles, link_troubles, server_troubles
from harness.spec.timing import ns
from harness.spec.transitions import INITIAL_STATE
from harness.trace import Observation, What


@dataclass(frozen=True, slots=True)
class Spell:
    """How long a client was in a state, by its own callbacks; ``entered`` is the one that told of it."""

    state: str
    entered: Observation | None
    from_ns: int
    to_ns: int
    following: Observation | None  # the callback that ended it; None where the trace, or a crash, did


class History:
    """A whole trace, read person by person."""

    def __init__(self, trace: Sequence[Observation], end_ns: int, budget: Budget) -> None:
        self.trace = trace
        self.budget = budget
        self.begin_ns, self.end_ns = trace[0].at_ns, end_ns
        self.people = list(dict.fromkeys(each.source for each in trace if each.what is What.DECLARED))
        self._of = {person: of_person(person, trace) for person in self.people}
        self._lived_until_ns = {person: self._end_of(person) for person in self.people}
        self._spells = {person: self._spells_of(person) for person in self.people}
        self._uids = {person: _uids_in(self.of(person)) for person in self.people}
        of_server = server_troubles(trace)
        self._troubles = {person: Troubles([*link_troubles(self.of(person)), *of_server]) for person in self.people}

    def of(self, person: str) -> Sequence[Observation]:
        """Return what a person's client was asked and said, in the order in which the harness asked and heard it."""
        return self._of[person]

    def beside_server(self, person: str) -> Sequence[Observation]:
        """Return the same, and what was done to the server after the person was there."""
        first_ns = self.of(person)[0].at_ns
        deeds = [each for each in self.trace if each.what is What.SERVER and each.at_ns > first_ns]
        return _in_order([*self.of(person), *deeds])

    def is_disturbed(self, from_ns: int, to_ns: int) -> bool:
        """Return whether the host was late in this span by so much that nothing in it is held against anybody."""
        return self.budget.disturbed_ns(from_ns, to_ns) > 0

    def lived_until_ns(self, person: str) -> int:
        """Return when a person's client was killed, or when the trace ends."""
        return self._lived_until_ns[person]

    def spell_around(self, person: str, at_ns: int) -> Spell | None:
        """Return the spell in which this moment lies, and is not its first."""
        index = bisect_left(self._spells[person], at_ns, key=lambda spell: spell.from_ns)
        return self._spells[person][index - 1] if index and at_ns < self._spells[person][index - 1].to_ns else None

    def spells(self, person: str, *states: str) -> list[Spell]:
        """Return when a client was in one of these states, by its own callbacks, up to its end; by default in any."""
        return [spell for spell in self._spells[person] if not states or spell.state in states]

    def troubles(self, person: str) -> list[Trouble]:
        """Return all that stood between a person's client and its server, in the order in which it began."""
        return self._troubles[person].all

    def troubles_during(self, person: str, from_ns: int, to_ns: int) -> list[Trouble]:
        """Return those of them that were there in this span, some time between its ends."""
        return self._troubles[person].during(from_ns, to_ns)

    def lone_troubles(self, person: str, apart_ns: int) -> Iterator[Trouble]:
        """Yield each of them that no other is beside, and before which all was over for so long."""
        return self._troubles[person].alone(apart_ns)

    def outages(self, person: str, back_ns: int, by_ns: int) -> Iterator[tuple[int, int]]:
        """Yield when a client can have been cut off, the latest first; see ``Troubles.outages``."""
        return self._troubles[person].outages(back_ns, by_ns)

    def uids(self, person: str) -> set[str]:
        """Return the uids that a person has logged in with, or has tried to."""
        return self._uids.get(person, set())

    def with_uid(self, uid: str) -> list[str]:
        """Return those who have logged in with this uid, or have tried to."""
        return [person for person in self.people if uid in self.uids(person)]

    def back_ns(self, person: str, error_ns: int) -> int:
        """Return how long after an outage a client is back at the latest, as ``back`` of the losses has it.

        That is the declared time to the attempt that uses the link, which then succeeds at once.
        """
        return self.budget.declared(person).retry_ns + ns(AT_ONCE_S) + 2 * error_ns

    def _end_of(self, person: str) -> int:
        crashes = (each.at_ns for each in self.of(person) if each.what is What.FAULT and each.name == "crash")
        return min(crashes, default=self.end_ns)

    def _spells_of(self, person: str) -> list[Spell]:
        switches = [each for each in self.of(person) if is_callback(each, "onConnectionStateChanged")]
        entries: list[Observation | None] = [None, *switches]
        spells = []
        for entered, following in zip(entries, [*switches, None], strict=True):
            state = INITIAL_STATE.name if entered is None else str(entered.args["state"])
            from_ns = self.begin_ns if entered is None else entered.at_ns
            to_ns = self.lived_until_ns(person) if following is None else following.at_ns
            spells.append(Spell(state, entered, from_ns, to_ns, following))
        return spells


def of_person(person: str, trace: Sequence[Observation]) -> list[Observation]:
    """Return what a person's client was asked and said, in the order in which the harness asked and heard it."""
    # An answer is put down when whoever asked goes on, by when a callback that was said later may be down already.
    return _in_order(each for each in trace if each.source == person)


def _uids_in(observations: Sequence[Observation]) -> set[str]:
    return {str(args.get("uid")) for args in calls_of(observations, "login")}


def _in_order(observations: Iterable[Observation]) -> list[Observation]:
    return sorted(observations, key=lambda each: each.at_ns if each.arrived_ns is None else each.arrived_ns)


def is_callback(seen: Observation, *names: str) -> bool:
    """Return whether this is a callback of one of these names."""
    return seen.what is What.CALLBACK and seen.name in names


def calls_of(observations: Sequence[Observation], name: str) -> Iterator[dict[str, object]]:
    """Yield the arguments of each call of this name, made by the harness or from inside a callback."""
    for seen in observations:
        made = called(seen, name)
        if made is not None:
            yield made


def called(seen: Observation, name: str) -> dict[str, object] | None:
    """Return the arguments of a call of this name, made by the harness or set up for a callback; else None."""
    if seen.what is not What.CALL:
        return None
    if seen.name == name:
        return seen.args
    if seen.name == "react" and seen.args.get("call") == name:
        args: dict[str, object] = seen.args.get("args", {})
        return args
    return None
