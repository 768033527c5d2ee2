"""``python -m tests.mutants``: play all mutants, write docs/kill-matrix.md, fail where one is not caught rightly."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.cli.suite import collect
from harness.collection import spec_of
from tests.mutants import real, virtual
from tests.mutants.everyone import MUTANTS
from tests.mutants.kills import Fate
from tests.mutants.page import PAGE, render


def tell(world: str, fates: Sequence[Fate]) -> list[str]:
    """Print what came of these mutants; return what is wrong."""
    wrong = [f"{world}: {fate.mutant.name}: {fate.failure}" for fate in fates if fate.failure]
    right = sum(bool(fate.right_kills) for fate in fates)
    plays = sum(len(fate.outcomes) for fate in fates)
    print(f"\n{world}: {right} of {len(fates)} caught by the right clause, in {plays} plays", flush=True)
    return wrong


def main() -> int:
    """Read the command line and run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of the names of mutants (default: all of them)")
    parser.add_argument("--virtual", action="store_true", help="leave the real world out")
    options = parser.parse_args()
    chosen = [each for name, each in MUTANTS.items() if not options.names or any(p in name for p in options.names)]
    scenarios = [spec_of(item) for item in collect()]
    fates = []
    for fate in virtual.play_all(chosen, scenarios):
        fates.append(fate)
        caught = f"{len(fate.kills):3} scenarios, {len(fate.right_kills):3} by {' or '.join(fate.mutant.clauses)}"
        print(f"{fate.mutant.name:60} {caught}  {fate.failure}", flush=True)
    wrong = tell("virtual time", fates)
    if not options.virtual:
        with tempfile.TemporaryDirectory(prefix="linkproof-mutants-") as logs:
            played = asyncio.run(real.play_all(fates, scenarios, Path(logs)))
        wrong += tell("real world", played)
        if not options.names and not wrong:
            PAGE.write_text(render(fates, played, [each.title.name for each in scenarios]), encoding="utf-8")
            print(f"written: {PAGE}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
