"""What makes the faults of a run, and which faults beyond Toxiproxy's it has the means for."""

from __future__ import annotations

from typing import Final

from proxies.effects import BELOW_TCP, UNPLUG

TOXIPROXY: Final = "toxiproxy"
NETNS: Final = "netns"
ENGINES: Final = (TOXIPROXY, NETNS)


def means_of(faults: str, *, in_containers: bool) -> frozenset[str]:
    """Return the effects below TCP that can be had: of all engines the kernel has them, and of a network its owner."""
    if faults == NETNS:
        return frozenset(BELOW_TCP)
    return frozenset({UNPLUG}) if in_containers else frozenset()
