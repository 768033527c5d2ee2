"""A profile is one edition of the rules: its clauses, its table, its numbers.

Later editions of the SDK changed numbers and rules. Each is a profile of its own that overrides this data; the
code never asks which one it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.spec.clauses import CLAUSES, Clause
from harness.spec.timing import Timing
from harness.spec.transitions import TRANSITIONS, Transition


@dataclass(frozen=True, slots=True)
class Profile:
    """One edition of the rules, whole."""

    name: str
    clauses: tuple[Clause, ...]
    transitions: tuple[Transition, ...]
    timing: Timing


RTM_1_0 = Profile(name="rtm-1.0", clauses=CLAUSES, transitions=TRANSITIONS, timing=Timing())
