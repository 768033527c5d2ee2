"""What all unit tests start from."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _interrupted_as_before() -> Iterator[None]:
    """A command that is run in this process decides what Ctrl-C does, and has a process of its own as a rule."""
    taken = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    hook = sys.unraisablehook
    yield
    sys.unraisablehook = hook
    for number, handler in taken.items():
        signal.signal(number, handler)
