"""What all integration tests start from."""

from __future__ import annotations

import os

import pytest

# pytest's options that a user has set for all runs, the folder in which all runs under tox share a cache, and the page
# of a job on GitHub that a run adds its summary to.
OF_THE_OUTER_RUN = ("PYTEST_ADDOPTS", "TOX_ENV_DIR", "GITHUB_STEP_SUMMARY")


@pytest.fixture(scope="session", autouse=True)
def _runs_are_their_own() -> None:
    """The runs of pytest that these tests start take nothing from the one that they are started in."""
    for name in OF_THE_OUTER_RUN:
        os.environ.pop(name, None)
