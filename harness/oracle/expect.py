"""The words in which a scenario writes down what each person is to have seen, whole and in order.

    alice.saw(
        *LOGGED_IN,
        state("RECONNECTING", "INTERRUPTED", "CONNECTED-3").at(4.0, after=cut.injected),
        nothing("RECONNECTING-10"),
    )

Everything here is data: it is stored in the trace, and judged from there.
"""

from __future__ import annotations

from typing import Any, Protocol, Self

import msgspec
from msgspec import Struct, structs

# What can widen a window, beside the measured error: intervals that only the implementation can know and declares.
MARGINS = ("heartbeat", "retry")

# What the document calls immediate: a tenth of a second is what people take for it, and another is for an SDK that
# calls back from a thread of its own.
AT_ONCE_S = 0.2


class Span(Protocol):
    """Something that happened at one moment between two (monotonic nanoseconds): a fault, a call, a callback."""

    @property
    def t0_ns(self) -> int:
        """Not before this."""

    @property
    def t1_ns(self) -> int:
        """Not after this."""


class Window(Struct, frozen=True, omit_defaults=True):
    """When a step is due: so many seconds after a moment that lies in ``[from_ns, to_ns]``.

    ``early`` and ``late`` name the declared intervals that open the window further (see ``MARGINS``).
    """

    from_ns: int
    to_ns: int
    earliest_s: float
    latest_s: float
    early: tuple[str, ...] = ()
    late: tuple[str, ...] = ()


class Step(Struct, frozen=True, omit_defaults=True, tag="step"):
    """One callback, or one answer that says more than 'ok', with exactly these arguments."""

    name: str
    args: dict[str, Any] = {}
    clauses: tuple[str, ...] = ()
    window: Window | None = None

    def at(self, due_s: float, *, after: Span | None, early: str = "", late: str = "") -> Self:
        """Due ``due_s`` seconds after a moment; ``early`` and ``late`` name what the clause allows around it."""
        return self.within(due_s, due_s, after=after, early=early, late=late)

    def within(
        self, earliest_s: float, latest_s: float, *, after: Span | None, early: str = "", late: str = ""
    ) -> Self:
        """Due between two numbers of seconds after a moment."""
        if after is None:
            raise ValueError(f"{self.name} is due after what has not happened: a fault that was never healed?")
        margins = {"early": tuple(early.split()), "late": tuple(late.split())}
        unknown = {each for names in margins.values() for each in names} - set(MARGINS)
        if unknown:
            raise ValueError(f"no margin is called {sorted(unknown)}; there are {MARGINS}")
        window = Window(after.t0_ns, after.t1_ns, earliest_s, latest_s, **margins)
        return structs.replace(self, window=window)

    def at_once(self, *, after: Span | None, late: str = "") -> Self:
        """Due at once, which is a time too: see ``AT_ONCE_S``."""
        return self.within(0.0, AT_ONCE_S, after=after, late=late)


class AnyOrder(Struct, frozen=True, tag="any_order"):
    """These steps, all of them, in whatever order."""

    steps: tuple[Step, ...]


class OneOf(Struct, frozen=True, tag="one_of"):
    """One of several accepted answers to a clause; the verdict names the one that was seen."""

    clause: str
    answers: dict[str, tuple[Step, ...]]

    def __post_init__(self) -> None:
        if not self.answers:
            raise ValueError(f"one_of({self.clause!r}) accepts no answer at all; name at least one")


class Nothing(Struct, frozen=True, tag="nothing"):
    """Nothing happens here. Says by which clause, which is then to blame for what does."""

    clauses: tuple[str, ...]


Node = Step | AnyOrder | OneOf | Nothing


def state(name: str, reason: str, *clauses: str) -> Step:
    """The callback of a switch into this state, for this reason."""
    return Step("onConnectionStateChanged", {"state": name, "reason": reason}, clauses)


def callback(name: str, *clauses: str, **args: Any) -> Step:
    """A callback by its published name; codes by their published names without prefix."""
    return Step(name, args, clauses)


def answer(call: str, *clauses: str, **values: Any) -> Step:
    """What a call answered, where that is more than 'ok'."""
    return Step(call, values, clauses)


def any_order(*steps: Step) -> AnyOrder:
    """All of these, in whatever order."""
    return AnyOrder(steps)


def one_of(clause: str, **answers: tuple[Step, ...]) -> OneOf:
    """One of these sequences, each under the name that the verdict will give it."""
    return OneOf(clause, answers)


def nothing(*clauses: str) -> Nothing:
    """Nothing between what stands before and what stands after, or until the end."""
    return Nothing(clauses)


def to_data(nodes: tuple[Node, ...]) -> list[Any]:
    """Return an expectation as plain data, for the trace."""
    plain: list[Any] = msgspec.to_builtins(nodes)
    return plain


def from_data(data: Any) -> tuple[Node, ...]:
    """Return the expectation that was stored as plain data.

    Raises:
        msgspec.ValidationError: it is none.
    """
    return msgspec.convert(data, tuple[Node, ...])
