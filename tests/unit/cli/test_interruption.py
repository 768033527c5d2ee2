"""A Ctrl-C that Python loses is made up for, and one that comes too late does nothing."""

from __future__ import annotations

import signal
import sys

import pytest

from harness.cli.interruption import Interruption, interrupt_on_sigterm


class Dying:
    """Raises when it goes, where Python can hand it on to nobody."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def __del__(self) -> None:
        raise self._error


def test_one_that_python_has_lost_interrupts_when_it_is_looked_for() -> None:
    interruption = Interruption()
    interruption.watch()
    interruption.check()
    Dying(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        interruption.check()


def test_whatever_else_python_loses_is_told_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.exc_type))
    interruption = Interruption()
    interruption.watch()
    Dying(ValueError())
    assert told == [ValueError]
    interruption.check()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_interrupt_until_it_is_too_late(number: signal.Signals) -> None:
    interruption = interrupt_on_sigterm()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)
    interruption.comes_too_late()
    signal.raise_signal(number)
    assert signal.getsignal(number) is signal.SIG_IGN
