"""Which ports a Toxiproxy server of a run may use, so that two runs on one machine never meet.

The ports below the ephemeral range are cut into blocks. The first port of a block is the server's API, which it
holds as long as it lives, so that holding it is holding the block: the other ports belong to the links. A link's
port is therefore safe from other runs even while the link is cut and nobody listens on it.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator
from typing import Final

from harness.errors import HostError

# From 32768 on Linux hands ports out to clients; a closed port there can connect to itself.
FIRST_PORT: Final = 10_240
END_PORT: Final = 32_768
BLOCK_PORTS: Final = 512


def blocks() -> Iterator[int]:
    """The first port of each block, each once, from a random one on."""
    starts = range(FIRST_PORT, END_PORT - BLOCK_PORTS + 1, BLOCK_PORTS)
    offset = secrets.randbelow(len(starts))
    for index in range(len(starts)):
        yield starts[(offset + index) % len(starts)]


class PortBlock:
    """The ports for the links of one server; the one given back longest ago is taken first."""

    def __init__(self, api_port: int) -> None:
        self._free = deque(range(api_port + 1, api_port + BLOCK_PORTS))

    def take(self) -> int:
        """A port that no other link has.

        Raises:
            HostError: there are as many links at once as there are ports.
        """
        if not self._free:
            raise HostError(
                f"no port is left: {BLOCK_PORTS - 1} links are open at once, or other programs hold their ports",
                mend="close links that are no longer used, or run fewer scenarios side by side.",
            )
        return self._free.popleft()

    def give_back(self, port: int) -> None:
        """Let the port be used again, after all others."""
        self._free.append(port)
