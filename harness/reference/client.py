"""The reference SDK: the client core's asyncio shell, over WebSocket.

It adds nothing to the rules: it makes the app's calls to the core, reports to the core what happens on connections,
carries out what the core wants done, and keeps one timer.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import random
import secrets
import socket
import ssl as tls
import time
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Concatenate, NamedTuple, ParamSpec, Self, TypeVar, assert_never

from websockets.exceptions import InvalidURI
from websockets.uri import parse_uri

from harness.errors import UsageError
from harness.reference.client_connection import Connection, Events
from harness.reference.client_core import CallError, ClientCore
from harness.reference.client_effects_core import CALLBACK_NAMES, Callback, Close, Effect, Log, Open, Reply, Send
from harness.reference.wire import encode
from harness.spec.states import (
    JoinChannelError,
    LeaveChannelError,
    LoginError,
    LogoutError,
    RenewTokenError,
    State,
)
from harness.spec.timing import NS_PER_S, Timing

Handler = Callable[..., Coroutine[Any, Any, None] | None]
_H = TypeVar("_H", bound=Handler)
# What getaddrinfo tells of one address.
_Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]
_C = TypeVar("_C", LoginError, LogoutError, RenewTokenError, JoinChannelError, LeaveChannelError)
_P = ParamSpec("_P")


_log = logging.getLogger(__name__)


class CallResult(NamedTuple):
    """What became of a call that the server answers: its code, and the values that were asked for (empty unless OK)."""

    code: CallError
    values: dict[str, Any]


class RtmClient:
    """A client of the realtime-messaging system. It lives in one event loop; ``await close()`` ends it for good.

    Every call returns at once, and is legal from inside every callback (OPEN-18). Those that the server answers return
    a future of the answer. To be made in a running event loop.

    Args:
        url: where the server is, ``ws://`` or ``wss://``. No proxy of the environment is used.
        app_id: the tenant.
        ssl: how to check the server of a ``wss://`` url; the system's own certificates where it is left out.
        timing: the durations and counts of the profile.

    Raises:
        UsageError: the url is none of a WebSocket server.
    """

    def __init__(
        self, url: str, app_id: str, *, ssl: tls.SSLContext | None = None, timing: Timing | None = None
    ) -> None:
        try:
            self._uri = parse_uri(url)
        except (InvalidURI, ValueError) as error:
            raise UsageError(f"{url!r} is not the url of a server: {error}", mend="take ws://host:port") from error
        self._tls = (ssl or tls.create_default_context()) if self._uri.secure else None
        self._loop = asyncio.get_running_loop()
        self._core = ClientCore(app_id, instance=secrets.token_hex(16), jitter=random.random, timing=timing)
        self._events = Events(self._opened, self._received, self._lost, self._closed)
        self._handlers: dict[str, list[Handler]] = {name: [] for name in CALLBACK_NAMES}
        self._connections: dict[int, Connection] = {}  # also those that are being opened
        self._connects: dict[int, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[None]] = set()  # handlers that are coroutines
        self._replies: dict[int, asyncio.Future[CallResult]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at_ns = 0
        self._is_carrying_out = False
        self._is_closed = False
        self._nothing_is_left = asyncio.Event()

    @property
    def state(self) -> State:
        """The present connection state."""
        return self._core.state

    def on(self, name: str) -> Callable[[_H], _H]:
        """Register the decorated function, or coroutine function, as a handler of a callback of this name.

        It is called with the callback's arguments in their published order. What it raises is logged and has no other
        effect (OPEN-18).

        Raises:
            UsageError: there is no callback of this name.
        """
        if name not in self._handlers:
            raise UsageError(f"no callback is called {name!r}", mend=f"take one of {', '.join(CALLBACK_NAMES)}")

        def register(handler: _H) -> _H:
            self._handlers[name].append(handler)
            return handler

        return register

    # ---------------------------------------------------------------------------------------------------------- calls

    def login(self, token: str, uid: str) -> LoginError:
        """Begin to log in; see ``ClientCore.login``. NOT_INITIALIZED after ``close``."""
        if self._is_closed:
            return LoginError.NOT_INITIALIZED
        return self._called(self._core.login(time.monotonic_ns(), token, uid))

    def logout(self) -> LogoutError:
        """Log out at once; see ``ClientCore.logout``. NOT_INITIALIZED after ``close``."""
        if self._is_closed:
            return LogoutError.NOT_INITIALIZED
        return self._called(self._core.logout(time.monotonic_ns()))

    def renew_token(self, token: str) -> RenewTokenError:
        """Put a new token in the session's place; see ``ClientCore.renew_token``. NOT_INITIALIZED after ``close``."""
        if self._is_closed:
            return RenewTokenError.NOT_INITIALIZED
        return self._called(self._core.renew_token(time.monotonic_ns(), token))

    def join(self, channel: str) -> JoinChannelError:
        """Join a channel; see ``ClientCore.join``. NOT_INITIALIZED after ``close``."""
        if self._is_closed:
            return JoinChannelError.NOT_INITIALIZED
        return self._called(self._core.join(time.monotonic_ns(), channel))

    def leave(self, channel: str) -> LeaveChannelError:
        """Leave a channel; see ``ClientCore.leave``. NOT_INITIALIZED after ``close``."""
        if self._is_closed:
            return LeaveChannelError.NOT_INITIALIZED
        return self._called(self._core.leave(time.monotonic_ns(), channel))

    def send_to_peer(self, peer: str, text: str) -> asyncio.Future[CallResult]:
        """Send a message to a user, who must be online."""
        return self._ask(self._core.send_to_peer, peer, text)

    def send_to_channel(self, channel: str, text: str) -> asyncio.Future[CallResult]:
        """Send a message to all other members of a channel that this user is in."""
        return self._ask(self._core.send_to_channel, channel, text)

    def get_members(self, channel: str) -> asyncio.Future[CallResult]:
        """Ask who is in a channel: ``members``, sorted."""
        return self._ask(self._core.get_members, channel)

    def set_attributes(self, attributes: dict[str, str]) -> asyncio.Future[CallResult]:
        """Replace all attributes of this user."""
        return self._ask(self._core.set_attributes, attributes)

    def add_attributes(self, attributes: dict[str, str]) -> asyncio.Future[CallResult]:
        """Add or overwrite some attributes of this user."""
        return self._ask(self._core.add_attributes, attributes)

    def delete_attributes(self, keys: list[str]) -> asyncio.Future[CallResult]:
        """Remove some attributes of this user."""
        return self._ask(self._core.delete_attributes, keys)

    def get_attributes(self, uid: str) -> asyncio.Future[CallResult]:
        """Ask for the attributes of a user: ``attributes``."""
        return self._ask(self._core.get_attributes, uid)

    def query_online(self, uids: list[str]) -> asyncio.Future[CallResult]:
        """Ask which of these users are online: ``online``, true or false for each."""
        return self._ask(self._core.query_online, uids)

    async def close(self) -> None:
        """End the client, without a logout, and return when nothing of it is left. Idempotent.

        To the system that is an interruption (OPEN-11). What a logout just before it sent still leaves. Calls that wait
        for an answer fail; no handler is called any more.
        """
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for reply in self._replies.values():
            _answer(reply, CallResult(CallError.FAILURE, {}))
        self._replies.clear()
        for connection in self._connections.values():
            connection.close(flush=False)
        # One of the handlers may be what closes the client.
        ending = [task for task in (*self._connects.values(), *self._running) if task is not asyncio.current_task()]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        while self._connections:
            self._nothing_is_left.clear()
            await self._nothing_is_left.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()

    # -------------------------------------------------------------------------------------------------------- effects

    def _called(self, code: _C) -> _C:
        self._carry_out()
        return code

    def _ask(
        self, call: Callable[Concatenate[int, _P], int], *args: _P.args, **kwargs: _P.kwargs
    ) -> asyncio.Future[CallResult]:
        reply: asyncio.Future[CallResult] = self._loop.create_future()
        if self._is_closed:
            reply.set_result(CallResult(CallError.NOT_INITIALIZED, {}))
            return reply
        call_id = call(time.monotonic_ns(), *args, **kwargs)
        self._replies[call_id] = reply
        self._carry_out()
        return reply

    def _carry_out(self) -> None:
        """Carry out what the core wants done, in order; a call that a handler makes meanwhile is queued behind it."""
        if self._is_carrying_out or self._is_closed:
            return
        self._is_carrying_out = True
        try:
            while effects := self._core.drain():
                for effect in effects:
                    self._do(effect)
        finally:
            self._is_carrying_out = False
        self._set_timer()

    def _do(self, effect: Effect) -> None:
        match effect:
            case Send(conn, frame):
                self._connections[conn].send(encode(frame))
            case Callback():
                self._call_back(effect)
            case Reply(call_id, code, values):
                _answer(self._replies.pop(call_id), CallResult(code, values))
            case Open(conn):
                connection = self._connections[conn] = Connection(conn, self._uri, self._events)
                task = self._connects[conn] = self._loop.create_task(self._connect(conn, connection))
                # Not a 'finally' in there: a task that is cancelled before its first step never gets so far.
                task.add_done_callback(partial(self._connect_ended, conn, connection))
            case Close(conn, flush):
                self._connections[conn].close(flush=flush)
                if (connecting := self._connects.get(conn)) is not None:
                    connecting.cancel()
            case Log(why):
                _log.info("%s", why)
            case _:
                assert_never(effect)

    def _call_back(self, callback: Callback) -> None:
        for handler in self._handlers[callback.name]:
            try:
                rest = handler(*callback.args.values())
            except Exception:
                _log.exception("a handler of %s failed", callback.name)
                continue
            if asyncio.iscoroutine(rest):
                task = self._loop.create_task(rest)
                self._running.add(task)
                task.add_done_callback(partial(self._handler_ended, callback.name))

    def _handler_ended(self, name: str, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a handler of %s failed", name, exc_info=error)

    async def _connect(self, conn: int, connection: Connection) -> None:
        try:
            sock = await self._connect_socket()
            name = self._uri.host if self._tls is not None else None
            await self._loop.create_connection(lambda: connection, sock=sock, ssl=self._tls, server_hostname=name)
        except (OSError, UnicodeError) as error:  # UnicodeError: a host that no name can be looked up for
            self._lost(conn, str(error))

    async def _connect_socket(self) -> socket.socket:
        """Connect to one address of the server after the other.

        Not left to create_connection: cancelled in a bad moment that forgets a socket that has just been connected,
        which then stays open until the garbage is collected.
        """
        failure: OSError | None = None
        for family, kind, protocol, _, address in await self._addresses():
            sock = socket.socket(family, kind, protocol)
            sock.setblocking(False)
            try:
                await self._loop.sock_connect(sock, address)
            except OSError as error:
                sock.close()
                failure = error
            except BaseException:
                sock.close()
                raise
            else:
                return sock
        raise failure or OSError(f"{self._uri.host} has no address")

    async def _addresses(self) -> Sequence[_Address]:
        try:
            ipaddress.ip_address(self._uri.host)
        except ValueError:
            return await self._loop.getaddrinfo(self._uri.host, self._uri.port, type=socket.SOCK_STREAM)
        # Nothing is to be looked up, so no thread is needed for it.
        return socket.getaddrinfo(self._uri.host, self._uri.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)

    def _connect_ended(self, conn: int, connection: Connection, _task: asyncio.Task[None]) -> None:
        del self._connects[conn]
        if not connection.is_established:
            self._closed(conn)

    # --------------------------------------------------------------------------------------------------------- events

    def _opened(self, conn: int) -> None:
        self._core.connection_opened(time.monotonic_ns(), conn)
        self._carry_out()

    def _received(self, conn: int, data: bytes) -> None:
        self._core.received(time.monotonic_ns(), conn, data)
        self._carry_out()

    def _lost(self, conn: int, why: str) -> None:
        _log.info("connection %d lost: %s", conn, why)
        self._core.connection_lost(time.monotonic_ns(), conn)
        self._carry_out()

    def _closed(self, conn: int) -> None:
        self._connections.pop(conn, None)
        self._nothing_is_left.set()

    def _set_timer(self) -> None:
        deadline = self._core.next_deadline()
        if deadline is None or (self._timer is not None and self._timer_at_ns <= deadline):
            return  # one that goes off too early is set again then
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at_ns = deadline
        # The loop's clock is the same monotonic clock, in seconds.
        self._timer = self._loop.call_at(deadline / NS_PER_S, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._core.tick(time.monotonic_ns())
        self._carry_out()


def _answer(reply: asyncio.Future[CallResult], result: CallResult) -> None:
    if not reply.done():  # whoever asked may have been cancelled
        reply.set_result(result)
