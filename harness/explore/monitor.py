"""What one client was seen to do, and whether a rule is broken by it: the rules that hold in every state.

It hears what the app hears and what goes over the wire, and knows nothing of how a core works. What it remembers is a
part of the state: it decides which later steps are wrong.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.reference.wire import Frame, LoggedIn, Ping, Pong
from harness.spec.states import Reason, State
from harness.spec.timing import NS_PER_S, Timing, ns
from harness.spec.transitions import INITIAL_STATE, Transition, allowed


@dataclass(slots=True, eq=False)
class Heard:
    """One connection as it looks from outside: what was asked on it and not answered."""

    is_in: bool = False  # the client is logged in on it
    unanswered: deque[tuple[int, int]] = field(default_factory=deque)  # (number, when) of each ping, oldest first


class Monitor:
    """Holds a client against the rules; ``broken`` is called with what breaks one, its clause first."""

    def __init__(self, timing: Timing, broken: Callable[[str], None]) -> None:
        self.state = INITIAL_STATE  # as told
        self.channels: dict[str, None] = {}  # the app takes itself for a member of these
        self.taken: list[Transition] = []  # the rows of the table that were taken, until whoever looks on clears it
        self._timing = timing
        self._broken = broken
        self._logins = 0  # accepted, and without a result
        self._logouts = 0  # accepted, and without an answer
        self._tokens = 0  # given since the login, less those told to have expired
        self._connecting_ns: int | None = None
        self._heard: dict[int, Heard] = {}
        self._interrupted_ns: int | None = None  # when the last link was lost, or fell silent before it was
        self._last_told: dict[tuple[str, str], str] = {}  # by channel and member: which of Joined and Left

    # ------------------------------------------------------------------------------------------------- what was heard

    def accepted(self, call: str) -> None:
        """Take note that a call was answered with OK."""
        if call == "login":
            self._logins += 1
            self._tokens = 1
        elif call == "logout":
            self._logouts += 1
        elif call == "renew_token":
            self._tokens += 1

    def sent(self, now: int, conn: int, frame: Frame) -> None:
        """Take note of what the client sends."""
        if isinstance(frame, Ping):
            self._heard.setdefault(conn, Heard()).unanswered.append((frame.n, now))

    def arrived(self, conn: int, frame: Frame) -> None:
        """Take note of what reaches the client."""
        heard = self._heard.setdefault(conn, Heard())
        if isinstance(frame, LoggedIn):
            heard.is_in = frame.resumed
        elif isinstance(frame, Pong):
            heard.is_in = True  # a new session is confirmed by the first one (OPEN-7)
            while heard.unanswered and heard.unanswered[0][0] <= frame.n:
                heard.unanswered.popleft()

    def ended(self, now: int, conn: int) -> None:
        """Take note that a connection is gone, whoever ended it."""
        heard = self._heard.pop(conn, None)
        if heard is not None and heard.is_in:
            self._interrupted_ns = heard.unanswered[0][1] if heard.unanswered else now
            self._last_told.clear()  # whoever was away himself has missed what was told meanwhile (OPEN-26)

    def told(self, now: int, name: str, args: dict[str, Any]) -> None:
        """Take note of a callback."""
        match name:
            case "onConnectionStateChanged":
                self._switched(now, args["state"], args["reason"])
            case "onLoginSuccess" | "onLoginFailure":
                self._logins -= 1
                if self._logins < 0:
                    self._broken(f"GENERAL-3: {name} without a login() that waits for it")
            case "onLogout":
                self._logouts -= 1
                if self._logouts < 0:
                    self._broken("OPEN-15: onLogout without a logout() that waits for it")
            case "onTokenExpired":
                self._tokens -= 1
                if self._tokens < 0:
                    self._broken("OPEN-22: onTokenExpired a second time for one token")
            case "onJoinSuccess" | "onLeave" | "onJoinFailure":
                self._moved(name, args["channel"])
            case "onMemberJoined" | "onMemberLeft":
                self._member(name, args["channel"], args["member"])

    # ----------------------------------------------------------------------------------------- what holds at all times

    def check(self, now: int, state: State, deadline_ns: int | None, connections: int) -> None:
        """Hold the client against the rules after something happened and it has done all that it wants to do.

        Args:
            now: the time.
            state: the client's own.
            deadline_ns: by when it wants to be woken.
            connections: how many it has open or opening.
        """
        if state is not self.state:
            self._broken(f"GENERAL-1: {state.name} was entered, and {self.state.name} is the last that was told")
        if self._logins and state is not State.CONNECTING:
            self._broken(f"GENERAL-3: {state.name}, and the login() has no result")
        if state is State.CONNECTING and not self._logins:
            self._broken("GENERAL-3: CONNECTING, and no login() waits for its result")
        if self._logouts:
            self._broken("OPEN-15: the logout() has no onLogout")
        if state is State.CONNECTING:
            self._check_login(now, deadline_ns)
        if state in _AT_REST:
            if connections:
                self._broken(f"{_AT_REST[state]}: {connections} connections while {state.name}")
            if deadline_ns is not None:
                self._broken(f"{_AT_REST[state]}: a deadline while {state.name}")

    def _check_login(self, now: int, deadline_ns: int | None) -> None:
        limit_s = self._timing.login_s
        if self._connecting_ns is not None and now - self._connecting_ns >= ns(limit_s):
            self._broken(f"CONNECTING-5: still CONNECTING after {limit_s:g} s")
        elif deadline_ns is None:
            self._broken("CONNECTING-5: CONNECTING without a deadline")

    # --------------------------------------------------------------------------------------------------------- helpers

    def _switched(self, now: int, state: State, reason: Reason) -> None:
        row = allowed(self.state, state, reason)
        if row is None:
            self._broken(f"GENERAL-1: {state.name} / {reason.name} in {self.state.name}")
        else:
            self.taken.append(row)
        self.state = state
        self._last_told.clear()
        self._connecting_ns = now if state is State.CONNECTING else None
        if state is State.RECONNECTING:
            self._check_interruption(now)
        if state not in (State.CONNECTED, State.RECONNECTING):
            self.channels.clear()
            self._interrupted_ns = None

    def _check_interruption(self, now: int) -> None:
        """RECONNECTING comes no earlier than 4 s after the loss, or after the oldest heartbeat without an answer."""
        links = [heard for heard in self._heard.values() if heard.is_in]
        began = [heard.unanswered[0][1] if heard.unanswered else now for heard in links]
        if not began and self._interrupted_ns is not None:
            began = [self._interrupted_ns]
        lasted_ns = now - max(began, default=now)
        if lasted_ns < ns(self._timing.interruption_s):
            self._broken(f"CONNECTED-3: RECONNECTING after {lasted_ns / NS_PER_S:.10g} s")

    def _moved(self, name: str, channel: str) -> None:
        if name == "onJoinSuccess":
            self.channels[channel] = None
        else:
            self.channels.pop(channel, None)
        self._last_told = {key: told for key, told in self._last_told.items() if key[0] != channel}

    def _member(self, name: str, channel: str, member: str) -> None:
        if self._last_told.get((channel, member)) == name:
            self._broken(f"OPEN-24: a second {name} of {member} in {channel}")
        self._last_told[channel, member] = name


# Where nothing is to go on, and by which clause.
_AT_REST = {State.DISCONNECTED: "OPEN-16", State.ABORTED: "ABORTED-1"}
