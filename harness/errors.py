"""Who is to blame when something other than the implementation under test goes wrong.

A rule that is broken by the implementation under test is a verdict (FAIL) and never an exception. Everything
else that stops a run is one of the exceptions here, and its type says whose fault it is.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Blame(StrEnum):
    """The party that a failure or an error is laid on."""

    IMPLEMENTATION = "implementation"
    ADAPTER = "adapter"
    TOXIPROXY = "toxiproxy"
    HOST = "host"
    HARNESS = "harness"
    USER = "user"


class LinkproofError(Exception):
    """An error with everything that its reader needs: what was found, why it is wrong, how to mend it."""

    blame: ClassVar[Blame] = Blame.HARNESS

    def __init__(self, found: str, *, why: str = "", mend: str = "") -> None:
        self.found = found
        self.why = why
        self.mend = mend
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [f"{self.blame}: {self.found}"]
        if self.why:
            lines.append(f"  why:  {self.why}")
        if self.mend:
            lines.append(f"  mend: {self.mend}")
        return "\n".join(lines)


class HarnessError(LinkproofError):
    """linkproof itself is at fault."""


class AdapterError(LinkproofError):
    """The process that carries the implementation under test broke the adapter contract."""

    blame = Blame.ADAPTER


class ToxiproxyError(LinkproofError):
    """Toxiproxy did not answer, answered with an error, or did not do what it was told."""

    blame = Blame.TOXIPROXY


class HostError(LinkproofError):
    """The machine lacks something that a run needs, or disturbed it."""

    blame = Blame.HOST


class UsageError(LinkproofError):
    """An argument, an option or a scenario was written wrongly."""

    blame = Blame.USER
