"""``linkproof merge``: join the parts of a run that was played in shards."""

from __future__ import annotations

from pathlib import Path

import click

from harness.cli.certify import step_summary
from harness.cli.console import make_console
from harness.report.exit_codes import of_verdict
from harness.report.merge import merge as join
from harness.report.publish import publish
from harness.report.run_folder import Part, RunFolder
from harness.report.terminal import print_summary


@click.command()
@click.argument("runs", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--run-dir", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Where the whole goes.")
def merge(runs: tuple[Path, ...], run_dir: Path) -> int:
    """Join the parts of a run that was played with --shard into one run. Exit codes as of certify of the whole.

    Each RUN is the folder of one part. Nothing is joined where a part is missing, there twice, broken off or altered,
    or where parts were not played alike: all with the same versions, client, options and selection. The whole is a run
    as any other, for judge, coverage, agree and the rest.

    \b
    Example:
      linkproof certify --shard 1/2 --run-dir part-1
      linkproof certify --shard 2/2 --run-dir part-2
      linkproof merge part-1 part-2 --run-dir whole
    """
    folder = RunFolder(run_dir)
    played = join([RunFolder(run) for run in runs], folder)
    info = folder.read_info()
    for part in info.parts:
        click.echo(_line(part))
    summary = folder.summary(played)
    print_summary(make_console(), summary, info, run_dir, folder.profile().clauses)
    click.echo(f"report: {publish(folder, step_summary=step_summary())}")
    return of_verdict(summary.verdict, summary.blame)


def _line(part: Part) -> str:
    host = ", ".join(f"{name} {value}" for name, value in part.host.items())
    return f"part {part.shard}: {part.scenarios} scenarios, {part.wall_s:.1f} s, on {host}"
