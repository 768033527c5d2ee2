"""Holds an adapter against the contract, without a judgement on the SDK that it carries.

Whether a login succeeds is the SDK's business, and is only noted. Whether it is answered, and whether each event is
well formed, is the adapter's.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from harness.adapter.contract import CALLS, LINE_BYTES_MAX, UNSUPPORTED, Answer, Hello
from harness.adapter.conversation import Conversation, Record, SilenceError
from harness.adapter.endpoint import Endpoint
from harness.adapter.handshake import UNKNOWN_CALL, Clock, compare_clocks, hello_of
from harness.errors import AdapterError
from harness.guard import Guard

UID = "checker"
CHANNEL = "linkproof-check"
OTHER_CHANNEL = "linkproof-check-2"
OUTCOME_S = 7.0  # a login has its outcome within 6 s (CONNECTING-5), a join within 5 s (OPEN-23)
CLOSED_S = 1.0  # for a server to hear that a client is gone
_LOOK_S = 0.01
# As large as a request can be: a line of a mebibyte, less what stands around the text.
BIG_TEXT_BYTES = LINE_BYTES_MAX - 200

_SHAPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "members": (
        "a sorted list of uids",
        lambda value: (
            isinstance(value, list) and all(isinstance(each, str) for each in value) and value == sorted(value)
        ),
    ),
    "attributes": (
        "an object of strings",
        lambda value: isinstance(value, dict) and all(isinstance(each, str) for each in value.values()),
    ),
    "online": (
        "an object of booleans",
        lambda value: isinstance(value, dict) and all(isinstance(each, bool) for each in value.values()),
    ),
}


@dataclass(frozen=True)
class Place:
    """Where an adapter is checked: a server, what it takes for a token of a uid, and how many are connected to it."""

    endpoint: Endpoint
    token: Callable[[str], str]
    connections: Callable[[], int]


class Checker:
    """One check of one adapter."""

    def __init__(self, command: Sequence[str], place: Place, *, guard: Guard, log_path: Path, record: Record) -> None:
        self._command = command
        self._place = place
        self._guard = guard
        self._log_path = log_path
        self._record = record
        self._hello: Hello | None = None
        self._clock: Clock | None = None
        self._is_in = False

    async def run(self) -> None:
        """Make all checks; what came of them is in the record.

        Raises:
            AdapterError: the command cannot be started.
            HostError: nothing can be.
        """
        await self._hold(
            ("what it is: hello", "hello", self._greets),
            ("its clock", "clock", self._tells_the_time),
            ("a call that does not exist", "the-order-of-a-conversation", self._refuses_the_unknown),
            ("several requests at once, ids in no order", "messages", self._keeps_ids_apart),
            ("a line of almost 1 MiB", "in-one-minute", self._reads_big_lines),
            ("a call before create", "what-cannot-be-carried-out", self._refuses_before_create),
            ("create", "create", self._creates),
            ("a second create", "what-cannot-be-carried-out", self._creates_once),
            ("arguments that are missing, wrong or unknown", "what-cannot-be-carried-out", self._refuses_arguments),
            ("login", "calls", self._logs_in),
            ("the calls that it declares", "capabilities", self._makes_calls),
            ("the calls that it does not declare", "capabilities", self._lacks_calls),
            ("logout", "calls", self._logs_out),
            ("stamps", "messages", self._stamps_truly),
            ("the end of its input", "the-order-of-a-conversation", Conversation.finish),
        )
        await self._hold(("the end of its input right after hello", "the-order-of-a-conversation", self._ends_early))
        await self._hold(("the end of its input while connected", "the-order-of-a-conversation", self._ends_online))
        async with _hole() as hole:
            await self._hold(
                (
                    "the end of its input while a login hangs",
                    "the-order-of-a-conversation",
                    lambda with_it: self._ends_in_login(with_it, hole),
                ),
                at=hole,
            )

    async def _hold(
        self, *checks: tuple[str, str, Callable[[Conversation], Awaitable[None]]], at: Endpoint | None = None
    ) -> None:
        """Make checks on one process, which is told this server, until it answers no more."""
        endpoint = at or self._place.endpoint
        conversation = await Conversation.start(
            endpoint.command(self._command),
            guard=self._guard,
            log_path=self._log_path,
            record=self._record,
            env=endpoint.environment(os.environ),
        )
        is_lost = False
        try:
            for name, anchor, check in checks:
                if is_lost:
                    self._record.skip(name, anchor)
                    continue
                self._record.begin(name, anchor)
                try:
                    await check(conversation)
                except SilenceError:
                    is_lost = True
        finally:
            await conversation.kill()

    # -------------------------------------------------------------------------------------------------------- greeting

    async def _greets(self, adapter: Conversation) -> None:
        answer, _ = await adapter.request("hello", {})
        try:
            self._hello = hello_of(adapter.name, answer)
        except AdapterError as error:
            self._record.wrong(f"{error.found}; {error.why}")

    async def _tells_the_time(self, adapter: Conversation) -> None:
        try:
            self._clock = await compare_clocks(adapter)
        except AdapterError as error:
            self._record.wrong(f"{error.found}; {error.why}")
            return
        if self._clock.offset_ns:
            off_s, error_ms = self._clock.offset_ns / 1e9, self._clock.error_ns / 1e6
            self._record.note(
                f"it is not this machine's own monotonic clock (CLOCK_MONOTONIC), but {off_s:+.3f} s off it; a run "
                f"corrects that, to within {error_ms:.3f} ms"
            )

    async def _refuses_the_unknown(self, adapter: Conversation) -> None:
        answer, _ = await adapter.request(UNKNOWN_CALL, {})
        self._is_unsupported(answer)

    def _is_unsupported(self, answer: Answer) -> None:
        if answer.error != UNSUPPORTED:
            self._record.wrong(f"answered with {answer.error or answer.result!r}, expected the error {UNSUPPORTED!r}")

    async def _keeps_ids_apart(self, adapter: Conversation) -> None:
        asked = [adapter.send("clock", {}, request_id=request_id) for request_id in (150, 107, 120)]
        for request_id in asked:
            answer, _ = await adapter.answer(request_id)
            if answer.error is not None:
                self._record.wrong(f"request {request_id} failed: {answer.error}")

    async def _reads_big_lines(self, adapter: Conversation) -> None:
        answer, _ = await adapter.request(UNKNOWN_CALL, {"text": "x" * BIG_TEXT_BYTES})
        self._is_unsupported(answer)

    # ---------------------------------------------------------------------------------------------------------- create

    async def _refuses_before_create(self, adapter: Conversation) -> None:
        self._is_refused(await self._call(adapter, "login", self._credentials()))

    async def _creates(self, adapter: Conversation) -> None:
        answer, _ = await adapter.request("create", _arguments(self._place.endpoint))
        if answer.error is not None:
            self._record.wrong(f"it has no client: {answer.error}")

    async def _creates_once(self, adapter: Conversation) -> None:
        answer, _ = await adapter.request("create", _arguments(self._place.endpoint))
        if answer.error is None:
            self._record.wrong("a second client was made, or said to be: one process carries one")

    async def _refuses_arguments(self, adapter: Conversation) -> None:
        self._is_refused(await self._call(adapter, "login", {"uid": UID}))
        self._is_refused(await self._call(adapter, "login", {"token": 5, "uid": UID}))
        await self._call(adapter, "logout", {"colour": "red"})  # may be overlooked, or be an error
        if self._place.connections():
            self._record.wrong("it has connected, and there was no login yet")

    def _is_refused(self, answer: Answer) -> None:
        if answer.error is None and (answer.result or {}).get("code") == 0:
            self._record.wrong("answered with the code 0, as if it had been done; expected an error, or the SDK's code")

    # ----------------------------------------------------------------------------------------------------------- calls

    async def _call(self, adapter: Conversation, call: str, args: Mapping[str, object]) -> Answer:
        """Make a call, and look at its answer: an error, or a result with a code and what was asked for."""
        answer, _ = await adapter.request(call, args)
        if answer.result is None:
            return answer
        code = answer.result.get("code")
        if not isinstance(code, int) or isinstance(code, bool):
            self._record.wrong(f"the result of {call!r} has no code, expected a number")
        elif code == 0:
            for name in CALLS[call][1]:
                shape, fits = _SHAPES[name]
                if not fits(answer.result.get(name)):
                    self._record.wrong(f"{name!r} is {answer.result.get(name)!r}, expected {shape}")
        return answer

    async def _logs_in(self, adapter: Conversation) -> None:
        answer = await self._call(adapter, "login", self._credentials())
        if answer.error is not None:
            self._record.wrong(f"login cannot be lacking: {answer.error}")
        elif answer.result is None or answer.result.get("code") != 0:
            self._record.note(f"the client did not begin to log in: {answer.result}")
        else:
            event = await adapter.event("onLoginSuccess", "onLoginFailure", within_s=OUTCOME_S)
            self._is_in = event is not None and event.event == "onLoginSuccess"
            if not self._is_in:
                outcome = "it failed" if event else f"it had no outcome within {OUTCOME_S:g} s"
                self._record.note(
                    f"the login was accepted, and {outcome}: the client's affair, and a run will judge it"
                )

    async def _makes_calls(self, adapter: Conversation) -> None:
        for call, args in self._sample().items():
            if CALLS[call][2] not in self._declared():
                continue
            answer = await self._call(adapter, call, args)
            if answer.error is not None:
                self._record.wrong(f"{call!r} is declared, and failed: {answer.error}")
            elif answer.result is not None and answer.result.get("code") == 0:
                await self._follows(adapter, call)

    async def _follows(self, adapter: Conversation, call: str) -> None:
        """Wait for what follows a call where the next ones build on it."""
        awaited = {"join": ("onJoinSuccess", "onJoinFailure"), "leave": ("onLeave",)}.get(call)
        if awaited and await adapter.event(*awaited, within_s=OUTCOME_S) is None:
            self._record.note(f"no {' or '.join(awaited)} within {OUTCOME_S:g} s: the client's affair")
        elif call == "leave" and "reactions" in self._declared():
            event = await adapter.event("onJoinSuccess", "onJoinFailure", within_s=OUTCOME_S)
            if event is None or event.args["channel"] != OTHER_CHANNEL:
                self._record.wrong(
                    f"the join of {OTHER_CHANNEL!r} from inside onLeave, asked for by 'react', never came"
                )

    async def _lacks_calls(self, adapter: Conversation) -> None:
        for call, args in self._sample().items():
            if CALLS[call][2] not in self._declared():
                answer = await self._call(adapter, call, args)
                if answer.error is None:
                    self._record.note(f"{call!r} is not declared, and is there: its scenarios will not be played")
                elif answer.error != UNSUPPORTED:
                    self._record.note(f"{call!r} is answered with an error that is not {UNSUPPORTED!r}")

    async def _logs_out(self, adapter: Conversation) -> None:
        answer = await self._call(adapter, "logout", {})
        if answer.error is not None:
            self._record.wrong(f"logout cannot be lacking: {answer.error}")
        elif self._is_in and await adapter.event("onLogout", within_s=OUTCOME_S) is None:
            self._record.note("no onLogout after it: the client's affair")

    def _credentials(self) -> dict[str, str]:
        return {"token": self._place.token(UID), "uid": UID}

    def _declared(self) -> list[str]:
        return [] if self._hello is None else self._hello.capabilities

    def _sample(self) -> dict[str, dict[str, Any]]:
        """One call of each kind, in an order in which each can succeed."""
        again = {"callback": "onLeave", "call": "join", "args": {"channel": OTHER_CHANNEL}}
        return {
            "join": {"channel": CHANNEL},
            "getMembers": {"channel": CHANNEL},
            "sendToChannel": {"channel": CHANNEL, "text": "hello"},
            "sendToPeer": {"peer": UID, "text": "hello"},
            "setAttributes": {"attributes": {"mood": "good"}},
            "addAttributes": {"attributes": {"place": "here"}},
            "getAttributes": {"uid": UID},
            "deleteAttributes": {"keys": ["mood"]},
            "queryOnline": {"uids": [UID, "nobody"]},
            "renewToken": {"token": self._place.token(UID)},
            "react": again,
            "leave": {"channel": CHANNEL},
        }

    # ---------------------------------------------------------------------------------------------------- stamps, ends

    async def _stamps_truly(self, adapter: Conversation) -> None:
        clock = self._clock or Clock(0, 0)
        for stamp in adapter.stamps:
            ours_ns = stamp.at_ns - clock.offset_ns
            if ours_ns < stamp.earliest_ns - clock.error_ns:
                early_ms = (stamp.earliest_ns - ours_ns) / 1e6
                self._record.wrong(f"{stamp.what} is stamped {early_ms:.3f} ms before that could have been")
            elif ours_ns > stamp.latest_ns + clock.error_ns:
                late_ms = (ours_ns - stamp.latest_ns) / 1e6
                self._record.wrong(f"{stamp.what} is stamped {late_ms:.3f} ms after it was read here")
        events = [stamp for stamp in adapter.stamps if not stamp.what.startswith("the answer")]
        for earlier, later in itertools.pairwise(events):
            if later.at_ns < earlier.at_ns:
                self._record.note(f"{later.what} was written after {earlier.what}, and is stamped before it")

    async def _still_connected(self) -> bool:
        for _ in range(round(CLOSED_S / _LOOK_S)):
            if not self._place.connections():
                return False
            await asyncio.sleep(_LOOK_S)  # the server tells nobody when a connection goes
        return True

    async def _ends_early(self, adapter: Conversation) -> None:
        await adapter.request("hello", {})
        await adapter.finish()

    async def _ends_online(self, adapter: Conversation) -> None:
        answer, _ = await adapter.request("create", _arguments(self._place.endpoint))
        if answer.error is None and self._is_in:
            await self._logs_in(adapter)
        await adapter.finish()
        if await self._still_connected():
            self._record.wrong("it has ended, and its connection has not")

    async def _ends_in_login(self, adapter: Conversation, hole: Endpoint) -> None:
        answer, _ = await adapter.request("create", _arguments(hole))
        if answer.error is None:
            await self._call(adapter, "login", self._credentials())
        await adapter.finish()


def _arguments(endpoint: Endpoint) -> dict[str, Any]:
    return msgspec.structs.asdict(endpoint.create())


@contextlib.asynccontextmanager
async def _hole() -> AsyncIterator[Endpoint]:
    """Serve connections that are accepted, and then hear nothing for ever."""
    accepted: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: accepted.append(writer), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield Endpoint(host, port, "hole")
    finally:
        server.close()
        for writer in accepted:
            writer.transport.abort()
        await server.wait_closed()
