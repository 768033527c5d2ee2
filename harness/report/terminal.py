"""A run's result in a terminal: a line for each rule, what failed with its two columns, and one closing line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.align import Align
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from harness.oracle.explain import render
from harness.oracle.verdict import Verdict
from harness.report.distribution import distributions
from harness.report.run_folder import SERVER, VIRTUAL, RunInfo
from harness.report.summary import ClauseResult, Summary
from harness.spec.clauses import Clause

# What comes from outside is printed as Text: as a plain string rich would read "[red]" and ":warning:" as markup.
_KNOWN_STYLE = "yellow"
_STYLE = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.ERROR: "bold magenta",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_REACHED: "yellow",
    Verdict.UNSUPPORTED: "cyan",
}


TIGHTEST_MAX = 10  # of the steps of a run whose scenarios were repeated

# What nobody may take for a certificate says so in letters that nobody can miss.
VIRTUAL_BANNER = (
    "T H I S   C E R T I F I E S   N O T H I N G\n\nvirtual time, a simulated network, no process of anybody's"
)


def print_summary(console: Console, summary: Summary, info: RunInfo, folder: Path, clauses: Sequence[Clause]) -> None:
    """Print the whole result of a run."""
    for judgement in summary.judgements:
        if judgement.verdict is not Verdict.PASS and judgement.scenario not in summary.excused:
            console.print(Text(render(judgement)), style=_STYLE[judgement.verdict])
            console.print()
    console.print(_clause_table([summary.of_clause(clause) for clause in clauses]))
    _print_known(console, summary)
    if info.repeat > 1:
        console.print()
        console.print(_tightest_table(summary))
    for first in summary.inconclusive:
        text = f"INCONCLUSIVE at first, and played again on its own: {first.scenario}: {first.reason}"
        console.print(Text(text), style=_STYLE[Verdict.INCONCLUSIVE])
    for name in summary.missing:
        console.print(Text(f"selected, and not run to its end: {name}"), style=_STYLE[Verdict.ERROR])
    _print_closing(console, summary, info, folder)
    if info.world == VIRTUAL:
        console.print(Panel(Align.center(Text(VIRTUAL_BANNER, justify="center")), style="bold yellow", padding=1))


def _clause_table(results: Sequence[ClauseResult]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("rule", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("checks", justify="right")
    table.add_column("what it says", overflow="fold")
    looked_at = [result for result in results if result.verdict is not None]
    for result in looked_at:
        assert result.verdict is not None
        said = Text(result.clause.text)
        if result.answer:
            said.append(f"  (seen: {result.answer})", style="dim")
        verdict = Text(result.verdict, style=_KNOWN_STYLE if result.is_known else _STYLE[result.verdict])
        verdict.append(" (known)" if result.is_known else "")
        table.add_row(result.clause.id, verdict, str(result.checks), said)
    if len(looked_at) < len(results):
        table.add_row(
            "", "", "", f"[dim]{len(results) - len(looked_at)} rules were not looked at by this selection[/dim]"
        )
    return table


def _tightest_table(summary: Summary) -> Table:
    """Return the steps that had the least room in their window in any repetition."""
    heads = ("room", "margin", "times", "min", "median", "95 %", "max", "due in")
    title = "the tightest steps (times in s)"
    table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("step", overflow="fold")
    for each in distributions(summary.judgements)[:TIGHTEST_MAX]:
        times_s = (each.min_s, each.median_s, each.p95_s, each.max_s)
        cells = [
            f"{each.room:.0%}",
            f"{each.margin_s:.3f}",
            str(len(each.times_s)),
            *(f"{time_s:.3f}" for time_s in times_s),
        ]
        place = f"{each.step.scenario.rpartition('::')[2]}: {each.step.person}: {each.step.step}"
        table.add_row(*cells, f"{each.earliest_s:.3f} to {each.latest_s:.3f}", Text(place))
    return table


def _print_known(console: Console, summary: Summary) -> None:
    """Print what was excused, and what is said to be known and is not so."""
    if summary.excused:
        console.print(Text("\nknown failures: played and judged all the same, and not counted", style="bold"))
    for judgement in summary.judgements:
        entry = summary.excused.get(judgement.scenario)
        if entry is not None:
            why = "nobody has said yet why" if entry.known.is_unexplained else entry.known.reason
            link = f" {entry.known.link}" if entry.known.link else ""
            text = f"{judgement.verdict}  {judgement.scenario}\n  {judgement.reason}\n  tolerated: {why}{link}"
            console.print(Text(f"{text} ({entry.where})"), style=_KNOWN_STYLE, soft_wrap=True)
    for misfit in summary.misfits:
        console.print(Text(f"\n{misfit}"), style=_STYLE[Verdict.FAIL], soft_wrap=True)


def _print_closing(console: Console, summary: Summary, info: RunInfo, folder: Path) -> None:
    tested = info.server if info.under_test == SERVER else info.client
    implementation = " ".join(str(tested.get(key, "")) for key in ("name", "version")).strip()
    console.print()
    if errors_s := summary.errors_s():
        console.print(
            Text(
                f"times are known to {errors_s[len(errors_s) // 2]:.3f} s (median of {len(errors_s)}), "
                f"{errors_s[-1]:.3f} s at worst"
            )
        )
    if info.simulated_s:
        played_s = info.wall_s - info.setup_s
        ratio = info.simulated_s / max(played_s, 0.001)  # the unit that it is kept in
        console.print(Text(f"{info.simulated_s:.0f} s simulated in {played_s:.2f} s: {ratio:,.0f} times as fast"))
    if info.longest_s:
        ratio = (info.wall_s - info.setup_s) / info.longest_s
        took = (
            f"{info.wall_s:.1f} s in all: {info.setup_s:.1f} s of set-up, then {info.wall_s - info.setup_s:.1f} s, "
            f"{ratio:.2f} times the longest scenario ({info.longest_s:.1f} s, {info.longest})"
        )
        console.print(Text(took))
    console.print(Text(f"evidence: {folder}"), soft_wrap=True)
    closing = Text(summary.verdict, style=_STYLE[summary.verdict])
    where = ", in virtual time" if info.world == VIRTUAL else ""
    title = f"{implementation or f'the {info.under_test}'} against {info.profile}{where}"
    console.print(closing + Text(f"  {title}: {summary.counted()}"))
