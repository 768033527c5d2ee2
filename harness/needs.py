"""What a scenario needs beyond Toxiproxy: pytest leaves it out where the engine of the run has no means for it."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from harness.collection import is_scenario, needs_of
from proxies.effects import BELOW_TCP


def configure(config: pytest.Config, means: Collection[str]) -> None:
    """Have pytest leave out what needs other means than these."""
    config.pluginmanager.register(Selection(frozenset(means)))


class Selection:
    """pytest plays what the engine of this run has the means for; the rest is deselected, and counted."""

    def __init__(self, means: frozenset[str]) -> None:
        self._means = means
        self._left_out = 0

    @pytest.hookimpl(tryfirst=True)  # before all who count: what cannot be played here is no part of the suite
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what cannot be played."""
        out = [item for item in items if is_scenario(item) and self._is_beyond(needs_of(item))]
        self._left_out = len(out)
        if out:
            config.hook.pytest_deselected(items=out)
            items[:] = [item for item in items if item not in out]

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say how many, and what plays them."""
        if not self._left_out:
            return []
        return [f"{self._left_out} scenarios need faults below TCP and were left out: --faults netns plays them"]

    def _is_beyond(self, needs: frozenset[str]) -> bool:
        """Whether this run has no means for it; what is misspelt stays, so that it is refused."""
        return needs <= set(BELOW_TCP) and not needs <= self._means
