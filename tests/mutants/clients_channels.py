"""Wrong clients: what a return restores, and what is decided without a link: channels, and what is heard of them."""

from __future__ import annotations

from harness.reference.client_codes_core import Missing, Result
from harness.reference.client_effects_core import Callback
from harness.reference.client_requests_core import Pending, Requests
from harness.reference.client_roster_core import Roster
from harness.reference.client_session_core import Notice, Session
from harness.reference.wire import GetMembers, Join, Leave, LoggedIn, MemberJoined, MemberLeft, Members
from harness.spec.states import JoinChannelError, LeaveChannelError
from harness.spec.timing import Timing
from tests.mutants.clients_timers import with_timing
from tests.mutants.mutant import Patcher, wrong_client

# ----------------------------------------------------------------------------------------------------- the restoration


@wrong_client("RECONNECTING-5", "OPEN-23", "OPEN-27", reports=("ably/ably-js#105",))
def does_not_rejoin(patch: Patcher) -> None:
    """After a return to a new session the client takes itself for a member, and is in no channel."""
    patch(Roster, "unrestored", lambda _: lambda _self: [])


@wrong_client("OPEN-23", "RECONNECTING-5")
def rejoins_one_channel(patch: Patcher) -> None:
    """After a return to a new session only the channel that was joined first is joined again."""
    original = Roster.unrestored
    patch(Roster, "unrestored", lambda _: lambda self: original(self)[:1])


@wrong_client("OPEN-23", "RECONNECTING-5")
def rejoins_ten_channels_at_most(patch: Patcher) -> None:
    """Of more than ten channels the others are forgotten on a return to a new session."""
    original = Roster.unrestored
    patch(Roster, "unrestored", lambda _: lambda self: original(self)[:10])


@wrong_client("OPEN-23", "RECONNECTING-5")
def rejoins_every_channel_that_it_ever_joined(patch: Patcher) -> None:
    """A return to a new session also restores the channels that the app has left."""
    ever: dict[Roster, dict[str, bool]] = {}
    joined, original = Session._join_ended, Roster.server_has_nothing

    def note(self: Session, now: int, channel: str, result: Result, *, was_sent: bool) -> None:
        joined(self, now, channel, result, was_sent=was_sent)
        ever.setdefault(self._roster, {}).update(self._roster.joined)

    def server_has_nothing(self: Roster) -> None:
        self.joined = ever.get(self, {}) | self.joined
        original(self)

    patch(Session, "_join_ended", lambda _: note)
    patch(Roster, "server_has_nothing", lambda _: server_has_nothing)


@wrong_client("OPEN-24")
def tells_of_a_restored_channel(patch: Patcher) -> None:
    """Each channel that a return restores gives onJoinSuccess again."""
    original = Session._tell_joined

    def tell_joined(self: Session, now: int, channel: str) -> None:
        original(self, now, channel)
        self._emit(Callback("onJoinSuccess", {"channel": channel}))

    patch(Session, "_tell_joined", lambda _: tell_joined)


@wrong_client("OPEN-24", "RECONNECTING-8")
def rejoins_each_channel_twice(patch: Patcher) -> None:
    """On a return to a new session each channel is joined, left and joined, and the others hear all of it."""
    original = Session._tell_joined

    def tell_joined(self: Session, now: int, channel: str) -> None:
        original(self, now, channel)
        self._tell(now, Leave(self._new_id(), channel), lambda _answer: None)
        original(self, now, channel)

    patch(Session, "_tell_joined", lambda _: tell_joined)


@wrong_client("RECONNECTING-4", "OPEN-24")
def rejoins_also_a_session_that_was_kept(patch: Patcher) -> None:
    """Back within 30 s the client leaves its channels and joins them again, to be on the safe side."""
    original = Session.attached

    def attached(self: Session, now: int, conn: int, answer: LoggedIn, token: str) -> None:
        original(self, now, conn, answer, token)
        if answer.resumed:
            for channel in self._roster.joined:
                self._tell(now, Leave(self._new_id(), channel), lambda _answer: None)
                self._tell_joined(now, channel)

    patch(Session, "attached", lambda _: attached)


@wrong_client("OPEN-24", "RECONNECTING-8", reports=("Agora release 1.2.1",))
def announces_a_member_that_comes_back_twice(patch: Patcher) -> None:
    """A member that had left and joins again is announced by the client too, beside the server's word."""
    gone: set[tuple[Session, str, str]] = set()
    original = Session.notice

    def notice(self: Session, frame: Notice) -> None:
        original(self, frame)
        if isinstance(frame, MemberLeft):
            gone.add((self, frame.channel, frame.uid))
        elif isinstance(frame, MemberJoined) and (self, frame.channel, frame.uid) in gone:
            original(self, frame)

    patch(Session, "notice", lambda _: notice)


@wrong_client("OPEN-26")
def tells_of_those_it_finds_on_the_return(patch: Patcher) -> None:
    """Back again, the client asks who is in its channels, and tells the app of each as of one who has just joined."""
    original = Session.attached

    def attached(self: Session, now: int, conn: int, answer: LoggedIn, token: str) -> None:
        is_return = self.resume is not None
        original(self, now, conn, answer, token)
        for channel in self._roster.joined if is_return else ():
            ask(self, now, channel)

    def ask(self: Session, now: int, channel: str) -> None:
        def announce(_at: int, result: Result) -> None:
            for uid in result.members if isinstance(result, Members) else ():
                if uid != self.uid:
                    self._emit(Callback("onMemberJoined", {"channel": channel, "member": uid}))

        self._add(now, GetMembers(self._new_id(), channel), announce)

    patch(Session, "attached", lambda _: attached)


# -------------------------------------------------------------------------------------------- joined and left meanwhile


@wrong_client("OPEN-23")
def does_not_tell_the_server_of_a_leave_while_away(patch: Patcher) -> None:
    """A channel that is left without a link is left for the app alone: back within 30 s the user is still in it."""
    patch(Session, "_disown", lambda _: lambda _self, _now, _channel: None)


@wrong_client("OPEN-23")
def forgets_a_leave_while_away(patch: Patcher) -> None:
    """A channel that is left without a link is joined again on the return."""
    original = Session.leave

    def leave(self: Session, now: int, channel: str) -> LeaveChannelError:
        code = original(self, now, channel)
        if self._is_away and code is LeaveChannelError.OK:
            self._roster.joined[channel] = True
            self._roster.leaving.pop(channel, None)
        return code

    patch(Session, "leave", lambda _: leave)


@wrong_client("OPEN-23")
def leaves_only_when_it_is_back(patch: Patcher) -> None:
    """leave() while RECONNECTING waits for the server's word, and onLeave for the return."""
    original = Session.leave

    def leave(self: Session, now: int, channel: str) -> LeaveChannelError:
        was_away, self._is_away = self._is_away, False
        code = original(self, now, channel)
        self._is_away = was_away
        return code

    patch(Session, "leave", lambda _: leave)


@wrong_client("OPEN-23")
def refuses_a_join_while_away(patch: Patcher) -> None:
    """join() while RECONNECTING is refused at once: it does not wait for the return."""
    original = Session.join

    def join(self: Session, now: int, channel: str) -> JoinChannelError:
        return JoinChannelError.USER_NOT_LOGGED_IN if self._is_away else original(self, now, channel)

    patch(Session, "join", lambda _: join)


@wrong_client("OPEN-23")
def loses_a_join_made_while_away(patch: Patcher) -> None:
    """join() while RECONNECTING is not sent when the link is there again, and times out."""
    original = Requests.unsent

    def unsent(self: Requests) -> list[Pending]:
        return [pending for pending in original(self) if not isinstance(pending.frame, Join)]

    patch(Requests, "unsent", lambda _: unsent)


@wrong_client("OPEN-23")
def gives_a_join_8_s(patch: Patcher) -> None:
    """A join times out after 8 s."""
    with_timing(patch, Timing(join_channel_s=8.0))


@wrong_client("OPEN-23")
def gives_a_join_3_s(patch: Patcher) -> None:
    """A join times out after 3 s."""
    with_timing(patch, Timing(join_channel_s=3.0))


@wrong_client("OPEN-23", "OPEN-24")
def carries_out_a_join_that_timed_out(patch: Patcher) -> None:
    """A join that failed for want of a link is made good on the return, and the app does not know."""
    original = Session._join_ended

    def join_ended(self: Session, now: int, channel: str, result: Result, *, was_sent: bool) -> None:
        original(self, now, channel, result, was_sent=was_sent)
        if result is Missing.TIMEOUT:
            self._roster.joined[channel] = False

    patch(Session, "_join_ended", lambda _: join_ended)


@wrong_client("OPEN-23")
def joins_a_channel_that_it_is_in(patch: Patcher) -> None:
    """A second join succeeds like the first, with a second onJoinSuccess."""
    original = Session.join

    def join(self: Session, now: int, channel: str) -> JoinChannelError:
        code = original(self, now, channel)
        if code is not JoinChannelError.ALREADY_JOINED:
            return code
        self._emit(Callback("onJoinSuccess", {"channel": channel}))
        return JoinChannelError.OK

    patch(Session, "join", lambda _: join)


@wrong_client("OPEN-23")
def leaves_a_channel_that_it_is_not_in(patch: Patcher) -> None:
    """A second leave succeeds like the first, with a second onLeave."""
    original = Session.leave

    def leave(self: Session, now: int, channel: str) -> LeaveChannelError:
        code = original(self, now, channel)
        if code is not LeaveChannelError.NOT_IN_CHANNEL:
            return code
        self._emit(Callback("onLeave", {"channel": channel, "code": LeaveChannelError.OK}))
        return LeaveChannelError.OK

    patch(Session, "leave", lambda _: leave)
