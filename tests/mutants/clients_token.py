"""Wrong clients: tokens that expire, and tokens that take another's place."""

from __future__ import annotations

from harness.reference import client_attempts_core
from harness.reference.client_effects_core import Callback
from harness.reference.client_lifecycle_core import Lifecycle
from harness.reference.client_session_core import Session
from harness.reference.client_token_core import Token
from harness.reference.wire import Code, Refused
from harness.spec.states import LoginError, Reason, RenewTokenError
from harness.spec.timing import ns
from tests.mutants.mutant import Patcher, wrong_client

# --------------------------------------------------------------------------------------------------------- the expiry


@wrong_client("OPEN-22")
def tells_of_an_expiry_twice(patch: Patcher) -> None:
    """onTokenExpired comes twice in a row."""
    original = Token._report_expired

    def report_expired(self: Token) -> None:
        was_reported = self._is_reported
        original(self)
        if not was_reported:
            self._emit(Callback("onTokenExpired", {}))

    patch(Token, "_report_expired", lambda _: report_expired)


@wrong_client("OPEN-22")
def tells_of_the_expiry_at_every_refusal(patch: Patcher) -> None:
    """Each attempt that is refused for the expired token gives another onTokenExpired."""

    def report_expired(self: Token) -> None:
        self._expires_ns = None
        self._emit(Callback("onTokenExpired", {}))

    patch(Token, "_report_expired", lambda _: report_expired)


@wrong_client("OPEN-22", "RECONNECTING-9")
def tells_of_no_expiry(patch: Patcher) -> None:
    """onTokenExpired never comes."""

    def report_expired(self: Token) -> None:
        self._expires_ns = None

    patch(Token, "_report_expired", lambda _: report_expired)


@wrong_client("RECONNECTING-9", "OPEN-22")
def tells_of_no_expiry_while_away(patch: Patcher) -> None:
    """A token that expires without a link is reported neither by a timer nor when a login is refused for it."""
    detached = Session.detached

    def forget(self: Session, now: int) -> None:
        detached(self, now)
        self.token._expires_ns = None

    def refused(self: Token, token: str, code: Code) -> None:
        if code is not Code.TOKEN_EXPIRED:
            original(self, token, code)

    original = Token.refused
    patch(Session, "detached", lambda _: forget)
    patch(Token, "refused", lambda _: refused)


@wrong_client("OPEN-22")
def tells_of_the_first_token_that_expires_only(patch: Patcher) -> None:
    """Once a token has expired, the expiry of the one that took its place is not told."""
    original = Token.accepted

    def accepted(self: Token, now: int, token: str, expires_in_s: float | None) -> None:
        was_reported = self._is_reported
        original(self, now, token, expires_in_s)
        if was_reported:
            self._is_reported, self._expires_ns = True, None

    patch(Token, "accepted", lambda _: accepted)


@wrong_client("OPEN-22", "RECONNECTING-9")
def ends_the_session_with_its_token(patch: Patcher) -> None:
    """A token that expires ends the session, as later versions of the SDK do."""
    original = Lifecycle.tick

    def tick(self: Lifecycle, now: int) -> None:
        before = len(self._effects)
        original(self, now)
        if Callback("onTokenExpired", {}) in self._effects[before:]:
            self._aborted(now, Reason.BANNED_BY_SERVER)

    patch(Lifecycle, "tick", lambda _: tick)


@wrong_client("OPEN-28", "RECONNECTING-10", "RECONNECTING-9")
def gives_up_when_a_return_is_refused(patch: Patcher) -> None:
    """A token that is refused while RECONNECTING fails like a login of the app: back to DISCONNECTED."""
    original = Lifecycle._refused

    def refused(self: Lifecycle, now: int, conn: int, token: str | None, frame: Refused) -> None:
        if frame.code is Code.TOKEN_EXPIRED:
            self._login_failed(now, LoginError.TOKEN_EXPIRED, Reason.LOGIN_FAILURE)
        else:
            original(self, now, conn, token, frame)

    patch(Lifecycle, "_refused", lambda _: refused)


@wrong_client("OPEN-28")
def retries_a_refused_return_at_once(patch: Patcher) -> None:
    """A login that the server refuses is tried again 50 ms later, for ever."""
    patch(client_attempts_core, "_BACKOFF_MAX_NS", lambda _: ns(0.05))


# --------------------------------------------------------------------------------------------------------- the renewal


@wrong_client("OPEN-22")
def tells_of_no_renewal(patch: Patcher) -> None:
    """onRenewTokenResult never comes."""

    def renewal_ended(self: Token, _code: RenewTokenError) -> None:
        self.renewal = None

    patch(Token, "renewal_ended", lambda _: renewal_ended)


@wrong_client("OPEN-22")
def tells_of_every_renewal_that_it_succeeded(patch: Patcher) -> None:
    """onRenewTokenResult says OK also where the server refused the token."""
    original = Token.renewal_ended
    patch(Token, "renewal_ended", lambda _: lambda self, _code: original(self, RenewTokenError.OK))


@wrong_client("OPEN-22")
def tells_of_every_refused_renewal_that_it_failed(patch: Patcher) -> None:
    """onRenewTokenResult says FAILURE whatever the server's reason was."""
    original = Token.renewal_ended

    def renewal_ended(self: Token, code: RenewTokenError) -> None:
        original(self, code if code is RenewTokenError.OK else RenewTokenError.FAILURE)

    patch(Token, "renewal_ended", lambda _: renewal_ended)


@wrong_client("OPEN-22")
def keeps_the_expiry_of_a_token_that_was_renewed(patch: Patcher) -> None:
    """The timer of the old token goes on after the renewal, and onTokenExpired comes when it was due."""
    original = Token.accepted

    def accepted(self: Token, now: int, token: str, expires_in_s: float | None) -> None:
        expires_ns = self._expires_ns
        original(self, now, token, expires_in_s)
        self._expires_ns = self._expires_ns or expires_ns

    patch(Token, "accepted", lambda _: accepted)


@wrong_client("OPEN-22")
def logs_in_with_the_old_token_while_a_renewal_waits(patch: Patcher) -> None:
    """Without a link a new token is kept for when there is one, and the attempts go on with the expired one."""
    patch(Token, "for_login", lambda _: property(lambda self: self._value))


@wrong_client("OPEN-22", "RECONNECTING-1")
def comes_back_with_the_token_of_the_login(patch: Patcher) -> None:
    """A token that was renewed serves as long as the connection; the next one is made with the first token again."""
    original = Token.accepted

    def accepted(self: Token, now: int, token: str, expires_in_s: float | None) -> None:
        first = self._value
        original(self, now, token, expires_in_s)
        self._value = first

    patch(Token, "accepted", lambda _: accepted)


@wrong_client("OPEN-22")
def waits_a_second_with_a_renewed_token(patch: Patcher) -> None:
    """renewToken() while RECONNECTING leads to no attempt at once: it begins the pause before the next one anew."""
    original = Lifecycle._try_at_once

    def try_at_once(self: Lifecycle, now: int) -> None:
        if self._link is None and self._attempts.is_seeking:
            self._attempts._next_ns = now + ns(1.0)
        else:
            original(self, now)

    patch(Lifecycle, "_try_at_once", lambda _: try_at_once)
