"""``linkproof explore --exhaustive``: everything that can happen to the cores, up to a number of actions."""

from __future__ import annotations

from rich.console import Console

from harness.cli.console import make_console
from harness.explore.cores import Config
from harness.explore.exhaustive import Bounds, run
from harness.report.exit_codes import ExitCode
from harness.world.virtual_client import MakeClientCore

DEPTH = 6
# Some minutes of a core, and half a gigabyte.
STATES_MAX = 400_000
# Who is there, and whether they are logged in when the search begins.
SEARCHES: tuple[tuple[str, tuple[str, ...], bool], ...] = (
    ("one client, from its first call on", ("alice",), False),
    ("one client that is logged in and in a channel", ("alice",), True),
    ("two instances of one user, one of which is logged in and in a channel", ("alice", "alice"), True),
)


def explore_exhaustively(core: MakeClientCore, depth: int | None) -> int:
    """Search from several beginnings, and say of each how many states were reached; return the exit code."""
    console = make_console()
    console.print("every order of calls, losses, deliveries and timers, over a client core and the server core")
    for title, uids, is_online in SEARCHES:
        console.print(f"\n{title}:")
        bounds = Bounds(depth or DEPTH, STATES_MAX)
        result = run(Config(uids=uids, core=core), bounds, lambda line: _say(console, line), is_online=is_online)
        if result.violation is not None:
            return ExitCode.FAIL
    return ExitCode.PASS


def _say(console: Console, line: str) -> None:
    console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)
