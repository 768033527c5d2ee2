"""The clauses: every rule of the document, and every answer to what it leaves open, with a permanent id.

An id never changes and is never used again for something else. Tests, report lines, mutants and pages of the
documentation name a rule by its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """How binding a clause is (RFC 2119)."""

    MUST = "MUST"
    SHOULD = "SHOULD"  # the sources disagree: every answer listed is accepted, and the verdict names the one seen


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule; ``source`` is where the document of a system other than the reference states it."""

    id: str
    text: str
    grade: Grade
    source: str = ""

    @property
    def section(self) -> str:
        """The part of the document that it belongs to: a state's name, GENERAL, or OPEN."""
        return self.id.rpartition("-")[0]


def _must(clause_id: str, text: str) -> Clause:
    return Clause(clause_id, text, Grade.MUST)


def _should(clause_id: str, text: str) -> Clause:
    return Clause(clause_id, text, Grade.SHOULD)


CLAUSES: tuple[Clause, ...] = (
    _must(
        "GENERAL-1",
        "Every switch of state gives exactly one onConnectionStateChanged with the new state and its reason; "
        "no switch, no callback.",
    ),
    _must(
        "GENERAL-2",
        "An interruption is handled by the SDK alone: it reconnects without any call from the app.",
    ),
    _must(
        "GENERAL-3",
        "A reconnect never gives onLoginSuccess; only a login() call does, exactly once.",
    ),
    _must(
        "GENERAL-4",
        "Still gone 30 s after the interruption: the system takes the user off the online list.",
    ),
    _must(
        "DISCONNECTED-1",
        "The state before the first login() is DISCONNECTED.",
    ),
    _must(
        "DISCONNECTED-2",
        "login() switches to CONNECTING / LOGIN.",
    ),
    _must(
        "CONNECTING-1",
        "A login that succeeds gives onLoginSuccess.",
    ),
    _must(
        "CONNECTING-2",
        "A login that succeeds switches to CONNECTED / LOGIN_SUCCESS.",
    ),
    _must(
        "CONNECTING-3",
        "A login that fails gives onLoginFailure.",
    ),
    _must(
        "CONNECTING-4",
        "A login that fails switches to DISCONNECTED / LOGIN_FAILURE.",
    ),
    _must(
        "CONNECTING-5",
        "A login not through within 6 s switches to DISCONNECTED / LOGIN_TIMEOUT (onLoginFailure with TIMEOUT).",
    ),
    _must(
        "CONNECTED-1",
        "The user of a logged-in SDK is online to others.",
    ),
    _must(
        "CONNECTED-2",
        "The system checks that by heartbeat, so a silent loss is noticed on both sides.",
    ),
    _must(
        "CONNECTED-3",
        "An interruption that does not recover within 4 s switches to RECONNECTING / INTERRUPTED.",
    ),
    _must(
        "CONNECTED-4",
        "An interruption that recovers within 4 s switches nothing.",
    ),
    _must(
        "CONNECTED-5",
        "Another instance logging in with the same uid puts this one into ABORTED / REMOTE_LOGIN.",
    ),
    _must(
        "CONNECTED-6",
        "logout() while CONNECTED switches to DISCONNECTED / LOGOUT.",
    ),
    _must(
        "RECONNECTING-1",
        "The SDK keeps trying until it succeeds or the app calls logout().",
    ),
    _must(
        "RECONNECTING-2",
        "For 30 s from the interruption the system presumes the user online.",
    ),
    _must(
        "RECONNECTING-3",
        "After 30 s without a reconnect the user is off the online list.",
    ),
    _must(
        "RECONNECTING-4",
        "Back within 30 s: CONNECTED / LOGIN_SUCCESS, in the channels it was in, and nobody sees it leave or join.",
    ),
    _must(
        "RECONNECTING-5",
        "Back after 30 s: CONNECTED / LOGIN_SUCCESS, in the channels it was in.",
    ),
    _must(
        "RECONNECTING-6",
        "Back after 30 s: the user's attributes are on the server again as the client has them.",
    ),
    _must(
        "RECONNECTING-7",
        "Remote members of those channels get onMemberLeft 30 s after the interruption.",
    ),
    _must(
        "RECONNECTING-8",
        "Remote members get onMemberJoined when it comes back after that.",
    ),
    _must(
        "RECONNECTING-9",
        "A token that expires meanwhile gives onTokenExpired and switches nothing.",
    ),
    _must(
        "RECONNECTING-10",
        "As long as it cannot reconnect it stays RECONNECTING.",
    ),
    _must(
        "RECONNECTING-11",
        "logout() while RECONNECTING switches to DISCONNECTED / LOGOUT.",
    ),
    _must(
        "RECONNECTING-12",
        "logout() while RECONNECTING gives onLogout(LOGOUT_ERR_OK).",
    ),
    _must(
        "ABORTED-1",
        "A kicked-out instance stays ABORTED: it does not reconnect by itself.",
    ),
    _must(
        "ABORTED-2",
        "logout() and then login() bring it back.",
    ),
    _should(
        "OPEN-1",
        "The 4 s start when the link is lost. Loss that can be seen (FIN, RST): at that moment. Silent loss: at "
        "the sending of the oldest heartbeat that is still unanswered; an implementation that counts from the"
        " last byte received is accepted too. So the window for RECONNECTING is [4.0 s, 4.0 s] for a visible "
        "loss and [4.0 s - heartbeat, 4.0 s + heartbeat] for a silent one, each widened by the run's measured"
        " timing error. The heartbeat interval is the implementation's own: it declares it.",
    ),
    _must(
        "OPEN-2",
        "Within those 4 s the SDK tries by itself, on the old connection and on a new one; success on either "
        "is CONNECTED-4, also on a new TCP connection. Nothing is told to other members.",
    ),
    _must(
        "OPEN-3",
        "A second interruption after a recovery gets a fresh 4 s and a fresh 30 s. Flapping under 4 s "
        "switches nothing, for ever.",
    ),
    _must(
        "OPEN-4",
        "Tests stay off the exact boundary: 3.5 s and 4.5 s, 5.5 s and 6.5 s, 28 s and 32 s.",
    ),
    _should(
        "OPEN-5",
        "The 6 s start at the entry into CONNECTING and cover name look-up, TCP, TLS and login; a retry inside "
        "them does not restart them. A link that breaks while CONNECTING is retried inside the 6 s and never "
        "leads to RECONNECTING. A refused port may be retried until LOGIN_TIMEOUT or reported as "
        "LOGIN_FAILURE: both accepted (SHOULD: retry).",
    ),
    _must(
        "OPEN-6",
        "A rejection by the server (bad token, bad app id) is LOGIN_FAILURE at once. Attempts made while "
        "RECONNECTING have a bound of their own and never give LOGIN_TIMEOUT.",
    ),
    _must(
        "OPEN-7",
        "A success that arrives after the time-out is closed by the client, and leaves no ghost user online.",
    ),
    _must(
        "OPEN-8",
        "The 30 s are the server's: from the last packet that it received from the client. So onMemberLeft comes "
        "in [30 s - heartbeat, 30 s] after the cut, plus timing error.",
    ),
    _must(
        "OPEN-9",
        "The server alone decides 'within 30 s', and says so in its answer to the re-login (resumed true or "
        "false). Clocks are monotonic.",
    ),
    _should(
        "OPEN-10",
        "At the expiry either no event, or Left and then Joined: never Joined alone, never two of a kind.",
    ),
    _must(
        "OPEN-11",
        "A connection closed without logout is an interruption, not a logout: presumed online for 30 s.",
    ),
    _should(
        "OPEN-12",
        "login() while CONNECTING, CONNECTED, RECONNECTING or ABORTED: ALREADY_LOGGED_IN, no switch. Returned"
        " or as onLoginFailure, not both.",
    ),
    _must(
        "OPEN-13",
        "More than two login() calls in a second: TOO_OFTEN, no switch. Bad arguments: INVALID_ARGUMENT, stay"
        " DISCONNECTED.",
    ),
    _must(
        "OPEN-14",
        "logout() while DISCONNECTED or CONNECTING: USER_NOT_LOGGED_IN, and a login under way goes on.",
    ),
    _should(
        "OPEN-15",
        "logout() while CONNECTED: onLogout(OK) too; others get onMemberLeft at once, not after 30 s. "
        "onLogout and the switch may come in either order; the login result comes before its switch or right "
        "after it, both accepted.",
    ),
    _must(
        "OPEN-16",
        "logout() while RECONNECTING is local and immediate and ends every retry. The system may keep the "
        "ghost until the 30 s are up; a new login retires it (one Left), does not rejoin its channels, and is"
        " no remote login.",
    ),
    _must(
        "OPEN-17",
        "logout() while ABORTED: DISCONNECTED / LOGOUT and onLogout(OK), and the new owner's session is left alone.",
    ),
    _must(
        "OPEN-18",
        "Every call is legal from inside every callback; a callback that raises breaks nothing.",
    ),
    _must(
        "OPEN-19",
        "A takeover while CONNECTED: ABORTED / REMOTE_LOGIN at once, the old session leaves its channels at once (one "
        "Left), the new one inherits none.",
    ),
    _must(
        "OPEN-20",
        "A takeover while in the 4 s grace or RECONNECTING: its next attempt is refused as superseded and it goes to "
        "ABORTED / REMOTE_LOGIN directly, never through CONNECTED, and never kicks the newcomer. Exactly one "
        "of two instances survives: no ping-pong.",
    ),
    _must(
        "OPEN-21",
        "BANNED_BY_SERVER: the system ends a session for good: ABORTED / BANNED_BY_SERVER.",
    ),
    _must(
        "OPEN-22",
        "A token that expires while CONNECTED: onTokenExpired once, still CONNECTED. While RECONNECTING: once per "
        "token, from a local timer or from the server's refusal, still RECONNECTING; renewToken() leads to an "
        "attempt at once.",
    ),
    _must(
        "OPEN-23",
        "All joined channels are restored and no others; leave() while RECONNECTING takes one out at once; "
        "join() then waits, and fails with JOIN_CHANNEL_TIMEOUT after 5 s.",
    ),
    _must(
        "OPEN-24",
        "Exactly one Left and one Joined per channel and absence, however many failed attempts lie between. "
        "No onJoinSuccess for a restored one.",
    ),
    _must(
        "OPEN-25",
        "Attributes are sent again only after resumed false; the client's copy wins; a change made while "
        "RECONNECTING is what counts.",
    ),
    _must(
        "OPEN-26",
        "An observer that was itself away gets no replay: it asks for the members.",
    ),
    _must(
        "OPEN-27",
        "A server killed and started again: its sessions are gone, so every client comes back with resumed false, "
        "rejoins, and sends its attributes. A clean stop is an interruption to the clients, not a kick.",
    ),
    _must(
        "OPEN-28",
        "Refusal of a re-login for any other cause than superseded or banned: keep trying, with a capped "
        "back-off with jitter.",
    ),
)

BY_ID: dict[str, Clause] = {clause.id: clause for clause in CLAUSES}

# The clauses that the document itself states; the rest are answers to what it leaves open.
OF_DOCUMENT: tuple[Clause, ...] = tuple(clause for clause in CLAUSES if clause.section != "OPEN")
