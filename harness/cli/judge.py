"""``linkproof judge``: make the verdicts of a run again from its evidence."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.console import make_console
from harness.report.exit_codes import of_verdict
from harness.report.run_folder import RunFolder
from harness.report.terminal import print_summary


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
def judge(run: Path) -> int:
    """Judge the evidence in the folder RUN again, without running anything. Exit codes as of certify.

    \b
    Example:
      linkproof judge runs/20260101T000000Z-4711
    """
    folder = RunFolder(run)
    info = folder.read_info()
    summary = folder.summary(folder.played())
    print_summary(make_console(), summary, info, run, folder.profile().clauses)
    return of_verdict(summary.verdict, summary.blame)
