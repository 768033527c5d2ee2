"""What joins a client with its network, where that can be pulled: a fault that no Toxiproxy can make."""

from __future__ import annotations

from typing import Protocol

from proxies.fault import Interval


class Plug(Protocol):
    """A client's only way to any network; who owns the network can pull it out and put it in again."""

    async def pull(self) -> tuple[int, int]:
        """Pull it; returns the monotonic nanoseconds right before and right after."""

    async def put_in(self) -> tuple[int, int]:
        """Put it in again; returns the monotonic nanoseconds right before and right after."""

    async def prove_pulled(self) -> str:
        """Show that it is pulled; says what showed it.

        Raises:
            HostError: it is not, or nobody can say.
        """

    async def prove_in(self) -> str:
        """Show that it is in; says what showed it.

        Raises:
            HostError: it is not, or nobody can say.
        """


async def pull(plug: Plug) -> tuple[Interval, str]:
    """Pull it; returns when that was, and what proved it."""
    took = Interval(*await plug.pull())
    return took, await plug.prove_pulled()


async def put_in(plug: Plug) -> tuple[Interval, str]:
    """Prove that it was out until now, and put it in; returns when that was, and what proved it."""
    await plug.prove_pulled()
    took = Interval(*await plug.put_in())
    return took, await plug.prove_in()
