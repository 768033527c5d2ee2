"""The server of a virtual world: the reference's core, with a shell that lives in virtual time."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable

import msgspec

from harness.errors import HarnessError
from harness.reference.server_core import Claims, Send, ServerCore
from harness.reference.server_link import CLOSE_TIMEOUT_S
from harness.reference.wire import Code, Frame, encode
from harness.spec.timing import NS_PER_S, ns
from harness.world.engine import OnFailure
from harness.world.virtual_loop import Due, VirtualLoop
from harness.world.virtual_net import SERVER_FAREWELL, UPGRADE_ANSWER, Circuit, Item, Kind, text_to_client

HEARTBEAT_S = 0.5
OPEN_TIMEOUT_S = 10.0  # like the real one's: for the request that makes a WebSocket of a connection
STOP_TIMEOUT_S = 0.5  # like the real one's: for the farewell to every client

MakeServerCore = Callable[..., ServerCore]


def token_for(app_id: str, uid: str, expires_ns: int | None) -> str:
    """Issue a token: who, and until when. In a world without enemies it needs no signature."""
    return msgspec.json.encode((app_id, uid, expires_ns)).decode()


def _checked(token: str, now: int) -> Claims | Code:
    try:
        app_id, uid, expires_ns = msgspec.json.decode(token, type=tuple[str, str, int | None])
    except (msgspec.DecodeError, UnicodeEncodeError):
        return Code.INVALID_TOKEN
    if expires_ns is None:
        return Claims(app_id, uid, None)
    return Claims(app_id, uid, (expires_ns - now) / NS_PER_S) if expires_ns > now else Code.TOKEN_EXPIRED


class VirtualServer:
    """A process with a server in it: it can be killed, stopped, made to stand still, and started again."""

    def __init__(self, loop: VirtualLoop, make_core: MakeServerCore) -> None:
        self.on_failure: OnFailure | None = None  # told when the core raises
        self._loop = loop
        self._make_core = make_core
        self._sessions = 0
        self._last_conn = 0
        self._conns: dict[Circuit, int] = {}  # of those that are WebSockets
        self._circuits: dict[int, Circuit] = {}  # by conn
        self._accepted: dict[Circuit, None] = {}  # every connection that is open, in the order of accepting
        self._backlog: list[Callable[[], None]] = []  # what came while it stood still
        self._timer: Due | None = None
        self._last_frame: tuple[Frame, Item] | None = None
        self._is_listening = False
        self._emptied = asyncio.Event()
        self.is_suspended = False
        self.core: ServerCore | None = None

    @property
    def is_running(self) -> bool:
        """Whether there is a process, even if it stands still."""
        return self.core is not None

    # --------------------------------------------------------------------------------------------- what is done to it

    def start(self) -> None:
        """Start it, with nothing of a former life."""
        self.core = self._make_core(authenticate=_checked, new_session_id=self._new_session, heartbeat_s=HEARTBEAT_S)
        self._is_listening = True
        self.is_suspended = False

    def kill(self) -> None:
        """Have it end without a word; the kernel closes its connections."""
        self._is_listening = False
        self.core = None
        self._backlog.clear()
        self._call_off_timer()
        for circuit in list(self._accepted):
            self._end(circuit)

    async def stop(self) -> None:
        """Have it end in order: it takes its leave of every client first."""
        self._is_listening = False
        for circuit in self._conns:
            circuit.to_client.put(SERVER_FAREWELL)
        timeout = self._loop.call_at_ns(self._loop.now_ns() + ns(STOP_TIMEOUT_S), self._emptied.set)
        if self._accepted:
            self._emptied.clear()
            await self._emptied.wait()
        timeout.cancel()
        self.kill()

    def suspend(self) -> None:
        """Have it stand still: the kernel goes on accepting connections."""
        self.is_suspended = True

    def resume(self) -> None:
        """Let it go on, with what came meanwhile."""
        self.is_suspended = False
        backlog, self._backlog = self._backlog, []
        for action in backlog:
            self._when_running(action)

    def ban(self, app_id: str, uid: str) -> None:
        """End a user's session for good."""
        core = self.core
        assert core is not None
        self._when_running(lambda: core.ban(self._loop.now_ns(), app_id, uid))

    # ---------------------------------------------------------------------------------------------------- connections

    def accept(self, circuit: Circuit) -> bool:
        """Take a connection, if there is anybody to take it."""
        if not self._is_listening:
            return False
        self._accepted[circuit] = None
        at_ns = self._loop.now_ns() + ns(OPEN_TIMEOUT_S)
        self._loop.call_at_ns(at_ns, lambda: self._when_running(lambda: self._give_up(circuit)))
        return True

    def received(self, circuit: Circuit, item: Item) -> None:
        """Take what arrived on a connection."""
        self._when_running(lambda: self._take(circuit, item))

    def _when_running(self, action: Callable[[], None]) -> None:
        """Do something as the process, or when that goes on; a core that raises has failed it."""
        if self.is_suspended:
            self._backlog.append(action)
            return
        try:
            action()
            self._carry_out()
        except Exception as error:
            self.kill()
            if self.on_failure is None:
                raise
            why = "".join(traceback.format_exception(error)).strip()
            self.on_failure(HarnessError(f"the server core raised {type(error).__name__}: {error}", why=why))

    def _give_up(self, circuit: Circuit) -> None:
        if circuit in self._accepted and circuit not in self._conns:
            self._end(circuit)

    def _take(self, circuit: Circuit, item: Item) -> None:
        if self.core is None or circuit not in self._accepted:
            return
        now = self._loop.now_ns()
        conn = self._conns.get(circuit)
        match item.kind:
            case Kind.UPGRADE if self._is_listening:
                circuit.to_client.put(UPGRADE_ANSWER)
                self._last_conn = conn = self._last_conn + 1
                self._conns[circuit], self._circuits[conn] = conn, circuit
                self.core.connected(now, conn)
            case Kind.TEXT if conn is not None:
                self.core.received(now, conn, item.data)
            case Kind.FAREWELL | Kind.FIN:
                if conn is not None:
                    self.core.disconnected(now, conn)
                self._end(circuit)

    def _end(self, circuit: Circuit) -> None:
        self._accepted.pop(circuit, None)
        conn = self._conns.pop(circuit, None)
        if conn is not None:
            del self._circuits[conn]
        circuit.server_closes()
        if not self._accepted:
            self._emptied.set()

    # -------------------------------------------------------------------------------------------------------- effects

    def _carry_out(self) -> None:
        if self.core is None:
            return
        for effect in self.core.drain():
            circuit = self._circuits.get(effect.conn)
            if circuit is None:
                continue
            if isinstance(effect, Send):
                circuit.to_client.put(self._framed(effect.frame))
            else:
                self._close(circuit)
        self._set_timer()

    def _framed(self, frame: Frame) -> Item:
        # What is told to all members of a channel comes as the same object many times in a row.
        if self._last_frame is None or self._last_frame[0] is not frame:
            self._last_frame = frame, text_to_client(encode(frame))
        return self._last_frame[1]

    def _close(self, circuit: Circuit) -> None:
        """Take leave, and hang up where the other end does not."""
        circuit.to_client.put(SERVER_FAREWELL)
        at_ns = self._loop.now_ns() + ns(CLOSE_TIMEOUT_S)
        self._loop.call_at_ns(at_ns, lambda: self._when_running(lambda: self._end(circuit)))

    def _new_session(self) -> str:
        self._sessions += 1
        return f"session-{self._sessions:014d}"  # as long as a real one's

    def _set_timer(self) -> None:
        assert self.core is not None
        deadline_ns = self.core.next_deadline()
        if deadline_ns is None or (self._timer is not None and self._timer.at_ns <= deadline_ns):
            return  # one that goes off too early is set again then
        self._call_off_timer()
        self._timer = self._loop.call_at_ns(deadline_ns, self._on_timer)

    def _call_off_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        self._when_running(self._tick)

    def _tick(self) -> None:
        if self.core is not None:
            self.core.tick(self._loop.now_ns())
