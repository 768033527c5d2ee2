"""The folder of a run: what it was made with, one trace for each scenario, logs, and the verdicts.

run.json            what was run, with what, on what
traces/NAME.jsonl   what was done and seen, line by line
logs/NAME.log       standard error of every process
verdicts.json       what the judge said
known-failures.toml what was excused, where that was asked for
SHA256SUMS          the seal: what all of these were when the run ended
"""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from harness import trace
from harness.errors import UsageError
from harness.oracle.judge import CutShortError, JudgeError, judge
from harness.oracle.verdict import Judgement
from harness.report import known, seal
from harness.report.coverage import Covered, covered_by
from harness.report.digests import Digests
from harness.report.known import KnownFailures
from harness.report.summary import Summary, summarise
from harness.room import not_kept
from harness.spec.profiles import PROFILES, Profile
from harness.trace import Observation, TraceError

# The worlds that a run can have been played in; only the first one certifies anything.
REAL = "real"
VIRTUAL = "virtual"
# Which side a run judges: the other one is the reference.
CLIENT, SERVER = "client", "server"

KNOWN_FAILURES = "known-failures.toml"

# Set aside while a run lasts, for what is written at its end: of the whole suite, some 1.3 MB.
RESERVE_BYTES = 2 * 2**20

_FILE_NAME_MAX = 200  # file systems take 255 bytes; what is added takes a few


class Part(msgspec.Struct, omit_defaults=True):
    """One part of a run that was played in several: what of its ``run.json`` is not that of the whole."""

    shard: str
    started: str
    scenarios: int
    host: dict[str, object]
    setup_s: float
    wall_s: float
    longest_s: float
    longest: str
    seal: str  # SHA-256 of its seal, by which it is found again


class RunInfo(msgspec.Struct, omit_defaults=True):
    """What a run was made with. Times are in seconds; ``started`` is the wall clock, for people."""

    linkproof: str
    profile: str
    started: str
    selected: list[str] = []
    client_command: list[str] = []
    client: dict[str, object] = {}
    toxiproxy: str = ""
    netns: str = ""  # where network namespaces take its place: the programs that tell the kernel
    means: list[str] = []  # the faults below TCP that it could make
    host: dict[str, object] = {}
    setup_s: float = 0.0
    wall_s: float = 0.0
    longest_s: float = 0.0
    longest: str = ""
    world: str = REAL
    server_command: list[str] = []
    server: dict[str, object] = {}
    under_test: str = CLIENT
    tls: bool = False
    ipv6: bool = False
    images: dict[str, dict[str, str]] = {}  # of each side that is one: its id by its name
    simulated_s: float = 0.0  # how much virtual time was played
    shard: str = ""  # "2/5": it played the second of five parts
    whole: list[str] = []  # with ``shard``: all scenarios that were shared out among the parts
    parts: list[Part] = []  # what it was joined from
    digests: Digests | None = None  # what all of this was when the run began
    repeat: int = 1  # how many times each scenario was played
    suite: int = 0  # how many scenarios there were to select from; 0: unknown
    options: list[str] = []  # of 'linkproof certify', to play the same again


class Played(NamedTuple):
    """A scenario that was played to its end: its trace, and what the judge says of it."""

    trace: list[Observation]
    judgement: Judgement


class RunFolder:
    """Reads and writes the folder of a run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self._traces = path / "traces"
        self._reserve = path / ".reserve"

    def create(self) -> None:
        """Make the folder and what is in it."""
        self._traces.mkdir(parents=True)
        self.logs.mkdir()

    def set_aside(self) -> None:
        """Keep room for what is written at the end of a run.

        Raises:
            OSError: there is none.
        """
        with self._reserve.open("wb") as reserve:
            os.posix_fallocate(reserve.fileno(), 0, RESERVE_BYTES)

    def use_what_was_set_aside(self) -> None:
        """Give that room back, whatever has filled the disk meanwhile."""
        self._reserve.unlink(missing_ok=True)

    def write_trace(self, scenario: str, observations: Sequence[Observation]) -> Path:
        """Store the trace of a scenario."""
        name = _file_name(scenario)
        # Two scenarios may share a readable name; neither may take the place of the other's evidence.
        names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
        path = next(path for path in (self._traces / f"{each}.jsonl" for each in names) if not path.exists())
        _write(path, trace.dump(observations))
        return path

    def write_info(self, info: RunInfo) -> None:
        """Store what the run was made with."""
        _write(self.path / "run.json", msgspec.json.format(msgspec.json.encode(info)) + b"\n")

    def write_verdicts(self, judgements: Sequence[Judgement]) -> None:
        """Store what the judge said."""
        _write(self.path / "verdicts.json", msgspec.json.format(msgspec.json.encode(judgements)) + b"\n")

    def write_known(self, failures: KnownFailures) -> None:
        """Store the file that says what is excused, where there is one."""
        if failures.text:
            _write(self.path / KNOWN_FAILURES, failures.text.encode())

    def seal(self) -> None:
        """Write down the hash of each file. From now on none may change."""
        seal.seal(self.path)

    def check(self) -> None:
        """See to it that the evidence is as it was sealed.

        Raises:
            UsageError: it was altered, or there is no seal.
        """
        seal.check(self.path, complete=(self._traces.name, KNOWN_FAILURES))

    def read_info(self) -> RunInfo:
        """Return what the run was made with.

        Raises:
            UsageError: there is no run in this folder.
        """
        path = self.path / "run.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=RunInfo)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UsageError(f"{self.path} is no run: it has no run.json", mend="name a folder below runs/") from error
        except msgspec.DecodeError as error:
            raise UsageError(
                f"{path} cannot be read: {error}", why="it was not written by a run, or was altered"
            ) from error

    def known(self) -> KnownFailures:
        """Return what is excused in this run.

        Raises:
            UsageError: the file that says so cannot be read.
        """
        path = self.path / KNOWN_FAILURES
        return known.parse(path.read_text(encoding="utf-8"), path.name) if path.exists() else KnownFailures()

    def profile(self) -> Profile:
        """Return the rules that the run was judged by.

        Raises:
            UsageError: there is no run in this folder, or not of a profile that is known here.
        """
        name = self.read_info().profile
        if name not in PROFILES:
            raise UsageError(
                f"{self.path} is a run of the profile {name!r}", why=f"known here are {', '.join(PROFILES)}"
            )
        return PROFILES[name]

    def judge(self) -> list[Judgement]:
        """Judge every trace of the run (again).

        Raises:
            UsageError: the evidence was altered; or a trace cannot be read, or is not whole.
        """
        return [each.judgement for each in self.played()]

    def summary(self, played: Sequence[Played]) -> Summary:
        """Return what the run says, by what was ``played`` in it.

        Raises:
            UsageError: there is no run in this folder, or what is excused in it cannot be read.
        """
        info = self.read_info()
        return summarise([each.judgement for each in played], info.selected, self.known(), suite=info.suite)

    def coverage(self) -> list[Covered]:
        """Return what each scenario of the run covers, by name; where it was played again, what it covered then.

        Raises:
            UsageError: the evidence was altered, or a trace cannot be read.
        """
        return [covered_by(each.trace, each.judgement) for each in self._last()]

    def traces(self) -> list[list[Observation]]:
        """Return the trace of each scenario of the run, recorded to its end: the last one where it was played again.

        Raises:
            UsageError: the evidence was altered; or a trace cannot be read, or is not whole.
        """
        return [each.trace for each in self._last()]

    def played(self) -> list[Played]:
        """Return what was recorded to its end, each trace read and judged once; both results of what was played again.

        Raises:
            UsageError: the evidence was altered; or a trace cannot be read, or is not whole.
        """
        self.check()
        judged = (_judge_file(path) for path in sorted(self._traces.glob("*.jsonl")))
        return [each for each in judged if each is not None]

    def _last(self) -> list[Played]:
        """Return the last result of each scenario."""
        in_order = sorted(self.played(), key=lambda each: each.judgement.attempt)
        return list({each.judgement.scenario: each for each in in_order}.values())


def _judge_file(path: Path) -> Played | None:
    """Judge one trace; None where the run was broken off in it, as it is of a scenario that was not run at all."""
    why = "only a trace that was recorded to its end can be judged"
    try:
        observations = trace.read(path)
        return Played(observations, judge(observations))
    except TraceError as error:
        raise UsageError(str(error), why=why) from error
    except CutShortError:
        return None
    except JudgeError as error:
        raise UsageError(f"{path}: {error}", why=why) from error


def _write(path: Path, data: bytes) -> None:
    """Write a file as a whole or not at all: half a trace could not be read.

    Raises:
        HostError: it cannot be written.
    """
    part = path.with_name(f".{path.name}")
    try:
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise not_kept(error, path) from error


def _file_name(scenario: str) -> str:
    # What a parameter is called may have a slash in it too.
    file, _, test = scenario.partition("::")
    readable = f"{Path(file).stem}.{test}" if test else file
    return re.sub(r"[^A-Za-z0-9._=-]+", "-", readable)[:_FILE_NAME_MAX]
