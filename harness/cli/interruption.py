"""What a command takes for Ctrl-C."""

from __future__ import annotations

import signal


def interrupt_on_sigterm() -> None:
    """Have SIGTERM do what Ctrl-C does: who ends a job of CI sends it, and after it everything is to be taken down.

    A command that a script has begun with '&' inherits that it takes no notice of Ctrl-C. It is to notice again, or
    SIGTERM would do nothing either.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
