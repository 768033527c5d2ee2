"""``linkproof compare``: what has changed from one run to another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
from rich.text import Text

from harness.cli.console import make_console
from harness.report.compare import Change, Comparison, Recorded
from harness.report.compare import compare as compare_runs
from harness.report.drift import ENOUGH, Drift
from harness.report.exit_codes import ExitCode
from harness.report.run_folder import RunFolder

SHOWN_MAX = 20  # of what is sorted by how much it matters; --json has all


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option(
    "--threshold",
    "threshold_s",
    type=click.FloatRange(min=0),
    metavar="S",
    help="Count a drift from so many seconds on, also where chance may explain it (never within the errors).",
)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
def compare(old: Path, new: Path, threshold_s: float | None, as_json: bool) -> int:
    """Say what has changed from the run in the folder OLD to the one in NEW.

    Verdicts that were lost and gained; and of each timed step, whether it came closer to the edge of its window by more
    than the error of both measurements, though it still passes. By default that counts where chance does not explain
    it: by the spread of the repetitions where both runs were played with --repeat 7 or more; and by whether
    steps move one way, taken together.

    \b
    Examples:
      linkproof compare runs/yesterday runs/today
      linkproof compare runs/yesterday runs/today --threshold 0.25
      linkproof compare runs/yesterday runs/today --json

    \b
    Exit codes:
      0   nothing lost, and no drift beyond the threshold
      1   something lost, or a drift beyond the threshold
      2   the runs cannot be compared, or one of them is no run
    """
    folders = {name: RunFolder(path) for name, path in (("OLD", old), ("NEW", new))}
    runs = {name: _recorded(folder) for name, folder in folders.items()}
    found = compare_runs(runs["OLD"], runs["NEW"], folders["OLD"].profile(), threshold_s)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode({"holds": found.holds, **msgspec.structs.asdict(found)})))
    else:
        for name, folder in folders.items():
            click.echo(f"{name}: {folder.path} ({_described(runs[name])})")
        # As Text: what comes from a trace may read like markup.
        make_console().print(Text("\n".join(_lines(found))), soft_wrap=True)
    return ExitCode.PASS if found.holds else ExitCode.FAIL


def _recorded(folder: RunFolder) -> Recorded:
    info = folder.read_info()  # what is no run is a mistake of the user's
    return Recorded(info, folder.summary(folder.played()))


def _described(run: Recorded) -> str:
    tested = " ".join(str(run.info.client.get(key, "")) for key in ("name", "version")).strip()
    repeated = f", {run.info.repeat} times each" if run.info.repeat > 1 else ""
    return f"{run.info.world}, {tested}{repeated}: {run.summary.counted()}"


def _lines(found: Comparison) -> Iterator[str]:
    yield f"compared: {found.scenarios} scenarios, {found.steps} timed steps"
    for where, names in (("OLD", found.only_old), ("NEW", found.only_new)):
        if names:
            yield f"only in {where}: {len(names)}: {', '.join(names[:3])}{', ...' if len(names) > 3 else ''}"
    for how in ("gained", "changed", "lost"):
        changes: list[Change] = getattr(found, how)
        yield from (f"{how}: {each.what} {each.name}: {each.old} -> {each.new}" for each in changes)
    for each in found.counting[:SHOWN_MAX]:
        yield from _told(each)
    if len(found.counting) > SHOWN_MAX:
        yield f"and {len(found.counting) - SHOWN_MAX} more that came closer to an edge by less; --json has all"
    yield from _weighed(found)
    yield _closing(found)


def _weighed(found: Comparison) -> Iterator[str]:
    """Say how many steps moved either way, where chance alone may have moved them."""
    if not found.closer and not found.farther:
        return
    yield f"moved by more than the errors: {len(found.closer)} steps closer to an edge, {len(found.farther)} farther"
    if found.lopsided:
        yield "  taken together they go one way, as chance would in less than 1 of 1000 runs"
    elif len(found.counting) < len(found.closer):
        most = next(each for each in found.closer if each.may_be_chance)
        yield f"  chance may explain it, up to {most.closer_s:.3f} s: {_place(most)}"
        if min(most.old.repetitions, most.new.repetitions) < ENOUGH:
            yield f"  --repeat {ENOUGH} or more in both runs tells it from chance step by step"


def _told(each: Drift) -> Iterator[str]:
    still = "still passes" if each.passes else "out of time"
    yield f"{still}, {each.closer_s:.3f} s closer to its {each.edge} edge: {_place(each)}"
    old, new = each.old, each.new
    margin = f"margin {old.margins_s[each.edge]:.3f} -> {new.margins_s[each.edge]:.3f} s"
    elapsed = f"came after {old.elapsed_s:.3f} -> {new.elapsed_s:.3f} s"
    is_repeated = max(old.repetitions, new.repetitions) > 1
    medians = f", medians of {old.repetitions} and {new.repetitions}" if is_repeated else ""
    yield f"  {margin}; {elapsed}, due in [{new.earliest_s:.3f}, {new.latest_s:.3f}] s{medians}"


def _place(each: Drift) -> str:
    step = each.step
    number = f" ({step.number})" if step.number > 1 else ""
    return f"{step.scenario}: {step.person}: {step.step}{number}, {', '.join(step.clauses)}"


def _closing(found: Comparison) -> str:
    if found.threshold_s is None:
        beyond = "beyond what errors and chance explain"
    else:
        beyond = f"by more than {found.threshold_s:g} s"
    if found.holds:
        return f"nothing was lost, and no step came closer to an edge {beyond}"
    return f"lost: {len(found.lost)}; closer to an edge {beyond}: {len(found.counting)}"
