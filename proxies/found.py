"""What the search for a Toxiproxy server found, and everything that it tried on the way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HostError
from proxies.pinned import MODULE, VERSION

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One place that was looked at, or one way that was tried, and what came of it."""

    what: str
    outcome: str

    def __str__(self) -> str:
        return f"{self.what}: {self.outcome}"


@dataclass(frozen=True, slots=True)
class Found:
    """A Toxiproxy server to use.

    Attributes:
        path: the binary; None where a running server is used.
        address: ``host:port`` of a running server; None where a binary is used.
        origin: how it was found, for people.
        version: the version that was verified; ``git`` for a running server that was built from the source.
        tried: everything that was tried, this last.
    """

    path: Path | None
    address: str | None
    origin: str
    version: str
    tried: tuple[Step, ...]


def nothing_found(tried: Sequence[Step]) -> HostError:
    """The one error for a machine on which no Toxiproxy server was found."""
    listed = "\n".join(f"        - {step}" for step in tried)
    return HostError(
        f"no Toxiproxy {VERSION} was found. What was tried:\n{listed}",
        why="every link of a run goes through a real Toxiproxy server.",
        mend=f"go install {MODULE}/cmd/server@{VERSION}, then LINKPROOF_TOXIPROXY=$(go env GOPATH)/bin/server",
    )
