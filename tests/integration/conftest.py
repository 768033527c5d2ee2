"""What all integration tests start from."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.whole_run import WholeRun, begin, ended_after

# pytest's options that a user has set for all runs, the folder in which all runs under tox share a cache, and the page
# of a job on GitHub that a run adds its summary to.
OF_THE_OUTER_RUN = ("PYTEST_ADDOPTS", "TOX_ENV_DIR", "GITHUB_STEP_SUMMARY")


@pytest.fixture(scope="session", autouse=True)
def _runs_are_their_own() -> None:
    """The runs of pytest that these tests start take nothing from the one that they are started in."""
    for name in OF_THE_OUTER_RUN:
        os.environ.pop(name, None)


StartRun = Callable[..., WholeRun]


@pytest.fixture
def start_run(tmp_path: Path) -> Iterator[StartRun]:
    """Starts a run of the scenarios that match, of the reference client or of one with this source."""
    runs: list[WholeRun] = []

    def start(expression: str, client: str | None = None, *options: str) -> WholeRun:
        if client is not None:
            (tmp_path / "client.py").write_text(client, encoding="utf-8")
            options += ("--client", shlex.join([sys.executable, str(tmp_path / "client.py")]))
        runs.append(begin(tmp_path, ["-k", expression, *options]))
        return runs[-1]

    with ended_after(runs):
        yield start
