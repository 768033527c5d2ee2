"""The recipes that close a link as a whole: cut, refuse, reset, and connects that hang."""

from __future__ import annotations

import errno
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from harness.addresses import Address, family_of, written
from harness.errors import HostError, ToxiproxyError
from proxies.api import ProxyControl, RefusedError
from proxies.effects import GATE, Parameters
from proxies.recipes import Recipe
from proxies.toxics import BOTH, ToxicSpec

# On loopback a listener answers a connect within 0.1 ms; one that has not done so in 500 times that does not answer.
_ANSWER_S: Final = 0.001
_NO_ANSWER_S: Final = 0.05
_PROBE_TIMEOUT_S: Final = 1.0
# An accept queue made with listen(0) takes one connection; Linux, BSD and macOS round up differently.
_MOST_FILLERS: Final = 64
# A process that is just being started has a copy of every open socket, our listener too, until its program begins.
_HANDED_ON_S: Final = 1.0
_SERVED: Final = "was served"


class Cut(Recipe):
    """The proxy is disabled: its connections are closed at both ends, and new ones are refused until it is healed."""

    def __init__(self, effect: str, listen: Address, parameters: Parameters | None = None) -> None:
        super().__init__(effect, visible=True, claims=[GATE], parameters=parameters or {})
        self.listen = listen

    def prepare(self, proxy: ProxyControl) -> None:
        """Nothing is to be done before."""

    def inject(self, proxy: ProxyControl) -> None:
        """Disable the proxy."""
        proxy.set_enabled(False)

    def prove(self, proxy: ProxyControl) -> str:
        """Read it back, and be refused."""
        self.check(proxy)
        return f"read back enabled=false, and a connect to {written(self.listen)} {self._probe()}"

    def check(self, proxy: ProxyControl) -> None:
        """The proxy is still disabled."""
        if proxy.state().enabled:
            raise self._vanished("enabled=true")

    def heal(self, proxy: ProxyControl) -> None:
        """Enable the proxy."""
        try:
            proxy.set_enabled(True)
        except RefusedError as error:
            if "address already in use" not in error.body:
                raise
            raise HostError(
                f"another program has taken port {self.listen[1]} while the link was cut",
                mend="run it again; nothing else may use ports 10240 to 32767 by chance.",
            ) from error

    def prove_healed(self, proxy: ProxyControl) -> str:
        """Read back that it is enabled; a connect would reach the server, and is not made."""
        if not proxy.state().enabled:
            raise ToxiproxyError(f"{self.effect} is not healed: Toxiproxy has enabled=false")
        return "read back enabled=true"

    def _probe(self) -> str:
        outcome = _connect_outcome(self.listen)
        if outcome == _SERVED:
            raise self._vanished(f"enabled=false, and still a listener on port {self.listen[1]}")
        return outcome


class Reset(Cut):
    """A cut of which both ends learn by an RST.

    Toxiproxy closes by RST what was connected while a `reset_peer` toxic sat in the link, even if switched off.
    """

    def __init__(self, listen: Address) -> None:
        super().__init__("reset", listen)

    @staticmethod
    def arm(proxy: ProxyControl) -> None:
        """Make a proxy that nobody has connected to close its connections by RST."""
        for toxic in _RESETTERS:
            proxy.install(toxic)

    def check(self, proxy: ProxyControl) -> None:
        """The proxy is still disabled, and was armed."""
        super().check(proxy)
        if not {toxic.name for toxic in _RESETTERS} <= set(proxy.state().toxics):
            raise self._vanished("no reset_peer toxic")


class HangConnects(Cut):
    """The link is cut, and a connect gets no answer: a listener of ours with a full queue sits on the port.

    For the 1 ms between the two a connect is refused. Healed, a waiting connect comes through at its next SYN, 1, 3
    or 7 s after its first.
    """

    def __init__(self, listen: Address) -> None:
        super().__init__("hang_connects", listen)
        self._sockets: list[socket.socket] = []

    def inject(self, proxy: ProxyControl) -> None:
        """Disable the proxy, take its port and fill the queue."""
        super().inject(proxy)
        with self._owning():
            self._listen()
            self._fill(wait_s=_ANSWER_S)

    def prove(self, proxy: ProxyControl) -> str:
        """Read back that the proxy is disabled, and wait in vain for an answer to the last connect."""
        with self._owning():
            self._fill(wait_s=_NO_ANSWER_S)
        self.check(proxy)
        return f"read back enabled=false, and a connect got no answer within {_NO_ANSWER_S} s"

    def check(self, proxy: ProxyControl) -> None:
        """The proxy is still disabled and our listener's queue is still full."""
        super().check(proxy)
        if not self._sockets or _answered(self._sockets[-1], wait_s=0):
            raise self._vanished("enabled=false, and a connect was answered")

    def heal(self, proxy: ProxyControl) -> None:
        """Give the port back to the proxy."""
        self.dispose()
        deadline = time.monotonic() + _HANDED_ON_S
        while True:
            try:
                return super().heal(proxy)
            except HostError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_ANSWER_S)

    def dispose(self) -> None:
        """Close our listener and what waits in its queue."""
        # The connects first: a listener that is closed under them answers each with an RST.
        while self._sockets:
            self._sockets.pop().close()

    def _listen(self) -> None:
        listener = self._new_socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(self.listen)
        listener.listen(0)

    def _fill(self, *, wait_s: float) -> None:
        """Connect until the last connect has got no answer for so long."""
        while len(self._sockets) == 1 or _answered(self._sockets[-1], wait_s=wait_s):
            if len(self._sockets) > _MOST_FILLERS:
                raise OSError(f"its queue still took connects after {_MOST_FILLERS}")
            filler = self._new_socket()
            filler.setblocking(False)
            started = filler.connect_ex(self.listen)
            if started not in (0, errno.EINPROGRESS):
                raise OSError(started, "a connect to our own listener failed")

    def _new_socket(self) -> socket.socket:
        self._sockets.append(socket.socket(family_of(self.listen), socket.SOCK_STREAM))
        return self._sockets[-1]

    @contextmanager
    def _owning(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.dispose()
            raise HostError(
                f"port {self.listen[1]} could not be made to leave connects unanswered", why=str(error)
            ) from error


def _connect_outcome(listen: Address) -> str:
    try:
        with socket.create_connection(listen, timeout=_PROBE_TIMEOUT_S) as connection:
            # Behind a published container port a refusal is turned into a connect and an end.
            return "was ended at once" if connection.recv(1) == b"" else _SERVED
    except ConnectionRefusedError:
        return "was refused"
    except ConnectionResetError:
        return "was reset at once"
    except TimeoutError:
        return _SERVED


def _answered(connecting: socket.socket, *, wait_s: float) -> bool:
    poller = select.poll()  # unlike select(), for file numbers above 1024 too
    poller.register(connecting, select.POLLOUT)
    return bool(poller.poll(wait_s * 1000))


_RESETTERS: Final = tuple(
    ToxicSpec(f"reset_{direction}", "reset_peer", direction, {"timeout": 0}) for direction in BOTH
)
