"""The reference server as a process meets it: the core's asyncio shell, over WebSocket.

It adds nothing to the rules: it reports to the core, carries out what the core wants done, and keeps one timer.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import secrets
import ssl
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from harness.addresses import written
from harness.errors import HostError, UsageError
from harness.reference import server_log
from harness.reference.notes_core import Note
from harness.reference.server_core import Send, ServerCore, ServerLimits, ServerStats
from harness.reference.server_link import CLOSE_TIMEOUT_S, Link
from harness.reference.server_metrics import Metrics
from harness.reference.server_probes import Probes
from harness.reference.tokens import authenticator, check_secret
from harness.reference.wire import FRAME_BYTES_MAX, SUBPROTOCOL, Frame, encode
from harness.spec.timing import NS_PER_S, Timing

HEARTBEAT_S = 0.5
HEARTBEAT_MIN_S = 0.01
OPEN_TIMEOUT_S = 10.0  # of the opening handshake: like FIRST_LOGIN_S, longer than any client's own time-out
STOP_TIMEOUT_S = 0.5  # for the farewell to every client at a stop; who has not answered by then is cut off

_log = logging.getLogger(__name__)
# A connection that is cut in mid-handshake is what faults are for, and not worth a traceback.
_handshake_log = logging.getLogger(f"{__name__}.websockets")
_handshake_log.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """What a server is to be.

    Raises:
        UsageError: the secret is too short, or a number is out of its range.
    """

    secret: str = field(repr=False)  # at least 32 bytes; see tokens.py
    host: str = "127.0.0.1"
    port: int = 0  # 0: any that is free
    heartbeat_s: float = HEARTBEAT_S
    timing: Timing = field(default_factory=Timing)
    limits: ServerLimits = field(default_factory=ServerLimits)
    tls: ssl.SSLContext | None = None  # with its certificate; TCP alone without

    def __post_init__(self) -> None:
        check_secret(self.secret)
        if not 0 <= self.port <= 65535:
            raise UsageError(f"port {self.port}", why="a port is 0 to 65535, and 0 takes any that is free")
        heartbeat_max_s = self.timing.interruption_s / 2
        if not HEARTBEAT_MIN_S <= self.heartbeat_s <= heartbeat_max_s:
            raise UsageError(
                f"a heartbeat of {self.heartbeat_s:g} s",
                why=f"a silent loss is to be told within {self.timing.interruption_s:g} s (CONNECTED-3), "
                "and the network is not to be flooded",
                mend=f"take {HEARTBEAT_MIN_S:g} to {heartbeat_max_s:g} s",
            )


class Server:
    """A running server: ``async with Server(config) as server``, then ``server.url``.

    Raises:
        HostError: the address cannot be listened on.
    """

    def __init__(self, config: ServerConfig) -> None:
        self._config = config
        self._core = ServerCore(
            authenticate=authenticator(config.secret),
            new_session_id=lambda: secrets.token_urlsafe(16),
            heartbeat_s=config.heartbeat_s,
            timing=config.timing,
            limits=config.limits,
            note=self._note,
        )
        self._metrics = Metrics()
        self._ids = itertools.count(1)
        self._links: dict[int, Link] = {}
        self._sockets: set[ServerConnection] = set()  # also those that have not got through their handshake
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_ns = 0
        self._last_frame: Frame | None = None
        self._last_text = b""
        self._listener: WebSocketServer | None = None
        self._port = config.port

    @property
    def port(self) -> int:
        """The port that it listens on."""
        assert self._listener is not None
        return self._port

    @property
    def url(self) -> str:
        """Where clients find it."""
        scheme = "ws" if self._config.tls is None else "wss"
        return f"{scheme}://{written((self._config.host, self.port))}"

    @property
    def heartbeat_s(self) -> float:
        """The interval that it asks its clients for."""
        return self._config.heartbeat_s

    # ------------------------------------------------------------------------------------------ for harness and tests

    def ban(self, app_id: str, uid: str) -> None:
        """End a user's session for good, and refuse its logins until ``unban`` (OPEN-21)."""
        self._core.ban(time.monotonic_ns(), app_id, uid)
        self._carry_out()

    def unban(self, app_id: str, uid: str) -> None:
        """Let a user log in again."""
        self._core.unban(app_id, uid)

    def connections_of(self, app_id: str, uid: str) -> int:
        """Return how many open connections are logged in as this user."""
        return self._core.connections_of(app_id, uid)

    def attempts_of(self, app_id: str, uid: str) -> int:
        """Return how many logins of this user have arrived so far, the refused ones too."""
        return self._core.attempts_of(app_id, uid)

    def online(self, app_id: str) -> list[str]:
        """Return the uids of a tenant that are online, sorted."""
        return self._core.online(app_id)

    def stats(self) -> ServerStats:
        """Return how much there is of everything."""
        return self._core.stats()

    def metrics(self) -> str:
        """Return what it has counted, as Prometheus reads it."""
        waiting_bytes = sum(link.waiting_bytes for link in self._links.values())
        return self._metrics.exposition(self._core.stats(), waiting_bytes=waiting_bytes)

    # --------------------------------------------------------------------------------------------------- start and stop

    async def __aenter__(self) -> Self:
        config = self._config
        try:
            self._listener = await serve(
                self._serve,
                config.host,
                config.port,
                subprotocols=[Subprotocol(SUBPROTOCOL)],
                ssl=config.tls,
                process_request=Probes(self.metrics),
                compression=None,
                open_timeout=OPEN_TIMEOUT_S,
                ping_interval=None,  # the protocol has a heartbeat of its own
                close_timeout=CLOSE_TIMEOUT_S,
                max_size=FRAME_BYTES_MAX,
                logger=_handshake_log,
                create_connection=_tracked(self._sockets),
            )
        except OSError as error:
            raise HostError(
                f"cannot listen on {config.host}, port {config.port}: {error.strerror or error}",
                why="another process may have that port, or the address is none of this machine",
                mend="choose another --port (0 takes any that is free) or another --host",
            ) from error
        self._port = next(iter(self._listener.sockets)).getsockname()[1]
        server_log.event(_log, "listening", url=self.url)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Close every connection with 1001 (OPEN-27: an interruption, no kick), and return when nothing is left."""
        assert self._listener is not None
        server_log.event(_log, "stopping", connections=len(self._sockets))
        self._listener.close()
        abort = asyncio.get_running_loop().call_later(STOP_TIMEOUT_S, self._abort_all)
        # Who is in the middle of a TLS handshake nobody can tell. Python 3.12 waits for it; it goes with the process.
        patience_s = None if self._config.tls is None else 1.5 * STOP_TIMEOUT_S
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._listener.wait_closed()
        abort.cancel()
        if self._timer is not None:
            self._timer.cancel()

    def _abort_all(self) -> None:
        for socket in self._sockets:
            socket.transport.abort()

    def _note(self, note: Note) -> None:
        self._metrics.count(note)
        link = None if note.conn is None else self._links.get(note.conn)
        server_log.write(_log, note, peer="" if link is None else link.peer)

    # --------------------------------------------------------------------------------------------------- connections

    async def _serve(self, websocket: ServerConnection) -> None:
        conn = next(self._ids)
        link = self._links[conn] = Link(websocket, outbound_bytes_max=self._config.limits.outbound_bytes_max)
        try:
            self._core.connected(time.monotonic_ns(), conn)
            self._carry_out()
            while True:
                data = await websocket.recv(decode=False)
                self._metrics.frames_in += 1
                self._core.received(time.monotonic_ns(), conn, data)
                self._carry_out()
        except ConnectionClosed as closed:
            _log.debug("connection %d: %s", conn, closed)
        except Exception:
            _log.exception("connection %d failed", conn)
            raise
        finally:
            self._core.disconnected(time.monotonic_ns(), conn)
            self._carry_out()
            del self._links[conn]
            await link.finish()

    def _carry_out(self) -> None:
        while effects := self._core.drain():
            for effect in effects:
                link = self._links[effect.conn]
                if not isinstance(effect, Send):
                    link.close(effect.code, effect.reason)
                elif link.send(self._text_of(effect.frame)):
                    self._metrics.frames_out += 1
                else:
                    self._core.dropped(time.monotonic_ns(), effect.conn)
        self._set_timer()

    def _text_of(self, frame: Frame) -> bytes:
        # What is told to all members of a channel comes as the same object many times in a row.
        if frame is not self._last_frame:
            self._last_frame, self._last_text = frame, encode(frame)
        return self._last_text

    def _set_timer(self) -> None:
        deadline = self._core.next_deadline()
        if deadline is None or (self._timer is not None and self._timer_at_ns <= deadline):
            return  # one that goes off too early is set again then: that is cheaper than setting it at each heartbeat
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_ns = deadline
        # The loop's clock is the same monotonic clock, in seconds.
        self._timer = asyncio.get_running_loop().call_at(deadline / NS_PER_S, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._core.tick(time.monotonic_ns())
        self._carry_out()


def _tracked(sockets: set[ServerConnection]) -> type[ServerConnection]:
    """Return a class of connections that keep this set: the library does not tell of those in mid-handshake."""

    class Tracked(ServerConnection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            sockets.add(self)

        def connection_lost(self, exc: Exception | None) -> None:
            sockets.discard(self)
            super().connection_lost(exc)

    return Tracked
