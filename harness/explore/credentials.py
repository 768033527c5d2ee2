"""The tokens and session ids of the small world: what the server accepts, and names that are like no other."""

from __future__ import annotations

from harness.explore.fingerprint import NAME
from harness.reference.server_core import Claims
from harness.reference.wire import Code
from harness.spec.timing import NS_PER_S, ns

APP = "app"
LASTING, BRIEF = "lasting", "brief"  # kinds of tokens
BRIEF_S = 3.0  # a brief token expires so long after it was given: before a client is told that it is RECONNECTING


class Credentials:
    """Whoever gives tokens out, and the server's check of them."""

    def __init__(self) -> None:
        self._named = 0
        self._expiries: dict[str, int] = {}  # of the brief tokens that have not expired yet

    def session_id(self) -> str:
        """Return a name for a new session."""
        return self._name("session")

    def token(self, now: int, uid: str, kind: str) -> str:
        """Return a new token of this user and kind."""
        token = self._name(f"{kind}:{uid}")
        if kind == BRIEF:
            self._expiries[token] = now + ns(BRIEF_S)
        return token

    def forget_expired(self, now: int) -> None:
        """Let go of the tokens that have expired by now; they are refused from here on."""
        self._expiries = {token: at for token, at in self._expiries.items() if at > now}

    def authenticate(self, token: str, now: int) -> Claims | Code:
        """Return what a token of this world says, or that it has expired."""
        kind, uid = token.removeprefix(NAME).rpartition("-")[0].split(":")
        if kind == LASTING:
            return Claims(APP, uid, None)
        expires_ns = self._expiries.get(token)
        return Code.TOKEN_EXPIRED if expires_ns is None else Claims(APP, uid, (expires_ns - now) / NS_PER_S)

    def _name(self, kind: str) -> str:
        self._named += 1
        return f"{NAME}{kind}-{self._named}"
