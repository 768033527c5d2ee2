"""``linkproof serve``: the reference server, for trying a client against it by hand, or under the harness's control."""

from __future__ import annotations

import asyncio
import signal
import sys

import click

from harness.adapter.contract import SECRET_VARIABLE
from harness.reference.server import HEARTBEAT_S, Server, ServerConfig
from harness.reference.server_control import secret_or_random, serve_controlled
from harness.reference.tokens import issue
from harness.reference.wire import SUBPROTOCOL

PORT = 8765


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
@click.option("--control", is_flag=True, help="Be controlled by requests of the adapter contract on standard input.")
def serve(
    host: str, port: int, secret: str | None, heartbeat_s: float, users: tuple[tuple[str, str], ...], control: bool
) -> None:
    """Run the reference server until Ctrl-C.

    \b
    Examples:
      linkproof serve --issue-token demo alice --issue-token demo bob
      LINKPROOF_SECRET=$(openssl rand -hex 32) linkproof serve --port 9000
    """
    config = ServerConfig(secret=secret_or_random(secret), host=host, port=port, heartbeat_s=heartbeat_s)
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
