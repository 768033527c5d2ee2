"""``linkproof coverage``: which rule a run checked, under which fault, in which phase."""

from __future__ import annotations

from pathlib import Path

import click

from harness.report.coverage import render, unchecked
from harness.report.exit_codes import ExitCode
from harness.report.run_folder import RunFolder


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--check",
    "page",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Fail where this page says something else.",
)
def coverage(run: Path, page: Path | None) -> int:
    """Say which rule the run in the folder RUN checked, under which fault, in which phase; as a page of Markdown.

    Fails where a rule was not checked at all.

    \b
    Examples:
      linkproof coverage runs/latest > docs/coverage.md
      linkproof coverage runs/latest --check docs/coverage.md
    """
    folder = RunFolder(run)
    profile = folder.profile()  # what is no run is a mistake of the user's, and no run that checked nothing
    covered = folder.coverage()
    text = render(covered, profile)
    missing = unchecked(covered, profile)
    if page is None:
        click.echo(text, nl=False)
    elif page.read_text() != text:
        click.echo(f"{page} is stale; make it anew with: linkproof coverage {run} > {page}", err=True)
        return ExitCode.FAIL
    for clause in missing:
        click.echo(f"nothing checks {clause.id}: {clause.text}", err=True)
    return ExitCode.FAIL if missing else ExitCode.PASS
