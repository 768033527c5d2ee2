"""Names and numbers, written out as the SDK publishes them."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import pytest

from harness.spec import states
from harness.spec.states import CODES_OF, LoginError, Reason, State, name_of, named

PUBLISHED: dict[type[IntEnum], dict[str, int]] = {
    states.State: {"DISCONNECTED": 1, "CONNECTING": 2, "CONNECTED": 3, "RECONNECTING": 4, "ABORTED": 5},
    states.Reason: {
        "LOGIN": 1,
        "LOGIN_SUCCESS": 2,
        "LOGIN_FAILURE": 3,
        "LOGIN_TIMEOUT": 4,
        "INTERRUPTED": 5,
        "LOGOUT": 6,
        "BANNED_BY_SERVER": 7,
        "REMOTE_LOGIN": 8,
    },
    states.LoginError: {
        "OK": 0,
        "UNKNOWN": 1,
        "REJECTED": 2,
        "INVALID_ARGUMENT": 3,
        "INVALID_APP_ID": 4,
        "INVALID_TOKEN": 5,
        "TOKEN_EXPIRED": 6,
        "NOT_AUTHORIZED": 7,
        "ALREADY_LOGGED_IN": 8,
        "TIMEOUT": 9,
        "TOO_OFTEN": 10,
        "NOT_INITIALIZED": 101,
    },
    states.LogoutError: {"OK": 0, "REJECTED": 1, "NOT_INITIALIZED": 101, "USER_NOT_LOGGED_IN": 102},
    states.RenewTokenError: {
        "OK": 0,
        "FAILURE": 1,
        "INVALID_ARGUMENT": 2,
        "REJECTED": 3,
        "TOO_OFTEN": 4,
        "TOKEN_EXPIRED": 5,
        "INVALID_TOKEN": 6,
        "NOT_INITIALIZED": 101,
        "USER_NOT_LOGGED_IN": 102,
    },
    states.JoinChannelError: {
        "OK": 0,
        "FAILURE": 1,
        "REJECTED": 2,
        "INVALID_ARGUMENT": 3,
        "JOIN_CHANNEL_TIMEOUT": 4,
        "EXCEED_LIMIT": 5,
        "ALREADY_JOINED": 6,
        "TOO_OFTEN": 7,
        "NOT_INITIALIZED": 101,
        "USER_NOT_LOGGED_IN": 102,
    },
    states.LeaveChannelError: {
        "OK": 0,
        "FAILURE": 1,
        "REJECTED": 2,
        "NOT_IN_CHANNEL": 3,
        "NOT_INITIALIZED": 101,
        "USER_NOT_LOGGED_IN": 102,
    },
}


@pytest.mark.parametrize("kind", PUBLISHED, ids=lambda kind: kind.__name__)
def test_the_names_and_numbers_are_those_that_are_published(kind: type[IntEnum]) -> None:
    assert {name: int(member) for name, member in kind.__members__.items()} == PUBLISHED[kind]


def test_no_kind_of_number_is_left_out_here() -> None:
    kinds = {kind for kind in vars(states).values() if isinstance(kind, type) and issubclass(kind, IntEnum)}
    assert kinds - {IntEnum} == set(PUBLISHED)


def test_each_call_and_callback_speaks_in_codes_of_its_own() -> None:
    assert {speaker: kind.__name__ for speaker, kind in CODES_OF.items()} == {
        "login": "LoginError",
        "onLoginFailure": "LoginError",
        "logout": "LogoutError",
        "onLogout": "LogoutError",
        "renewToken": "RenewTokenError",
        "onRenewTokenResult": "RenewTokenError",
        "join": "JoinChannelError",
        "onJoinFailure": "JoinChannelError",
        "leave": "LeaveChannelError",
        "onLeave": "LeaveChannelError",
    }


@pytest.mark.parametrize("kind", PUBLISHED, ids=lambda kind: kind.__name__)
def test_a_published_number_has_its_name(kind: type[IntEnum]) -> None:
    for name, number in PUBLISHED[kind].items():
        assert name_of(kind, number) == name


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "<0>"),
        (6, "<6>"),
        (-1, "<-1>"),
        (True, "<True>"),
        (False, "<False>"),
        (1.0, "<1.0>"),
        ("1", "<'1'>"),
        ("CONNECTED", "<'CONNECTED'>"),
        (None, "<None>"),
        ([1], "<[1]>"),
        ({"state": 1}, "<{'state': 1}>"),
        (10**30, f"<{10**30}>"),
    ],
)
def test_what_is_not_published_is_shown_as_it_came(number: object, shown: str) -> None:
    assert name_of(State, number) == shown


@pytest.mark.parametrize(
    ("speaker", "args", "shown"),
    [
        ("onConnectionStateChanged", {"state": 4, "reason": 5}, {"state": "RECONNECTING", "reason": "INTERRUPTED"}),
        ("onConnectionStateChanged", {"state": 9, "reason": True}, {"state": "<9>", "reason": "<True>"}),
        ("onLoginFailure", {"code": 9}, {"code": "TIMEOUT"}),
        ("onLogout", {"code": 102}, {"code": "USER_NOT_LOGGED_IN"}),
        ("join", {"code": 4}, {"code": "JOIN_CHANNEL_TIMEOUT"}),
        ("leave", {"code": 4}, {"code": "<4>"}),
        ("onRenewTokenResult", {"token": "5", "code": 5}, {"token": "5", "code": "TOKEN_EXPIRED"}),
        ("queryOnline", {"code": 0, "online": {"bob": True}}, {"code": 0, "online": {"bob": True}}),
        ("onMessageReceived", {"channel": "code", "member": "bob", "text": "1"}, None),
        ("onTokenExpired", {}, {}),
    ],
)
def test_numbers_are_named_in_the_codes_of_whoever_speaks(
    speaker: str, args: dict[str, Any], shown: dict[str, Any] | None
) -> None:
    before = dict(args)
    assert named(speaker, args) == (args if shown is None else shown)
    assert args == before


def test_names_are_of_the_kind_that_was_asked_for() -> None:
    assert (name_of(State, 1), name_of(Reason, 1), name_of(LoginError, 1)) == ("DISCONNECTED", "LOGIN", "UNKNOWN")
