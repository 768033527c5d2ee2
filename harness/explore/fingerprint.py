"""A canonical form of a state of the cores: two states that have it in common behave the same from there on.

The walk goes over everything that is reachable, so a field that is added to a core is seen without a word here. Three
kinds of values mean nothing by themselves, and are known by their size or their first letter wherever they are kept:

- instants (``TIME_FROM_NS`` and above) are told relative to now: the cores compare times, and never look at a date;
- numbers of connections (``CONN_FROM`` and above, ``CONN_FROM`` for each client) are told by their rank among those of
  the client in this state: the cores compare them (a later one overtakes), and the next one is above all of them;
- names (``NAME`` first: sessions, tokens) are told by the order in which the walk meets them: the cores only ask
  whether two are the same, and a new one is like no other.

What it relies on beside that:

- Objects that can change are told apart by identity, in the order of the first visit, so sharing and cycles show.
- A dict is told in its own order, which the cores go by. A set may hold only what can be sorted.
- A closure is its code and what is in its cells and defaults; a method its code and its object.
- A deadline that was put on the server's heap and never comes due again is left out: nobody stops at it
  (``next_due_ns``). A deadline that has moved meanwhile is told with both times, for they decide who is first.
- ``LEFT_OUT`` names what nothing in the cores behaves by.
- What the walk does not know it refuses, for example an iterator, whose state cannot be seen.

Request ids and the numbers of pings stay as they are. They count up too, but no size tells them from other numbers,
and the first ping is not like the others. So fewer states are found to be one, which is sound.

Fingerprints are comparable within one process only: classes and code are told by numbers of this process.
"""

from __future__ import annotations

import marshal
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum
from hashlib import blake2b
from types import CodeType, FunctionType, MethodType
from typing import Any

import msgspec

from harness.reference.deadlines_core import Deadlines

TIME_FROM_NS = 1 << 60  # no duration is that long, and no counter comes that far
# Client number n, from 1, counts its connections from n times this; they go over the wire, which ends at 2**53.
CONN_FROM = 1 << 40
NAME = "~"  # what follows, up to the last '-', is told; the number behind it is not

# By class and attribute; a subclass has it from its class.
LEFT_OUT = frozenset(
    {
        ("Cores", "config"),  # the same throughout a search
        ("Cores", "effects"),  # of the last action: for whoever looks on
        ("Cores", "broken"),  # such a state is not gone on from
        ("Cores", "_just_lost"),  # as is what the last action reported
        ("Credentials", "_named"),  # only ever grows, so that a name is new
        ("Monitor", "taken"),  # of the last action, too
        ("Refused", "why"),  # for people
        ("Failed", "why"),
        ("ServerCore", "_logins"),  # counted for a report; no login is decided by it
    }
)

_DIGEST_BYTES = 16

# The flat form: values, and marks that say what follows. A string of the state that begins like a mark gets a second
# zero in front.
Item = str | int | float | bytes | None
_ESCAPE = "\0"
_INSTANT, _CONN, _NAMED, _AGAIN = "\0instant", "\0conn", "\0name", "\0again"


def fingerprint(now: int, *roots: object) -> bytes:
    """Return a short form of ``canonical``; two different states have the same one with a chance of 2**-128.

    Raises:
        TypeError: something in the state cannot be looked into.
    """
    return blake2b(marshal.dumps(_Walk(now).over(roots), 2), digest_size=_DIGEST_BYTES).digest()


def canonical(now: int, *roots: object) -> tuple[Item, ...]:
    """Return the canonical form of what is reachable from the roots, flat, with times relative to ``now``.

    Raises:
        TypeError: something in the state cannot be looked into.
    """
    return tuple(_Walk(now).over(roots))


def next_due_ns(deadlines: Deadlines[Any]) -> int | None:
    """Return when the first of these really comes due, as things stand, or None."""
    dues = (thing.due_ns() for _, _, thing in deadlines._heap)
    return min((due_ns for due_ns in dues if due_ns is not None), default=None)


class _Walk:
    """One walk over one state."""

    __slots__ = ("_conns", "_names", "_now", "_seen", "out")

    def __init__(self, now: int) -> None:
        self.out: list[Item] = []
        self._now = now
        self._seen: dict[int, int] = {}  # by identity: its place in the order of first visits
        self._names: dict[str, int] = {}
        self._conns: list[tuple[int, int]] = []  # numbers of connections, and where they are told

    def over(self, roots: Iterable[object]) -> list[Item]:
        """Return the flat form of all that is reachable from the roots."""
        for root in roots:
            self.value(root)
        ranks: dict[int, int] = {}
        for conn in sorted({conn for conn, _ in self._conns}):
            client = conn // CONN_FROM
            ranks[conn] = client * CONN_FROM + sum(other // CONN_FROM == client for other in ranks)
        for conn, at in self._conns:
            self.out[at] = ranks[conn]
        return self.out

    def value(self, value: Any) -> None:
        """Tell a value of whatever kind."""
        kind = type(value)
        tell = _TELL.get(kind)
        if tell is None:
            tell = _TELL[kind] = _teller(kind)
        tell(self, value)

    def is_new(self, value: object) -> bool:
        """Return whether a thing is met for the first time; where it is not, its place is told."""
        place = self._seen.get(id(value))
        if place is None:
            self._seen[id(value)] = len(self._seen)
            return True
        self.out += (_AGAIN, place)
        return False

    # -------------------------------------------------------------------------------------------- each kind of value

    def atom(self, value: Item) -> None:
        """Tell what means itself."""
        self.out.append(value)

    def number(self, value: int) -> None:
        """Tell an integer: an instant, the number of a connection, or itself."""
        if value < CONN_FROM:
            self.out.append(value)
        elif value >= TIME_FROM_NS:
            self.out += (_INSTANT, value - self._now)
        else:
            self.out += (_CONN, None)
            self._conns.append((value, len(self.out) - 1))

    def text(self, value: str) -> None:
        """Tell a string: a name that was made up, or itself."""
        if value.startswith(NAME):
            kind = value.rpartition("-")[0]
            self.out += (_NAMED, kind, self._names.setdefault(value, len(self._names)))
        else:
            self.out.append(_ESCAPE + value if value.startswith(_ESCAPE) else value)

    def items(self, value: Iterable[Any], mark: str, length: int) -> None:
        """Tell values in their order."""
        self.out += (mark, length)
        for each in value:
            self.value(each)

    def mapping(self, value: dict[Any, Any]) -> None:
        """Tell a dict, in its order."""
        if self.is_new(value):
            self.out += ("\0dict", len(value))
            for key, each in value.items():
                self.value(key)
                self.value(each)

    def function(self, value: FunctionType) -> None:
        """Tell a function: its code, and what it was made with."""
        if self.is_new(value):
            cells = value.__closure__ or ()
            self.out += ("\0function", _number(value.__code__), len(cells))
            self.value(value.__defaults__)
            self.value(value.__kwdefaults__)
            for cell in cells:
                if self.is_new(cell):  # two closures of one call share their cells
                    self._cell(cell)

    def method(self, value: MethodType) -> None:
        """Tell a method: its code, and its object. It is made anew each time it is asked for, so it is no thing."""
        self.out.append("\0method")
        self.value(value.__func__)
        self.value(value.__self__)

    def deadlines(self, value: Deadlines[Any]) -> None:
        """Tell what is watched, soonest first."""
        if self.is_new(value):
            live = sorted((at, order, thing) for at, order, thing in value._heap if thing.due_ns() is not None)
            self.out += ("\0deadlines", len(live))
            for at, _, thing in live:
                self.number(at)
                self.value(thing)

    def _cell(self, cell: Any) -> None:
        try:
            contents = cell.cell_contents
        except ValueError:  # not filled yet
            self.out.append("\0empty")
        else:
            self.value(contents)


# -------------------------------------------------------------------------------------------- from a type to its teller

Tell = Callable[[_Walk, Any], None]

_numbers: dict[int, tuple[int, object]] = {}


def _number(thing: type | CodeType) -> int:
    """Return the number of a class or of code, which is kept, so that its identity is never another one's."""
    return _numbers.setdefault(id(thing), (len(_numbers), thing))[0]


_POINTER_BYTES = object.__basicsize__ // 2  # an object is a count of references and a pointer to its type
_DICT_AND_WEAKREF_BYTES = 2 * _POINTER_BYTES


def _teller(kind: type) -> Tell:
    """Return how values of this type are told.

    Raises:
        TypeError: values of this type cannot be looked into.
    """
    number = _number(kind)
    if issubclass(kind, Enum):
        return lambda walk, value: walk.out.extend((f"\0enum{number}", value.name))
    if issubclass(kind, tuple):
        return lambda walk, value: walk.items(value, f"\0tuple{number}", len(value))
    if issubclass(kind, msgspec.Struct):
        return _attributes(kind, kind.__struct_fields__)
    slots = [name for each in reversed(kind.__mro__) for name in _slots(each)]
    hidden_bytes = kind.__basicsize__ - object.__basicsize__ - _POINTER_BYTES * len(slots)
    if kind.__itemsize__ or hidden_bytes > _DICT_AND_WEAKREF_BYTES or not (slots or kind.__dictoffset__):
        raise TypeError(f"{kind.__module__}.{kind.__qualname__} cannot be looked into: it holds more than attributes")
    return _attributes(kind, slots)


def _slots(kind: type) -> Iterable[str]:
    names = kind.__dict__.get("__slots__", ())
    return (names,) if isinstance(names, str) else names


def _attributes(kind: type, slots: Iterable[str]) -> Tell:
    """Return how things with attributes are told: what each is called, and what it holds."""
    left_out = {name for each in kind.__mro__ for owner, name in LEFT_OUT if owner == each.__name__}
    fixed = [name for name in slots if name not in left_out and not name.startswith("__")]
    mark, has_dict = f"\0thing{_number(kind)}", bool(kind.__dictoffset__)

    def tell(walk: _Walk, value: Any) -> None:
        if not walk.is_new(value):
            return
        walk.out.append(mark)
        for name in fixed:
            if hasattr(value, name):
                walk.value(getattr(value, name))
            else:
                walk.out.append("\0unset")
        if has_dict:
            held = value.__dict__
            walk.out.append(len(held))
            for name, each in held.items():
                if name not in left_out:
                    walk.out.append(name)
                    walk.value(each)

    return tell


def _tell_list(walk: _Walk, value: list[Any]) -> None:
    if walk.is_new(value):
        walk.items(value, "\0list", len(value))


def _tell_deque(walk: _Walk, value: deque[Any]) -> None:
    if walk.is_new(value):
        walk.out.append(value.maxlen)
        walk.items(value, "\0deque", len(value))


def _tell_set(walk: _Walk, value: set[Any]) -> None:
    if walk.is_new(value):
        walk.items(sorted(value), "\0set", len(value))


_TELL: dict[type, Tell] = {
    type(None): _Walk.atom,
    bytes: _Walk.atom,
    bool: lambda walk, value: walk.out.append("\0true" if value else "\0false"),  # to Python True is 1 ...
    float: lambda walk, value: walk.out.extend(("\0float", value)),  # ... and 1.0 too
    int: _Walk.number,
    str: _Walk.text,
    dict: _Walk.mapping,
    list: _tell_list,
    deque: _tell_deque,
    set: _tell_set,
    frozenset: _tell_set,
    type: lambda walk, value: walk.out.extend(("\0type", _number(value))),
    FunctionType: _Walk.function,
    MethodType: _Walk.method,
    Deadlines: _Walk.deadlines,
}
