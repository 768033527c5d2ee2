"""What could be a shorter schedule: without some steps, without somebody, with shorter waits.

Whoever shrinks plays the candidates, and goes on from one that still fails. Each is repaired: a step that cannot be
made any more, such as the healing of a fault that is not there, is left out with the one that it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.explore.schedule import Schedule, Send, SetAttributes, Someone, Step, Wait
from harness.explore.situation import repaired

ANSWER_S = 6.0  # an answer has 5 s
# Away from the server these return when they have timed out: a wait says better what they are there for then.
_ANSWERED_BY_THE_SERVER = (Send, SetAttributes)


def size(schedule: Schedule) -> tuple[int, int, int, float]:
    """Return how long a schedule is: its steps first, then its people, its hidden waits, and its time."""
    hidden = sum(isinstance(step, _ANSWERED_BY_THE_SERVER) for step in schedule.steps)
    return len(schedule.steps), len(schedule.people), hidden, schedule.waits_s


def candidates(schedule: Schedule, waits_s: Sequence[float]) -> list[Schedule]:
    """Return schedules that are shorter, the shortest first; ``waits_s`` are the waits that there may be."""
    tried = dict.fromkeys(_candidates(schedule, sorted(waits_s)))
    return sorted((each for each in tried if size(each) < size(schedule)), key=size)


def _candidates(schedule: Schedule, waits_s: Sequence[float]) -> Iterator[Schedule]:
    people, steps = schedule.people, schedule.steps
    for each in people:
        others = tuple(other for other in people if other != each)
        yield repaired(others, _without(steps, each, others))
    length = len(steps)
    while length > 1:
        length //= 2
        for start in range(0, len(steps), length):
            yield repaired(people, (*steps[:start], *steps[start + length :]))
    for first in range(len(steps)):
        for second in range(first + 1, len(steps)):
            # Two that only together can go: a fault and what was done in it.
            yield repaired(people, (*steps[:first], *steps[first + 1 : second], *steps[second + 1 :]))
    for index, step in enumerate(steps):
        if isinstance(step, (Wait, *_ANSWERED_BY_THE_SERVER)):
            longest_s = step.seconds if isinstance(step, Wait) else ANSWER_S
            for seconds in (each for each in waits_s if each < longest_s):
                yield repaired(people, (*steps[:index], Wait(seconds), *steps[index + 1 :]))


def _without(steps: Sequence[Step], who: Someone, others: Sequence[Someone]) -> list[Step]:
    """Return what is left of the steps when somebody is not there, nor anybody else of that uid."""
    uids = {each.uid for each in others}
    gone = {"who": (who.name,), "uid": () if who.uid in uids else (who.uid,)}
    return [step for step in steps if not any(getattr(step, field, None) in names for field, names in gone.items())]
