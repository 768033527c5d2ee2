from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest

from harness.errors import UsageError
from harness.reference.server_core import Claims
from harness.reference.tokens import authenticator, issue, verify
from harness.reference.wire import Code

SECRET = "0123456789abcdef0123456789abcdef"
AT_S = 1_900_000_000.25


def test_a_token_says_whose_it_is() -> None:
    assert verify(SECRET, issue(SECRET, "app", "alice"), at_s=AT_S) == Claims("app", "alice", None)


def test_a_token_can_live_for_less_than_a_second() -> None:
    token = issue(SECRET, "app", "alice", 0.5, at_s=AT_S)
    assert verify(SECRET, token, at_s=AT_S) == Claims("app", "alice", 0.5)
    assert verify(SECRET, token, at_s=AT_S + 0.25) == Claims("app", "alice", 0.25)
    assert verify(SECRET, token, at_s=AT_S + 0.5) is Code.TOKEN_EXPIRED
    assert verify(SECRET, issue(SECRET, "app", "alice", -1, at_s=AT_S), at_s=AT_S) is Code.TOKEN_EXPIRED


def test_its_claims_are_those_that_the_page_names() -> None:
    token = issue(SECRET, "app", "alice", 2.5, at_s=AT_S)
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    payload = token.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))) == {
        "app_id": "app",
        "uid": "alice",
        "exp": AT_S + 2.5,
    }


def test_a_token_of_another_server_is_no_good() -> None:
    assert verify(SECRET, issue(SECRET[::-1], "app", "alice"), at_s=AT_S) is Code.INVALID_TOKEN


@pytest.mark.parametrize(
    "claims",
    [
        {"app_id": "app"},
        {"uid": "alice"},
        {"app_id": "app", "uid": 7},
        {"app_id": None, "uid": "alice"},
        {"app_id": "app", "uid": "alice", "exp": "tomorrow"},
        {"app_id": "app", "uid": "alice", "exp": True},
        {"app_id": "app", "uid": "alice", "exp": 10**400},
        {"app_id": "app", "uid": "alice", "exp": float("nan")},
        {"app_id": "app", "uid": "alice", "exp": float("inf")},
    ],
)
def test_a_token_with_other_claims_is_no_good(claims: dict[str, Any]) -> None:
    assert verify(SECRET, jwt.encode(claims, SECRET, algorithm="HS256"), at_s=AT_S) is Code.INVALID_TOKEN


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "a.b.c",
        "\u20ac.\u20ac.\u20ac",
        # Signed by nobody, and with another hash: the algorithm is ours to choose.
        jwt.encode({"app_id": "app", "uid": "alice"}, "", algorithm="none"),
        jwt.encode({"app_id": "app", "uid": "alice"}, SECRET * 2, algorithm="HS512"),
        base64.urlsafe_b64encode(b"[" * 3000).decode() + ".e30.x",
    ],
)
def test_what_is_no_token_is_no_good(token: str) -> None:
    assert verify(SECRET, token, at_s=AT_S) is Code.INVALID_TOKEN


def test_a_short_secret_is_refused_with_a_way_out() -> None:
    for use in (lambda: issue("short", "app", "alice"), lambda: authenticator("short")):
        with pytest.raises(UsageError) as caught:
            use()
        assert "at least 32" in caught.value.why
        assert "openssl" in caught.value.mend


def test_a_server_looks_at_the_wall_clock_and_a_virtual_one_at_its_own() -> None:
    token = issue(SECRET, "app", "alice", 60)
    claims = authenticator(SECRET)(token, 0)
    assert isinstance(claims, Claims)
    assert claims.expires_in_s is not None
    assert 0 < claims.expires_in_s <= 60
    virtual = authenticator(SECRET, lambda now: now / 1e9)
    assert virtual(issue(SECRET, "app", "alice", 5, at_s=100), 104_000_000_000) == Claims("app", "alice", 1)
    assert virtual(issue(SECRET, "app", "alice", 5, at_s=100), 105_000_000_000) is Code.TOKEN_EXPIRED
