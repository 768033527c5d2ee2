"""The exit codes of the command, one for each way in which a run can come out. Documented in docs/exit-codes.md."""

from __future__ import annotations

from enum import IntEnum

from harness.errors import Blame
from harness.oracle.verdict import Verdict


class ExitCode(IntEnum):
    """What the command tells the shell."""

    PASS = 0
    FAIL = 1  # the implementation under test breaks a rule
    USAGE = 2  # an argument or a scenario was written wrongly
    INCONCLUSIVE = 3  # the host disturbed the run: nothing failed, and not everything could be told
    UNSUPPORTED = 4  # nothing failed, and some of it the implementation declares that it cannot do
    HARNESS = 10  # ERROR, by whose fault
    ADAPTER = 11
    TOXIPROXY = 12
    HOST = 13
    INTERRUPTED = 130


_OF_BLAME = {
    Blame.ADAPTER: ExitCode.ADAPTER,
    Blame.TOXIPROXY: ExitCode.TOXIPROXY,
    Blame.HOST: ExitCode.HOST,
    Blame.USER: ExitCode.USAGE,
}


def of_blame(blame: Blame) -> ExitCode:
    """Return the exit code of an error that is to be laid on somebody."""
    return _OF_BLAME.get(blame, ExitCode.HARNESS)


def of_verdict(verdict: Verdict, blame: str) -> ExitCode:
    """Return the exit code of a run that came out so; ``blame`` decides among the errors."""
    if verdict in (Verdict.ERROR, Verdict.NOT_REACHED):  # no run comes out as NOT REACHED, if the judge is right
        return of_blame(Blame(blame)) if blame else ExitCode.HARNESS
    return ExitCode[verdict.name]
