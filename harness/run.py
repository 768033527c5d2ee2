"""One run: its laboratory, its folder, and the judgement of every scenario that it plays."""

from __future__ import annotations

import asyncio
import datetime
import importlib.metadata
import os
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.clock import now_ns
from harness.errors import UsageError
from harness.oracle.judge import judge
from harness.oracle.verdict import Judgement
from harness.report.run_folder import RunFolder, RunInfo
from harness.report.summary import Summary, summarise
from harness.spec.profiles import RTM_1_0
from harness.spec.timing import NS_PER_S
from harness.trace import Observation, What
from harness.world.lab import REFERENCE_CLIENT, Lab, LabConfig, open_lab
from harness.world.play import Play
from harness.world.real import RealEngine
from harness.world.world import Title, World

# A scenario that needs this much longer than it says has hung. On a host that is overloaded it may take minutes until
# all its people were admitted, and that is no fault of it.
OVERTIME_S = 240.0


@dataclass(frozen=True, slots=True)
class ScenarioSpec:
    """A scenario as it was collected: what it is, about how long it takes, and what is played."""

    title: Title
    lasts_s: float
    body: Callable[[World], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What the user chose for a run."""

    folder: Path
    client_command: tuple[str, ...] = REFERENCE_CLIENT
    toxiproxy: str | None = None
    say: Callable[[str], None] = print


class Run:
    """Plays scenarios, judges them, and keeps the evidence."""

    def __init__(self, config: RunConfig) -> None:
        self.folder = RunFolder(config.folder)
        self._config = config
        self._lab: Lab | None = None
        self.judgements: dict[str, Judgement] = {}
        self.playing: dict[str, Play] = {}
        self.info = RunInfo(
            linkproof=importlib.metadata.version("linkproof"),
            profile=RTM_1_0.name,
            started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            client_command=list(config.client_command),
            host={"system": platform.platform(), "cpus": os.cpu_count(), "python": platform.python_version()},
        )

    @asynccontextmanager
    async def open(self, selected: Sequence[str]) -> AsyncIterator[None]:
        """Set up what the scenarios share, and take it down again; the folder is complete afterwards in every case.

        Raises:
            LinkproofError: it cannot be set up; its type says by whose fault.
        """
        began_ns = now_ns()
        try:
            self.folder.create()
        except OSError as error:
            why = "there is a run in it already" if isinstance(error, FileExistsError) else str(error)
            raise UsageError(
                f"the evidence cannot be kept in {self.folder.path}", why=why, mend="name another --run-dir"
            ) from error
        self.info.selected = list(selected)
        config = LabConfig(self.folder.logs, self._config.client_command, self._config.toxiproxy, self._config.say)
        try:
            async with open_lab(config) as lab:
                self._lab = lab
                self.info.client = msgspec.to_builtins(lab.client)
                self.info.toxiproxy = lab.toxiproxy_found
                self.info.setup_s = round((now_ns() - began_ns) / NS_PER_S, 3)
                yield
        finally:
            self._lab = None
            self.info.wall_s = round((now_ns() - began_ns) / NS_PER_S, 3)
            self.folder.write_info(self.info)
            self.folder.write_verdicts(list(self.judgements.values()))

    async def play(self, scenario: ScenarioSpec, rank: int = 0) -> Judgement:
        """Play one scenario and judge it; its trace is kept, also that of a scenario that is broken off."""
        assert self._lab is not None
        name = scenario.title.name
        play = Play(scenario.title, RealEngine(self._lab, name, rank))
        self.playing[name] = play
        try:
            trace = await play.run(scenario.body, limit_s=scenario.lasts_s + OVERTIME_S)
        except asyncio.CancelledError:
            self.folder.write_trace(name, play.world.trace)
            raise
        finally:
            del self.playing[name]
        self.folder.write_trace(name, trace)
        judgement = judge(trace)
        self.judgements[name] = judgement
        took_s = round((now_ns() - _begun_ns(trace)) / NS_PER_S, 3)
        if took_s > self.info.longest_s:
            self.info.longest_s, self.info.longest = took_s, name
        return judgement

    def summary(self) -> Summary:
        """Return what the run says so far."""
        return summarise(list(self.judgements.values()), self.info.selected)


def _begun_ns(trace: Sequence[Observation]) -> int:
    """Return when a scenario had its first person: what it waited for before that is no part of it."""
    return next((each.at_ns for each in trace if each.what is What.DECLARED), trace[0].at_ns)
