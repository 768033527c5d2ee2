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

    def take_port(self) -> int:
        """Take a port for a server of a scenario's own."""

    def give_back_port(self, port: int) -> None:
        """Let a port that was taken be used again."""

    async def confirm(self) -> None:
        """Raise ToxiproxyError where what carries the links is no longer there."""
