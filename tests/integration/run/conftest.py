"""Starts whole runs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.whole_run import WholeRun, begin, ended_after

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
