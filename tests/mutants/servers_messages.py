"""Wrong servers: what is kept for a user who is away, and what is told afterwards."""

from __future__ import annotations

from collections.abc import Callable

from harness.reference.server_core import ServerCore
from harness.reference.sessions_core import Connection, Session, Tenant
from harness.reference.wire import ChannelMessage, Login, MemberJoined, MemberLeft, ServerFrame
from tests.mutants.deviations import wrap
from tests.mutants.mutant import Patcher, wrong_server

Resume = Callable[[ServerCore, int, Session, Connection, Login], None]


@wrong_server("OPEN-25")
def loses_the_attributes_in_an_interruption(patch: Patcher) -> None:
    """The attributes are dropped with the connection, and the session is resumed without them."""

    def disconnected(original: Callable[..., None], self: ServerCore, now: int, conn: int) -> None:
        connection = self._connections.get(conn)
        if connection is not None and connection.session is not None:
            connection.session.attributes = {}
        original(self, now, conn)

    wrap(patch, ServerCore, "disconnected", disconnected)


@wrong_server("OPEN-25")
def loses_the_attributes_on_the_return(patch: Patcher) -> None:
    """A session that is resumed begins without attributes."""

    def resume(
        original: Resume, self: ServerCore, now: int, session: Session, connection: Connection, login: Login
    ) -> None:
        original(self, now, session, connection, login)
        session.attributes = {}

    wrap(patch, ServerCore, "_resume", resume)


def with_replay(patch: Patcher, *kinds: type[ServerFrame]) -> None:
    """Have the server keep what an interrupted user misses of these kinds, and send it after the return."""
    missed: dict[Session, list[ServerFrame]] = {}

    def tell(original: Callable[..., None], self: Tenant, session: Session, frame: ServerFrame) -> None:
        if session.connection is None and isinstance(frame, kinds):
            missed.setdefault(session, []).append(frame)
        original(self, session, frame)

    def log_in(original: Callable[..., None], self: ServerCore, now: int, connection: Connection, login: Login) -> None:
        original(self, now, connection, login)
        for frame in missed.pop(connection.session, []) if connection.session is not None else ():
            self._outbox.send(connection.id, frame)

    wrap(patch, Tenant, "tell", tell)
    wrap(patch, ServerCore, "_log_in", log_in)


@wrong_server("OPEN-26")
def replays_who_came_and_went(patch: Patcher) -> None:
    """A member that was interrupted is told on its return of all who joined and left meanwhile."""
    with_replay(patch, MemberJoined, MemberLeft)


@wrong_server("OPEN-26")
def replays_messages(patch: Patcher) -> None:
    """What was said in a channel while a member was interrupted is delivered when it is back."""
    with_replay(patch, ChannelMessage)
