"""The command ``linkproof``."""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from harness.errors import LinkproofError
from harness.report.exit_codes import ExitCode, of_blame
from harness.room import is_for_want_of_room, not_kept

# Each is the function of this name in the module of this name.
COMMANDS = (
    "adapter",
    "agree",
    "attest",
    "certify",
    "compare",
    "coverage",
    "doctor",
    "explain",
    "explore",
    "judge",
    "merge",
    "report",
    "serve",
    "toxiproxy",
    "verify",
)


class Commands(click.Group):
    """Imports a command when it is asked for: most of them need little of what the others do, and that is much."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - the names do not depend on it
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of this name, if there is one."""
        self.load(cmd_name)
        return super().get_command(ctx, cmd_name)

    def load(self, name: str) -> None:
        """Import the command of this name, if there is one."""
        if name in COMMANDS and name not in self.commands:
            self.add_command(getattr(import_module(f"{__name__}.{name}"), name))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="linkproof")
def linkproof() -> None:
    """Prove how a realtime-messaging client holds on to its connection.

    \b
    Examples:
      linkproof certify                               certify the reference client
      linkproof certify --client "node adapter.js"    certify yours
      linkproof explain CONNECTED-3                   a rule, and the scenarios that prove it
      linkproof judge runs/20260101T000000Z-1         judge a run again, without running anything
      linkproof doctor                                what this machine lacks, and how to mend it
    """


def main() -> None:
    """Run the command; an error of linkproof's own becomes its words and its exit code."""
    try:
        code = linkproof(standalone_mode=False)
        sys.stdout.flush()  # while it can still be said whose fault it is that this cannot be written
    except LinkproofError as error:
        click.echo(str(error), err=True)
        sys.exit(of_blame(error.blame))
    except OSError as error:
        if not is_for_want_of_room(error):
            raise
        _give_up_output()
        click.echo(str(not_kept(error)), err=True)
        sys.exit(ExitCode.HOST)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(ExitCode.INTERRUPTED)
    sys.exit(code if isinstance(code, int) else ExitCode.PASS)


def _give_up_output() -> None:
    """Python tries once more at its end to write what could not be written, and would exit by another code for that."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
