"""``python -m tests.interrupts N``: interrupt N runs, each at another moment; nothing may be left of any.

The moments are drawn from the start of the command to its end. With the same ``--seed`` they are the same.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
from pathlib import Path

from tests.interrupts.interrupt import interrupt, whole


def main() -> int:
    """Run them, and say of each what became of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=int, nargs="?", default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--signal", choices=["SIGINT", "SIGTERM"], default="SIGINT")
    given = parser.parse_args()
    chance = random.Random(given.seed)
    into = Path(tempfile.mkdtemp(prefix="linkproof-interrupts-"))
    took_s = whole(into / "whole")
    print(f"one run takes {took_s:.1f} s; in {into}", flush=True)
    bad = 0
    for number in range(1, given.runs + 1):
        outcome = interrupt(into / str(number), signal.Signals[given.signal], chance.uniform(0, took_s))
        bad += bool(outcome.wrong)
        print(f"{number:3}: {outcome}", flush=True)
    print(f"{given.runs - bad} of {given.runs} left nothing behind but their evidence")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
