"""A schedule as data: who there is, and what is done step by step to their clients, their links and their server.

What may follow what is in situation.py. Nothing here is drawn or played, so that a schedule can be shrunk, stored and
written down as a scenario whoever made it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal

from msgspec import Struct

from harness.world.engine import TO_CLIENT, TO_SERVER


class Someone(Struct, frozen=True):
    """Somebody with a client; two of one uid are two instances of one user."""

    name: str
    uid: str


TokenKind = Literal["valid", "short", "bad"]
SHORT_TOKEN_S = 5.0  # it expires within most schedules, and not before a login is through
BAD_TOKEN = "this is no token"


class FaultKind(Struct, frozen=True):
    """A fault by the word of ``Link`` that makes it, and which of a link's parts it holds."""

    word: str
    args: Mapping[str, Any] = MappingProxyType({})
    holds: tuple[str, ...] = (TO_SERVER, TO_CLIENT)


_GATE = ("gate",)  # what closes a link as a whole; a fault in a direction can be there beside it

FAULTS: Mapping[str, FaultKind] = MappingProxyType(
    {
        "cut": FaultKind("cut", holds=_GATE),
        "blackhole": FaultKind("blackhole"),
        "freeze": FaultKind("freeze"),
        "blackhole_until_closed": FaultKind("blackhole", {"closes_on_heal": True}),
        "silence_to_server": FaultKind("silence", {"direction": TO_SERVER}, holds=(TO_SERVER,)),
        "silence_to_client": FaultKind("silence", {"direction": TO_CLIENT}, holds=(TO_CLIENT,)),
        "freeze_to_server": FaultKind("freeze", {"direction": TO_SERVER}, holds=(TO_SERVER,)),
        "freeze_to_client": FaultKind("freeze", {"direction": TO_CLIENT}, holds=(TO_CLIENT,)),
        "reset": FaultKind("reset", holds=_GATE),
        "hang_connects": FaultKind("hang_connects", holds=_GATE),
        "flap": FaultKind("flap", {"period_s": 2.4, "count": 3}, holds=_GATE),
        "truncate": FaultKind("truncate", {"after_bytes": 10}, holds=(TO_CLIENT,)),
        "truncate_after_login": FaultKind("truncate", {"after_bytes": 337}, holds=(TO_CLIENT,)),
        "half_open": FaultKind("half_open", holds=(TO_CLIENT,)),
        "delay": FaultKind("delay", {"delay_s": 0.4}),
        "delay_to_server": FaultKind("delay", {"delay_s": 0.8, "direction": TO_SERVER}, holds=(TO_SERVER,)),
        "trickle": FaultKind("trickle", {"rate_kb_per_s": 1}),
    }
)


# ---------------------------------------------------------------------------------------------------- steps


class Login(Struct, frozen=True, tag=True):
    """Their app asks for a login."""

    who: str
    token: TokenKind = "valid"


class Logout(Struct, frozen=True, tag=True):
    """Their app asks for the logout."""

    who: str


class Join(Struct, frozen=True, tag=True):
    """Their app asks to join a channel."""

    who: str
    channel: str


class Leave(Struct, frozen=True, tag=True):
    """Their app asks to leave a channel."""

    who: str
    channel: str


class Send(Struct, frozen=True, tag=True):
    """Their app sends a message to a channel."""

    who: str
    channel: str


class SetAttributes(Struct, frozen=True, tag=True):
    """Their app replaces the user's attributes."""

    who: str
    mood: str


class RenewToken(Struct, frozen=True, tag=True):
    """Their app gives the client another token."""

    who: str
    token: TokenKind = "valid"


class Lose(Struct, frozen=True, tag=True):
    """A fault is put on their link; ``fault`` is a name of FAULTS."""

    who: str
    fault: str


class Heal(Struct, frozen=True, tag=True):
    """The fault of this name is taken off their link."""

    who: str
    fault: str


class Part(Struct, frozen=True, tag=True):
    """These are cut off from the server, all at once."""

    cut_off: tuple[str, ...]


class Mend(Struct, frozen=True, tag=True):
    """The partition is healed."""


class Crash(Struct, frozen=True, tag=True):
    """The process of their client is killed."""

    who: str


class Ban(Struct, frozen=True, tag=True):
    """The system ends a user's session for good."""

    uid: str


class Serve(Struct, frozen=True, tag=True):
    """Something is done to the server, which is then the schedule's own."""

    deed: Literal["kill", "start", "suspend", "resume"]


class Wait(Struct, frozen=True, tag=True):
    """Time passes."""

    seconds: float


Call = Login | Logout | Join | Leave | Send | SetAttributes | RenewToken
Step = Call | Lose | Heal | Part | Mend | Crash | Ban | Serve | Wait


class Schedule(Struct, frozen=True):
    """Who there is, and what is done, in this order."""

    people: tuple[Someone, ...]
    steps: tuple[Step, ...]

    @property
    def owns_server(self) -> bool:
        """Whether it needs a server of its own."""
        return any(isinstance(step, Serve) for step in self.steps)

    @property
    def channels(self) -> list[str]:
        """The channels that somebody joins."""
        return sorted({step.channel for step in self.steps if isinstance(step, Join)})

    @property
    def waits_s(self) -> float:
        """How long its waits are together."""
        return sum(step.seconds for step in self.steps if isinstance(step, Wait))

    def needs_resettable(self, name: str) -> bool:
        """Whether a link is to be made so that it can be reset."""
        return any(step == Lose(name, "reset") for step in self.steps)


def describe(step: Step) -> str:
    """Return a step in a few words, for a list of them."""
    if isinstance(step, Wait):
        return f"wait {step.seconds:g} s"
    values = [",".join(value) if isinstance(value, tuple) else str(value) for value in _values(step)]
    return " ".join([type(step).__name__.lower(), *values])


def _values(step: Step) -> list[object]:
    return [getattr(step, name) for name in step.__struct_fields__]
