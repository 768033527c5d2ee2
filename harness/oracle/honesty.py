"""Holds what an adapter says against what the harness knows by itself: when a line arrived, and who logged in.

Every verdict rests on the times that an adapter stamps. They are true to within the measured errors, or nothing can be
said. What is found here is laid on the adapter, and takes the place of every verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from harness.oracle.budget import NS_PER_S
from harness.oracle.expect import AT_ONCE_S
from harness.oracle.history import History, is_callback
from harness.spec.timing import ns
from harness.trace import Observation, What


def dishonest(history: History) -> Iterator[str]:
    """Yield what an adapter has said that cannot be true."""
    for person in history.people:
        yield from _stamps(person, history)
        yield from _answers(person, history)
        yield from _logins(person, history)


def _stamps(person: str, history: History) -> Iterator[str]:
    """Hold each stamp against the time at which its line arrived, and against the stamp of the line before."""
    latest_ns = 0
    for seen in history.of(person):
        if seen.arrived_ns is None:
            continue
        clock_ns = history.budget.declared(person).clock_error_ns
        ahead_ns = seen.at_ns - seen.arrived_ns
        if ahead_ns > clock_ns:
            yield f"{person}: {seen.name} is stamped {_s(ahead_ns)} after the harness had heard of it"
        # What is written at once arrives at once: later than that, the host must have held something up.
        late_ns = history.budget.heard_late_ns(person, seen.at_ns, seen.arrived_ns)
        is_late = -ahead_ns > ns(AT_ONCE_S) + late_ns
        if is_late and not history.is_disturbed(seen.at_ns, seen.arrived_ns):
            held = f"while nothing here was late by more than {_s(late_ns)}"
            yield f"{person}: {seen.name} was heard of {_s(-ahead_ns)} after its stamp, {held}"
        # Two threads of an adapter may stamp and write in different orders, but not by more than the error of times.
        if latest_ns - seen.at_ns > late_ns:
            yield f"{person}: {seen.name} is stamped {_s(latest_ns - seen.at_ns)} before what was written earlier"
        latest_ns = max(latest_ns, seen.at_ns)


def _answers(person: str, history: History) -> Iterator[str]:
    """See to it that no call was answered before it was made."""
    asked: dict[str, int] = {}
    for seen in (each for each in history.trace if each.source == person):
        if seen.what is What.CALL:
            asked.setdefault(seen.name, seen.at_ns)
        elif seen.what is What.RETURN and seen.name in asked:
            early_ns = asked.pop(seen.name) - seen.at_ns
            if early_ns > history.budget.declared(person).clock_error_ns:
                yield f"{person}: {seen.name} is stamped as answered {_s(early_ns)} before it was called"


def _logins(person: str, history: History) -> Iterator[str]:
    """See to it that nobody was told more often that he is connected than the server has seen him log in."""
    if any(each.what is What.SERVER and each.name != "ban" for each in history.trace):
        return  # a server that was restarted has forgotten what it saw
    for uid in sorted(history.uids(person)):
        told = sum(_connected(history.of(each)) for each in history.with_uid(uid))
        seen = max((each.args["logins"] for each in history.trace if _counts(each, uid, history)), default=told)
        if told > seen:
            yield f"{person}: was told {told} times that {uid} is connected, and the server saw {seen} logins"


def _counts(seen: Observation, uid: str, history: History) -> bool:
    return seen.what is What.COUNTED and "logins" in seen.args and history.uids(seen.source) == {uid}


def _connected(observations: Sequence[Observation]) -> int:
    """Count the ways into CONNECTED; one that is told twice is a broken rule, and no login that never was."""
    told = [each.args["state"] for each in observations if is_callback(each, "onConnectionStateChanged")]
    return sum(state == "CONNECTED" != before for before, state in pairwise(["", *told]))


def _s(duration_ns: int) -> str:
    return f"{duration_ns / NS_PER_S:.3f} s"
