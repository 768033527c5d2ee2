"""Wrong clients: the client's copy of its attributes, and when the server gets it."""

from __future__ import annotations

from harness.reference import client_session_core
from harness.reference.client_codes_core import CallError
from harness.reference.client_requests_core import AttributeChange
from harness.reference.client_roster_core import Roster, changed
from harness.reference.client_session_core import Session
from harness.reference.wire import AddAttributes, LoggedIn, SetAttributes
from tests.mutants.mutant import Patcher, wrong_client


@wrong_client("RECONNECTING-6", "OPEN-25")
def does_not_send_attributes_again(patch: Patcher) -> None:
    """After a return to a new session the server is told the channels, and no attributes."""
    original = Roster.server_has_nothing

    def server_has_nothing(self: Roster) -> None:
        version = self._version
        original(self)
        self._version_told, self._version = version, version

    patch(Roster, "server_has_nothing", lambda _: server_has_nothing)


@wrong_client("OPEN-25", "RECONNECTING-6", reports=("ably/ably-java#930",))
def overwrites_attributes_with_a_stale_copy(patch: Patcher) -> None:
    """What the return sends is the copy from the time of the loss, whatever the app has changed since."""
    stale: dict[Session, dict[str, str]] = {}
    away, attached = Session.away, Session.attached

    def keep(self: Session, now: int) -> None:
        stale[self] = self._roster.attributes
        away(self, now)

    def restore(self: Session, now: int, conn: int, answer: LoggedIn, token: str) -> None:
        if self in stale:
            self._roster.attributes = stale.pop(self)
        attached(self, now, conn, answer, token)

    patch(Session, "away", lambda _: keep)
    patch(Session, "attached", lambda _: restore)


@wrong_client("OPEN-25")
def loses_a_change_made_while_away(patch: Patcher) -> None:
    """A change of attributes while RECONNECTING is answered with OK, and forgotten."""

    def decide_change(_self: Session, _frame: AttributeChange) -> CallError:
        return CallError.OK

    patch(Session, "_decide_change", lambda _: decide_change)


@wrong_client("OPEN-25")
def sends_a_change_made_while_away_to_a_new_session_only(patch: Patcher) -> None:
    """Back within 30 s the server has its old attributes still, and is not told what changed meanwhile."""
    original = Session.attached

    def attached(self: Session, now: int, conn: int, answer: LoggedIn, token: str) -> None:
        if answer.resumed:
            self._roster.attributes_told(self._roster.version)
        original(self, now, conn, answer, token)

    patch(Session, "attached", lambda _: attached)


@wrong_client("RECONNECTING-6")
def keeps_no_copy_of_what_it_set_while_connected(patch: Patcher) -> None:
    """Attributes that were set with a link are known to the server alone, and lost when that forgets them."""

    def ask_for_change(self: Session, now: int, call_id: int, frame: AttributeChange) -> None:
        self._ask(now, call_id, frame)

    patch(Session, "_ask_for_change", lambda _: ask_for_change)


@wrong_client("RECONNECTING-6", "OPEN-25")
def sends_again_what_it_set_first(patch: Patcher) -> None:
    """The copy for a new session is made when attributes are set for the first time, and never brought up to date."""

    def keep_first(attributes: dict[str, str], change: AttributeChange) -> dict[str, str]:
        return attributes or changed(attributes, change)

    patch(client_session_core, "changed", lambda _: keep_first)


@wrong_client("OPEN-25", "RECONNECTING-6")
def adds_to_its_copy_what_was_to_replace_it(patch: Patcher) -> None:
    """In the client's copy, attributes that were replaced live on beside the new ones."""

    def merge(attributes: dict[str, str], change: AttributeChange) -> dict[str, str]:
        if isinstance(change, SetAttributes):
            return changed(attributes, AddAttributes(change.id, change.attributes))
        return changed(attributes, change)

    patch(client_session_core, "changed", lambda _: merge)
