from __future__ import annotations

import pytest

from harness.world.means import ENGINES, NETNS, TOXIPROXY, means_of
from proxies.effects import BELOW_TCP, CHANGE_ADDRESS, DROP, UNPLUG


@pytest.mark.parametrize(
    ("faults", "in_containers", "means"),
    [
        (TOXIPROXY, False, set()),
        (TOXIPROXY, True, {UNPLUG}),
        (NETNS, False, {DROP, UNPLUG, CHANGE_ADDRESS}),
    ],
)
def test_each_engine_has_the_means_that_are_its_own(faults: str, in_containers: bool, means: set[str]) -> None:
    assert faults in ENGINES
    assert means_of(faults, in_containers=in_containers) == means
    assert means <= set(BELOW_TCP)
