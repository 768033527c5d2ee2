"""The token of a session: which one is good, when it expires, and which one the app wants in its place. Pure."""

from __future__ import annotations

from collections.abc import Callable

from harness.reference.client_codes_core import RENEW_TOKEN
from harness.reference.client_effects_core import Callback, Effect
from harness.reference.wire import Code
from harness.spec.states import RenewTokenError
from harness.spec.timing import ns


class Token:
    """The token in use and the renewal that waits for the server's word; one renewal at a time.

    A renewal made while another waits takes its place, and the earlier one has failed.
    """

    def __init__(self, value: str, emit: Callable[[Effect], None]) -> None:
        self._emit = emit
        self._value = value
        self._expires_ns: int | None = None
        self._is_reported = False  # that it has expired: once per token (OPEN-22)
        self.renewal: str | None = None

    @property
    def for_login(self) -> str:
        """The token to log in with: the renewal where there is one."""
        return self._value if self.renewal is None else self.renewal

    def renew(self, token: str) -> None:
        """Take a token that the app wants in the place of the present one; the server has the last word."""
        self.renewal_ended(RenewTokenError.FAILURE)
        self.renewal = token

    def renewal_ended(self, code: RenewTokenError) -> None:
        """Report what became of the renewal that waits, if one does."""
        if self.renewal is not None:
            args = {"token": self.renewal, "code": code}
            self.renewal = None
            self._emit(Callback("onRenewTokenResult", args))

    def accepted(self, now: int, token: str, expires_in_s: float | None) -> None:
        """The server took this token, and told how many seconds it has left to live (None: no bound)."""
        if token != self._value:
            self._value, self._is_reported = token, False
        if token == self.renewal:
            self._is_reported = False
            self.renewal_ended(RenewTokenError.OK)
        self._expires_ns = None if expires_in_s is None or self._is_reported else now + ns(expires_in_s)

    def refused(self, token: str, code: Code) -> None:
        """The server refused a login for this reason; only some speak of the token.

        A renewal that is refused for itself is dropped, and the token before it is tried again: it may still be good.
        """
        if token == self.renewal:
            if code in RENEW_TOKEN and code is not Code.TOO_OFTEN:
                self.renewal_ended(RENEW_TOKEN[code])
        elif token == self._value and code is Code.TOKEN_EXPIRED:
            self._report_expired()

    def next_deadline(self) -> int | None:
        """Return when the token expires, unless that is unknown or has been told."""
        return self._expires_ns

    def tick(self, now: int) -> None:
        """Report the token expired if it has (OPEN-22)."""
        if self._expires_ns is not None and self._expires_ns <= now:
            self._report_expired()

    def _report_expired(self) -> None:
        self._expires_ns = None
        if not self._is_reported:
            self._is_reported = True
            self._emit(Callback("onTokenExpired", {}))
