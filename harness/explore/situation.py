"""What may follow what: the state of links, partition, clients and server after some steps, without any of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from harness.explore.schedule import (
    FAULTS,
    Ban,
    Crash,
    Heal,
    Lose,
    Mend,
    Part,
    Schedule,
    Serve,
    Someone,
    Step,
    Wait,
)
from harness.world.engine import TO_CLIENT, TO_SERVER


class Situation:
    """What there is after the steps that it was told of."""

    def __init__(self, people: Iterable[Someone]) -> None:
        self.people = {each.name: each for each in people}
        self.faults: dict[str, list[str]] = {name: [] for name in self.people}
        self.parted: tuple[str, ...] = ()
        self.crashed: set[str] = set()
        self.server = "up"  # or "down", or "still"

    def allows(self, step: Step) -> bool:
        """Return whether a step can be made now."""
        match step:
            case Wait():
                return True
            case Ban(uid):
                return self.server == "up" and any(each.uid == uid for each in self.people.values())
            case Serve(deed):
                return self.server in {"start": ("down",), "resume": ("still",), "suspend": ("up",)}.get(
                    deed, ("up", "still")
                )
            case Mend():
                return bool(self.parted)
            case Part(cut_off):
                return self._can_part(cut_off)
            case _:
                return step.who in self.people and step.who not in self.crashed and self._allows_link(step)

    def _allows_link(self, step: Step) -> bool:
        if isinstance(step, Heal):
            return step.fault in self.faults[step.who]
        if isinstance(step, Lose):
            return self._is_free(step.who, FAULTS[step.fault].holds)
        return True

    def _can_part(self, cut_off: tuple[str, ...]) -> bool:
        # A partition crosses the links as blackholes do.
        there = bool(cut_off) and all(name in self.people and name not in self.crashed for name in cut_off)
        return there and not self.parted and all(self._is_free(name, (TO_SERVER, TO_CLIENT)) for name in cut_off)

    def _is_free(self, name: str, parts: tuple[str, ...]) -> bool:
        held = set(itertools.chain.from_iterable(FAULTS[fault].holds for fault in self.faults[name]))
        if name in self.parted:
            held |= {TO_SERVER, TO_CLIENT}
        return not held & set(parts)

    def take(self, step: Step) -> None:
        """Take note of a step that was made."""
        match step:
            case Lose(who, fault):
                self.faults[who].append(fault)
            case Heal(who, fault):
                self.faults[who].remove(fault)
            case Part(cut_off):
                self.parted = cut_off
            case Mend():
                self.parted = ()
            case Crash(who):
                self.crashed.add(who)
            case Serve(deed):
                self.server = {"kill": "down", "suspend": "still"}.get(deed, "up")
            case _:
                pass  # a call, a ban or a wait stands in no later step's way


def closing(schedule: Schedule) -> tuple[Step, ...]:
    """Return what puts everything right again after a schedule: no fault, no partition, and a server that answers."""
    situation = Situation(schedule.people)
    for step in schedule.steps:
        situation.take(step)
    steps: list[Step] = [Mend()] if situation.parted else []
    steps += [Heal(name, fault) for name, faults in situation.faults.items() for fault in reversed(faults)]
    if situation.server != "up":
        steps.append(Serve("start" if situation.server == "down" else "resume"))
    return tuple(steps)


def repaired(people: Iterable[Someone], steps: Iterable[Step]) -> Schedule:
    """Return a schedule of those steps that can be made in this order, and of those people whom they are about."""
    situation = Situation(people)
    kept: list[Step] = []
    for step in steps:
        if situation.allows(step):
            situation.take(step)
            kept.append(step)
    named = {name for step in kept for name in _names(step)}
    banned = {step.uid for step in kept if isinstance(step, Ban)}
    concerned = tuple(each for each in situation.people.values() if each.name in named or each.uid in banned)
    return Schedule(concerned, tuple(kept))


def _names(step: Step) -> tuple[str, ...]:
    if isinstance(step, Part):
        return step.cut_off
    return () if isinstance(step, (Mend, Ban, Serve, Wait)) else (step.who,)
