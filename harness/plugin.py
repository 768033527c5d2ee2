"""pytest runs the scenarios: collected as any test is, played side by side in one event loop, reported as each ends.

A scenario is ``async def test_...(world)`` with the mark ``@pytest.mark.scenario("CLAUSE-1", ..., lasts_s=8)``. All
that people know of pytest goes on working; ``--serial`` and xdist play one scenario after the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import functools
import itertools
import os
import shlex
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from harness.board import Board
from harness.collection import is_scenario, mistakes, name_of, spec_of
from harness.errors import LinkproofError
from harness.oracle.explain import render
from harness.oracle.verdict import Judgement, Verdict
from harness.report.exit_codes import of_blame
from harness.run import Run, RunConfig
from harness.scheduler import Job, side_by_side
from harness.world.lab import REFERENCE_CLIENT

RUN = pytest.StashKey[Run]()
_RUNNER = pytest.StashKey[asyncio.Runner]()
ERROR = pytest.StashKey[LinkproofError]()  # why the run could not be set up
_OPENED = pytest.StashKey[contextlib.AsyncExitStack]()
_JUDGEMENT = pytest.StashKey[Judgement]()
_TOOK_S = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add linkproof's options."""
    group = parser.getgroup("linkproof")
    group.addoption("--client", metavar="COMMAND", help="the adapter of the client under test (default: the reference)")
    group.addoption("--toxiproxy", metavar="ADDRESS|BINARY", help="the Toxiproxy to use (default: found or built)")
    group.addoption("--serial", action="store_true", help="play one scenario after the other")
    group.addoption("--run-dir", metavar="DIR", type=Path, help="where the evidence goes (default: runs/TIME)")


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, and see to it that the client's command is one."""
    _client_command(config)
    config.addinivalue_line(
        "markers", "scenario(*clauses, lasts_s): a scenario, the clauses it proves, and about how long it takes"
    )


@pytest.fixture
def world() -> None:
    """What a scenario is given. Only there so that pytest knows the name: the real one is made when it is played."""


# ---------------------------------------------------------------------------------------------------- collection


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Refuse a scenario that is written wrongly, before anything runs."""
    wrong = [f"{item.nodeid}: {text}" for item in items for text in mistakes(item)]
    if wrong:
        raise pytest.UsageError("\n".join(wrong))


# ---------------------------------------------------------------------------------------------------- playing


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Play all scenarios at once; whatever else was selected runs before, one after the other."""
    config = session.config
    serial = config.getoption("--serial") or config.getoption("dist", "no") != "no" or hasattr(config, "workerinput")
    scenarios = [item for item in session.items if isinstance(item, pytest.Function) and is_scenario(item)]
    if serial or config.option.collectonly or not scenarios or session.testsfailed:
        return None
    others = [item for item in session.items if not is_scenario(item)]
    for item, following in itertools.zip_longest(others, others[1:]):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        _stop_if_asked(session)
    try:
        _runner_of(config).run(_play_all(session, scenarios))
    except LinkproofError as error:
        config.stash[ERROR] = error
    return True


async def _play_all(session: pytest.Session, items: Sequence[pytest.Function]) -> None:
    run = _run_of(session.config)
    jobs = {id(job): (job, item) for item in items for job in [_job(run, item)]}
    async with run.open([name_of(item) for item in items]):
        board = Board(session.config, run, total=len(items))
        async with board, contextlib.aclosing(side_by_side(job for job, _ in jobs.values())) as ended:
            async for job in ended:
                item = jobs[id(job)][1]
                item.stash[_JUDGEMENT] = job.task.result()
                item.stash[_TOOK_S] = (job.ended_ns - job.started_ns) / 1e9
                with board.aside():
                    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                _stop_if_asked(session)


def _job(run: Run, item: pytest.Function) -> Job[Judgement]:
    scenario = spec_of(item)
    return Job(scenario.title.name, scenario.lasts_s, functools.partial(run.play, scenario))


def _stop_if_asked(session: pytest.Session) -> None:
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


def _play_one(item: pytest.Function) -> Judgement:
    """Play a scenario on its own: with --serial, and in a worker of xdist."""
    config = item.config
    run = _run_of(config)
    runner = _runner_of(config)
    try:
        if _OPENED not in config.stash:
            config.stash[_OPENED] = contextlib.AsyncExitStack()
            names = [name_of(each) for each in item.session.items if is_scenario(each)]
            runner.run(config.stash[_OPENED].enter_async_context(run.open(names)))
        return runner.run(run.play(spec_of(item)))
    except LinkproofError as error:
        config.stash[ERROR] = error
        item.session.shouldstop = "the run cannot go on"
        pytest.fail(str(error), pytrace=False)


def _run_of(config: pytest.Config) -> Run:
    if RUN not in config.stash:
        config.stash[RUN] = Run(
            RunConfig(
                folder=_folder(config),
                client_command=_client_command(config),
                toxiproxy=config.getoption("--toxiproxy"),
                say=functools.partial(_say, config),
            )
        )
    return config.stash[RUN]


def _client_command(config: pytest.Config) -> tuple[str, ...]:
    given = config.getoption("--client")
    if given is None:
        return REFERENCE_CLIENT
    try:
        words = tuple(shlex.split(given))
    except ValueError as error:
        raise pytest.UsageError(f"--client {given!r}: {error}") from error
    if not words:
        # An empty variable in somebody's script: to certify the reference in its place would be a false PASS.
        raise pytest.UsageError("--client names no command; leave it out to certify the reference client")
    return words


def _folder(config: pytest.Config) -> Path:
    worker: str = getattr(config, "workerinput", {}).get("workerid", "")
    given: Path | None = config.getoption("--run-dir")
    if given is not None:
        return given / worker
    now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return Path("runs") / "-".join(part for part in (now, str(os.getpid()), worker) if part)


def _say(config: pytest.Config, text: str) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    # With --serial a run is set up within a test, where pytest keeps what is printed.
    capture = config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture is not None else contextlib.nullcontext():
        reporter.ensure_newline()
        reporter.write_line(text)


def _runner_of(config: pytest.Config) -> asyncio.Runner:
    if _RUNNER not in config.stash:
        config.stash[_RUNNER] = asyncio.Runner()
    return config.stash[_RUNNER]


# ---------------------------------------------------------------------------------------------------- reporting


@pytest.hookimpl(trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Make sure that the scenario was played. What went wrong beside the implementation is an error of the set-up."""
    if not isinstance(item, pytest.Function) or not is_scenario(item):
        return
    if _JUDGEMENT not in item.stash:
        item.stash[_JUDGEMENT] = _play_one(item)
    judgement = item.stash[_JUDGEMENT]
    item.user_properties += [("verdict", str(judgement.verdict)), ("clauses", " ".join(judgement.clauses))]
    if judgement.verdict is Verdict.ERROR:
        pytest.fail(_text(item, judgement), pytrace=False)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Give the verdict of a scenario in the place of calling it: it was called when it was played."""
    judgement = pyfuncitem.stash.get(_JUDGEMENT, None)
    if judgement is None:
        return None
    if judgement.verdict is Verdict.FAIL:
        pytest.fail(_text(pyfuncitem, judgement), pytrace=False)
    if judgement.verdict is not Verdict.PASS:
        pytest.skip(f"{judgement.verdict}: {judgement.reason}")
    return True


def _text(item: pytest.Item, judgement: Judgement) -> str:
    folder = item.config.stash[RUN].folder.path
    name = item.nodeid.rpartition("::")[2]
    return f"{render(judgement)}\n\n  evidence: {folder}\n  repeat:   linkproof certify -k '{name}'"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give the report of a scenario that was played before the time that it really took."""
    report = yield
    if report.when == "call" and _TOOK_S in item.stash:
        report.duration = item.stash[_TOOK_S]
    return report


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Show verdicts by their own names."""
    if not isinstance(report, pytest.TestReport):
        return None
    verdict = dict(report.user_properties).get("verdict")
    if verdict is None or report.when == "teardown" or (report.when == "setup" and report.passed):
        return None
    if report.passed:
        return "passed", ".", ("PASS", {"green": True})
    if report.skipped:
        return str(verdict).lower(), str(verdict)[0], (str(verdict), {"yellow": True})
    return None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Take down what is left, say why a run could not be set up, and let INCONCLUSIVE alone be no success either."""
    config = session.config
    if _RUNNER in config.stash:
        runner = config.stash[_RUNNER]
        if _OPENED in config.stash:
            runner.run(config.stash[_OPENED].aclose())
        runner.close()
    if ERROR in config.stash:
        error = config.stash[ERROR]
        _say(config, f"\n{error}")
        session.exitstatus = of_blame(error.blame)
    elif exitstatus == pytest.ExitCode.OK and not _can_tell(config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _can_tell(config: pytest.Config) -> bool:
    if RUN in config.stash:
        return config.stash[RUN].summary().verdict not in (Verdict.INCONCLUSIVE, Verdict.ERROR)
    # Under xdist the runs are those of the workers: what they reported is all that is known here.
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return reporter is None or str(Verdict.INCONCLUSIVE).lower() not in reporter.stats


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say where the evidence is."""
    if RUN in config.stash and not config.option.no_summary:
        terminalreporter.write_line(f"evidence: {config.stash[RUN].folder.path}")
