"""What a test case of a JUnit report says beside its outcome: properties, as Jenkins and GitLab read them.

The report itself is pytest's (``--junitxml``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.oracle.verdict import Judgement
from harness.report.coverage import NO_FAULT, Covered
from harness.report.margins import by_step
from harness.report.run_folder import RunInfo


def properties(judgement: Judgement, covered: Covered, info: RunInfo) -> list[tuple[str, str]]:
    """Return the properties of a scenario, each name once; margins are in seconds."""
    margins = list(_margins(judgement))
    found = [
        ("verdict", str(judgement.verdict)),
        ("clauses", " ".join(judgement.clauses)),
        ("world", info.world),
        ("profile", info.profile),
        ("phase", covered.phase),
        ("faults", ", ".join(sorted(covered.faults - {NO_FAULT}))),
        ("attempt", str(judgement.attempt)),
    ]
    if margins:
        found.append(("margin_s", f"{min(margin_s for _, margin_s in margins):.3f}"))
    return found + [(name, f"{margin_s:.3f}") for name, margin_s in margins]


def _margins(judgement: Judgement) -> Iterator[tuple[str, float]]:
    """Yield how far each timed step lay inside its window; a step that came again gets a number."""
    seen: Counter[str] = Counter()
    for step, (measured,) in by_step([judgement]).items():
        name = f"margin:{step.person}: {step.step}"
        seen[name] += 1
        yield (name if seen[name] == 1 else f"{name} ({seen[name]})"), measured.margin_s
