"""What a user does while logged in: channels, attributes, messages, queries, the token; and what a return restores.

The session begins with the first login and ends with the logout, an end for good, or a login that fails. It is told
when it has a connection to send on (``attached``), when it has none (``detached``), and when the app has been told so
(``away``). It knows nothing of states and attempts. Pure: times are nanoseconds of one monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.reference.client_codes_core import (
    CALL,
    JOIN,
    LEAVE,
    RENEW_TOKEN,
    Answer,
    CallError,
    Missing,
    Result,
    code_of,
)
from harness.reference.client_effects_core import Callback, Effect, Reply, Send
from harness.reference.client_requests_core import AttributeChange, Finish, Pending, Request, Requests, checked
from harness.reference.client_roster_core import Roster, changed
from harness.reference.client_token_core import Token
from harness.reference.wire import (
    AddAttributes,
    AttributesOf,
    ChannelMessage,
    DeleteAttributes,
    Done,
    Failed,
    Join,
    Leave,
    LoggedIn,
    MemberJoined,
    MemberLeft,
    Members,
    Online,
    PeerMessage,
    RenewToken,
    SendToChannel,
    SendToPeer,
    SetAttributes,
)
from harness.spec.states import JoinChannelError, LeaveChannelError, RenewTokenError
from harness.spec.timing import Timing, ns

ANSWER_S = 5.0  # the document's bound for a join, and the same for all other requests

Notice = MemberJoined | MemberLeft | PeerMessage | ChannelMessage


class Session:
    """One user's being logged in, from the client's side."""

    def __init__(self, uid: str, token: str, timing: Timing, emit: Callable[[Effect], None]) -> None:
        self.uid = uid
        self.resume: str | None = None  # the server's name for it, known from the first login on
        self.token = Token(token, emit)
        self._timing = timing
        self._emit = emit
        self._conn: int | None = None
        self._is_away = False
        self._last_id = 0
        self._renewal_id = 0
        self._requests = Requests()
        self._roster = Roster()

    # ---------------------------------------------------------------------------------------------------- connections

    def attached(self, now: int, conn: int, answer: LoggedIn, token: str) -> None:
        """Go on on this connection, which logged in with this token, and tell the server what it lacks."""
        self._conn, self._is_away, self.resume = conn, False, answer.session
        self.token.accepted(now, token, answer.token_expires_in_s)
        if not answer.resumed:
            self._roster.server_has_nothing()
        for channel in self._roster.leaving:
            self._tell_left(now, channel)
        for channel in self._roster.unrestored():
            self._tell_joined(now, channel)
        if self._roster.owes_attributes:
            self._tell_attributes(now)
        if self.token.renewal is not None:
            self._send_renewal(now, self.token.renewal)
        for pending in self._requests.unsent():
            self._send(pending)

    def detached(self, now: int) -> None:
        """Send nothing until there is another connection."""
        if self._conn is not None:
            self._conn = None
            self._requests.link_lost(now)

    def away(self, now: int) -> None:
        """Decide from now on here what needs no answer of the server, and tell it later (OPEN-23, OPEN-25)."""
        self._is_away = True
        self._requests.away(now, (Leave, SetAttributes, AddAttributes, DeleteAttributes))

    def end(self, now: int) -> None:
        """Fail whatever still waits for an answer: the session is over."""
        self._conn = None
        self._requests.end(now)
        self.token.renewal_ended(RenewTokenError.FAILURE)

    # --------------------------------------------------------------------------------------------------------- timers

    def next_deadline(self) -> int | None:
        """Return when a request fails or the token expires, whichever is first, or None."""
        times = (self._requests.next_deadline(), self.token.next_deadline())
        return min((time for time in times if time is not None), default=None)

    def tick(self, now: int) -> None:
        """Do what is due."""
        self._requests.expire(now)
        self.token.tick(now)

    # ---------------------------------------------------------------------------------------------- calls and answers

    def join(self, now: int, channel: str) -> JoinChannelError:
        """Ask to be let into a channel. What is known here already is returned; all else follows by callback."""
        frame = checked(Join(self._new_id(), channel))
        if frame is None:
            return JoinChannelError.INVALID_ARGUMENT
        roster = self._roster
        if channel in roster.joined or channel in roster.joining:
            return JoinChannelError.ALREADY_JOINED
        if len(roster.joined) + len(roster.joining) >= self._timing.channels_max:
            return JoinChannelError.EXCEED_LIMIT
        if self._requests.is_full:
            return JoinChannelError.TOO_OFTEN
        roster.joining[channel] = None

        def finish(at: int, result: Result) -> None:
            self._join_ended(at, channel, result, was_sent=pending.was_sent)

        pending = self._add(now, frame, finish, within_s=self._timing.join_channel_s)
        return JoinChannelError.OK

    def leave(self, now: int, channel: str) -> LeaveChannelError:
        """Go out of a channel: at once as far as this client is concerned; the server's word follows by callback."""
        if channel not in self._roster.joined:
            return LeaveChannelError.NOT_IN_CHANNEL
        if self._is_away:
            del self._roster.joined[channel]
            self._leave_ended(now, channel, Missing.AWAY)
        elif self._requests.is_full:
            return LeaveChannelError.FAILURE
        else:
            del self._roster.joined[channel]
            self._add(now, Leave(self._new_id(), channel), lambda at, result: self._leave_ended(at, channel, result))
        return LeaveChannelError.OK

    def ask(self, now: int, call_id: int, build: Callable[[int], Request]) -> None:
        """Ask the server for something; the reply follows. ``build`` makes the request out of an id."""
        frame = checked(build(self._new_id()))
        if frame is None:
            self._reply(call_id, CallError.INVALID_ARGUMENT)
        elif self._is_away and isinstance(frame, AttributeChange):
            self._reply(call_id, self._decide_change(frame))
        elif self._requests.is_full:
            self._reply(call_id, CallError.TOO_OFTEN)
        elif isinstance(frame, AttributeChange):
            self._ask_for_change(now, call_id, frame)
        else:
            self._ask(now, call_id, frame)

    def renew(self, now: int, token: str) -> None:
        """Have a new token take the place of the present one: now where there is a link, else by the next login."""
        self.token.renew(token)
        if self._conn is not None:
            self._send_renewal(now, token)

    def answer(self, now: int, answer: Answer) -> None:
        """Take the server's answer to a request.

        Raises:
            WireError: it is none that the request can have.
        """
        self._requests.answer(now, answer)

    def notice(self, frame: Notice) -> None:
        """Tell the app what others did; of channels that it is not in any more it hears nothing."""
        if isinstance(frame, PeerMessage):
            self._emit(Callback("onMessageReceivedFromPeer", {"peer": frame.sender, "text": frame.text}))
        elif frame.channel not in self._roster.joined:
            return
        elif isinstance(frame, ChannelMessage):
            args = {"channel": frame.channel, "member": frame.sender, "text": frame.text}
            self._emit(Callback("onMessageReceived", args))
        else:
            name = "onMemberJoined" if isinstance(frame, MemberJoined) else "onMemberLeft"
            self._emit(Callback(name, {"channel": frame.channel, "member": frame.uid}))

    # -------------------------------------------------------------------------------------------------------- endings

    def _join_ended(self, now: int, channel: str, result: Result, *, was_sent: bool) -> None:
        del self._roster.joining[channel]
        code = code_of(JOIN, result, ok=JoinChannelError.OK, failure=JoinChannelError.FAILURE)
        if code is JoinChannelError.OK:
            self._roster.joined[channel] = True
            self._roster.leaving.pop(channel, None)  # whatever was to be told of it is older than this
            self._emit(Callback("onJoinSuccess", {"channel": channel}))
            return
        self._join_failed(channel, code)
        if result is Missing.TIMEOUT and was_sent:
            self._disown(now, channel)  # the server may have let it in, and only the answer be late

    def _leave_ended(self, now: int, channel: str, result: Result) -> None:
        code = code_of(LEAVE, result, ok=LeaveChannelError.OK, failure=LeaveChannelError.FAILURE)
        if isinstance(result, Failed) and code is not LeaveChannelError.OK:
            self._roster.joined[channel] = True  # the server has it in the channel, and keeps it there
        self._emit(Callback("onLeave", {"channel": channel, "code": code}))
        if result in (Missing.TIMEOUT, Missing.AWAY):
            self._disown(now, channel)

    def _join_failed(self, channel: str, code: JoinChannelError) -> None:
        self._emit(Callback("onJoinFailure", {"channel": channel, "code": code}))

    def _ask_for_change(self, now: int, call_id: int, frame: AttributeChange) -> None:
        def finish(_at: int, result: Result) -> None:
            code = code_of(CALL, result, ok=CallError.OK, failure=CallError.FAILURE)
            if result is Missing.AWAY:
                code = self._decide_change(frame)
            elif code is CallError.OK:
                self._roster.attributes = changed(self._roster.attributes, frame)
            elif result is Missing.TIMEOUT:
                self._roster.owe_attributes()  # carried out or not: the client's copy is to win (OPEN-25)
            self._reply(call_id, code)

        self._add(now, frame, finish)

    def _decide_change(self, frame: AttributeChange) -> CallError:
        """Change the client's copy without asking the server, by the server's own limits."""
        attributes = changed(self._roster.attributes, frame)
        if checked(SetAttributes(frame.id, attributes)) is None:
            return CallError.REJECTED
        self._roster.attributes = attributes
        self._roster.owe_attributes()
        return CallError.OK

    def _ask(self, now: int, call_id: int, frame: Request) -> None:
        def finish(_at: int, result: Result) -> None:
            values: dict[str, Any] = {}
            if isinstance(result, Members):
                values = {"members": result.members}
            elif isinstance(result, AttributesOf):
                values = {"attributes": result.attributes}
            elif isinstance(result, Online):
                values = {"online": result.online}
            self._reply(call_id, code_of(CALL, result, ok=CallError.OK, failure=CallError.FAILURE), values)

        self._add(now, frame, finish, is_repeatable=not isinstance(frame, (SendToPeer, SendToChannel)))

    def _reply(self, call_id: int, code: CallError, values: dict[str, Any] | None = None) -> None:
        self._emit(Reply(call_id, code, values or {}))

    # ------------------------------------------------------------------------------------ what the server is to be told

    def _tell(self, now: int, frame: Request, done: Callable[[Done | Failed], None]) -> None:
        """Send what the app did not ask for just now.

        It is not sent again: what is to be told on the next link is made up anew then, from the roster.
        """

        def finish(_at: int, result: Result) -> None:
            if isinstance(result, (Done, Failed)):
                done(result)

        self._add(now, frame, finish, is_repeatable=False)

    def _disown(self, now: int, channel: str) -> None:
        """Have the server take the user out of a channel that it may think the user is in."""
        self._roster.leaving[channel] = None
        if self._conn is not None:
            self._tell_left(now, channel)

    def _tell_left(self, now: int, channel: str) -> None:
        def done(_answer: Done | Failed) -> None:
            self._roster.leaving.pop(channel, None)  # a refusal can only say that it is out

        self._tell(now, Leave(self._new_id(), channel), done)

    def _tell_joined(self, now: int, channel: str) -> None:
        def done(answer: Done | Failed) -> None:
            if channel not in self._roster.joined:
                return  # left since
            code = code_of(JOIN, answer, ok=JoinChannelError.OK, failure=JoinChannelError.FAILURE)
            if code is JoinChannelError.OK:
                self._roster.joined[channel] = True  # and no onJoinSuccess for a restored one (OPEN-24)
            else:
                del self._roster.joined[channel]
                self._join_failed(channel, code)  # or the app would take itself for a member for ever

        self._tell(now, Join(self._new_id(), channel), done)

    def _tell_attributes(self, now: int) -> None:
        version = self._roster.version

        def done(_answer: Done | Failed) -> None:
            self._roster.attributes_told(version)  # a refusal is final too: they were within the limits

        self._tell(now, SetAttributes(self._new_id(), self._roster.attributes), done)

    def _send_renewal(self, now: int, token: str) -> None:
        frame = RenewToken(self._new_id(), token)
        self._renewal_id = frame.id

        def finish(at: int, result: Result) -> None:
            # One that is lost with its connection waits for the next login; another one may have taken its place.
            if result is Missing.LOST or frame.id != self._renewal_id:
                return
            if isinstance(result, Done):
                self.token.accepted(at, token, result.token_expires_in_s)
            else:
                code = code_of(RENEW_TOKEN, result, ok=RenewTokenError.OK, failure=RenewTokenError.FAILURE)
                self.token.renewal_ended(code)

        self._add(now, frame, finish, is_repeatable=False)

    # --------------------------------------------------------------------------------------------------------- helpers

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def _add(
        self, now: int, frame: Request, finish: Finish, *, is_repeatable: bool = True, within_s: float = ANSWER_S
    ) -> Pending:
        pending = self._requests.add(frame, now + ns(within_s), finish, is_repeatable=is_repeatable)
        if self._conn is not None:
            self._send(pending)
        return pending

    def _send(self, pending: Pending) -> None:
        assert self._conn is not None
        pending.is_on_link = pending.was_sent = True
        self._emit(Send(self._conn, pending.frame))
