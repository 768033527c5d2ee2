"""The command ``linkproof``."""

from __future__ import annotations

import sys

import click

from harness.cli.adapter import adapter
from harness.cli.agree import agree
from harness.cli.attest import attest
from harness.cli.certify import certify
from harness.cli.compare import compare
from harness.cli.coverage import coverage
from harness.cli.doctor import doctor
from harness.cli.explain import explain
from harness.cli.explore import explore
from harness.cli.judge import judge
from harness.cli.merge import merge
from harness.cli.report import report
from harness.cli.serve import serve
from harness.cli.toxiproxy import toxiproxy
from harness.cli.verify import verify
from harness.errors import LinkproofError
from harness.report.exit_codes import ExitCode, of_blame
from harness.room import is_for_want_of_room, not_kept


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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


for command in (
    certify,
    judge,
    report,
    merge,
    agree,
    compare,
    explain,
    explore,
    coverage,
    doctor,
    serve,
    adapter,
    attest,
    verify,
    toxiproxy,
):
    linkproof.add_command(command)


def main() -> None:
    """Run the command; an error of linkproof's own becomes its words and its exit code."""
    try:
        code = linkproof(standalone_mode=False)
    except LinkproofError as error:
        click.echo(str(error), err=True)
        sys.exit(of_blame(error.blame))
    except OSError as error:
        if not is_for_want_of_room(error):
            raise
        click.echo(str(not_kept(error)), err=True)
        sys.exit(ExitCode.HOST)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(ExitCode.INTERRUPTED)
    sys.exit(code if isinstance(code, int) else ExitCode.PASS)
