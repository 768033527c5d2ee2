"""A simulated link with a test at both of its ends, in virtual time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, cast

from harness.world.virtual_link import Connecting, VirtualLink
from harness.world.virtual_loop import START_NS, now_ns, run, running_loop
from harness.world.virtual_net import HOP_NS, Circuit, Item, Kind, text_to_client, text_to_server
from harness.world.virtual_server import VirtualServer
from proxies.fault import FaultEvent

P = ParamSpec("P")
MS = 1_000_000
S = 1_000_000_000
# How what is no text is written down in what an end has heard.
END, UPGRADE, FAREWELL = "the end", "an upgrade", "a farewell"
_WORDS = {Kind.FIN: END, Kind.UPGRADE: UPGRADE, Kind.FAREWELL: FAREWELL}


def virtually(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a test in virtual time."""

    @functools.wraps(test)
    def in_virtual_time(*args: P.args, **kwargs: P.kwargs) -> None:
        run(test(*args, **kwargs))

    return in_virtual_time


def passed_ns() -> int:
    """How much virtual time has passed."""
    return now_ns() - START_NS


async def wait_until(at_ns: int) -> None:
    """Wait until so long after the start."""
    await running_loop().sleep_until(START_NS + at_ns)


async def wait(for_ns: int) -> None:
    await running_loop().sleep_until(now_ns() + for_ns)


class Side:
    """One end of a connection: what it has heard, and when (nanoseconds after the start)."""

    def __init__(self) -> None:
        self.log: list[tuple[int, str]] = []
        self.circuit: Circuit | None = None
        self.refused_ns: int | None = None

    @property
    def heard(self) -> list[str]:
        return [text for _, text in self.log]

    def received(self, _circuit: Circuit, item: Item) -> None:
        self.log.append((passed_ns(), _WORDS.get(item.kind) or item.data.decode()))

    def connected(self, circuit: Circuit) -> None:
        self.circuit = circuit

    def refused(self) -> None:
        self.refused_ns = passed_ns()


class Connection:
    """A connection through the link, and a test at both of its ends."""

    def __init__(self, circuit: Circuit, client: Side, server: Side) -> None:
        self.circuit = circuit
        self.client = client
        self.server = server

    def client_says(self, *texts: str) -> None:
        for text in texts:
            self.circuit.to_server.put(text_to_server(text.encode()))

    def server_says(self, *texts: str) -> None:
        for text in texts:
            self.circuit.to_client.put(text_to_client(text.encode()))


class FakeServer:
    """Where the link leads: takes every connection as long as it listens."""

    def __init__(self) -> None:
        self.is_listening = True
        self.sides: dict[Circuit, Side] = {}

    def accept(self, circuit: Circuit) -> bool:
        if self.is_listening:
            self.sides[circuit] = Side()
        return self.is_listening

    def received(self, circuit: Circuit, item: Item) -> None:
        self.sides[circuit].received(circuit, item)


class LinkRig:
    """A link, to be made in virtual time."""

    def __init__(self, *, resettable: bool = False) -> None:
        self.events: list[FaultEvent] = []
        self.server = FakeServer()
        self.link = VirtualLink(
            "alice",
            running_loop(),
            cast(VirtualServer, self.server),
            number=1,
            resettable=resettable,
            observer=self.events.append,
        )

    def begin_to_connect(self) -> tuple[Side, Connecting]:
        side = Side()
        return side, self.link.connect(side)

    async def connect(self) -> Connection:
        """Connect to a server that listens."""
        side, _ = self.begin_to_connect()
        await wait(HOP_NS)
        assert side.circuit is not None
        return Connection(side.circuit, side, self.server.sides[side.circuit])

    async def is_refused(self) -> bool:
        """Whether a connect is refused, and that at once."""
        side, connecting = self.begin_to_connect()
        began_ns = passed_ns()
        await wait(HOP_NS)
        connecting.give_up()
        return side.refused_ns == began_ns + HOP_NS
