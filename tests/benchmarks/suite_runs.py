"""The suite, or a part of it, played in one way or another, in a process of its own."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from harness.oracle.verdict import Judgement, Verdict
from harness.trace import What, read

ROOT = Path(__file__).resolve().parents[2]
SCENARIOS = "tests/conformance"


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one run, all in seconds.

    Attributes:
        wall_s: of the whole command, from its start to its end.
        cpu_s: of processors, with all the processes of the run but Toxiproxy's own.
        run_s: what the run says of itself, its set-up included; 0 where it was several runs.
        setup_s: of which the set-up.
        longest_s: the longest scenario, from its first process to its last.
        each_s: how long each scenario lasted once its people were there.
        unclear: scenarios that are no PASS.
    """

    wall_s: float
    cpu_s: float
    run_s: float
    setup_s: float
    longest_s: float
    each_s: list[float]
    unclear: list[str]


def play(files: Sequence[str], how: Sequence[str], *, limit_s: float) -> Played:
    """Play some files of the suite by pytest with these options."""
    with tempfile.TemporaryDirectory(prefix="linkproof-bench-") as folder:
        run = Path(folder) / "run"
        chosen = [f"{SCENARIOS}/{file}" for file in files] or [SCENARIOS]
        command = [sys.executable, "-m", "pytest", *chosen, "-q", "-p", "no:cacheprovider", "--run-dir", str(run), *how]
        before, began = _cpu_s(), time.monotonic()
        with (Path(folder) / "log").open("w+b") as log:
            # What a scenario comes to is told below; that it was not a PASS is the code 1.
            code = subprocess.run(command, cwd=ROOT, stdout=log, stderr=log, timeout=limit_s, check=False).returncode
            if code not in (0, 1):
                log.seek(0)
                raise RuntimeError(f"{' '.join(command)} ended with {code}:\n{log.read().decode()[-2000:]}")
        wall_s = time.monotonic() - began
        return _read([each.parent for each in sorted(run.rglob("run.json"))], wall_s, _cpu_s() - before)


def _read(runs: Sequence[Path], wall_s: float, cpu_s: float) -> Played:
    each_s: list[float] = []
    unclear: list[str] = []
    told: list[dict[str, Any]] = []
    for run in runs:
        told.append(json.loads((run / "run.json").read_bytes()))
        each_s += [_lasted_s(trace) for trace in sorted((run / "traces").glob("*.jsonl"))]
        judgements = msgspec.json.decode((run / "verdicts.json").read_bytes(), type=list[Judgement])
        unclear += [f"{each.scenario}: {each.verdict}" for each in judgements if each.verdict is not Verdict.PASS]
    alone = len(told) == 1
    run_s, setup_s = (told[0]["wall_s"], told[0]["setup_s"]) if alone else (0.0, 0.0)
    longest_s = max(one["longest_s"] for one in told)
    return Played(wall_s, cpu_s, run_s, setup_s, longest_s, each_s, unclear)


def _lasted_s(trace: Path) -> float:
    """Return how long a scenario took from when its first client was there, as it would alone."""
    seen = read(trace)
    first = next((each.at_ns for each in seen if each.what is What.DECLARED), seen[0].at_ns)
    return (next(each.at_ns for each in seen if each.what is What.END) - first) / 1e9


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
