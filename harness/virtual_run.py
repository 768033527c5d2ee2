"""A run in virtual time: nothing is started, nothing is waited for, and nothing is certified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from harness.oracle.verdict import Judgement
from harness.report.run_folder import VIRTUAL
from harness.run import OVERTIME_S, Run, ScenarioSpec
from harness.spec.timing import NS_PER_S
from harness.world.chosen_core import client_core
from harness.world.virtual import VirtualConfig, play_virtually


@dataclass(frozen=True, slots=True)
class VirtualRunConfig:
    """What the user chose for a run in virtual time; ``core`` is MODULE:NAME, the reference's where it is empty."""

    folder: Path
    seed: int = 0
    core: str = ""


class VirtualRun(Run):
    """Plays scenarios over cores and a simulated network, one after the other.

    Raises:
        UsageError: the core that was chosen cannot be had.
    """

    def __init__(self, config: VirtualRunConfig) -> None:
        super().__init__(config.folder)
        self._world = (
            VirtualConfig(config.seed) if not config.core else VirtualConfig(config.seed, client_core(config.core))
        )
        self.info.world = VIRTUAL
        self.info.client = {"name": config.core or "the reference core"}

    @contextmanager
    def open(self, selected: Sequence[str]) -> Iterator[None]:
        """Make the folder; it is complete afterwards in every case."""
        with self.recording(selected):
            self.info.setup_s = self._passed_s()
            yield

    def play(self, scenario: ScenarioSpec) -> Judgement:
        """Play one scenario and judge it."""
        limit_s = scenario.lasts_s + OVERTIME_S
        # Another repetition is another chance; the same one, of the same seed, is always the same.
        world = replace(self._world, seed=self._world.seed + scenario.title.repetition)
        trace = play_virtually(scenario.title, scenario.body, limit_s=limit_s, config=world)
        self.info.simulated_s += (trace[-1].at_ns - trace[0].at_ns) / NS_PER_S
        return self.keep(scenario.title.name, trace)
