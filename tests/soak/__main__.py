"""``python -m tests.soak N``: certify the reference N times on a quiet host, and N times on an overloaded one.

No run may have a FAIL or an ERROR. What could not be told (INCONCLUSIVE) is counted, with the reasons: as a first
result, and as what was left when it had been played again on its own.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.oracle.verdict import Judgement, Verdict
from harness.report.summary import Summary, summarise
from tests.soak.overload import overloaded

LINKPROOF = (sys.executable, "-c", "from harness.cli import main; main()")
RUN_S = 1800.0  # a run takes one minute, and longer where much has to be played again


@dataclass(frozen=True, slots=True)
class Certified:
    """One run of the whole suite."""

    summary: Summary
    took_s: float
    folder: Path

    def __str__(self) -> str:
        counts = self.summary.counts()
        told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict])
        return f"{told}; {len(self.summary.inconclusive)} INCONCLUSIVE at first; {self.took_s:.0f} s; {self.folder}"


def certify(folder: Path, selection: list[str]) -> Certified:
    """Run the suite once, in a process of its own.

    Raises:
        msgspec.DecodeError, OSError: the run came to no end; its output says why.
    """
    began = time.monotonic()
    with folder.with_suffix(".log").open("wb") as log:
        command = [*LINKPROOF, "certify", "--run-dir", str(folder), *selection]
        subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, timeout=RUN_S, check=False)
    judgements = msgspec.json.decode((folder / "verdicts.json").read_bytes(), type=list[Judgement])
    return Certified(summarise(judgements, []), time.monotonic() - began, folder)


def soak(kind: str, runs: int, into: Path, selection: list[str]) -> list[Certified]:
    """Run the suite so many times under one kind of load."""
    done = []
    for number in range(1, runs + 1):
        load = overloaded(limit_s=RUN_S) if kind == "overloaded" else contextlib.nullcontext()
        with load:
            done.append(certify(into / f"{kind}-{number}", selection))
        print(f"{kind} {number} of {runs}: {done[-1]}", flush=True)
    return done


def report(kind: str, done: list[Certified]) -> bool:
    """Say what came of all runs of one kind; return whether nobody was accused."""
    played = sum(len(each.summary.judgements) for each in done)
    counts = sum((each.summary.counts() for each in done), Counter[Verdict]())
    unclear = [first for each in done for first in each.summary.inconclusive]
    left = counts[Verdict.INCONCLUSIVE]
    print(
        f"\n{kind}: {played} scenarios in {len(done)} runs: {counts[Verdict.FAIL]} FAIL, {counts[Verdict.ERROR]} ERROR"
    )
    print(f"  INCONCLUSIVE at first: {len(unclear)} ({len(unclear) / played:.2%}); still, when played again: {left}")
    for reason, count in Counter(each.reason.partition("; but")[2] or each.reason for each in unclear).most_common(10):
        print(f"  {count:4} x {reason.strip()}")
    for each in done:
        for judgement in each.summary.judgements:
            if judgement.verdict in (Verdict.FAIL, Verdict.ERROR):
                print(f"  {judgement.verdict} {judgement.scenario}: {judgement.reason}  ({each.folder})")
    return not counts[Verdict.FAIL] and not counts[Verdict.ERROR]


def main() -> int:
    """Read the command line and run; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("runs", type=int, help="how many runs of each kind")
    parser.add_argument("--kind", choices=["plain", "overloaded"], action="append", help="only this kind")
    parser.add_argument("selection", nargs="*", help="more arguments for 'linkproof certify', after '--'")
    options = parser.parse_args()
    into = Path(tempfile.mkdtemp(prefix="linkproof-soak-"))
    kinds = options.kind or ["plain", "overloaded"]
    outcomes = {kind: soak(kind, options.runs, into, options.selection) for kind in kinds}
    verdicts = [report(kind, done) for kind, done in outcomes.items()]
    return 0 if all(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
