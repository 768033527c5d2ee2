"""A virtual server and connections to it whose clients are the test."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from harness.reference.server_core import ServerCore
from harness.reference.wire import Frame, Login, Ping, encode
from harness.world.virtual_link import VirtualLink
from harness.world.virtual_loop import running_loop
from harness.world.virtual_net import HOP_NS, UPGRADE_REQUEST, Item, text_to_server
from harness.world.virtual_server import VirtualServer, token_for
from proxies.fault import FaultEvent
from tests.unit.world.virtual_rig import MS, UPGRADE, Side, wait

ROUND_NS = 2 * HOP_NS
SETTLED_NS = MS  # there and back, and some more


LOGGED_IN = [UPGRADE, "logged_in", "pong"]


class RawClient(Side):
    """A connection whose client says what the test says, and answers nothing."""

    def __init__(self, link: VirtualLink) -> None:
        super().__init__()
        self._connecting = link.connect(self)

    def puts(self, item: Item) -> None:
        assert self.circuit is not None
        self.circuit.to_server.put(item)

    def says(self, *frames: Frame) -> None:
        for frame in frames:
            self.puts(text_to_server(encode(frame)))

    def closes(self) -> None:
        assert self.circuit is not None
        self.circuit.client_closes()

    @property
    def frames(self) -> list[dict[str, Any]]:
        """The frames that came, as objects."""
        return [json.loads(text) for text in self.heard if text.startswith("{")]

    @property
    def types(self) -> list[str]:
        """What came, with a frame as its type."""
        return [json.loads(text)["type"] if text.startswith("{") else text for text in self.heard]


class ServerRig:
    """A server that runs, and a link to it."""

    def __init__(self, make_core: Callable[..., ServerCore] = ServerCore) -> None:
        self.loop = running_loop()
        self.server = VirtualServer(self.loop, make_core)
        self.server.start()
        self.link = VirtualLink("alice", self.loop, self.server, number=1, resettable=False, observer=self._ignore)

    def _ignore(self, event: FaultEvent) -> None:
        """No test here looks at the faults."""

    async def connect(self) -> RawClient:
        """Make a TCP connection."""
        client = RawClient(self.link)
        await wait(HOP_NS)
        return client

    async def upgrade(self) -> RawClient:
        """Make a WebSocket."""
        client = await self.connect()
        client.puts(UPGRADE_REQUEST)
        await wait(SETTLED_NS)
        return client

    async def log_in(self, uid: str = "alice", *, resume: str | None = None, attempt: int = 1) -> RawClient:
        """Log in, and confirm it."""
        client = await self.upgrade()
        client.says(Login("app", uid, token_for("app", uid, None), f"instance of {uid}", attempt, resume), Ping(0))
        await wait(SETTLED_NS)
        assert client.types == LOGGED_IN
        return client
