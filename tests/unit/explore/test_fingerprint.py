"""One form for states that behave the same, and for no others."""

from __future__ import annotations

import functools
import itertools
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

import msgspec
import pytest

from harness.explore.actions import Action, Call, Fire, Seen
from harness.explore.cores import Config, Cores
from harness.explore.credentials import BRIEF, LASTING
from harness.explore.exhaustive import Path, online, replay
from harness.explore.fingerprint import CONN_FROM, LEFT_OUT, NAME, TIME_FROM_NS, canonical, fingerprint, next_due_ns
from harness.reference.client_core import Log
from harness.reference.deadlines_core import Deadlines
from harness.reference.wire import Login, Ping, Pong, Refused
from harness.spec.states import Reason, State

NOW = TIME_FROM_NS + 1_000
EVERYTHING = Config(uids=("alice", "alice", "bob"), tokens=(LASTING, BRIEF), losses=tuple(Seen), restarts=True)
ONE = Config(tokens=(LASTING, BRIEF), losses=tuple(Seen), restarts=True)
TWO = Config(uids=("alice", "alice"), calls=("login", "logout"))


class Box:
    """Something that holds something."""

    def __init__(self, held: object) -> None:
        self.held = held


class Slots:
    __slots__ = ("first", "second")


def same(one: object, other: object, *, now: int = NOW, later: int = NOW) -> bool:
    forms = (canonical(now, one), canonical(later, other))
    assert (forms[0] == forms[1]) == (fingerprint(now, one) == fingerprint(later, other))
    return forms[0] == forms[1]


def walk(config: Config, seed: int, steps: int) -> Path:
    """Some way of so many actions."""
    chance, cores, path = random.Random(seed), Cores(config), list[Action]()
    for _ in range(steps):
        action = chance.choice(cores.enabled())
        path.append(action)
        cores.apply(action)
    return tuple(path)


# ------------------------------------------------------------------------------------------------- each kind of value


DIFFERENT: list[tuple[object, object]] = [
    (1, 2),
    (1, True),
    (0, None),
    (1, 1.0),
    ("1", 1),
    ("a", "b"),
    (b"a", "a"),
    ("\0list", []),
    ("\0list", "\0\0list"),
    ([], ()),
    ([1, 2], [2, 1]),
    ([[1], 2], [[1, 2]]),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({1}, {1, 2}),
    (deque([1], maxlen=2), deque([1], maxlen=3)),
    (State.CONNECTED, Reason.LOGIN_FAILURE),
    (State.CONNECTED, 3),
    (State.CONNECTED, State.RECONNECTING),
    (Ping(1), Pong(1)),
    (Ping(1), Ping(2)),
    (Box(1), Box(2)),
    (Box(1), [1]),
    (Slots(), Box(1)),
    (NOW, NOW + 1),
    (NOW, NOW - TIME_FROM_NS),
    (f"{NAME}brief-1", f"{NAME}lasting-1"),
    ([f"{NAME}a-1", f"{NAME}a-1"], [f"{NAME}a-1", f"{NAME}a-2"]),
    ([CONN_FROM + 1, CONN_FROM + 2], [CONN_FROM + 2, CONN_FROM + 1]),
    ([CONN_FROM + 1, CONN_FROM + 1], [CONN_FROM + 1, CONN_FROM + 2]),
    (CONN_FROM + 1, 2 * CONN_FROM + 1),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=map(str, range(len(DIFFERENT))))
def test_a_difference_shows(one: object, other: object) -> None:
    assert same(one, one)
    assert not same(one, other)
    assert not same(Box(one), Box(other))


def test_times_are_told_relative_to_now() -> None:
    assert same([NOW - 5, 5], [NOW + 95, 5], later=NOW + 100)
    assert not same([NOW - 5, 5], [NOW - 5, 5], later=NOW + 100)
    assert not same([5], [105], later=NOW + 100)  # a duration stays what it is


def test_connections_are_told_by_their_rank_and_names_by_their_order() -> None:
    assert same([CONN_FROM + 3, CONN_FROM + 9], [CONN_FROM + 1, CONN_FROM + 2])
    assert same([2 * CONN_FROM + 3, CONN_FROM + 9], [2 * CONN_FROM + 1, CONN_FROM + 2])
    assert same([f"{NAME}a-7", f"{NAME}a-3"], [f"{NAME}a-1", f"{NAME}a-2"])


def test_sharing_and_cycles_show() -> None:
    shared: list[int] = []
    assert not same([shared, shared], [[], []])
    around, apart = Box(None), Box(None)
    around.held, apart.held = around, Box(apart)
    assert not same(around, apart)
    assert same(around, around)


def adder(amount: object) -> Callable[[], object]:
    return lambda: amount


def test_closures_are_their_code_and_what_they_hold() -> None:
    assert same(adder(1), adder(1))
    assert not same(adder(1), adder(2))
    assert not same(adder(1), lambda: 1)
    assert not same(lambda amount=1: amount, lambda amount=1: amount)  # on one line, and yet two
    box = Box(1)
    assert same(box.__init__, box.__init__)  # type: ignore[misc]
    assert not same(Box(1).__init__, Box(2).__init__)  # type: ignore[misc]


class Number(int):
    """Is something beside what it holds."""


UNKNOWN = [itertools.count(), functools.partial(print), iter([]), object(), Number(7), Counter("a"), Exception("no")]


@pytest.mark.parametrize("unknown", UNKNOWN, ids=lambda each: type(each).__name__)
def test_what_cannot_be_looked_into_is_refused(unknown: object) -> None:
    with pytest.raises(TypeError, match="cannot be looked into"):
        fingerprint(NOW, Box(unknown))


# --------------------------------------------------------------------------------------------------------- the cores


@pytest.mark.parametrize("seed", range(20))
def test_one_way_at_two_times_is_one_state(seed: int) -> None:
    path = walk(EVERYTHING, seed, 25)
    early, late = Cores(EVERYTHING), Cores(EVERYTHING, TIME_FROM_NS + 987_654_321_987)
    for action in path:
        for cores in (early, late):
            cores.apply(action)
        assert canonical(early.now, early) == canonical(late.now, late)
    assert early.now != late.now


def attributes(thing: object) -> Iterator[tuple[str, Any]]:
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    left_out = {name for kind in type(thing).__mro__ for owner, name in LEFT_OUT if owner == kind.__name__}
    for name in [*getattr(thing, "__dict__", {}), *slots]:
        if name not in left_out and hasattr(thing, name):
            yield name, getattr(thing, name)


def things(root: object) -> list[object]:
    """All objects of the project's own classes that are reachable by attributes and containers."""
    found: dict[int, object] = {}
    waiting: list[object] = [root]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, dict):
            waiting += thing.values()
        elif isinstance(thing, (list, tuple, deque)):
            waiting += thing
        elif type(thing).__module__.startswith("harness.") and id(thing) not in found:
            found[id(thing)] = thing
            waiting += [value for _, value in attributes(thing)]
    return list(found.values())


def other_than(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        # Of the number of a connection only the rank counts: so another client's.
        return int(value) + (CONN_FROM if CONN_FROM <= value < TIME_FROM_NS else 1)
    return TIME_FROM_NS if value is None else "something else"


def test_a_difference_in_any_field_shows() -> None:
    login, renewal = Call("alice-2", "login", (LASTING,)), Call("alice-1", "renew_token", (BRIEF,))
    cores = replay(EVERYTHING, (*online(EVERYTHING), login, renewal, Fire()))
    before, changed = cores.fingerprint(), set()
    for thing in things(cores):
        if isinstance(thing, (Deadlines, Enum, msgspec.Struct)):
            continue  # the first and the last are looked at below
        for name, value in attributes(thing):
            if thing is cores and name == "now":
                continue  # what all times are told relative to
            object.__setattr__(thing, name, other_than(value))
            assert cores.fingerprint() != before, f"{type(thing).__name__}.{name}"
            object.__setattr__(thing, name, value)
            changed.add(f"{type(thing).__name__}.{name}")
    assert cores.fingerprint() == before
    expected = {"Attempts._failures", "Link._answered_ns", "Session.last_packet_ns", "Roster.joined", "Pipe.to_client"}
    assert expected | {"ClientCore._link", "Monitor._logins", "Tenant._channels", "RateLimit._full_at_ns"} <= changed


class Watched:
    """Something that comes due, or never."""

    def __init__(self, due_ns: int | None) -> None:
        self.due = due_ns

    def due_ns(self) -> int | None:
        return self.due


def watching(*dues: int) -> tuple[Deadlines[Watched], list[Watched]]:
    deadlines: Deadlines[Watched] = Deadlines()
    watched = [Watched(due) for due in dues]
    for each in watched:
        deadlines.watch(each)
    return deadlines, watched


def test_deadlines_are_told_soonest_first_without_those_that_never_come() -> None:
    one, _ = watching(NOW + 5, NOW + 9)
    assert same(one, watching(NOW + 9, NOW + 5)[0])
    assert not same(one, watching(NOW + 5, NOW + 8)[0])
    other, watched = watching(NOW + 5, NOW + 7, NOW + 9)
    assert not same(one, other)
    watched[1].due = None
    assert same(one, other)
    watched[0].due = NOW + 11  # it has moved, and the heap does not know
    assert not same(one, other)
    assert next_due_ns(other) == NOW + 9
    watched[0].due = watched[2].due = None
    assert next_due_ns(other) is None


def test_who_was_watched_first_comes_first() -> None:
    one, watched = watching(NOW + 5, NOW + 5)
    other, watched_too = watching(NOW + 5, NOW + 5)
    assert same([one, *watched], [other, *watched_too])
    assert not same([one, *watched], [other, *reversed(watched_too)])


def test_a_difference_in_a_frame_shows_but_for_words_to_people() -> None:
    login = Login("app", "alice", "token", "alice-1", CONN_FROM + 1, None)
    assert not same(login, Login("app", "alice", "token", "alice-1", CONN_FROM + 1, "session"))
    assert not same(Refused("stale"), Refused("banned"))  # type: ignore[arg-type]
    assert same(Refused("stale", "one"), Refused("stale", "two"))  # type: ignore[arg-type]


@functools.cache
def merged(config: Config, depth: int, start: Path) -> list[tuple[Path, Path]]:
    """Two ways each that lead to one fingerprint: all that there are up to so many actions."""
    known = {replay(config, start).fingerprint(): start}
    level, pairs = [start], []
    for _ in range(depth):
        found = []
        for path in level:
            for action in replay(config, path).enabled():
                cores = replay(config, (*path, action))
                way = (*path, action)
                first = known.setdefault(cores.fingerprint(), way)
                if first is way:
                    found.append(way)
                else:
                    pairs.append((first, way))
        level = found
    return pairs


def seen(cores: Cores, action: Action) -> tuple[object, ...]:
    """What an action leads to: all that the cores wanted done, and the state."""
    cores.apply(action)
    effects = [each for each in cores.effects if not isinstance(each[1], Log)]
    return canonical(cores.now, cores, effects, cores.taken())


@pytest.mark.parametrize(
    ("config", "depth", "is_online"), [(ONE, 4, False), (ONE, 3, True), (TWO, 4, False), (EVERYTHING, 2, True)]
)
def test_states_that_are_taken_for_one_behave_the_same(config: Config, depth: int, is_online: bool) -> None:
    pairs = merged(config, depth, online(config) if is_online else ())
    assert len(pairs) > 20
    for one, other in pairs[::2]:
        actions = [replay(config, path).enabled() for path in (one, other)]
        assert len(actions[0]) == len(actions[1])
        for first, second in zip(*actions, strict=True):
            assert seen(replay(config, one), first) == seen(replay(config, other), second), (one, other, first)


@pytest.mark.parametrize("seed", range(30))
def test_they_still_do_many_actions_later(seed: int) -> None:
    chance = random.Random(seed)
    one, other = chance.choice(merged(TWO, 4, ()))
    left, right = replay(EVERYTHING, one), replay(EVERYTHING, other)
    assert left.fingerprint() == right.fingerprint()
    for _ in range(25):
        actions = (left.enabled(), right.enabled())
        number = chance.randrange(len(actions[0]))
        assert seen(left, actions[0][number]) == seen(right, actions[1][number])
