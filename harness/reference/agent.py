"""The reference client as a process under the adapter contract: ``python -m harness.reference.agent``.

Standard input and output carry the contract's JSON lines and nothing else; logs go to standard error. The process ends
with 0 at the end of its input, or when nobody reads its output any more; with 2 at a line that is not a request.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from harness.adapter.contract import (
    CALLBACKS,
    CAPABILITIES,
    CONTRACT_VERSION,
    LINE_BYTES_MAX,
    UNSUPPORTED,
    Answer,
    ContractError,
    Create,
    Event,
    Hello,
    Reaction,
    Request,
    decode_request,
    encode,
)
from harness.errors import UsageError
from harness.reference.client import CallResult, RtmClient
from harness.reference.client_calls import CLIENT_CALLS
from harness.reference.client_core import RETRY_S

NAME = "linkproof-reference-python"
VERSION = "0.1.0"
LANGUAGE = "python"
HEARTBEAT_S = 0.5  # the server's own

EXIT_OK = 0
EXIT_BAD_LINE = 2

_STDIN, _STDOUT = 0, 1
_READ_BYTES = 64 * 1024


class AskedForError(Exception):
    """What an app's callback raises when it is to show that this breaks nothing (OPEN-18)."""


class RequestError(Exception):
    """A request that cannot be carried out; its text is the ``error`` of the answer."""


class Agent:
    """Carries out requests on one client, and reports its callbacks.

    Args:
        heartbeat_s: what to declare; the server tells the client itself only at the login.
        write: takes one line of output, and has written it when it returns.
    """

    def __init__(self, heartbeat_s: float, write: Callable[[bytes], None]) -> None:
        self._heartbeat_s = heartbeat_s
        self._write = write
        self._client: RtmClient | None = None
        self._reactions: dict[str, Request] = {}  # to the next callback of each name
        self._is_closed = False

    def request(self, line: bytes) -> None:
        """Take one line of input.

        Raises:
            ContractError: it is not a request.
        """
        request = decode_request(line)
        try:
            outcome = self._carry_out(request)
        except RequestError as error:
            self._write(encode(Answer(request.id, time.monotonic_ns(), error=str(error))))
            return
        if isinstance(outcome, dict):
            self._answer(request.id, outcome)
        else:
            outcome.add_done_callback(partial(self._answered, request.id))

    async def close(self) -> None:
        """End the client; what is unanswered stays so."""
        self._is_closed = True
        if self._client is not None:
            await self._client.close()

    def _carry_out(self, request: Request) -> dict[str, Any] | asyncio.Future[CallResult]:
        match request.call:
            case "hello":
                return self._hello()
            case "clock":
                return {"now_ns": time.monotonic_ns()}
            case "create":
                return self._create(request.args)
            case "react":
                return self._react(request.args)
        return self._call(request)

    def _call(self, request: Request) -> dict[str, Any] | asyncio.Future[CallResult]:
        if request.call not in CLIENT_CALLS:
            raise RequestError(UNSUPPORTED)
        method, names = CLIENT_CALLS[request.call]
        if self._client is None:
            raise RequestError(f"{request.call} before create")
        if request.args.keys() != set(names):
            raise RequestError(f"{request.call} takes {list(names)}, not {sorted(request.args)}")
        outcome = getattr(self._client, method)(*(request.args[name] for name in names))
        return outcome if isinstance(outcome, asyncio.Future) else {"code": outcome}

    def _hello(self) -> dict[str, Any]:
        hello = Hello(CONTRACT_VERSION, NAME, VERSION, LANGUAGE, self._heartbeat_s, RETRY_S, list(CAPABILITIES))
        return msgspec.structs.asdict(hello)

    def _create(self, args: dict[str, Any]) -> dict[str, Any]:
        if self._client is not None:
            raise RequestError("there is a client already: one process carries one")
        try:
            wanted = msgspec.convert(args, Create)
            self._client = RtmClient(wanted.url, wanted.app_id, ssl=_trusting(wanted.ca_file))
        except (msgspec.ValidationError, UsageError) as error:
            raise RequestError(f"create: {error}") from error
        for name in CALLBACKS:
            self._client.on(name)(partial(self._called_back, name))
        return {}

    def _react(self, args: dict[str, Any]) -> dict[str, Any]:
        try:
            wanted = msgspec.convert(args, Reaction)
        except msgspec.ValidationError as error:
            raise RequestError(f"react: {error}") from error
        if wanted.callback not in CALLBACKS:
            raise RequestError(f"react: no callback is called {wanted.callback!r}")
        self._reactions[wanted.callback] = Request(0, wanted.call, wanted.args)
        return {"code": 0}

    def _called_back(self, name: str, *values: object) -> None:
        args = dict(zip(CALLBACKS[name], values, strict=True))
        self._write(encode(Event(name, time.monotonic_ns(), args)))
        reaction = self._reactions.pop(name, None)
        if reaction is None:
            return
        if not reaction.call:
            raise AskedForError(f"the harness asked for an exception in {name}")
        self._call(reaction)

    def _answered(self, request_id: int, reply: asyncio.Future[CallResult]) -> None:
        if not self._is_closed:
            code, values = reply.result()
            self._answer(request_id, {"code": code, **values})

    def _answer(self, request_id: int, result: dict[str, Any]) -> None:
        self._write(encode(Answer(request_id, time.monotonic_ns(), result)))


def _trusting(ca_file: str) -> ssl.SSLContext | None:
    """Return how to check a server: by the CA of the run alone; None where there is none, and no TLS."""
    try:
        return ssl.create_default_context(cafile=ca_file) if ca_file else None
    except OSError as error:  # ssl.SSLError is one
        raise RequestError(f"create: ca_file {ca_file!r}: {error}") from error


class Lines:
    """Standard input, in whole lines, read by the event loop."""

    def __init__(self, on_line: Callable[[bytes], None]) -> None:
        self._on_line = on_line
        self._rest = b""
        self._number = 0
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self) -> int:
        """Read until the end, or a line that is no request; return the exit code."""
        loop = asyncio.get_running_loop()
        try:
            loop.add_reader(_STDIN, self._readable)
        except PermissionError:  # a file cannot be waited for, and need not be: all of it is there
            while not self._ended.done():
                self._readable()
        try:
            return await self._ended
        finally:
            loop.remove_reader(_STDIN)

    def end(self, code: int) -> None:
        """Read no more."""
        if not self._ended.done():
            self._ended.set_result(code)

    def _readable(self) -> None:
        data = os.read(_STDIN, _READ_BYTES)
        *lines, self._rest = (self._rest + data).split(b"\n")
        # What cannot become a line any more is taken as it is: it is too long, or the input ends in the middle of it.
        if len(self._rest) > LINE_BYTES_MAX or (self._rest and not data):
            lines.append(self._rest)
        for line in lines:
            self._take(line)
        if not data:
            self.end(EXIT_OK)

    def _take(self, line: bytes) -> None:
        if self._ended.done():
            return
        self._number += 1
        try:
            if len(line) > LINE_BYTES_MAX:
                raise ContractError(f"{len(line)} bytes, at most {LINE_BYTES_MAX}")
            self._on_line(line)
        except ContractError as error:
            shown = f"line {self._number} of the input: {error}; the line is {line[:200]!r}"
            sys.stderr.write(f"{NAME}: {shown}\n")
            self.end(EXIT_BAD_LINE)


async def run(heartbeat_s: float) -> int:
    """Serve the contract until the input ends; return the exit code."""

    def write(line: bytes) -> None:
        try:
            while line:
                line = line[os.write(_STDOUT, line) :]
        except BrokenPipeError:
            lines.end(EXIT_OK)  # nobody is there any more: as good as the end of the input

    agent = Agent(heartbeat_s, write)
    lines = Lines(agent.request)
    try:
        return await lines.run()
    finally:
        await agent.close()


def main() -> int:
    """Run the process; return its exit code."""
    heartbeat_s = _heartbeat_s(sys.argv[1:])
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    return asyncio.run(run(heartbeat_s))


def _heartbeat_s(arguments: Sequence[str]) -> float:
    """Return the interval to declare, in seconds."""
    if not arguments:
        return HEARTBEAT_S
    import argparse  # only here: as a rule there are no arguments, and it would be a tenth of the start

    parser = argparse.ArgumentParser(prog="python -m harness.reference.agent", description=__doc__)
    parser.add_argument(
        "--heartbeat-s",
        type=float,
        default=HEARTBEAT_S,
        help="the heartbeat interval to declare, in seconds: the server's own (default: %(default)s)",
    )
    declared: float = parser.parse_args(arguments).heartbeat_s
    return declared


if __name__ == "__main__":
    sys.exit(main())
