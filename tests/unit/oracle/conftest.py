"""Most stories here have what they are about and nothing else: states that change, and no link that was lost before.

What the times of every trace are held against would speak up each time. It has tests of its own, in which it judges
too; everywhere else it is left out.
"""

from __future__ import annotations

import pytest

from harness.oracle import judge

OF_TIMES = ("test_history", "test_invariants_timed", "test_invariants_settled", "test_invariants_others")


@pytest.fixture(autouse=True)
def _rules_of_times(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.path.stem not in OF_TIMES:
        monkeypatch.setattr(judge, "TIMED_INVARIANTS", ())
        monkeypatch.setattr(judge, "SETTLED_INVARIANTS", ())
