"""How many seconds of virtual time a second of this machine plays: the whole suite, by ``linkproof certify --virtual``.

The quick one plays a part of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import Figure, Measured, median

WHAT = "virtual time: seconds played in a second"
LIMIT_S = 180.0
ROUNDS = 5


def measure(*, quick: bool) -> Measured:
    """Play the suite so many times."""
    runs = [_play(quick=quick) for _ in range(1 if quick else ROUNDS)]
    playing = [run["simulated_s"] / (run["wall_s"] - run["setup_s"]) for run in runs]
    return Measured(
        [
            Figure("scenarios", len(runs[0]["selected"]), ""),
            Figure("time that they last in all", runs[0]["simulated_s"], "s"),
            median("time that it takes to play, judge and keep them", [run["wall_s"] for run in runs], "s"),
            median("virtual seconds in a second", playing, "x"),
        ]
    )


def _play(*, quick: bool) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="linkproof-bench-") as folder:
        run = Path(folder) / "run"
        command = [str(Path(sys.executable).with_name("linkproof")), "certify", "--virtual"]
        command += ["--run-dir", str(run), *(("-k", "interruption") if quick else ())]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=LIMIT_S)
        told: dict[str, Any] = json.loads((run / "run.json").read_bytes())
    return told
