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
from harness.collection import needs_of
from harness.errors import UsageError
from harness.spec.clauses import Clause
from harness.spec.profiles import PROFILES, RTM_1_0, Profile
from harness.world.means import NETNS
from proxies.effects import BELOW_TCP


@click.command()
@click.argument("name", metavar="CLAUSE|SCENARIO")
@click.option("--profile", "profile_name", type=click.Choice(list(PROFILES)), default=RTM_1_0.name, show_default=True)
def explain(name: str, profile_name: str) -> None:
    """Explain a rule by its id, or a scenario by (part of) its name.

    \b
    Examples:
      linkproof explain CONNECTED-3
      linkproof explain 6_s
      linkproof explain MQTT-3.1.3-9 --profile mqtt-5
    """
    console = make_console()
    profile = PROFILES[profile_name]
    # What any run plays is the better example, and comes first.
    scenarios = sorted(collect(profile, BELOW_TCP), key=lambda item: bool(needs_of(item)))
    clause = profile.clause(name.upper())
    if clause is not None:
        _explain_clause(console, clause, scenarios, profile)
        return
    matching = [item for item in scenarios if name in item.name]
    if not matching:
        raise UsageError(
            f"no clause and no scenario is called {name!r}",
            mend=_where_to_look(profile, name.upper()),
        )
    for function in dict.fromkeys(item.function for item in matching):
        _explain_scenario(console, next(item for item in matching if item.function is function), profile)


def _where_to_look(profile: Profile, clause_id: str) -> str:
    other = next((each for each in PROFILES.values() if each.clause(clause_id) is not None), None)
    if other is not None:
        return f"it is a clause of {other.name}: add --profile {other.name}"
    page = f"docs/{profile.page or 'profiles.md'}"
    return f"{page} lists the clauses, '{_certify(profile)} --collect-only -q' the scenarios"


def _certify(profile: Profile) -> str:
    return "linkproof certify" if profile is RTM_1_0 else f"linkproof certify --profile {profile.name}"


def _played_by(item: pytest.Function, profile: Profile) -> str:
    faults = f" --faults {NETNS}" if needs_of(item) else ""
    return f"{_certify(profile)}{faults} -k '{item.originalname}'"


def _explain_clause(console: Console, clause: Clause, scenarios: list[pytest.Function], profile: Profile) -> None:
    console.print(f"[bold]{clause.id}[/bold] ({clause.grade})")
    console.print(textwrap.indent(textwrap.fill(clause.text, 96), "  "), highlight=False)
    if clause.source:
        console.print(f"  source: {clause.source}", highlight=False)
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
        console.print(f"\nplay one:  {_played_by(proving[0], profile)}", highlight=False)


def _explain_scenario(console: Console, item: pytest.Function, profile: Profile) -> None:
    console.print(f"[bold]{item.originalname}[/bold]")
    console.print(textwrap.indent(inspect.getdoc(item.function) or "", "  "), highlight=False)
    for clause in map(profile.clause, _clauses(item)):
        assert clause is not None, "a scenario that names another is not collected"
        console.print(f"  [bold]{clause.id}[/bold] {clause.text}", highlight=False)
    console.print(Syntax(inspect.getsource(item.function), "python", background_color="default"))
    console.print(f"play it:  {_played_by(item, profile)}\n", highlight=False)


def _clauses(item: pytest.Function) -> tuple[str, ...]:
    mark = item.get_closest_marker("scenario")
    return tuple(mark.args) if mark is not None else ()
