"""One run: its laboratory, its folder, and the judgement of every scenario that it plays."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import importlib.metadata
import os
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from harness.clock import now_ns
from harness.errors import UsageError
from harness.oracle.judge import judge
from harness.oracle.verdict import Judgement
from harness.report import digests
from harness.report.coverage import Covered, covered_by
from harness.report.digests import Digests
from harness.report.known import KnownFailures
from harness.report.run_folder import CLIENT, SERVER, RunFolder, RunInfo
from harness.report.summary import Summary, summarise
from harness.report.took import begun_ns
from harness.room import is_for_want_of_room, not_kept, room_is_the_hosts
from harness.spec.profiles import RTM_1_0, Profile
from harness.spec.timing import NS_PER_S
from harness.trace import Observation
from harness.world.lab import REFERENCE_CLIENT, REFERENCE_SERVER, Lab, LabConfig, open_lab
from harness.world.means import NETNS, TOXIPROXY, means_of
from harness.world.places import COMMANDS, REFERENCE_SERVER_IMAGE, Images
from harness.world.play import Play
from harness.world.real import RealEngine
from harness.world.world import Title, World

# A scenario that needs this much longer than it says has hung. On a host that is overloaded it may take minutes until
# all its people were admitted, and that is no fault of it.
OVERTIME_S = 240.0
# Starting a container takes the machine's whole time for some tenths of a second, and removing it for some more. All
# scenarios at once would spend their first minutes on each other's starts, and find them in what they measure.
CONTAINED_AT_ONCE = 24


@dataclass(frozen=True, slots=True)
class ScenarioSpec:
    """A scenario as it was collected: what it is, about how long it takes, and what is played."""

    title: Title
    lasts_s: float
    body: Callable[[World], Awaitable[None]]


class Run:
    """Judges what was played, and keeps the evidence; how a scenario is played is left to those who inherit."""

    def __init__(self, folder: Path, profile: Profile = RTM_1_0) -> None:
        self.folder = RunFolder(folder)
        self.judgements: dict[str, Judgement] = {}
        self.inconclusive: dict[str, Judgement] = {}  # the first results of those that were played again
        self.covered: dict[str, Covered] = {}
        self.known = KnownFailures()  # what is excused
        self._digests = Digests(digests.of_rules(profile), digests.of_harness())
        self.info = RunInfo(
            linkproof=importlib.metadata.version("linkproof"),
            profile=profile.name,
            started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            host={"system": platform.platform(), "cpus": os.cpu_count(), "python": platform.python_version()},
            digests=self._digests,
        )
        self._began_ns = 0

    @contextmanager
    def recording(self, selected: Sequence[str]) -> Iterator[None]:
        """Make the folder of the evidence; it is complete afterwards in every case.

        Raises:
            UsageError: it cannot be made.
            HostError: there is no room for it.
        """
        self._began_ns = now_ns()
        try:
            self.folder.create()
            self.folder.set_aside()
        except OSError as error:
            if is_for_want_of_room(error):
                raise not_kept(error, self.folder.path) from error
            why = "there is a run in it already" if isinstance(error, FileExistsError) else str(error)
            raise UsageError(
                f"the evidence cannot be kept in {self.folder.path}", why=why, mend="name another --run-dir"
            ) from error
        self.info.selected = list(selected)
        self.folder.write_info(self.info)  # so that one that is killed is known for what it is
        try:
            yield
        finally:
            self.folder.use_what_was_set_aside()
            self.info.wall_s = self._passed_s()
            self.folder.write_info(self.info)
            self.folder.write_known(self.known)
            self.folder.write_verdicts([*self.judgements.values(), *self.inconclusive.values()])
            self.folder.seal()

    def keep(self, name: str, trace: Sequence[Observation]) -> Judgement:
        """Keep the trace of a scenario that was played, and judge it."""
        self.folder.write_trace(name, trace)
        judgement = judge(trace)
        if name in self.judgements:
            self.inconclusive[name] = self.judgements[name]
        self.judgements[name] = judgement
        self.covered[name] = covered_by(trace, judgement)
        return judgement

    def summary(self) -> Summary:
        """Return what the run says so far."""
        judgements = [*self.judgements.values(), *self.inconclusive.values()]
        return summarise(judgements, self.info.selected, self.known, suite=self.info.suite)

    def _passed_s(self) -> float:
        return round((now_ns() - self._began_ns) / NS_PER_S, 3)


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What the user chose for a run in the real world."""

    folder: Path
    client_command: tuple[str, ...] = REFERENCE_CLIENT
    toxiproxy: str | None = None
    say: Callable[[str], None] = print
    server_command: tuple[str, ...] = REFERENCE_SERVER
    tls: bool = False
    ipv6: bool = False
    profile: Profile = RTM_1_0
    artifacts: tuple[Path, ...] = ()  # files of the implementation under test that its command does not name
    images: Images = COMMANDS
    faults: str = TOXIPROXY


class RealRun(Run):
    """Plays scenarios with processes and a Toxiproxy."""

    def __init__(self, config: RunConfig) -> None:
        super().__init__(config.folder, config.profile)
        self.info.client_command = list(config.client_command)
        self.info.server_command = list(config.server_command)
        self.info.tls, self.info.ipv6 = config.tls, config.ipv6
        self._digests.client = {} if config.images.client else digests.of_command(config.client_command)
        self._digests.server = {} if config.images.server else digests.of_command(config.server_command)
        self._digests.artifacts = digests.of_artifacts(config.artifacts)
        is_server = config.profile.has_reference and not _server_is_reference(config)
        self.info.under_test = SERVER if is_server else CLIENT
        self.info.means = sorted(means_of(config.faults, in_containers=bool(config.images.client)))
        self._config = config
        self._lab: Lab | None = None
        self._turns = asyncio.Semaphore(CONTAINED_AT_ONCE) if config.images else contextlib.nullcontext()
        self.playing: dict[str, Play] = {}

    @asynccontextmanager
    async def open(self, selected: Sequence[str]) -> AsyncIterator[None]:
        """Set up what the scenarios share, and take it down again; the folder is complete afterwards in every case.

        Raises:
            LinkproofError: it cannot be set up; its type says by whose fault.
        """
        chosen = self._config
        config = LabConfig(
            self.folder.logs,
            chosen.client_command,
            chosen.toxiproxy,
            chosen.say,
            chosen.server_command,
            tls=chosen.tls,
            ipv6=chosen.ipv6,
            profile=chosen.profile,
            images=chosen.images,
            faults=chosen.faults,
        )
        with self.recording(selected), room_is_the_hosts():
            try:
                async with open_lab(config) as lab:
                    self._lab = lab
                    self.info.client = msgspec.to_builtins(lab.client)
                    self.info.server = msgspec.to_builtins(lab.server.hello)
                    if chosen.faults == NETNS:
                        self.info.netns = lab.made_by
                    else:
                        self.info.toxiproxy = lab.made_by
                    self._put_down_images(lab.places.images)
                    self.info.setup_s = self._passed_s()
                    yield
            finally:
                self._lab = None

    def _put_down_images(self, images: dict[str, dict[str, str]]) -> None:
        """Keep which images these are: an id is the hash of all that is in one."""
        self.info.images = images
        self._digests.client.update(digests.of_images(images.get("client", {})))
        self._digests.server.update(digests.of_images(images.get("server", {})))

    async def play_again(self, scenario: ScenarioSpec) -> Judgement:
        """Play a scenario for a second time, which decides; both results are kept."""
        return await self.play(replace(scenario, title=replace(scenario.title, attempt=2)))

    async def play(self, scenario: ScenarioSpec, rank: int = 0) -> Judgement:
        """Play one scenario and judge it; its trace is kept, also that of a scenario that is broken off."""
        async with self._turns:
            return await self._play(scenario, rank)

    async def _play(self, scenario: ScenarioSpec, rank: int) -> Judgement:
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
        judgement = self.keep(name, trace)
        took_s = round((now_ns() - begun_ns(trace)) / NS_PER_S, 3)
        if took_s > self.info.longest_s:
            self.info.longest_s, self.info.longest = took_s, name
        return judgement


def _server_is_reference(config: RunConfig) -> bool:
    image = config.images.server
    return image == REFERENCE_SERVER_IMAGE if image else config.server_command == REFERENCE_SERVER
