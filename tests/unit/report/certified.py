"""Small runs to certify, made of stories; and keys to sign with."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import msgspec

from harness.oracle.expect import callback
from harness.oracle.judge import judge
from harness.report import digests
from harness.report.digests import Digests
from harness.report.run_folder import RunFolder, RunInfo
from harness.spec.profiles import PROFILES, Profile
from harness.trace import Observation, What
from tests.unit.oracle.story import LOGGED_IN, Story

SDK: dict[str, object] = {"name": "my-sdk", "version": "2.1", "language": "go"}
CLAUSE = "CONNECTING-1"


def suite_of(profile: Profile, means: Collection[str]) -> list[str]:
    """The scenarios that there are: a and b, of the profile that each run here is of."""
    assert (profile.name, means) == ("rtm-1.0", [])
    return ["t.py::test_a", "t.py::test_b"]


def named(name: str, trace: list[Observation]) -> list[Observation]:
    """The same trace, of a scenario by another name."""
    return [msgspec.structs.replace(trace[0], name=name), *trace[1:]]


def passed() -> list[Observation]:
    return Story(CLAUSE).logged_in().expects(*LOGGED_IN).ended()


def failed() -> list[Observation]:
    return Story(CLAUSE).logged_in().expects(*LOGGED_IN, callback("onTokenExpired", "OPEN-22")).ended()


def unsupported() -> list[Observation]:
    story = Story(CLAUSE)
    story.declared()
    story.put(1, "alice", What.LACKING, "capability", text="it has no channels")
    return story.ended()


@dataclass
class Certified:
    """A run in a folder; ``info`` can be changed before it is written."""

    path: Path

    def __post_init__(self) -> None:
        self.folder = RunFolder(self.path)
        self.folder.create()
        files = {"node": "a" * 64, "adapter.js": "b" * 64}
        command = ["node", "adapter.js", "--secret", "s3cret"]
        self.info = RunInfo("0.1.0", "rtm-1.0", "2026-01-01T00:00:00+00:00", client_command=command, client=SDK)
        self.info.digests = Digests(digests.of_rules(PROFILES["rtm-1.0"]), digests.of_harness(), files)
        self.info.toxiproxy = "v2.12.0, cached: /somebody/s/cache/toxiproxy-server"

    def played(self, **traces: list[Observation]) -> RunFolder:
        """Write the run down, each scenario by its name, and seal it."""
        renamed = {name: named(f"t.py::test_{name}", trace) for name, trace in traces.items()}
        for trace in renamed.values():
            self.folder.write_trace(trace[0].name, trace)
        self.info.selected = self.info.selected or [trace[0].name for trace in renamed.values()]
        self.folder.write_info(self.info)
        self.folder.write_verdicts([judge(trace) for trace in renamed.values()])
        (self.folder.logs / "alice.log").write_text("what it wrote on its standard error\n")
        self.folder.seal()
        return self.folder
