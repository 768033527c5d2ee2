"""What was found: a schedule, and what the judge says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.explore.schedule import Schedule
from harness.oracle.verdict import Check, Judgement, Verdict
from harness.trace import Observation


@dataclass(frozen=True, slots=True)
class Finding:
    """A schedule that a client fails, how it was judged, and the trace that says so."""

    schedule: Schedule
    judgement: Judgement
    trace: Sequence[Observation]

    @property
    def check(self) -> Check:
        """The check that failed; the first, where there are several."""
        return failed(self.judgement)[0]


def failed(judgement: Judgement) -> list[Check]:
    """Return the checks that failed."""
    return [check for check in judgement.checks if check.verdict is Verdict.FAIL]
