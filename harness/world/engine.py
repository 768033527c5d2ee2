"""What a world stands on: the few things that differ between real processes and virtual time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

from harness.adapter.contract import Hello
from harness.errors import LinkproofError
from harness.oracle.expect import Span
from harness.trace import Observation
from proxies.toxics import Direction

TO_SERVER, TO_CLIENT = Direction.TO_SERVER, Direction.TO_CLIENT


class Fault(Protocol):
    """A fault on one or more links: ``await`` puts it there, ``async with`` heals it on leaving."""

    def __await__(self) -> Generator[Any, None, Fault]:
        """Put it there; returns when it has taken effect."""

    async def __aenter__(self) -> Fault:
        """Put it there."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Take it away."""

    @property
    def visible(self) -> bool:
        """Whether both ends can see the loss (FIN or RST), and need not find out by the silence."""

    @property
    def injected(self) -> Span:
        """When it took effect."""

    @property
    def healed(self) -> Span | None:
        """When it was healed; None as long as it was not."""

    async def heal(self) -> None:
        """Take it away."""


class Flap(Fault, Protocol):
    """A fault that comes and goes on an absolute schedule."""

    def __await__(self) -> Generator[Any, None, Flap]:
        """Begin; returns when it has come for the first time."""

    async def finished(self) -> None:
        """Wait until it has come and gone as often as it was to."""


class Link(Protocol):
    """A person's way to the server, and what can be done to it. Faults are named by their effect.

    ``docs/faults.md`` says of each what happens to connections that exist and to new ones.
    """

    @property
    def name(self) -> str:
        """The person whose link it is."""

    def cut(self) -> Fault:
        """Close every connection, in sight of both ends; refuse new ones."""

    def refuse(self) -> Fault:
        """Refuse new connections; there must be none yet."""

    def reset(self) -> Fault:
        """Close every connection by a real RST; refuse new ones. Only on a link that was made for it."""

    def hang_connects(self) -> Fault:
        """Close every connection; new ones get no answer to their SYN."""

    def flap(self, *, period_s: float, count: int) -> Flap:
        """Cut and heal so many times, half of each period each."""

    def blackhole(self, *, closes_on_heal: bool = False) -> Fault:
        """Lose every byte both ways; what was lost stays lost. Healed on the same connections, or by closing them."""

    def freeze(self, direction: Direction | None = None) -> Fault:
        """Hold every byte, both ways or one; healing delivers them in order on the same connections."""

    def silence(self, direction: Direction) -> Fault:
        """Lose every byte in one direction."""

    def half_open(self, direction: Direction = TO_CLIENT) -> Fault:
        """Keep from one end that the other one is gone."""

    def delay(self, delay_s: float, direction: Direction | None = None) -> Fault:
        """Deliver everything so much later, both ways or one."""

    def trickle(self, *, rate_kb_per_s: int, direction: Direction | None = None) -> Fault:
        """Let through no more than so many kilobytes a second."""

    def truncate(self, *, after_bytes: int, direction: Direction = TO_CLIENT) -> Fault:
        """Close each connection after so many bytes, in the middle of a frame if need be."""

    def drop(self, direction: Direction | None = None) -> Fault:
        """Drop every packet, both ways or one; healed, the kernel sends again what was lost. Needs ``drop``."""

    def unplug(self) -> Fault:
        """Take the client's network away: no packet comes or goes, and a connect fails at once. Needs ``unplug``."""

    def change_address(self) -> Fault:
        """Give the client's machine another address in place of its own. Needs ``change_address``."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When something happened: at one moment between two (monotonic nanoseconds)."""

    t0_ns: int
    t1_ns: int


class Server(Protocol):
    """A server of a scenario's own."""

    async def kill(self) -> Moment:
        """Have it end without a word, as a crash does."""

    async def stop(self) -> Moment:
        """Have it end in order."""

    async def start(self) -> Moment:
        """Start it again, on the same port and with nothing of its former life."""

    async def suspend(self) -> Moment:
        """Have it stand still: connections are accepted, and nobody answers."""

    async def resume(self) -> Moment:
        """Let it go on."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What a client answered to a call, in the harness's time."""

    at_ns: int
    arrived_ns: int
    result: Mapping[str, Any] | None
    error: str | None


class Client(Protocol):
    """A client under test, and what its adapter declared."""

    @property
    def hello(self) -> Hello:
        """What the adapter says of it."""

    @property
    def clock_error_ns(self) -> int:
        """How well its clock is known."""

    async def call(self, name: str, args: Mapping[str, Any]) -> Returned:
        """Call it."""


# Called with the callback's name, its arguments, when it was made, and when the harness heard of it (nanoseconds).
OnCallback = Callable[[str, Mapping[str, Any], int, int], None]
OnFailure = Callable[[LinkproofError], None]
Record = Callable[[Observation], None]


class Engine(Protocol):
    """Real processes and Toxiproxy, or cores and virtual time."""

    def now_ns(self) -> int:
        """The monotonic time of this world."""

    async def sleep_until(self, at_ns: int) -> None:
        """Wait until then."""

    async def own_server(self, record: Record, on_failure: OnFailure) -> Server:
        """Start a server of this world's own; links that are made from now on lead to it."""

    async def open_link(self, person: str, record: Record, *, resettable: bool) -> Link:
        """Make a person's way to the server; what is done to it is recorded."""

    async def start_client(self, person: str, on_callback: OnCallback, on_failure: OnFailure) -> Client:
        """Start a client that reaches the server by the person's link alone."""

    async def count(self, person: str, uid: str) -> Mapping[str, int]:
        """How many ``connections`` a person's client has open, and how many ``logins`` the server has seen of the uid.

        What cannot be known at the moment (the server is down, the client has crashed) is left out.
        """

    async def crash_client(self, person: str) -> None:
        """End a person's client without a word: its process is killed."""

    def partition(self, groups: Sequence[Sequence[str]]) -> Fault:
        """Cut the people of one group off from those of the others, and all but the server's own group from it."""

    async def confirm_faults(self) -> None:
        """Prove of every fault that is in place that it still is.

        Raises:
            ToxiproxyError: one has healed by itself, so that nothing can be said.
        """

    def token(self, uid: str, expires_in_s: float | None) -> str:
        """Issue a token for a user of this world's tenant."""

    async def ask_server(self, call: str, args: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Ask the server something about this world's tenant, or have it do something.

        None where it knows no such call; the reference server knows them all.
        """

    async def delays(self, from_ns: int, to_ns: int, /) -> list[Observation]:
        """What was run late in this span."""

    async def close(self) -> None:
        """End everything that this world started."""
