"""What pytest shows of a scenario that was played: its verdict, by its own name."""

from __future__ import annotations

import pytest


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Show verdicts by their own names."""
    if not isinstance(report, pytest.TestReport):
        return None
    verdict = dict(report.user_properties).get("verdict")
    if verdict is None or report.when == "teardown" or (report.when == "setup" and report.passed):
        return None
    if report.passed:
        return "passed", ".", ("PASS", {"green": True})
    if report.skipped and hasattr(report, "wasxfail"):
        return "xfailed", "x", ("KNOWN FAILURE", {"yellow": True})
    if report.skipped:
        return str(verdict).lower(), str(verdict)[0], (str(verdict), {"yellow": True})
    return None
