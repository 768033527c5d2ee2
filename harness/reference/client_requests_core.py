"""The requests that wait for an answer: until one comes, until it is too late, or until the session ends.

A request made while there is no link waits for one. One whose connection is lost before its answer came is sent again
on the next link where that is harmless; a message is not sent again, or it could arrive twice. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from harness.reference.client_codes_core import Answer, Missing, Result
from harness.reference.wire import (
    AddAttributes,
    AttributesOf,
    ClientFrame,
    DeleteAttributes,
    Done,
    Failed,
    Frame,
    GetAttributes,
    GetMembers,
    Join,
    Leave,
    Members,
    Online,
    QueryOnline,
    RenewToken,
    SendToChannel,
    SendToPeer,
    SetAttributes,
    WireError,
    decode_from_client,
    encode,
)

# Enough for an app that does everything at once in 20 channels, and few enough that what is written to a frozen
# connection stays below 64 frames of 64 KiB.
PENDING_MAX = 64

AttributeChange = SetAttributes | AddAttributes | DeleteAttributes
Request = (
    Join | Leave | SendToPeer | SendToChannel | GetMembers | GetAttributes | QueryOnline | RenewToken | AttributeChange
)
Finish = Callable[[int, Result], None]  # called once, with the time and what became of the request

_F = TypeVar("_F", bound=ClientFrame)
_VALUES: dict[type[Frame], type[Frame]] = {GetMembers: Members, GetAttributes: AttributesOf, QueryOnline: Online}


@dataclass(slots=True, eq=False)
class Pending:
    """One request that waits for its answer."""

    frame: Request
    deadline_ns: int
    is_repeatable: bool
    finish: Finish
    is_on_link: bool = False  # sent on the present link
    was_sent: bool = False  # sent on any: it may have been carried out


class Requests:
    """All requests of one session, in the order in which they were made."""

    def __init__(self) -> None:
        self._pending: dict[int, Pending] = {}

    @property
    def is_full(self) -> bool:
        """True where the app has to wait before it asks for more."""
        return len(self._pending) >= PENDING_MAX

    def add(self, frame: Request, deadline_ns: int, finish: Finish, *, is_repeatable: bool) -> Pending:
        """Take a request, to be sent when there is a link."""
        pending = self._pending[frame.id] = Pending(frame, deadline_ns, is_repeatable, finish)
        return pending

    def unsent(self) -> list[Pending]:
        """Return the requests that have not been sent on the present link."""
        return [pending for pending in self._pending.values() if not pending.is_on_link]

    def answer(self, now: int, answer: Answer) -> None:
        """Take an answer; one to a request that nobody waits for any more came too late.

        Raises:
            WireError: it is none that this request can have.
        """
        pending = self._pending.get(answer.id)
        if pending is None:
            return
        if not isinstance(answer, (Failed, _VALUES.get(type(pending.frame), Done))):
            raise WireError(f"{type(answer).__name__} does not answer {type(pending.frame).__name__}")
        del self._pending[answer.id]
        pending.finish(now, answer)

    def link_lost(self, now: int) -> None:
        """Let those wait for the next link that can be sent again; the others have failed if they were sent."""
        for pending in list(self._pending.values()):
            if pending.is_on_link and not pending.is_repeatable:
                self._finish(now, pending, Missing.LOST)
            pending.is_on_link = False

    def expire(self, now: int) -> None:
        """Fail those whose time is up."""
        for pending in list(self._pending.values()):
            if pending.deadline_ns <= now:
                self._finish(now, pending, Missing.TIMEOUT)

    def end(self, now: int) -> None:
        """Fail all: the session is over."""
        for pending in list(self._pending.values()):
            self._finish(now, pending, Missing.ENDED)

    def away(self, now: int, kinds: tuple[type[Request], ...]) -> None:
        """Let the client decide about all requests of these kinds: it will be without a link for long."""
        for pending in [pending for pending in self._pending.values() if isinstance(pending.frame, kinds)]:
            self._finish(now, pending, Missing.AWAY)

    def next_deadline(self) -> int | None:
        """Return when the first of them fails, or None."""
        return min((pending.deadline_ns for pending in self._pending.values()), default=None)

    def _finish(self, now: int, pending: Pending, why: Missing) -> None:
        del self._pending[pending.frame.id]
        pending.finish(now, why)


def checked(frame: _F) -> _F | None:
    """Return a copy of a frame as the server will understand it, or None where it would not.

    So the limits of all arguments stand in one place, the wire; and what the app changes later in a list or dict that
    it passed has no effect.
    """
    try:
        return cast("_F", decode_from_client(encode(frame)))
    except (ValueError, TypeError, OverflowError, RecursionError):  # what no JSON can be made of, or none of that form
        return None
