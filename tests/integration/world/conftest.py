"""A laboratory of its own for each test, and children that connect to somewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from harness.world.lab import Lab, LabConfig, open_lab

Test = Callable[[Lab], Awaitable[None]]
RunInLab = Callable[[Test], None]


@pytest.fixture
def run_in_lab(tmp_path: Path) -> RunInLab:
    """Runs an async test in a laboratory; afterwards no task may be left."""

    async def run(test: Test) -> None:
        async with open_lab(LabConfig(tmp_path / "logs")) as lab:
            await test(lab)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    return lambda test: asyncio.run(run(test))
