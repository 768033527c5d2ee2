"""What all unit tests start from."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

# How fast a machine is, is no matter here: a busy one would fail a test that has nothing to do with time.
settings.register_profile("linkproof", deadline=None)
settings.load_profile("linkproof")


@pytest.fixture(autouse=True)
def _interrupted_as_before() -> Iterator[None]:
    """A command that is run in this process decides what Ctrl-C does, and has a process of its own as a rule."""
    taken = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    hook = sys.unraisablehook
    yield
    sys.unraisablehook = hook
    for number, handler in taken.items():
        signal.signal(number, handler)
