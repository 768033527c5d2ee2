"""A client of a virtual world: the core under test, with a shell and an agent that live in virtual time."""

from __future__ import annotations

import asyncio
import functools
import random
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from harness.adapter.contract import CAPABILITIES, CONTRACT_VERSION, UNSUPPORTED, Hello
from harness.errors import AdapterError
from harness.reference.client_calls import CLIENT_CALLS
from harness.reference.client_core import RETRY_S, Callback, ClientCore, Close, Effect, Open, Reply, Send
from harness.reference.wire import encode
from harness.world.engine import OnCallback, OnFailure, Returned
from harness.world.virtual_link import Connecting, VirtualLink
from harness.world.virtual_loop import Due, VirtualLoop
from harness.world.virtual_net import CLIENT_FAREWELL, UPGRADE_REQUEST, Circuit, Item, Kind, text_to_server
from harness.world.virtual_server import HEARTBEAT_S

MakeClientCore = Callable[..., ClientCore]

NAME = "linkproof-reference-virtual"
# A line from one process to the other, over a pipe.
PIPE_NS = 100_000
# Those that the core itself answers, with a code; the others it answers when the server has.
_ANSWERED_AT_ONCE = frozenset({"login", "logout", "renewToken", "join", "leave"})


@dataclass(frozen=True, slots=True)
class _Reaction:
    """What the app is to do inside a callback; an empty call raises."""

    call: str
    args: Mapping[str, Any]


class _Socket:
    """One number of the core's: a connect on its way, then a connection, until one of both ends hangs up."""

    def __init__(self, client: VirtualClient, conn: int) -> None:
        self._client = client
        self._conn = conn
        self._circuit: Circuit | None = None
        self._connecting: Connecting | None = client.link.connect(self)

    @property
    def is_connected(self) -> bool:
        """Whether the kernel has a connection for it."""
        return self._circuit is not None

    def connected(self, circuit: Circuit) -> None:
        """The proxy has accepted: ask for the upgrade."""
        self._connecting, self._circuit = None, circuit
        circuit.to_server.put(UPGRADE_REQUEST)

    def refused(self) -> None:
        """There is no connection to be had."""
        self._connecting = None
        self._client.lost(self._conn)

    def received(self, _circuit: Circuit, item: Item) -> None:
        """Take what arrived."""
        match item.kind:
            case Kind.UPGRADE:
                self._client.opened(self._conn)
            case Kind.TEXT:
                self._client.received(self._conn, item.data)
            case Kind.FAREWELL | Kind.FIN:
                self._client.lost(self._conn)

    def send(self, frame: bytes) -> None:
        """Send a text message."""
        assert self._circuit is not None
        self._circuit.to_server.put(text_to_server(frame))

    def close(self, *, flush: bool) -> None:
        """Hang up; ``flush`` takes leave first."""
        if self._connecting is not None:
            self._connecting.give_up()
            self._connecting = None
        if self._circuit is not None:
            circuit, self._circuit = self._circuit, None
            if flush:
                circuit.to_server.put(CLIENT_FAREWELL)
            circuit.client_closes()


class VirtualClient:
    """Somebody's client; its clock is the world's own."""

    clock_error_ns = 0

    def __init__(
        self,
        loop: VirtualLoop,
        link: VirtualLink,
        core: ClientCore,
        *,
        on_callback: OnCallback,
        on_failure: OnFailure,
    ) -> None:
        self.link = link
        self.hello = Hello(CONTRACT_VERSION, NAME, "1", "python", HEARTBEAT_S, RETRY_S, list(CAPABILITIES))
        self._loop = loop
        self._core = core
        self._on_callback = on_callback
        self._on_failure = on_failure
        self._sockets: dict[int, _Socket] = {}
        self._replies: dict[int, asyncio.Future[Returned]] = {}
        self._reactions: dict[str, _Reaction] = {}
        self._timer: Due | None = None
        self._is_carrying_out = False
        self._is_over = False
        self._last_line_ns = 0

    @property
    def connections(self) -> int:
        """How many connections its kernel has open."""
        return sum(each.is_connected for each in self._sockets.values())

    def end(self) -> None:
        """End the process: the kernel closes what it had open."""
        self._is_over = True
        if self._timer is not None:
            self._timer.cancel()
        for socket in self._sockets.values():
            socket.close(flush=False)
        self._sockets.clear()

    # -------------------------------------------------------------------------------------------------- as the adapter

    async def call(self, name: str, args: Mapping[str, Any]) -> Returned:
        """Call it.

        Raises:
            AdapterError: its process has ended.
        """
        await self._loop.sleep_until(self._loop.now_ns() + PIPE_NS)
        if self._is_over:
            raise AdapterError("the process of this client has ended")
        answer = self._called(name, args)
        returned = answer if isinstance(answer, Returned) else await answer
        await self._loop.sleep_until(returned.arrived_ns)
        return returned

    def _called(self, name: str, args: Mapping[str, Any]) -> Returned | asyncio.Future[Returned]:
        if name == "react":
            self._reactions[args["callback"]] = _Reaction(args["call"], args["args"])
            return self._line({"code": 0})
        if name not in CLIENT_CALLS:
            return self._line(None, error=UNSUPPORTED)
        number = self._call_core(name, args)
        if name in _ANSWERED_AT_ONCE:
            return self._line({"code": number})
        # Where the core could answer at once it has done so before anybody could wait for it.
        return self._replies.setdefault(number, self._loop.create_future())

    def _call_core(self, name: str, args: Mapping[str, Any]) -> int:
        method, names = CLIENT_CALLS[name]
        number = 0

        def call() -> None:
            nonlocal number
            number = int(getattr(self._core, method)(self._loop.now_ns(), *(args[each] for each in names)))

        self._do(call)
        return number

    def _line(self, result: Mapping[str, Any] | None, *, error: str | None = None) -> Returned:
        """Write a line of output; no two arrive at the same time."""
        now_ns = self._loop.now_ns()
        self._last_line_ns = max(now_ns + PIPE_NS, self._last_line_ns + 1)
        return Returned(now_ns, self._last_line_ns, result, error)

    # ------------------------------------------------------------------------------------------------- as the network

    def opened(self, conn: int) -> None:
        """A connection has become a WebSocket."""
        self._do(lambda: self._core.connection_opened(self._loop.now_ns(), conn))

    def received(self, conn: int, data: bytes) -> None:
        """A text message has arrived."""
        self._do(lambda: self._core.received(self._loop.now_ns(), conn, data))

    def lost(self, conn: int) -> None:
        """A connection could not be opened, or was closed from the other side."""
        socket = self._sockets.pop(conn, None)
        if socket is not None:
            socket.close(flush=False)
            self._do(lambda: self._core.connection_lost(self._loop.now_ns(), conn))

    # -------------------------------------------------------------------------------------------------------- effects

    def _do(self, action: Callable[[], None]) -> None:
        """Have the core do something, and carry out what it wants done; a core that raises has failed its process."""
        if self._is_over:
            return
        try:
            action()
            self._carry_out()
        except Exception as error:
            self.end()
            why = "".join(traceback.format_exception(error)).strip()
            self._on_failure(AdapterError(f"the client core raised {type(error).__name__}: {error}", why=why))

    def _carry_out(self) -> None:
        """Carry out what is wanted, in order; what a callback calls meanwhile is queued behind it."""
        if self._is_carrying_out:
            return
        self._is_carrying_out = True
        try:
            while effects := self._core.drain():
                for effect in effects:
                    self._carry_out_one(effect)
        finally:
            self._is_carrying_out = False
        self._set_timer()

    def _carry_out_one(self, effect: Effect) -> None:
        match effect:
            case Send(conn, frame):
                if (socket := self._sockets.get(conn)) is not None:
                    socket.send(encode(frame))
            case Callback(name, args):
                self._call_back(name, msgspec.to_builtins(args))
            case Reply(call_id, code, values):
                reply = self._replies.setdefault(call_id, self._loop.create_future())
                reply.set_result(self._line({"code": int(code), **values}))
            case Open(conn):
                self._sockets[conn] = _Socket(self, conn)
            case Close(conn, flush):
                if (socket := self._sockets.pop(conn, None)) is not None:
                    socket.close(flush=flush)

    def _call_back(self, name: str, args: Mapping[str, Any]) -> None:
        line = self._line(args)
        tell = functools.partial(self._on_callback, name, args, line.at_ns, line.arrived_ns)
        self._loop.call_at_ns(line.arrived_ns, tell)
        reaction = self._reactions.pop(name, None)
        # An exception that the app raises in a callback is logged by the shell, and has no other effect (OPEN-18).
        if reaction is not None and reaction.call:
            self._call_core(reaction.call, reaction.args)

    def _set_timer(self) -> None:
        deadline_ns = self._core.next_deadline()
        if deadline_ns is None or (self._timer is not None and self._timer.at_ns <= deadline_ns):
            return  # one that goes off too early is set again then
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at_ns(deadline_ns, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._do(lambda: self._core.tick(self._loop.now_ns()))


def make_core(make: MakeClientCore, app_id: str, person: str, seed: int) -> ClientCore:
    """Make the core of a person's client; the same seed, tenant and name give the same instance and the same jitter.

    Raises:
        AdapterError: what is to make it raises.
    """
    chance = random.Random(f"{seed}/{app_id}/{person}")  # noqa: S311 - it is to be repeatable, not secret
    try:
        return make(app_id, instance=f"{person}-{chance.getrandbits(64):016x}", jitter=chance.random)
    except Exception as error:
        why = "".join(traceback.format_exception(error)).strip()
        raise AdapterError(f"the client core cannot be made: {type(error).__name__}: {error}", why=why) from error
