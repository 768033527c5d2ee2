"""Everything that can happen to the client core and the server core, up to a bound: breadth first, state by state.

A state cannot be copied, for closures hold parts of it. It is kept as the way that leads to it, and reached again by
going that way anew. Breadth first: so the way to what is broken is as short as any.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.explore.actions import Accept, Action, Call, Deliver
from harness.explore.cores import Config, Cores
from harness.explore.credentials import LASTING
from harness.spec.transitions import TRANSITIONS, Transition

Path = tuple[Action, ...]

_ONLINE_ACTIONS_MAX = 1_000  # a wrong core may never come to rest
_PROGRESS_EVERY = 1_000  # states that were gone on from; and at the end of each depth


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far to go: so many actions, and so many states."""

    depth: int
    states_max: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search has come: all ways of ``depth`` actions are being gone."""

    depth: int
    states: int
    transitions: int


@dataclass(frozen=True, slots=True)
class Violation:
    """What breaks a rule, its clause first, and a shortest way to it."""

    path: Path
    broken: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What a search came to.

    Attributes:
        states: how many different states were reached; in all of them the rules were looked at.
        transitions: how many actions led to them.
        depth_reached: up to so many actions everything was looked at.
        rows: the rows of the table that were taken: what of the rules came about at all.
        is_exhausted: nothing is left beyond it: no bound stopped the search, and nothing that is broken.
        violation: the first thing that was found to break a rule.
    """

    states: int
    transitions: int
    depth_reached: int
    rows: frozenset[Transition]
    is_exhausted: bool
    violation: Violation | None


def search(config: Config, bounds: Bounds, on_progress: Callable[[Progress], None], *, start: Path = ()) -> Result:
    """Go every way that begins with ``start``, up to the bounds; stop at the first thing that breaks a rule.

    ``depth`` counts from the end of ``start``.
    """
    return _Search(config, bounds, on_progress, start).run()


def replay(config: Config, path: Path) -> Cores:
    """Return the cores as they are after these actions, each of which has to be enabled in its turn."""
    cores = Cores(config)
    for action in path:
        cores.apply(action)
    return cores


def online(config: Config) -> Path:
    """Return a way to a state in which one client of each user is logged in, and in all channels, one after the other.

    A search that starts there comes to losses, returns and takeovers within a few actions. With a wrong core the way
    ends where a rule is broken.
    """
    cores = Cores(config)
    first = {person.uid: person.name for person in reversed(cores.people.values())}
    waiting: list[Action] = []
    for name in sorted(first.values()):
        waiting += [Call(name, "login", (LASTING,)), *(Call(name, "join", (channel,)) for channel in config.channels)]
    path: list[Action] = []
    while not cores.check() and len(path) < _ONLINE_ACTIONS_MAX:
        arrivals = [each for each in cores.enabled() if isinstance(each, (Accept, Deliver))]
        if not arrivals and not waiting:
            break
        path.append(arrivals[0] if arrivals else waiting.pop(0))
        cores.apply(path[-1])
    return tuple(path)


def run(config: Config, bounds: Bounds, say: Callable[[str], None], *, is_online: bool = False) -> Result:
    """Search, and say how it goes and what it came to, line by line.

    ``is_online``: start with a client of each user logged in and in all channels (see ``online``), else with nobody.
    """

    def on_progress(progress: Progress) -> None:
        say(f"depth {progress.depth}: {progress.states} states, {progress.transitions} transitions")

    result = search(config, bounds, on_progress, start=online(config) if is_online else ())
    for line in _summary(result):
        say(line)
    return result


def _summary(result: Result) -> Iterator[str]:
    how_far = "all that there are" if result.is_exhausted else f"all of up to {result.depth_reached} actions"
    yield f"{result.states} states reached by {result.transitions} transitions, {how_far}"
    yield f"{len(result.rows)} of the {len(TRANSITIONS)} rows of the table were taken"
    if result.violation is None:
        yield "every rule holds in all of them"
        return
    yield f"broken after {len(result.violation.path)} actions:"
    yield from (f"  {number}. {action}" for number, action in enumerate(result.violation.path, 1))
    yield from result.violation.broken


class _Search:
    """One search: the states that are known, and of each the action that first led to it, and from where.

    Of a state no more is kept than two numbers and its fingerprint: there are many, and the collector of garbage, which
    is kept busy by the replays, would look at whatever else there is of each.
    """

    def __init__(self, config: Config, bounds: Bounds, on_progress: Callable[[Progress], None], start: Path) -> None:
        self._config = config
        self._bounds = bounds
        self._on_progress = on_progress
        self._start = start
        first = replay(config, start)
        self._violation = Violation(start, tuple(first.broken)) if first.check() else None
        self._known = {first.fingerprint()}
        self._origin = array("Q", [0])  # by state: which one it was first reached from
        self._cause = array("Q", [0])  # by state: the number of the action that led there
        self._actions: list[Action] = []
        self._numbers: dict[Action, int] = {}
        self._transitions = 0
        self._rows: set[Transition] = set()
        self._expanded = 0

    def run(self) -> Result:
        depth, level = 0, [0]
        while level and depth < self._bounds.depth and not self._is_over():
            level = self._next_level(depth + 1, level)
            depth += not self._is_over()
        is_exhausted = not level and not self._is_over()
        rows = frozenset(self._rows)
        return Result(len(self._known), self._transitions, depth, rows, is_exhausted, self._violation)

    def _is_over(self) -> bool:
        return self._violation is not None or len(self._known) >= self._bounds.states_max

    def _next_level(self, depth: int, level: list[int]) -> list[int]:
        """Go one action on from each state of a level; return the states that are new."""
        found: list[int] = []
        for state in level:
            path = self._path(state)
            cores = replay(self._config, path)
            for number, action in enumerate(cores.enabled()):
                child = cores if number == 0 else replay(self._config, path)
                self._transitions += 1
                child.apply(action)
                self._rows.update(child.taken())
                if child.check():
                    self._violation = Violation((*path, action), tuple(child.broken))
                elif self._is_new(child):
                    found.append(len(self._origin))
                    self._remember(state, action)
                if self._is_over():
                    return found
            self._expanded += 1
            if self._expanded % _PROGRESS_EVERY == 0 or state == level[-1]:
                self._on_progress(Progress(depth, len(self._known), self._transitions))
        return found

    def _is_new(self, cores: Cores) -> bool:
        before = len(self._known)
        self._known.add(cores.fingerprint())
        return len(self._known) > before

    def _remember(self, origin: int, action: Action) -> None:
        number = self._numbers.setdefault(action, len(self._actions))
        if number == len(self._actions):
            self._actions.append(action)
        self._origin.append(origin)
        self._cause.append(number)

    def _path(self, state: int) -> Path:
        path: list[Action] = []
        while state != 0:  # which the search began with
            path.append(self._actions[self._cause[state]])
            state = self._origin[state]
        return (*self._start, *reversed(path))
