"""What a run needs of an engine for faults."""

from __future__ import annotations

from typing import Protocol

from harness.addresses import Address
from proxies.breakable import BreakableLink, Observer


class Links(Protocol):
    """All the links of a run, whatever carries them."""

    async def open_link(
        self, name: str, upstream: Address, *, resettable: bool = False, observer: Observer | None = None
    ) -> BreakableLink:
        """Make a link to a server, which need not listen yet."""

    async def confirm(self) -> None:
        """See to it that what carries them is still there.

        Raises:
            LinkproofError: it is not.
        """

    def take_port(self) -> int:
        """Take a port for a server of a scenario's own."""

    def give_back_port(self, port: int) -> None:
        """Let a port that was taken be used again."""
