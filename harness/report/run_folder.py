"""The folder of a run: what it was made with, one trace for each scenario, logs, and the verdicts.

run.json            what was run, with what, on what
traces/NAME.jsonl   what was done and seen, line by line
logs/NAME.log       standard error of every process
verdicts.json       what the judge said
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness import trace
from harness.errors import UsageError
from harness.oracle.judge import CutShortError, JudgeError, judge
from harness.oracle.verdict import Judgement
from harness.report.coverage import Covered, covered_by
from harness.trace import Observation, TraceError

_FILE_NAME_MAX = 200  # file systems take 255 bytes; what is added takes a few


class RunInfo(msgspec.Struct, omit_defaults=True):
    """What a run was made with. Times are in seconds; ``started`` is the wall clock, for people."""

    linkproof: str
    profile: str
    started: str
    selected: list[str] = []
    client_command: list[str] = []
    client: dict[str, object] = {}
    toxiproxy: str = ""
    host: dict[str, object] = {}
    setup_s: float = 0.0
    wall_s: float = 0.0
    longest_s: float = 0.0
    longest: str = ""


class RunFolder:
    """Reads and writes the folder of a run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self._traces = path / "traces"

    def create(self) -> None:
        """Make the folder and what is in it."""
        self._traces.mkdir(parents=True)
        self.logs.mkdir()

    def write_trace(self, scenario: str, observations: Sequence[Observation]) -> Path:
        """Store the trace of a scenario."""
        name = _file_name(scenario)
        # Two scenarios may share a readable name; neither may take the place of the other's evidence.
        names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        path = next(path for path in (self._traces / f"{each}.jsonl" for each in names) if not path.exists())
        path.write_bytes(trace.dump(observations))
        return path

    def write_info(self, info: RunInfo) -> None:
        """Store what the run was made with."""
        (self.path / "run.json").write_bytes(msgspec.json.format(msgspec.json.encode(info)) + b"\n")

    def write_verdicts(self, judgements: Sequence[Judgement]) -> None:
        """Store what the judge said."""
        (self.path / "verdicts.json").write_bytes(msgspec.json.format(msgspec.json.encode(judgements)) + b"\n")

    def read_info(self) -> RunInfo:
        """Return what the run was made with.

        Raises:
            UsageError: there is no run in this folder.
        """
        path = self.path / "run.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=RunInfo)
        except FileNotFoundError as error:
            raise UsageError(f"{self.path} is no run: it has no run.json", mend="name a folder below runs/") from error
        except msgspec.DecodeError as error:
            raise UsageError(
                f"{path} cannot be read: {error}", why="it was not written by a run, or was altered"
            ) from error

    def judge(self) -> list[Judgement]:
        """Judge every trace of the run (again).

        Raises:
            UsageError: a trace cannot be read, or is not whole.
        """
        judgements = (_judge_file(path) for path in sorted(self._traces.glob("*.jsonl")))
        return [judgement for judgement in judgements if judgement is not None]

    def coverage(self) -> list[Covered]:
        """Return what each scenario of the run covers, by name.

        Raises:
            UsageError: a trace cannot be read.
        """
        paths = sorted(self._traces.glob("*.jsonl"))
        judged = ((path, _judge_file(path)) for path in paths)
        return [covered_by(trace.read(path), judgement) for path, judgement in judged if judgement is not None]


def _judge_file(path: Path) -> Judgement | None:
    """Judge one trace; None where the run was broken off in it, as it is of a scenario that was not run at all."""
    why = "only a trace that was recorded to its end can be judged"
    try:
        return judge(trace.read(path))
    except TraceError as error:
        raise UsageError(str(error), why=why) from error
    except CutShortError:
        return None
    except JudgeError as error:
        raise UsageError(f"{path}: {error}", why=why) from error


def _file_name(scenario: str) -> str:
    # What a parameter is called may have a slash in it too.
    file, _, test = scenario.partition("::")
    readable = f"{Path(file).stem}.{test}" if test else file
    return re.sub(r"[^A-Za-z0-9._=-]+", "-", readable)[:_FILE_NAME_MAX]
