"""Known failures in pytest: read before anything runs, held against the suite, and shown as what they are.

A scenario that fails as is known is an expected failure (xfail); what is said to be known, and is not so, fails. What
the file says is in ``harness.report.known``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.collection import is_scenario, name_of, plain_name_of
from harness.errors import UsageError
from harness.oracle.verdict import Judgement, Verdict
from harness.report import known
from harness.report.known import KnownFailures
from harness.report.summary import Summary


def add_options(group: pytest.OptionGroup) -> None:
    """Add the options of known failures."""
    group.addoption("--known-failures", metavar="FILE", type=Path, help="the failures that are tolerated, in TOML")
    write = "write such a file for what fails in this run, to be completed by hand"
    group.addoption("--write-known-failures", metavar="FILE", type=Path, help=write)


def configure(config: pytest.Config) -> None:
    """Read what is known.

    Raises:
        pytest.UsageError: it cannot be read; or a file is to be written that is there, or by several processes.
    """
    path, new = config.getoption("--known-failures"), config.getoption("--write-known-failures")
    if new is not None:
        _check_new(config, path, new)
    try:
        config.stash[TOLERANCE] = Tolerance(known.read(path) if path is not None else KnownFailures())
    except UsageError as error:
        raise pytest.UsageError(f"--known-failures: {error}") from error
    config.pluginmanager.register(config.stash[TOLERANCE])


def _check_new(config: pytest.Config, path: Path | None, new: Path) -> None:
    if path is not None:
        raise pytest.UsageError(
            "--write-known-failures makes a first file: leave --known-failures out, or write by hand"
        )
    if new.exists():
        raise pytest.UsageError(f"--write-known-failures: {new} is there already, and is not overwritten: name another")
    if not new.parent.is_dir():
        raise pytest.UsageError(f"--write-known-failures: there is no folder {new.parent}")
    if config.getoption("dist", "no") != "no":
        raise pytest.UsageError("--write-known-failures needs one process: leave -n out")


class Tolerance:
    """What is tolerated in this session of pytest, and how many scenarios there are in its suite."""

    def __init__(self, failures: KnownFailures) -> None:
        self.failures = failures
        self.suite = 0

    @pytest.hookimpl(tryfirst=True)  # before -k, --lf and whatever else selects: the whole suite counts
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Refuse an entry that matches no scenario of the suite."""
        scenarios = [item for item in items if is_scenario(item)]
        self.suite = len(scenarios)
        marks = (item.get_closest_marker("scenario") for item in scenarios)
        clauses = {clause for mark in marks if mark is not None for clause in mark.args}
        names = {name for item in scenarios for name in (name_of(item), plain_name_of(item))}
        try:
            self.failures.check_places(names, clauses)
        except UsageError as error:
            raise pytest.UsageError(f"--known-failures: {error}") from error

    def hold(self, judgement: Judgement) -> str:
        """Return what is not as it is known, in words; what is, ends here as an expected failure."""
        entry = self.failures.excuse(judgement)
        if entry is not None:
            pytest.xfail(f"KNOWN FAILURE: {entry.known.reason} ({entry.where}): {judgement.reason}")
        misfit = self.failures.misfit(judgement)
        return "" if misfit is None else str(misfit)


TOLERANCE = pytest.StashKey[Tolerance]()


def write(config: pytest.Config, summary: Summary, say: Callable[[str], None]) -> None:
    """Write a first file for what failed, where that is asked for."""
    path: Path | None = config.getoption("--write-known-failures")
    if path is None:
        return
    failed = [each for each in summary.judgements if each.verdict is Verdict.FAIL]
    if not failed:
        say(f"nothing failed: {path} is not written")
        return
    with path.open("x", encoding="utf-8") as file:
        file.write(known.render(failed))
    say(f"known failures: {path}; say in it why each of them is tolerated")
