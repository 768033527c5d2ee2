"""The server in Go: built, and certified by what reference clients see of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.report.exit_codes import ExitCode
from tests.integration.examples.example_rig import BUILD_S, CERTIFY_S, build_go, certify
from tests.integration.examples.selection import FOR_SERVERS

pytestmark = pytest.mark.timeout(BUILD_S + CERTIFY_S)


def test_it_is_certified(tmp_path: Path) -> None:
    server = build_go("go-server", "./cmd/server", tmp_path)
    certified = certify("--server", [server], FOR_SERVERS, tmp_path)
    assert set(certified.verdicts().values()) == {"PASS"}, certified.told()
    assert len(certified.verdicts()) == len(FOR_SERVERS)
    assert certified.code == ExitCode.PASS
