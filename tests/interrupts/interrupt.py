"""One run that is interrupted at a drawn moment, and what became of it."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from harness.report.exit_codes import ExitCode
from tests.whole_run import EVIDENCE, LINKPROOF, WholeRun, begin, ended_after

# Some 8 s of playing: a login that is done early, and a cut with the way back.
SELECTION = ("-k", "a_visible_loss_interrupts_after_4_s or login_that_succeeds")
END_S = 10.0  # whoever pressed Ctrl-C waits for this: three patient seconds for each process, all at the same time
COMMAND_S = 60.0


@dataclass
class Outcome:
    """What became of one run."""

    number: signal.Signals
    at_s: float
    code: int
    took_s: float  # from the signal to its end
    phase: str  # how far the run had come
    judged: str  # what 'linkproof judge' says of its folder
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        line = f"{self.number.name} at {self.at_s:6.3f} s, {self.phase}: code {self.code} after {self.took_s:.2f} s"
        return "; ".join([f"{line}; {self.judged}", *(f"WRONG: {text}" for text in self.wrong)])


def whole(folder: Path) -> float:
    """Play it to its end; return how long that took, in seconds."""
    folder.mkdir()
    began = time.monotonic()
    run = begin(folder, SELECTION)
    with ended_after([run]):
        code, out = run.end()
    assert code == ExitCode.PASS, out
    return time.monotonic() - began


def interrupt(folder: Path, number: signal.Signals, at_s: float) -> Outcome:
    """Start a run, send it a signal after so many seconds, and look at all that is left."""
    folder.mkdir()
    # Begun by a script with '&' we ignore it, and so would who inherits that from us.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run = begin(folder, SELECTION)
    with ended_after([run]):
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.process.wait(at_s)
        ports = run.ports()
        outcome = Outcome(number, at_s, 0, 0.0, _phase(run), "")
        has_ended = run.process.poll() is not None
        sent = time.monotonic()
        run.process.send_signal(number)
        outcome.code, out = run.end()
        outcome.took_s = time.monotonic() - sent
        outcome.wrong += _wrong(run, outcome, out, ports, has_ended=has_ended)
    outcome.judged = _judged(folder, outcome)
    return outcome


def _phase(run: WholeRun) -> str:
    if run.process.poll() is not None:
        return "ended"
    if (run.evidence / "SHA256SUMS").exists():
        return "sealed"
    if any(run.evidence.glob("traces/*")):
        return "playing, one is done"
    if run.evidence.exists():
        return f"with {len(run.processes())} processes"
    return "starting up"


def _wrong(run: WholeRun, outcome: Outcome, out: str, ports: set[int], *, has_ended: bool) -> list[str]:
    """Return what must not be."""
    found = []
    # Before its first line is reached, Python itself is ended by the signal, and says so in its own way.
    before_it_listens = outcome.phase == "starting up" and outcome.code == -outcome.number and "harness/cli" not in out
    as_if_nothing = has_ended or outcome.phase == "sealed"
    if outcome.code != ExitCode.INTERRUPTED and not before_it_listens and not (as_if_nothing and outcome.code == 0):
        found.append(f"code {outcome.code}: {out[-500:]}")
    if outcome.took_s > END_S:
        found.append(f"it took {outcome.took_s:.1f} s to end")
    if not before_it_listens and re.search(r"Traceback|Exception ignored|never retrieved|Warning", out):
        found.append(f"it printed: {out[-3000:]}")
    try:
        run.check_nothing_is_left(ports)
    except AssertionError as error:
        found.append(str(error))
    return found


def _judged(folder: Path, outcome: Outcome) -> str:
    """Have the folder judged and its page made; each says in a sentence why it cannot, where that is so."""
    said = []
    for command in ("judge", "report"):
        ended = subprocess.run(
            [*LINKPROOF, command, EVIDENCE],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=COMMAND_S,
            stdin=subprocess.DEVNULL,
        )
        if "Traceback" in ended.stderr or ended.returncode not in set(ExitCode) or not ended.stdout + ended.stderr:
            outcome.wrong.append(f"{command} came to {ended.returncode}: {ended.stderr[-2000:]}")
        said.append(f"{command}: {ended.returncode} {(ended.stdout + ended.stderr).strip().splitlines()[-1]}")
    return "; ".join(said)
