"""The reference server as a child of the harness: requests of the adapter contract on stdin, answers on stdout.

Run as ``python -m harness.reference.server_control``. The end of standard input means 'finish', so that the server
never outlives its harness.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import secrets
import signal
import ssl
import stat
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, BinaryIO

import msgspec

from harness.adapter.contract import (
    CERTIFICATE_VARIABLE,
    CONTRACT_VERSION,
    KEY_VARIABLE,
    LINE_BYTES_MAX,
    SECRET_VARIABLE,
    UNSUPPORTED,
    Answer,
    ContractError,
    Request,
    decode_request,
    encode,
)
from harness.delays import DelaySampler
from harness.errors import AdapterError, LinkproofError, UsageError
from harness.reference.server import HEARTBEAT_S, Server, ServerConfig
from harness.reference.wire import SUBPROTOCOL

NAME = "linkproof reference server"
EXIT_OK = 0
EXIT_ERROR = 2
FILES_BESIDE = 100  # what a process has open beside its connections: far less


class _User(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of every request that is about one user."""

    app_id: str
    uid: str


class _Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The arguments of ``delays``."""

    from_ns: int
    to_ns: int


def answer(server: Server, delays: DelaySampler, request: Request) -> Answer:
    """Carry out a request of the harness.

    A request that is not known is answered ``unsupported``, one with wrong arguments with what is wrong.
    """
    try:
        result = _result(server, delays, request)
    except msgspec.ValidationError as wrong:
        return Answer(request.id, time.monotonic_ns(), error=f"{request.call}: {wrong}")
    if result is None:
        return Answer(request.id, time.monotonic_ns(), error=UNSUPPORTED)
    return Answer(request.id, time.monotonic_ns(), result=result)


def _result(server: Server, delays: DelaySampler, request: Request) -> dict[str, Any] | None:
    match request.call:
        case "hello":
            return _hello(server)
        case "clock":
            return {"now_ns": time.monotonic_ns()}
        case "stop":
            return {}  # the loop ends after this answer
        case "delays":
            span = msgspec.convert(request.args, _Span)
            return {"late": delays.between(span.from_ns, span.to_ns)}
        case "ban" | "unban" | "connections":
            return _about_user(server, request.call, msgspec.convert(request.args, _User))
    return None


def _hello(server: Server) -> dict[str, Any]:
    return {
        "contract": CONTRACT_VERSION,
        "name": NAME,
        "version": SUBPROTOCOL,
        "language": "python",
        "url": server.url,
        "heartbeat_s": server.heartbeat_s,
    }


def _about_user(server: Server, call: str, user: _User) -> dict[str, Any]:
    if call == "connections":
        return {
            "connections": server.connections_of(user.app_id, user.uid),
            "attempts": server.attempts_of(user.app_id, user.uid),
        }
    change = server.ban if call == "ban" else server.unban
    change(user.app_id, user.uid)
    return {}


async def serve_controlled(config: ServerConfig, stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Run a server until ``stop``, the end of ``stdin``, SIGTERM or SIGINT.

    Raises:
        AdapterError: a line that is no request came in.
        UsageError: ``stdin`` cannot be waited for.
        HostError: the address cannot be listened on.
    """
    async with Server(config) as server, _lines_of(stdin) as lines, _sampled() as delays:
        talk = asyncio.create_task(_talk(server, delays, lines, stdout))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, talk.cancel)
        await asyncio.wait([talk])
        if not talk.cancelled():
            talk.result()


async def _talk(server: Server, delays: DelaySampler, lines: asyncio.StreamReader, stdout: BinaryIO) -> None:
    while True:
        try:
            line = await lines.readuntil()
        except asyncio.IncompleteReadError:
            return  # the end; half a line before it was cut off with its writer
        except asyncio.LimitOverrunError as error:
            raise _bad_line(b"", f"longer than {LINE_BYTES_MAX} bytes") from error
        try:
            request = decode_request(line)
        except ContractError as error:
            raise _bad_line(line, str(error)) from error
        try:
            # Answers are far smaller than a pipe, so this does not wait unless nobody has read for a long time.
            stdout.write(encode(answer(server, delays, request)))
            stdout.flush()
        except BrokenPipeError:
            # Nobody is there to be served any more. What could not be written would be tried again at the exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
            return
        if request.call == "stop":
            return


@asynccontextmanager
async def _sampled() -> AsyncIterator[DelaySampler]:
    delays = DelaySampler()
    try:
        yield delays
    finally:
        await delays.close()


def _bad_line(line: bytes, why: str) -> AdapterError:
    return AdapterError(
        f"a line on the control input of the server: {line[:200]!r}",
        why=why,
        mend="see docs/adapter-contract.md",
    )


@asynccontextmanager
async def _lines_of(stdin: BinaryIO) -> AsyncIterator[asyncio.StreamReader]:
    mode = os.fstat(stdin.fileno()).st_mode
    # A file and /dev/null are always 'readable', and the event loop cannot wait for what is.
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(stdin.fileno())):
        raise UsageError(
            "standard input is neither a pipe nor a terminal",
            why="the server is controlled by it, and finishes when it ends",
            mend="start the server with a pipe as its standard input",
        )
    reader = asyncio.StreamReader(limit=LINE_BYTES_MAX)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), stdin
    )
    try:
        yield reader
    finally:
        transport.close()


def make_room(connections: int) -> None:
    """Let this process open as many files as that many connections need, as far as the system allows it.

    Many systems begin a process with 1024, and let it ask for more by itself.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + FILES_BESIDE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(
            resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard)
        )


def run(config: ServerConfig) -> int:
    """Run a controlled server on this process's standard streams, and return the exit code."""
    make_room(config.limits.connections_max)
    try:
        asyncio.run(serve_controlled(config, sys.stdin.buffer, sys.stdout.buffer))
    except LinkproofError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_ERROR
    return EXIT_OK


def secret_or_random(secret: str | None) -> str:
    """Return the secret, or a random one, which is then told on standard error."""
    if secret:
        return secret
    secret = secrets.token_hex(32)
    sys.stderr.write(f"{SECRET_VARIABLE} is not set; the secret of this server is {secret}\n")
    return secret


def tls_of(environment: Mapping[str, str]) -> ssl.SSLContext | None:
    """Return what a server needs to speak TLS, where the environment names a certificate and its key.

    Raises:
        UsageError: it names one of the two, or they cannot be read.
    """
    return tls_with(environment.get(CERTIFICATE_VARIABLE), environment.get(KEY_VARIABLE))


def tls_with(certificate: str | None, key: str | None) -> ssl.SSLContext | None:
    """Return what a server needs to speak TLS, or None without both; they are paths of PEM files.

    Raises:
        UsageError: there is one of the two, or they cannot be read.
    """
    if not certificate and not key:
        return None
    if not certificate or not key:
        raise UsageError(
            "a certificate without its key, or a key without its certificate",
            why="a server needs both to speak TLS",
            mend=f"give both, or none: {CERTIFICATE_VARIABLE} and {KEY_VARIABLE}",
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(f"{certificate} with {key}: {error}", why="each is to be a PEM file, and of a pair") from error
    return context


def main() -> int:
    """Read the command line and run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m harness.reference.server_control", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any that is free")
    parser.add_argument("--heartbeat-s", type=float, default=HEARTBEAT_S)
    parser.add_argument("--secret", default=os.environ.get(SECRET_VARIABLE), help=f"or set {SECRET_VARIABLE}")
    options = parser.parse_args()
    try:
        config = ServerConfig(
            secret=secret_or_random(options.secret),
            host=options.host,
            port=options.port,
            heartbeat_s=options.heartbeat_s,
            tls=tls_of(os.environ),
        )
    except LinkproofError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_ERROR
    return run(config)


if __name__ == "__main__":
    sys.exit(main())
