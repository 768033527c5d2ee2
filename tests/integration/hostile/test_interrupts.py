"""Ctrl-C at some random moments; `python -m tests.interrupts 50` tries as many as one likes."""

from __future__ import annotations

import random
import signal
from pathlib import Path

from tests.interrupts.interrupt import interrupt

RUN_S = 8.0  # about how long one lasts
SEED = 20  # two of these moments are before anything is played


def test_an_interrupted_run_leaves_nothing_but_its_evidence(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    moments = [chance.uniform(0, RUN_S) for _ in range(6)]
    outcomes = [
        interrupt(tmp_path / str(number), kind, at_s)
        for number, at_s in enumerate(moments)
        for kind in [signal.SIGTERM if number == 5 else signal.SIGINT]
    ]
    assert [str(each) for each in outcomes if each.wrong] == []
