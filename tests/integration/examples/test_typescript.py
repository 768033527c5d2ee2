"""The TypeScript client: built from its lock file, and certified by a scenario or two of each capability."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.report.exit_codes import ExitCode
from tests.integration.examples.example_rig import BUILD_S, CERTIFY_S, EXAMPLES, build, certify, need
from tests.integration.examples.selection import FOR_CLIENTS

EXAMPLE = EXAMPLES / "typescript"

pytestmark = pytest.mark.timeout(2 * BUILD_S + CERTIFY_S)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("TypeScript", "node", "npm")
    folder = tmp_path_factory.mktemp("typescript")
    for name in ("package.json", "package-lock.json", "tsconfig.json"):
        shutil.copy(EXAMPLE / name, folder)
    shutil.copytree(EXAMPLE / "src", folder / "src")
    build("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
    build("npm", "run", "--silent", "build", cwd=folder)
    return folder / "dist" / "adapter.js"


def test_it_is_certified(adapter: Path, tmp_path: Path) -> None:
    certified = certify("--client", ["node", adapter], FOR_CLIENTS, tmp_path)
    assert set(certified.verdicts().values()) == {"PASS"}, certified.told()
    assert len(certified.verdicts()) == len(FOR_CLIENTS)
    assert certified.code == ExitCode.PASS
