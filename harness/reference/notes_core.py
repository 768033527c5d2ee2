"""What the server has done, for whoever runs it: the notes that its log and its metrics are made of. Pure.

A note names users and sessions' ends, and never holds a token, a secret or a text of a client's: what a client wrote
may be anything, its token too.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class What(StrEnum):
    """What a note is about."""

    LOGIN = "login"  # why: how it was let in
    REFUSED = "refused"  # a login; why: the code
    FAILED = "failed"  # a request; why: the code
    ENDED = "ended"  # a session; why: an Ending
    CLOSED = "closed"  # a connection, by the server; why: the close code
    LOST = "lost"  # a connection, by its other end or on the way
    DROPPED = "dropped"  # a connection whose client does not read what it is sent


class Ending(StrEnum):
    """Why a session ended."""

    LOGOUT = "logout"
    EXPIRED = "expired"  # nothing was heard of it for too long (GENERAL-4)
    UNCONFIRMED = "unconfirmed"  # its client never heard of it (OPEN-7)
    RETIRED = "retired"  # its own client has logged in anew (OPEN-16)
    REMOTE_LOGIN = "remote_login"
    BANNED = "banned"


class Note(NamedTuple):
    """One thing that the server has done. ``what`` and ``why`` are of few values; the rest says who."""

    what: What
    why: str = ""
    conn: int | None = None
    app_id: str = ""
    uid: str = ""
    detail: str = ""  # in the server's own words


def unnoted(_note: Note) -> None:
    """Take no notice, where nobody wants to know."""
