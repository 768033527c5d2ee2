"""The Go client: built, and certified by a scenario or two of each capability."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.report.exit_codes import ExitCode
from tests.integration.examples.example_rig import BUILD_S, CERTIFY_S, build_go, certify
from tests.integration.examples.selection import FOR_CLIENTS

pytestmark = pytest.mark.timeout(BUILD_S + CERTIFY_S)


def test_it_is_certified(tmp_path: Path) -> None:
    adapter = build_go("go", "./cmd/adapter", tmp_path)
    certified = certify("--client", [adapter], FOR_CLIENTS, tmp_path)
    assert set(certified.verdicts().values()) == {"PASS"}, certified.told()
    assert len(certified.verdicts()) == len(FOR_CLIENTS)
    assert certified.code == ExitCode.PASS
