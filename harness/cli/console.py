"""The console that every subcommand prints with."""

from __future__ import annotations

import sys

from rich.console import Console

# A file or a pipe has no width of its own; a log is read in wide windows.
WIDTH_OF_A_LOG = 140


def make_console() -> Console:
    """Return a console on standard output: colours and its width on a terminal, plain and wide elsewhere."""
    return Console() if sys.stdout.isatty() else Console(width=WIDTH_OF_A_LOG)
