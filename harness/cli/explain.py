"""``linkproof explain``: a rule and what proves it, or a scenario and what it does."""

from __future__ import annotations

import inspect
import textwrap
from collections import Counter

import click
import pytest
from rich.console import Console
from rich.syntax import Syntax

from harness.cli.console import make_console
from harness.cli.suite import collect
from harness.errors import UsageError
from harness.spec.clauses import BY_ID, Clause


@click.command()
@click.argument("name", metavar="CLAUSE|SCENARIO")
def explain(name: str) -> None:
    """Explain a rule by its id, or a scenario by (part of) its name.

    \b
    Examples:
      linkproof explain CONNECTED-3
      linkproof explain 6_s
    """
    console = make_console()
    scenarios = collect()
    clause = BY_ID.get(name.upper())
    if clause is not None:
        _explain_clause(console, clause, scenarios)
        return
    matching = [item for item in scenarios if name in item.name]
    if not matching:
        raise UsageError(
            f"no clause and no scenario is called {name!r}",
            mend="docs/spec.md lists the clauses, 'linkproof certify --collect-only -q' the scenarios",
        )
    for function in dict.fromkeys(item.function for item in matching):
        _explain_scenario(console, next(item for item in matching if item.function is function))


def _explain_clause(console: Console, clause: Clause, scenarios: list[pytest.Function]) -> None:
    console.print(f"[bold]{clause.id}[/bold] ({clause.grade})")
    console.print(textwrap.indent(textwrap.fill(clause.text, 96), "  "), highlight=False)
    of_function = Counter(item.function for item in scenarios if clause.id in _clauses(item))
    proving = [next(item for item in scenarios if item.function is function) for function in of_function]
    console.print(f"\nproved by {len(proving)} scenarios:" if proving else "\nno scenario proves it yet")
    for item in proving:
        summary = (inspect.getdoc(item.function) or "").partition("\n")[0]
        times = (
            f" ({of_function[item.function]} times, with other parameters)" if of_function[item.function] > 1 else ""
        )
        console.print(f"  {item.originalname}{times}\n      {summary}", highlight=False)
    if proving:
        console.print(f"\nplay one:  linkproof certify -k '{proving[0].originalname}'", highlight=False)


def _explain_scenario(console: Console, item: pytest.Function) -> None:
    console.print(f"[bold]{item.originalname}[/bold]")
    console.print(textwrap.indent(inspect.getdoc(item.function) or "", "  "), highlight=False)
    for clause_id in _clauses(item):
        console.print(f"  [bold]{clause_id}[/bold] {BY_ID[clause_id].text}", highlight=False)
    console.print(Syntax(inspect.getsource(item.function), "python", background_color="default"))
    console.print(f"play it:  linkproof certify -k '{item.originalname}'\n", highlight=False)


def _clauses(item: pytest.Function) -> tuple[str, ...]:
    mark = item.get_closest_marker("scenario")
    return tuple(mark.args) if mark is not None else ()
