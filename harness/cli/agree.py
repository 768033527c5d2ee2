"""``linkproof agree``: whether two runs of the same scenarios say the same."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.text import Text

from harness.cli.console import make_console
from harness.oracle.agreement import Agreement, apart, compare_runs, render
from harness.report.exit_codes import ExitCode
from harness.report.run_folder import RunFolder


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("other", type=click.Path(path_type=Path))
def agree(run: Path, other: Path) -> int:
    """Say whether the runs in the folders RUN and OTHER agree: the one over real links, the other in virtual time.

    They agree where each scenario has the same verdict, each person saw the same steps, and the times differ by no more
    than the error of both and what the scenario leaves open. Fails where they do not, or where nothing was compared.

    \b
    Example:
      linkproof agree runs/real runs/virtual
    """
    folders = [RunFolder(path) for path in (run, other)]
    for name, folder in zip(("RUN", "OTHER"), folders, strict=True):
        # What is no run is a mistake of the user's, and no run without scenarios.
        click.echo(f"{name}: {folder.path} ({folder.read_info().world})")
    found = compare_runs(*(folder.traces() for folder in folders))
    _print(make_console(), found)
    return ExitCode.PASS if found.agree else ExitCode.FAIL


def _print(console: Console, found: Agreement) -> None:
    lines = [f"compared: {found.scenarios} scenarios, {found.steps} steps, {len(found.times)} of them timed"]
    for what, free in (("nothing", False), ("something", True)):
        times = found.farthest(free=free)
        if times is not None:
            lines.append(f"farthest apart, where {what} is left to the client: {apart(times)}")
            lines.append(f"  {times.scenario}: {times.person}: {times.step}")
    for each in found.left_open:
        lines.append(f"left open by {each.clause}: {each.scenario}: {each.person}")
        lines.append(f"  RUN: {each.one}; OTHER: {each.other}")
    lines += [f"difference: {render(each)}" for each in found.differences]
    # As Text: what comes from a trace may read like markup.
    console.print(Text("\n".join(lines)), soft_wrap=True)
    if not found.scenarios:
        console.print("no scenario was played in both runs", style="bold red")
    elif found.agree:
        console.print(f"the runs agree (left open: {len(found.left_open)})", style="green")
    else:
        console.print(f"the runs do not agree (differences: {len(found.differences)})", style="bold red")
