"""``linkproof report``: make the page of a run again from its evidence."""

from __future__ import annotations

from pathlib import Path

import click

from harness.report.exit_codes import ExitCode
from harness.report.publish import publish
from harness.report.run_folder import RunFolder


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--open", "is_opened", is_flag=True, help="Show the page in a browser.")
def report(run: Path, is_opened: bool) -> int:
    """Judge the evidence in the folder RUN again, and write its page, report.html, anew. Print where it is.

    Whatever the verdict is, the exit code is 0 once the page is written.

    \b
    Examples:
      linkproof report runs/20260101T000000Z-4711
      linkproof report --open runs/20260101T000000Z-4711
    """
    page = publish(RunFolder(run))
    click.echo(f"report: {page}")
    if is_opened:
        click.launch(str(page))
    return ExitCode.PASS
