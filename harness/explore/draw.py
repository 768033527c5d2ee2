"""Draws schedules with Hypothesis: a state machine whose rules add one step each, of those that can be made next.

Drawing needs no world. What is done with a schedule when it is whole, is the caller's: it is handed over, and where the
caller raises, Hypothesis looks for the shortest schedule for which it does so too. The same seed draws the same.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import hypothesis
from hypothesis import configuration, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from harness.explore.schedule import (
    FAULTS,
    Ban,
    Crash,
    Heal,
    Join,
    Leave,
    Login,
    Logout,
    Lose,
    Mend,
    Part,
    RenewToken,
    Schedule,
    Send,
    Serve,
    SetAttributes,
    Someone,
    Step,
    Wait,
)
from harness.explore.situation import Situation, repaired

PEOPLE = (Someone("alice", "alice"), Someone("bob", "bob"), Someone("alice_too", "alice"), Someone("carol", "carol"))
CHANNELS = ("lobby", "hall")


@dataclass(frozen=True, slots=True)
class Shape:
    """What schedules are to be like.

    Waits lie around what the document counts: a heartbeat, 4 s, 6 s and 30 s, never on a boundary (OPEN-4).
    """

    waits_s: tuple[float, ...] = (0.3, 1.0, 2.0, 3.5, 4.7, 5.5, 6.7, 9.0, 14.0, 28.0, 33.0)
    total_s_max: float = 150.0
    steps_max: int = 14
    owns_server: tuple[bool, ...] = (False, True)


# For the real world, where time is what a schedule costs, and a server a process.
SHORT = Shape(
    waits_s=(0.3, 1.0, 2.0, 3.5, 4.7, 5.5, 6.7, 9.0),
    total_s_max=24.0,
    steps_max=12,
    owns_server=(False,) * 9 + (True,),
)

OnSchedule = Callable[[Schedule], None]


class Drawing(RuleBasedStateMachine):
    """One schedule while it is drawn; see ``draw``, which gives it what is None here."""

    shape: Shape
    on_schedule: OnSchedule

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self.situation = Situation(())
        self.may_serve = False
        self.left_s = self.shape.total_s_max

    @initialize(count=st.integers(1, len(PEOPLE)), data=st.data())
    def begin(self, count: int, data: st.DataObject) -> None:
        """Choose who there is, and whether they are online and in a channel to begin with."""
        people = PEOPLE[:count]
        self.situation = Situation(people)
        self.may_serve = data.draw(st.sampled_from(self.shape.owns_server))
        far = data.draw(st.integers(0, 2))
        if far > 0:
            for each in people:
                self._add(Login(each.name))
            self._add(Wait(1.0))
        if far > 1:
            for each in people:
                self._add(Join(each.name, CHANNELS[0]))
            self._add(Wait(0.3))

    @precondition(lambda self: self._waits())
    @rule(data=st.data())
    def wait(self, data: st.DataObject) -> None:
        """Let time pass."""
        self._draw(data, self._waits())

    @precondition(lambda self: self._waits())
    @rule(data=st.data())
    def wait_again(self, data: st.DataObject) -> None:
        """Let time pass: twice as often as any other step is drawn."""
        self._draw(data, self._waits())

    @precondition(lambda self: self._sessions())
    @rule(data=st.data())
    def log_in_or_out(self, data: st.DataObject) -> None:
        """Have an app log in, log out, or renew its token."""
        self._draw(data, self._sessions())

    @precondition(lambda self: self._channel_calls())
    @rule(data=st.data())
    def call(self, data: st.DataObject) -> None:
        """Have an app call for something that needs a session."""
        self._draw(data, self._channel_calls())

    @precondition(lambda self: self._losses())
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """Put a fault on a link."""
        self._draw(data, self._losses())

    @precondition(lambda self: self._healings())
    @rule(data=st.data())
    def heal(self, data: st.DataObject) -> None:
        """Take a fault away, or bring the server back."""
        self._draw(data, self._healings())

    @precondition(lambda self: self._deeds())
    @rule(data=st.data())
    def do_to_the_system(self, data: st.DataObject) -> None:
        """Do harm to the server, to a process, or to a user."""
        self._draw(data, self._deeds())

    def teardown(self) -> None:
        """Hand the schedule over, now that it is whole; one in which nobody logs in has nothing to be judged."""
        if any(isinstance(step, Login) for step in self.steps):
            type(self).on_schedule(repaired(self.situation.people.values(), self.steps))

    # ------------------------------------------------------------------------------------------ what may come next

    def _waits(self) -> list[Step]:
        return [Wait(seconds) for seconds in self.shape.waits_s if seconds <= self.left_s]

    def _sessions(self) -> list[Step]:
        steps: list[Step] = []
        for who in self.situation.people:
            steps += [Login(who), Logout(who), RenewToken(who), Login(who, "short"), RenewToken(who, "short")]
            steps += [Login(who, "bad"), RenewToken(who, "bad")]
        return self._allowed(steps)

    def _channel_calls(self) -> list[Step]:
        steps: list[Step] = []
        for who in self.situation.people:
            for channel in CHANNELS:
                steps += [Join(who, channel), Leave(who, channel), Send(who, channel)]
            steps.append(SetAttributes(who, "calm"))
        return self._allowed(steps)

    def _losses(self) -> list[Step]:
        steps: list[Step] = [Lose(who, fault) for fault in FAULTS for who in self.situation.people]
        people = tuple(self.situation.people)
        return self._allowed([*steps, Part(people[:1]), Part(people[1:])])

    def _healings(self) -> list[Step]:
        faults = self.situation.faults.items()
        of_server: list[Step] = [Serve("start"), Serve("resume")]
        return self._allowed([*of_server, Mend(), *(Heal(who, fault) for who, there in faults for fault in there)])

    def _deeds(self) -> list[Step]:
        steps: list[Step] = []
        if self.may_serve:
            steps += [Serve("kill"), Serve("suspend")]
        steps += [Crash(who) for who in self.situation.people]
        steps += [Ban(uid) for uid in sorted({each.uid for each in self.situation.people.values()})]
        return self._allowed(steps)

    def _allowed(self, steps: Sequence[Step]) -> list[Step]:
        return [step for step in steps if self.situation.allows(step)]

    def _draw(self, data: st.DataObject, steps: Sequence[Step]) -> None:
        self._add(data.draw(st.sampled_from(steps)))

    def _add(self, step: Step) -> None:
        self.situation.take(step)
        self.steps.append(step)
        if isinstance(step, Wait):
            self.left_s -= step.seconds


def draw(on_schedule: OnSchedule, *, count: int, seed: int, shape: Shape, shrink: bool) -> None:
    """Draw so many schedules, and hand each over as it is whole.

    What ``on_schedule`` raises comes out again, of the last schedule that was handed over: with ``shrink`` the shortest
    one that Hypothesis has found for which it raises an exception of the same class.
    """
    phases = [hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if shrink else [])]
    chosen = settings(
        max_examples=count,
        stateful_step_count=shape.steps_max,
        phases=phases,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet,
        print_blob=False,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    members: dict[str, Any] = {"shape": shape, "on_schedule": staticmethod(on_schedule)}
    machine = hypothesis.seed(seed)(type("Drawn", (Drawing,), members))
    with _nothing_left_behind(), _by_the_seed_alone():
        run_state_machine_as_test(machine, settings=chosen)


@contextlib.contextmanager
def _nothing_left_behind() -> Iterator[None]:
    """Hypothesis keeps what it learns of Unicode and of the code in a folder beside its examples: not in the user's."""
    before = configuration.storage_directory(intent_to_write=False).home_directory
    with tempfile.TemporaryDirectory() as folder:
        configuration.set_hypothesis_home_dir(Path(folder))
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)


@contextlib.contextmanager
def _by_the_seed_alone() -> Iterator[None]:
    """Hypothesis also draws numbers that it reads in the code of whatever is loaded: another test, another schedule."""
    none = mock.patch.object(providers.HypothesisProvider, "_local_constants", Constants())
    providers.CONSTANTS_CACHE.cache.clear()
    try:
        with none:
            yield
    finally:
        providers.CONSTANTS_CACHE.cache.clear()


def drawn(*, count: int, seed: int, shape: Shape) -> list[Schedule]:
    """Return so many different schedules, or fewer where there are no more."""
    schedules: dict[Schedule, None] = {}
    draw(lambda each: schedules.setdefault(each), count=count, seed=seed, shape=shape, shrink=False)
    return list(schedules)
