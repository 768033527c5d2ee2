"""Where the command ``linkproof`` begins: Ctrl-C ends it in order from here on."""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False  # typing's own takes as long to be loaded as all that is needed here
if TYPE_CHECKING:
    from collections.abc import Callable

INTERRUPTED = 130  # as in harness.report.exit_codes, which is among what takes its time to be loaded


def main() -> None:
    """Load the command and run it."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        _command()()  # begun by a script with '&': it takes no notice
        return
    # Nothing is there yet that would have to be taken down, and an exception could come out of anybody's import.
    signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    command = _command()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command()


def _command() -> Callable[[], None]:
    from harness.cli import linkproof
    from harness.cli import main as command

    for word in sys.argv[1:2]:
        linkproof.load(word)  # what it needs is most of what is to be loaded
    return command
