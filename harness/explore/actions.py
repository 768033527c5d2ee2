"""What can happen next to the cores, as data: a call of an app, a loss, an arrival, the next deadline."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Seen(Enum):
    """Which ends see at once that a connection is gone; the other one hears of it when that arrives, or never."""

    BY_BOTH = "both ends see it"
    BY_CLIENT = "only the client sees it"
    BY_SERVER = "only the server sees it"


@dataclass(frozen=True, slots=True)
class Call:
    """An app calls its client. A token is given by its kind (see ``credentials.LASTING``); each call has a new one."""

    person: str
    name: str
    args: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.person} calls {self.name}({', '.join(self.args)})"


@dataclass(frozen=True, slots=True)
class Accept:
    """A connection that was asked for opens."""

    person: str
    conn: int

    def __str__(self) -> str:
        return f"{self.person}'s connection {self.conn} opens"


@dataclass(frozen=True, slots=True)
class Refuse:
    """A connection that was asked for cannot be opened."""

    person: str
    conn: int

    def __str__(self) -> str:
        return f"{self.person}'s connection {self.conn} is refused"


@dataclass(frozen=True, slots=True)
class Deliver:
    """The next message of a connection arrives, or its end where that is next."""

    person: str
    conn: int
    to_server: bool

    def __str__(self) -> str:
        return f"the next of {self.person}'s connection {self.conn} reaches the {self._end}"

    @property
    def _end(self) -> str:
        return "server" if self.to_server else "client"


@dataclass(frozen=True, slots=True)
class Lose:
    """A connection breaks, and what is on its way is lost."""

    person: str
    conn: int
    seen: Seen

    def __str__(self) -> str:
        return f"{self.person}'s connection {self.conn} breaks, {self.seen.value}"


@dataclass(frozen=True, slots=True)
class Fire:
    """Time passes until the earliest deadline of any core."""

    def __str__(self) -> str:
        return "time passes until the next deadline"


@dataclass(frozen=True, slots=True)
class Ban:
    """The system ends a user's session for good."""

    uid: str

    def __str__(self) -> str:
        return f"{self.uid} is banned"


@dataclass(frozen=True, slots=True)
class RestartServer:
    """The server is killed and started again: its connections end, its sessions are gone."""

    def __str__(self) -> str:
        return "the server is killed and started again"


Action = Call | Accept | Refuse | Deliver | Lose | Fire | Ban | RestartServer
