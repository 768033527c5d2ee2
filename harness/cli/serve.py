"""``linkproof serve``: the reference server, for trying a client against it by hand, or under the harness's control."""

from __future__ import annotations

import asyncio
import signal
import sys

import click

from harness.adapter.contract import CERTIFICATE_VARIABLE, KEY_VARIABLE, SECRET_VARIABLE
from harness.reference.limits_core import ServerLimits
from harness.reference.server import HEARTBEAT_S, Server, ServerConfig
from harness.reference.server_control import make_room, secret_or_random, serve_controlled, tls_with
from harness.reference.server_log import LogFormat, start
from harness.reference.tokens import issue
from harness.reference.wire import FRAME_BYTES_MAX, SUBPROTOCOL

PORT = 8765
_LIMITS = ServerLimits()
_SOME = click.IntRange(min=1)
_A_FRAME = click.IntRange(min=FRAME_BYTES_MAX)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=PORT, show_default=True, help="Port to listen on; 0 takes any that is free.")
@click.option(
    "--secret", envvar=SECRET_VARIABLE, help="What tokens are signed with, 32 bytes or more; else a random one."
)
@click.option(
    "--heartbeat-s", default=HEARTBEAT_S, show_default=True, help="Seconds between two heartbeats of a client."
)
@click.option(
    "--issue-token",
    "users",
    nargs=2,
    multiple=True,
    metavar="APP UID",
    help="Print a token for this user of this app id; may be given several times.",
)
@click.option("--tls-cert", envvar=CERTIFICATE_VARIABLE, metavar="FILE", help="Speak TLS, with this certificate (PEM).")
@click.option("--tls-key", envvar=KEY_VARIABLE, metavar="FILE", help="The private key of that certificate (PEM).")
@click.option(
    "--log-format",
    type=click.Choice([how.value for how in LogFormat]),
    help="Write what it does to standard error, a line each: as text, or as JSON. Without it faults alone are written.",
)
@click.option("--connections-max", type=_SOME, default=_LIMITS.connections_max, show_default=True, help="In total.")
@click.option("--sessions-max", type=_SOME, default=_LIMITS.sessions_max, show_default=True, help="Of one app id.")
@click.option("--members-max", type=_SOME, default=_LIMITS.members_max, show_default=True, help="Of one channel.")
@click.option(
    "--requests-per-s",
    type=_SOME,
    default=_LIMITS.requests_per_s,
    show_default=True,
    help="Of one connection; twice as many at once.",
)
@click.option(
    "--waiting-bytes-max",
    "outbound_bytes_max",
    type=_A_FRAME,
    default=_LIMITS.outbound_bytes_max,
    show_default=True,
    help="For one client that does not read; beyond it the client is dropped.",
)
@click.option("--control", is_flag=True, help="Be controlled by requests of the adapter contract on standard input.")
def serve(
    *,
    host: str,
    port: int,
    secret: str | None,
    heartbeat_s: float,
    users: tuple[tuple[str, str], ...],
    tls_cert: str | None,
    tls_key: str | None,
    log_format: str | None,
    requests_per_s: int,
    control: bool,
    **limits: int,
) -> None:
    """Run the reference server until Ctrl-C or SIGTERM.

    The same port answers GET /healthz, and GET /metrics in the format of Prometheus.

    \b
    Examples:
      linkproof serve --issue-token demo alice --issue-token demo bob
      LINKPROOF_SECRET=$(openssl rand -hex 32) linkproof serve --port 9000
      linkproof serve --tls-cert server.pem --tls-key server.key --log-format json
      linkproof serve --connections-max 100 --requests-per-s 20
    """
    config = ServerConfig(
        secret=secret_or_random(secret),
        host=host,
        port=port,
        heartbeat_s=heartbeat_s,
        limits=ServerLimits(requests_per_s=requests_per_s, requests_burst=2 * requests_per_s, **limits),
        tls=tls_with(tls_cert, tls_key),
    )
    if log_format is not None:
        start(sys.stderr, LogFormat(log_format))
    make_room(config.limits.connections_max)
    if control:
        asyncio.run(serve_controlled(config, sys.stdin.buffer, sys.stdout.buffer))
    else:
        asyncio.run(_serve(config, users))


async def _serve(config: ServerConfig, users: tuple[tuple[str, str], ...]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with Server(config) as server:
        click.echo(f"Serving {SUBPROTOCOL} at {server.url}, heartbeat {config.heartbeat_s:g} s; Ctrl-C ends it.")
        if not users:
            click.echo("A client needs a token: start with --issue-token APP UID to have one printed.")
        for app_id, uid in users:
            click.echo(f"token of {uid} in {app_id}: {issue(config.secret, app_id, uid)}")
        await stop.wait()
