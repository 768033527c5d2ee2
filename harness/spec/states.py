"""States, reasons and error codes, with the numbers that the SDK publishes."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class State(IntEnum):
    """Connection states (published with the prefix CONNECTION_STATE_)."""

    DISCONNECTED = 1
    CONNECTING = 2
    CONNECTED = 3
    RECONNECTING = 4
    ABORTED = 5


class Reason(IntEnum):
    """Reasons of a switch of state (published with the prefix CONNECTION_CHANGE_REASON_)."""

    LOGIN = 1
    LOGIN_SUCCESS = 2
    LOGIN_FAILURE = 3
    LOGIN_TIMEOUT = 4
    INTERRUPTED = 5
    LOGOUT = 6
    BANNED_BY_SERVER = 7
    REMOTE_LOGIN = 8


class LoginError(IntEnum):
    """Result of login() and argument of onLoginFailure (prefix LOGIN_ERR_)."""

    OK = 0
    UNKNOWN = 1
    REJECTED = 2
    INVALID_ARGUMENT = 3
    INVALID_APP_ID = 4
    INVALID_TOKEN = 5
    TOKEN_EXPIRED = 6
    NOT_AUTHORIZED = 7
    ALREADY_LOGGED_IN = 8
    TIMEOUT = 9
    TOO_OFTEN = 10
    NOT_INITIALIZED = 101


class LogoutError(IntEnum):
    """Result of logout() and argument of onLogout (prefix LOGOUT_ERR_)."""

    OK = 0
    REJECTED = 1
    NOT_INITIALIZED = 101
    USER_NOT_LOGGED_IN = 102


class RenewTokenError(IntEnum):
    """Result of renewToken() and argument of onRenewTokenResult (prefix RENEW_TOKEN_ERR_)."""

    OK = 0
    FAILURE = 1
    INVALID_ARGUMENT = 2
    REJECTED = 3
    TOO_OFTEN = 4
    TOKEN_EXPIRED = 5
    INVALID_TOKEN = 6
    NOT_INITIALIZED = 101
    USER_NOT_LOGGED_IN = 102


class JoinChannelError(IntEnum):
    """Result of join and argument of onJoinFailure (prefix JOIN_CHANNEL_ERR_)."""

    OK = 0
    FAILURE = 1
    REJECTED = 2
    INVALID_ARGUMENT = 3
    JOIN_CHANNEL_TIMEOUT = 4
    EXCEED_LIMIT = 5
    ALREADY_JOINED = 6
    TOO_OFTEN = 7
    NOT_INITIALIZED = 101
    USER_NOT_LOGGED_IN = 102


class LeaveChannelError(IntEnum):
    """Result of leave and argument of onLeave (prefix LEAVE_CHANNEL_ERR_)."""

    OK = 0
    FAILURE = 1
    REJECTED = 2
    NOT_IN_CHANNEL = 3
    NOT_INITIALIZED = 101
    USER_NOT_LOGGED_IN = 102


# Which codes an SDK's call or callback speaks in; what is not listed here carries no code.
CODES_OF: dict[str, type[IntEnum]] = {
    "login": LoginError,
    "logout": LogoutError,
    "renewToken": RenewTokenError,
    "join": JoinChannelError,
    "leave": LeaveChannelError,
    "onLoginFailure": LoginError,
    "onLogout": LogoutError,
    "onRenewTokenResult": RenewTokenError,
    "onJoinFailure": JoinChannelError,
    "onLeave": LeaveChannelError,
}


def name_of(kind: type[IntEnum], number: object) -> str:
    """Return the published name of a number; one that is not published is shown as it came, in angle brackets."""
    # bool is an int to Python, but an SDK that answers `true` has not answered with a published number.
    if isinstance(number, int) and not isinstance(number, bool) and number in set(kind):
        return kind(number).name
    return f"<{number!r}>"


def named(speaker: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a callback, or the result of a call, with published names for published numbers.

    What is not published stays recognisable (see ``name_of``): it is for the judge to say that it is wrong.
    """
    kinds: dict[str, type[IntEnum]] = {"state": State, "reason": Reason}
    if speaker in CODES_OF:
        kinds["code"] = CODES_OF[speaker]
    return {key: name_of(kinds[key], value) if key in kinds else value for key, value in args.items()}
