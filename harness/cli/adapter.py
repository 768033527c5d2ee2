"""``linkproof adapter``: begin an adapter, and hold one against the contract before any scenario is played."""

from __future__ import annotations

import asyncio
import secrets
import shlex
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.adapter.checker import Checker, Place
from harness.adapter.command import words_of
from harness.adapter.conversation import Entry, Kind, Outcome, Record
from harness.adapter.endpoint import Endpoint
from harness.adapter.log_limit import LogLimit
from harness.cli.console import make_console
from harness.guard import Guard
from harness.reference.server import Server, ServerConfig
from harness.reference.tokens import issue
from harness.report.exit_codes import ExitCode
from harness.skeletons.write import LANGUAGES, write_skeleton

APP_ID = "adapter-check"

_MARKS = {
    Kind.BEGUN: "\n[bold]{}[/bold]",
    Kind.SENT: "  --> {}",
    Kind.CAME: "  <-- {}",
    Kind.WRONG: "  [red]wrong: {}[/red]",
    Kind.NOTE: "  [yellow]note: {}[/yellow]",
}


@click.group()
def adapter() -> None:
    """Begin an adapter, or hold one against the contract.

    \b
    Examples:
      linkproof adapter new --lang python my-adapter
      linkproof adapter check "python3 my-adapter/adapter.py"
    """


@adapter.command()
@click.argument("command")
def check(command: str) -> int:
    """Hold the adapter that COMMAND starts against the contract; nothing is said about the client.

    It talks with a real reference server over loopback, without Toxiproxy. Printed is what was sent and what came, line
    by line, what is wrong with it, and the page to read. A note is allowed, and worth a look.

    \b
    Example:
      linkproof adapter check "node adapter.js"

    \b
    Exit codes:
      0     it keeps to the contract
      11    it does not
    """
    words = words_of(command, given_by="COMMAND", or_else='give one: linkproof adapter check "COMMAND"')
    console = make_console()
    outcomes = asyncio.run(_check(words, console))
    console.print(_table(outcomes))
    wrong = sum(outcome.wrong for outcome in outcomes)
    if wrong:
        console.print(f"{wrong} wrong: the adapter does not keep to the contract", highlight=False)
        return ExitCode.ADAPTER
    console.print(f"it keeps to the contract; next: linkproof certify --client {shlex.quote(command)}", highlight=False)
    return ExitCode.PASS


async def _check(command: Sequence[str], console: Console) -> list[Outcome]:
    record = Record(lambda entry: _print(console, entry))
    config = ServerConfig(secret=secrets.token_hex(32))
    with tempfile.TemporaryDirectory() as folder, Guard() as guard:
        log_path = Path(folder) / "adapter.log"
        async with LogLimit(Path(folder)), Server(config) as server:
            place = Place(
                endpoint=Endpoint(config.host, server.port, APP_ID),
                token=lambda uid: issue(config.secret, APP_ID, uid),
                connections=lambda: server.stats().connections,
            )
            await Checker(command, place, guard=guard, log_path=log_path, record=record).run()
        _print_log(console, log_path)
    return record.outcomes


def _print(console: Console, entry: Entry) -> None:
    console.print(_MARKS[entry.kind].format(escape(entry.text)), highlight=False, soft_wrap=True)
    if entry.kind is Kind.WRONG:
        console.print(f"         read: {entry.page}", highlight=False, soft_wrap=True)


def _print_log(console: Console, log_path: Path) -> None:
    lines = log_path.read_text(encoding="utf-8", errors="backslashreplace").splitlines()
    if lines:
        console.print("\n[bold]its standard error[/bold] (the last lines)")
    for line in lines[-20:]:
        console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)


def _table(outcomes: list[Outcome]) -> Table:
    table = Table(title="\nwhat came of it", title_justify="left")
    for head in ("check", "outcome", "page"):
        table.add_column(head)
    for outcome in outcomes:
        table.add_row(outcome.name, _word(outcome), outcome.page)
    return table


def _word(outcome: Outcome) -> str:
    if not outcome.is_reached:
        return "not reached"
    if outcome.wrong:
        return f"[red]{outcome.wrong} wrong[/red]"
    return f"[yellow]ok, {outcome.notes} noted[/yellow]" if outcome.notes else "[green]ok[/green]"


@adapter.command()
@click.option("--lang", "language", type=click.Choice(LANGUAGES), required=True, help="What it is to be written in.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
def new(language: str, folder: Path) -> int:
    """Write an adapter to begin with into DIR: it keeps to the contract as it is, and has no client yet.

    Nothing is overwritten: DIR is new, or empty.

    \b
    Example:
      linkproof adapter new --lang go my-adapter
    """
    skeleton = write_skeleton(language, folder)
    for path in skeleton.files:
        click.echo(f"wrote {path}")
    click.echo("next:")
    for line in skeleton.next_commands:
        click.echo(f"  {line}")
    return ExitCode.PASS
