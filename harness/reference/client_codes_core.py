"""From what the wire says to the codes that the SDK publishes: one table for each kind of call."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntEnum, auto
from typing import TypeVar

from harness.reference.wire import AttributesOf, Code, Done, Failed, Members, Online
from harness.spec.states import JoinChannelError, LeaveChannelError, LoginError, RenewTokenError


class CallError(IntEnum):
    """Result of the calls for which the document publishes no codes: messages, members, attributes, online status.

    What it shares with JoinChannelError has the same number there.
    """

    OK = 0
    FAILURE = 1
    REJECTED = 2
    INVALID_ARGUMENT = 3
    TIMEOUT = 4
    TOO_OFTEN = 7
    NOT_INITIALIZED = 101
    USER_NOT_LOGGED_IN = 102


class Missing(Enum):
    """Why a request has no answer."""

    TIMEOUT = auto()  # none came in time
    LOST = auto()  # its connection went away: carried out or not, nobody knows
    ENDED = auto()  # the session is over
    AWAY = auto()  # the link is gone for long: the client decides by itself, and tells the server when it is back


Answer = Done | Failed | Members | AttributesOf | Online
Result = Answer | Missing
Cause = Code | Missing

# What is in no table below: a login that the server refuses without one of these causes is UNKNOWN, all else FAILURE.
LOGIN: Mapping[Cause, LoginError] = {
    Code.INVALID_ARGUMENT: LoginError.INVALID_ARGUMENT,
    Code.INVALID_APP_ID: LoginError.INVALID_APP_ID,
    Code.INVALID_TOKEN: LoginError.INVALID_TOKEN,
    Code.TOKEN_EXPIRED: LoginError.TOKEN_EXPIRED,
    Code.NOT_AUTHORIZED: LoginError.NOT_AUTHORIZED,
    Code.SUPERSEDED: LoginError.REJECTED,
    Code.BANNED: LoginError.REJECTED,
    Code.REJECTED: LoginError.REJECTED,
    Code.TOO_OFTEN: LoginError.TOO_OFTEN,
}
RENEW_TOKEN: Mapping[Cause, RenewTokenError] = {
    Code.INVALID_ARGUMENT: RenewTokenError.INVALID_ARGUMENT,
    Code.INVALID_TOKEN: RenewTokenError.INVALID_TOKEN,
    Code.TOKEN_EXPIRED: RenewTokenError.TOKEN_EXPIRED,
    Code.NOT_AUTHORIZED: RenewTokenError.REJECTED,
    Code.REJECTED: RenewTokenError.REJECTED,
    Code.TOO_OFTEN: RenewTokenError.TOO_OFTEN,
}
JOIN: Mapping[Cause, JoinChannelError] = {
    # Only a join that was sent before, and whose answer got lost, can find this: the member is in.
    Code.ALREADY_JOINED: JoinChannelError.OK,
    Code.INVALID_ARGUMENT: JoinChannelError.INVALID_ARGUMENT,
    Code.NOT_AUTHORIZED: JoinChannelError.REJECTED,
    Code.REJECTED: JoinChannelError.REJECTED,
    Code.EXCEED_LIMIT: JoinChannelError.EXCEED_LIMIT,
    Code.TOO_OFTEN: JoinChannelError.TOO_OFTEN,
    Missing.TIMEOUT: JoinChannelError.JOIN_CHANNEL_TIMEOUT,
}
LEAVE: Mapping[Cause, LeaveChannelError] = {
    # Sent before, and the answer got lost; or the session that was in the channel is gone: the member is out.
    Code.NOT_IN_CHANNEL: LeaveChannelError.OK,
    Missing.AWAY: LeaveChannelError.OK,  # OPEN-23: at once
    Code.NOT_AUTHORIZED: LeaveChannelError.REJECTED,
    Code.REJECTED: LeaveChannelError.REJECTED,
}
CALL: Mapping[Cause, CallError] = {
    Code.INVALID_ARGUMENT: CallError.INVALID_ARGUMENT,
    Code.NOT_AUTHORIZED: CallError.REJECTED,
    Code.NOT_IN_CHANNEL: CallError.REJECTED,
    Code.EXCEED_LIMIT: CallError.REJECTED,
    Code.REJECTED: CallError.REJECTED,
    Code.TOO_OFTEN: CallError.TOO_OFTEN,
    Missing.TIMEOUT: CallError.TIMEOUT,
}

_E = TypeVar("_E", RenewTokenError, JoinChannelError, LeaveChannelError, CallError)


def code_of(table: Mapping[Cause, _E], result: Result, *, ok: _E, failure: _E) -> _E:
    """Return the published code for what became of a request."""
    if isinstance(result, Failed):
        return table.get(result.code, failure)
    return table.get(result, failure) if isinstance(result, Missing) else ok
