"""``linkproof doctor``: what a run needs of this machine, what is missing, and the line that mends it."""

from __future__ import annotations

import asyncio
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
from rich.markup import escape

from harness.cli.console import make_console
from harness.cli.suite import suite_folder
from harness.errors import LinkproofError
from harness.guard import Guard
from harness.report.exit_codes import ExitCode
from proxies import binary
from proxies.found import Found
from proxies.selftest import self_test
from proxies.server import ToxiproxyServer

# A person is a process with three pipes here, and two connections in Toxiproxy; a run has some hundred of them.
FILES_MIN = 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what was found, and how to mend it where that will not do."""

    what: str
    found: str
    mend: str = ""

    @property
    def good(self) -> bool:
        """Whether a run can do with it."""
        return not self.mend


@click.command()
def doctor() -> int:
    """Say what a run needs of this machine, what is missing, and the line that mends it.

    Changes nothing: a Toxiproxy that is not there is named, and built by the first run (or by
    'linkproof toxiproxy install').

    \b
    Example:
      linkproof doctor
    """
    console = make_console()
    findings = []
    for finding in _examine():
        findings.append(finding)
        mark = "[green]ok[/green]  " if finding.good else "[red]lack[/red]"
        console.print(f"{mark} {finding.what}: {escape(finding.found)}", highlight=False, soft_wrap=True)
        if not finding.good:
            console.print(f"       mend: {escape(finding.mend)}", highlight=False, soft_wrap=True)
    lacking = sum(not finding.good for finding in findings)
    console.print("\nnothing is missing" if not lacking else f"\n{lacking} of {len(findings)} will not do")
    return ExitCode.HOST if lacking else ExitCode.PASS


def _examine() -> Iterator[Finding]:
    for what, look in (("Python", _python), ("scenarios", _scenarios), ("processes", _processes), ("files", _files)):
        yield _told(what, look)
    try:
        found = binary.find(build=False)
    except LinkproofError as error:
        yield Finding(
            "Toxiproxy",
            f"{error.found}",
            f"linkproof toxiproxy install (with Go, a container engine or PyPI at hand), or: {error.mend}",
        )
        return
    yield Finding("Toxiproxy", f"{found.version}, {found.origin}: {found.path or found.address}")
    yield _told("faults", lambda: _faults(found))


def _told(what: str, look: Callable[[], Finding]) -> Finding:
    """Turn an error of a look into its finding."""
    try:
        return look()
    except LinkproofError as error:
        return Finding(what, error.found, error.mend or error.why or "see above")


def _python() -> Finding:
    version = sys.version.split()[0]
    return Finding("Python", version, "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer")


def _scenarios() -> Finding:
    folder = suite_folder()
    count = len(list(folder.glob("test_*.py")))
    return Finding("scenarios", f"{count} files in {folder}", "" if count else "install linkproof anew")


def _processes() -> Finding:
    with Guard() as guard:
        return Finding("processes", f"can be started and guarded (tried as {guard.pid}), {os.cpu_count()} cores")


def _files() -> Finding:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    mend = "" if soft >= FILES_MIN else f"ulimit -n {min(hard, FILES_MIN)}"
    return Finding("open files", f"{soft} allowed", mend)


def _faults(found: Found) -> Finding:
    with tempfile.TemporaryDirectory() as folder:
        took_ms, recipes = asyncio.run(_try_faults(found, Path(folder) / "toxiproxy.log"))
    return Finding("faults", f"{recipes} kinds tried on loopback in {took_ms:.0f} ms, each does what it should")


async def _try_faults(found: Found, log_path: Path) -> tuple[float, int]:
    with Guard() as guard:
        server = await ToxiproxyServer.open(found, guard=guard, log_path=log_path)
        try:
            report = await self_test(server)
        finally:
            await server.close()
    return report.total_ms, len(report.checks)
