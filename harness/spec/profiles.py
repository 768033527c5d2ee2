"""A profile is one edition of the rules: its clauses, its numbers, and where the scenarios that prove them are.

The reference's own is rtm-1.0. Later editions of its SDK, and other systems, are profiles of their own; the code never
asks which one it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.spec import mqtt5
from harness.spec.clauses import CLAUSES, Clause
from harness.spec.timing import Timing
from harness.spec.transitions import TRANSITIONS, Transition

_TIMING = Timing()


@dataclass(frozen=True, slots=True)
class Profile:
    """One edition of the rules, whole.

    Args:
        name: what it is called on the command line, in traces and in reports.
        clauses: every rule that a scenario can name.
        transitions: the table of switches. What holds in every trace is derived from it: without a table it is
            what the scenarios write down that is judged, and that alone.
        timing: the durations that belong to the table.
        scenarios: their folder, as it is in a checkout; in the wheel it is one of ``harness``, by its last name.
        scheme: what the url of a server begins with; with TLS it has an ``s`` more.
        has_reference: whether linkproof has a client and a server of its own for it.
        page: the page of ``docs`` with an anchor for each clause; empty where there is none.
        logged_in: the clause to blame where a login that a scenario needs does not come through.
        unexpected: the clause to blame for a callback when nothing more was expected; empty for those that the scenario
            sets out to prove.
    """

    name: str
    clauses: tuple[Clause, ...]
    scenarios: str
    transitions: tuple[Transition, ...] = ()
    timing: Timing = _TIMING
    scheme: str = "ws"
    has_reference: bool = False
    page: str = ""
    logged_in: str = ""
    unexpected: str = ""

    @property
    def has_table(self) -> bool:
        """Whether the rules of the table hold in each of its traces."""
        return bool(self.transitions)

    def clause(self, clause_id: str) -> Clause | None:
        """Return a rule by its id, or None where there is none."""
        return next((clause for clause in self.clauses if clause.id == clause_id), None)


RTM_1_0 = Profile(
    name="rtm-1.0",
    clauses=CLAUSES,
    scenarios="tests/conformance",
    transitions=TRANSITIONS,
    timing=_TIMING,
    has_reference=True,
    page="spec.md",
    logged_in="CONNECTING-2",
    unexpected="GENERAL-1",
)

MQTT_5 = Profile(
    name="mqtt-5",
    clauses=mqtt5.CLAUSES,
    scenarios="profiles/mqtt5",
    scheme="mqtt",
    logged_in="MQTT-3.1.4-5",
)

PROFILES: dict[str, Profile] = {profile.name: profile for profile in (RTM_1_0, MQTT_5)}
