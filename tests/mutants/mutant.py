"""A mutant: the reference with one small, named deviation, and the clause that it breaks.

    @wrong_client("CONNECTED-3")
    def interrupts_after_3_s(patch: Patcher) -> None:
        \"\"\"The client gives an interruption 3 s, and not 4.\"\"\"
        patch(Lifecycle, "__init__", ...)

A deviation is made by putting something else in the place of a function, a method or a constant of the reference, in
the process that is to be wrong, and taken back afterwards. Nothing is copied, so a mutant stays what it says when the
reference changes, or fails to apply.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Side(StrEnum):
    """Which end is wrong."""

    CLIENT = "client"
    SERVER = "server"


class Patcher:
    """Puts things in the place of others, and can take all of it back."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], None]] = []

    def __call__(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Put ``make(original)`` in the place of an attribute of a class or a module.

        Raises:
            AttributeError: the owner itself has no such attribute, so that the mutant would be none.
        """
        if name not in vars(owner):
            raise AttributeError(f"{owner.__name__} has no {name!r} of its own to deviate from")
        original = vars(owner)[name]
        setattr(owner, name, make(original))
        self._undo.append(lambda: setattr(owner, name, original))

    def undo(self) -> None:
        """Take everything back, the last first."""
        while self._undo:
            self._undo.pop()()


@dataclass(frozen=True, slots=True)
class Mutant:
    """One wrong implementation.

    Attributes:
        name: what it does wrong, in words.
        side: which end is wrong.
        clauses: what it breaks; the first is the one that it is about, and any of them is a right answer.
        what: one line more.
        reports: the public reports of bugs of this kind.
    """

    name: str
    side: Side
    clauses: tuple[str, ...]
    what: str
    reports: tuple[str, ...]
    apply: Callable[[Patcher], None]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Have this process be wrong for a while."""
        patch = Patcher()
        try:
            self.apply(patch)
            yield
        finally:
            patch.undo()


MUTANTS: dict[str, Mutant] = {}
Definition = Callable[[Patcher], None]


def wrong_client(*clauses: str, reports: tuple[str, ...] = ()) -> Callable[[Definition], Definition]:
    """Register the decorated function as a wrong client; its name and its docstring say what it does."""
    return _register(Side.CLIENT, clauses, reports)


def wrong_server(*clauses: str, reports: tuple[str, ...] = ()) -> Callable[[Definition], Definition]:
    """The same for a wrong server."""
    return _register(Side.SERVER, clauses, reports)


def _register(side: Side, clauses: tuple[str, ...], reports: tuple[str, ...]) -> Callable[[Definition], Definition]:
    def register(define: Definition) -> Definition:
        name = define.__name__.replace("_", "-")
        if name in MUTANTS:
            raise ValueError(f"there are two mutants {name!r}")
        what = (define.__doc__ or "").partition("\n")[0]
        MUTANTS[name] = Mutant(name, side, clauses, what, reports, define)
        return define

    return register
