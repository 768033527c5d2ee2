"""What a command takes for Ctrl-C, and when it comes too late."""

from __future__ import annotations

import signal
import sys


class Interruption:
    """Ctrl-C, as a command of several seconds has it; made by `interrupt_on_sigterm`."""

    def __init__(self) -> None:
        self._was_lost = False

    def watch(self) -> None:
        """Take note where Python itself loses a Ctrl-C, as it does with what is raised in a destructor."""
        told_before = sys.unraisablehook

        def tell(unraisable: sys.UnraisableHookArgs) -> None:
            if unraisable.exc_type is KeyboardInterrupt:
                self._was_lost = True
            else:
                told_before(unraisable)

        sys.unraisablehook = tell

    def check(self) -> None:
        """Interrupt now, where that was lost before.

        Raises:
            KeyboardInterrupt: it was.
        """
        if self._was_lost:
            raise KeyboardInterrupt

    def comes_too_late(self) -> None:
        """Have it do nothing any more: what there was to interrupt is over, and the command is about to end."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)


def interrupt_on_sigterm() -> Interruption:
    """Have SIGTERM do what Ctrl-C does: who ends a job of CI sends it, and after it everything is to be taken down.

    A command that a script has begun with '&' inherits that it takes no notice of Ctrl-C. It is to notice again, or
    SIGTERM would do nothing either.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    interruption = Interruption()
    interruption.watch()
    return interruption
