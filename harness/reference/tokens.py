"""Tokens of the reference server: JSON Web Tokens (RFC 7519), signed with HS256 and the server's secret.

Their claims: ``app_id`` and ``uid`` say whose the token is; ``exp``, which may be absent, when it expires, in seconds
since 1970 with decimals, so that a test can have one that lives for half a second. This is the one place of the
reference that looks at the wall clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import jwt

from harness.errors import UsageError
from harness.reference.requests_core import Authenticate
from harness.reference.sessions_core import Claims
from harness.reference.wire import LIFETIME_MAX_S, Code

ALGORITHM = "HS256"
SECRET_BYTES_MIN = 32  # RFC 7518, 3.2: the key must be at least as long as the hash

_OPTIONS: jwt.types.Options = {
    "require": ["app_id", "uid"],
    # The library would round the expiry to whole seconds and look at the clock itself.
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


def check_secret(secret: str) -> str:
    """Return the secret.

    Raises:
        UsageError: it is too short to sign with.
    """
    if len(secret.encode()) < SECRET_BYTES_MIN:
        raise UsageError(
            f"a secret of {len(secret.encode())} bytes",
            why=f"{ALGORITHM} needs at least {SECRET_BYTES_MIN}",
            mend="make one with: openssl rand -hex 32",
        )
    return secret


def issue(secret: str, app_id: str, uid: str, expires_in_s: float | None = None, *, at_s: float | None = None) -> str:
    """Return a new token.

    Args:
        secret: the server's.
        app_id: the tenant.
        uid: the user.
        expires_in_s: how long it lives; None is for ever, and a negative one has expired already.
        at_s: when it is issued, in seconds since 1970; now where it is left out.

    Raises:
        UsageError: the secret is too short.
    """
    claims: dict[str, str | float] = {"app_id": app_id, "uid": uid}
    if expires_in_s is not None:
        claims["exp"] = (time.time() if at_s is None else at_s) + expires_in_s
    return jwt.encode(claims, check_secret(secret), algorithm=ALGORITHM)


def verify(secret: str, token: str, *, at_s: float) -> Claims | Code:
    """Return what a token says at that time, or why it is no good (INVALID_TOKEN, TOKEN_EXPIRED)."""
    try:
        claims = jwt.decode(token, secret, algorithms=[ALGORITHM], options=_OPTIONS)
    # A header is read before its signature is checked, and a hostile one may be nested deeply.
    except (jwt.InvalidTokenError, RecursionError):
        return Code.INVALID_TOKEN
    app_id, uid, exp = claims["app_id"], claims["uid"], claims.get("exp")
    if not isinstance(app_id, str) or not isinstance(uid, str):
        return Code.INVALID_TOKEN
    if exp is None:
        return Claims(app_id, uid, None)
    # What is no number, or hardly one, is kept out of the arithmetic; NaN is not within any bounds.
    if isinstance(exp, bool) or not isinstance(exp, int | float) or not abs(exp) <= LIFETIME_MAX_S:
        return Code.INVALID_TOKEN
    return Claims(app_id, uid, exp - at_s) if exp > at_s else Code.TOKEN_EXPIRED


def authenticator(secret: str, at_s: Callable[[int], float] | None = None) -> Authenticate:
    """Return the check of tokens that a server core asks for.

    Args:
        secret: the server's.
        at_s: seconds since 1970 at a time of the core's clock; where it is left out, the wall clock's now.

    Raises:
        UsageError: the secret is too short.
    """
    check_secret(secret)

    def authenticate(token: str, now: int) -> Claims | Code:
        return verify(secret, token, at_s=time.time() if at_s is None else at_s(now))

    return authenticate
